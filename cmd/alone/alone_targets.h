/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_TARGETS_H
#define CMD_ALONE_ALONE_TARGETS_H

#include "base/err.h"
#include "base/options.h"
#include "base/types.h"

struct host;

/*
 * The addresses that --alone asks: those that the user names, else those inside the tunnel
 * that a plain far end is likely to answer from. An address that does not leave by the
 * tunnel, by the route to it and by WireGuard's AllowedIPs, is never one. Privileged:
 * WireGuard's facts are needed.
 */

#define ALONE_TARGETS_MAX 16
/* The port that is asked where none is named: that of traceroute, closed nearly always. */
#define ALONE_PORT 33434

struct alone_target {
	char address[ADDRESS_SIZE];
	char local[ADDRESS_SIZE]; /* this end's address on the way there */
	int port;                 /* 0: none was named */
	int route_mtu;            /* of the route there; 0: it has none of its own */
	const char *origin;       /* "first address of the tunnel's network"; static */
};

struct alone_targets {
	int count;
	struct alone_target list[ALONE_TARGETS_MAX]; /* the most likely first */
};

/* Take one word of the option --NAME: ADDRESS, IPV4:PORT or [IPV6]:PORT; without a port it
 * is 0. -EINVAL. */
int alone_targets_parse(const char *name, const char *word, char ret[ADDRESS_SIZE],
			int *ret_port, struct err *err);

/* `named` are the words of the option --NAME; none: find addresses. -EINVAL: a named one is
 * not behind the tunnel; -ENOENT: none was found. */
int alone_targets_find(const struct host *host, const char *name,
		       const struct option_list *named, struct alone_targets *ret,
		       struct err *err);

/* True if both addresses belong to one WireGuard peer. */
bool alone_targets_are_of_one_peer(const struct host *host, const char *a,
				   const char *b);

/* The one that the option --NAME has as its word. -EINVAL. */
int alone_targets_find_one(const struct host *host, const char *name, const char *word,
			   struct alone_target *ret, struct err *err);

#endif
