#ifndef NETCTL_NLANSWER_H
#define NETCTL_NLANSWER_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the datagrams of a netlink answer say, without any I/O, for nl.c: set the first
 * four fields, the rest zero, then nlanswer_take() with one datagram after the other.
 */

struct nlanswer {
	mnl_cb_t on_message; /* each message of the answer; NULL: none is of interest */
	void *ctx;
	uint32_t seq; /* of the request, and the port it came from; 0: any */
	uint32_t port;
	char text[160]; /* the kernel's own words (NLMSGERR_ATTR_MSG), or "" */
	bool changed;   /* what is dumped changed meanwhile (NLM_F_DUMP_INTR) */
};

/* 1: more is to come. 0: that was all. The kernel's or on_message's negative errno;
 * -EBADMSG: no answer that makes sense. The datagram is changed; it lies in a buffer that
 * is a multiple of 4 bytes long and aligned to 4: libmnl looks up to 3 bytes beyond. */
int nlanswer_take(struct nlanswer *answer, void *datagram, size_t size);

#endif
