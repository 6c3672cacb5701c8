/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_LIVE_ODD_H
#define TESTS_FUZZ_LIVE_ODD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "sync/msg.h"

/*
 * HTTP requests of the protocol, each made from a seed alone: a valid one, or one with up
 * to three things wrong in its target, headers, body or way of arriving. A session's id,
 * where one is known, is put into them.
 */

#define ODD_MAX 70000 /* bytes of all that is sent on a connection */

/* How the bytes arrive. */
enum odd_way {
	ODD_AT_ONCE,
	ODD_IN_PIECES,
	ODD_DRIPPING,  /* byte by byte */
	ODD_CUT,       /* the end is missing, and the client has closed its half */
	ODD_LEFT_OPEN, /* the end is missing, and nothing more comes */
	ODD_RESET,     /* the connection is reset in the middle */
	ODD_WAY_COUNT,
};

struct odd_session {
	char id[TOKEN_SIZE];
	char run[UUID_SIZE];
	char secret[TOKEN_SIZE];
};

struct odd {
	char bytes[ODD_MAX];
	size_t size; /* those that are sent */
	enum odd_way way;
	bool valid; /* nothing is wrong with it: the answer is 200 */
};

/* `may_write`: also one that changes something, of this session. */
void odd_make(struct odd *ret, uint64_t seed, const char *host, bool may_write,
	      const struct odd_session *session);
/* Valid: opens a session of this run; closes it. */
void odd_open(struct odd *ret, const char *host, const struct odd_session *session);
void odd_close(struct odd *ret, const char *host, const struct odd_session *session);

#endif
