/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_OUTERPKT_H
#define NETCTL_OUTERPKT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A parser for the IP and UDP headers of an outer packet, without any I/O. The packet
 * comes from the network and may be cut off anywhere.
 */

/* The most bytes up to the end of the UDP header: behind an IPv4 header with options,
 * or an IPv6 fragment header. */
#define OUTERPKT_HEAD 96

struct outerpkt {
	bool fragment; /* a first fragment; else a whole packet */
	/* Size of the UDP datagram before any fragmentation, header included: a first
	 * fragment's UDP header has the length of the whole datagram. */
	int udp_size;
	int source_port;
	int destination_port;
};

/* -ENOENT: neither a whole UDP packet nor the first fragment of one. */
int outerpkt_parse(const void *data, size_t size, struct outerpkt *ret);

#endif
