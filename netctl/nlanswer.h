/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_NLANSWER_H
#define NETCTL_NLANSWER_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The parser for the datagrams of a netlink answer, without any I/O, for nl.c: set the
 * first four fields, the rest zero, then call nlanswer_take() with one datagram after
 * another.
 */

struct nlanswer {
	mnl_cb_t on_message; /* called for each message of the answer; NULL: none */
	void *ctx;
	uint32_t seq; /* sequence number of the request, and its port; 0: any */
	uint32_t port;
	char text[160]; /* the kernel's own words (NLMSGERR_ATTR_MSG), or "" */
	bool changed;   /* the dumped table changed meanwhile (NLM_F_DUMP_INTR) */
};

/* 1: more datagrams follow. 0: the answer is complete. Else the negative errno of the
 * kernel or of on_message; -EBADMSG: no valid answer. The datagram is modified. Its
 * buffer must be aligned to 4 bytes and a multiple of 4 bytes long: libmnl reads up to
 * 3 bytes beyond. */
int nlanswer_take(struct nlanswer *answer, void *datagram, size_t size);

#endif
