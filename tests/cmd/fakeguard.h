/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CMD_FAKEGUARD_H
#define TESTS_CMD_FAKEGUARD_H

#include <stdbool.h>

#include "netctl/guard_wire.h"

/*
 * A guard without a host: it answers on its end of a socket pair as netctl/guard.c does,
 * records each request, and changes nothing but numbers of its own. It has neither leases
 * nor a conf file; a test lets requests fail where these would make them.
 */

#define FAKEGUARD_REQUESTS_MAX 512
#define FAKEGUARD_FAULTS_MAX   4

struct fakeguard {
	int fd;                   /* -1: closed */
	struct guard_facts facts; /* .mtu is that of the link, now */
	int restored_mtu;         /* the link's after a restore */
	int committed_mtu;        /* or 0 */
	bool probes;              /* of the loopback, which takes each size whole */
	/* Called before a request is answered; NULL: nothing. */
	void (*before)(void *ctx, enum guard_verb verb);
	void *ctx;
	struct guard_request requests[FAKEGUARD_REQUESTS_MAX];
	int count;
	struct {
		enum guard_verb verb;
		int skip; /* requests before the first that fails */
		int times;
		int result;
		const char *text;
	} faults[FAKEGUARD_FAULTS_MAX];
};

/* A link of that MTU, up, of the kernel's WireGuard. */
void fakeguard_init(struct fakeguard *guard, int mtu);

/* From now on: the request of this verb after `skip` good ones fails with `result` and
 * `text`, and so do those that follow it, `times` in all. */
void fakeguard_fail(struct fakeguard *guard, enum guard_verb verb, int skip, int times,
		    int result, const char *text);

/* Answer a request, if there is one. False: the other end is closed. */
bool fakeguard_answer(struct fakeguard *guard);

int fakeguard_count(const struct fakeguard *guard, enum guard_verb verb);
/* The last request of that verb, or NULL. */
const struct guard_request *fakeguard_last(const struct fakeguard *guard,
					   enum guard_verb verb);

#endif
