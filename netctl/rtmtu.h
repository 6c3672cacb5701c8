/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_RTMTU_H
#define NETCTL_RTMTU_H

#include "base/err.h"
#include "base/types.h"

/*
 * The mtu metric of one route out of an interface, over rtnetlink, inside netctl only. All
 * other attributes of a route that exists already stay as they are.
 */

/* The protocol number of routes that mtusweep adds ("proto 77" in ip-route(8)), and of
 * those that its lines in the conf file add. */
#define RTMTU_PROTOCOL 77

struct rtmtu_key {
	int ifindex;
	char address[ADDRESS_SIZE]; /* of the destination, the first of its prefix */
	int length;                 /* prefix length */
	int table;                  /* 0: any but the table of local addresses */
};

struct rtmtu {
	bool exists;
	bool ours; /* its protocol is RTMTU_PROTOCOL */
	int mtu;   /* the metric; 0: none */
	int table;
};

/* Find the unicast route with exactly this prefix; of several the one with the lowest
 * metric number, which is the one in use. 0 also when there is none, or no interface. */
int rtmtu_find(const struct rtmtu_key *key, struct rtmtu *ret, struct err *err);

/*
 * Set the metric of that route (0: remove the metric). Where there is none, add one with
 * `source` as its source address ("": the kernel's choice), to key->table (0: main).
 * -ENODEV: no such interface; -ENETDOWN: it is down.
 */
int rtmtu_set(const struct rtmtu_key *key, int mtu, const char *source,
	      struct err *err);

/* Delete the route if its protocol is RTMTU_PROTOCOL. 0 also when there is none. */
int rtmtu_remove(const struct rtmtu_key *key, struct err *err);

#endif
