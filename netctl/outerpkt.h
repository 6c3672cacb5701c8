#ifndef NETCTL_OUTERPKT_H
#define NETCTL_OUTERPKT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What an outer packet says of itself: its IP and UDP headers, without any I/O. It comes
 * from the network, and only the beginning of it may be there.
 */

/* Up to the UDP header's end behind any IPv4 header, and an IPv6 fragment's. */
#define OUTERPKT_HEAD 96

struct outerpkt {
	bool fragment; /* a first fragment; else a whole packet */
	/* Of the UDP datagram, header included, before any fragmentation: a first fragment's
	 * UDP header still has the length of the whole. */
	int udp_size;
	int source_port;
	int destination_port;
};

/* -ENOENT: neither a whole UDP packet nor the first fragment of one. */
int outerpkt_parse(const void *data, size_t size, struct outerpkt *ret);

#endif
