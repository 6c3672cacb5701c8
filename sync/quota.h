/* SPDX-License-Identifier: MIT */
#ifndef SYNC_QUOTA_H
#define SYNC_QUOTA_H

#include "base/err.h"
#include "base/types.h"

/*
 * The runs and rows that one WireGuard peer may add to the server's database within a day,
 * so that no peer can fill it. Sessions and takeovers do not matter. Kept in memory: a
 * server that is started again counts from 0. Pure (times are passed in) and unlocked.
 */

#define QUOTA_RUNS   2000
#define QUOTA_ROWS   200000
#define QUOTA_DAY_MS INT64_C(86400000)
/* Beyond these, the peer whose day began first is forgotten. */
#define QUOTA_PEERS 256

struct quota_peer {
	char who[ADDRESS_SIZE]; /* "": none */
	int64_t since_ms;       /* the begin of its day */
	int runs;
	int rows;
};

struct quota {
	struct quota_peer list[QUOTA_PEERS];
};

/* The account of a peer, by its public key or its address. Valid until the next call. */
struct quota_peer *quota_find(struct quota *quota, const char *who, int64_t now_ms);

/* Check that a new run, or a new row, may be stored; -EDQUOT. The caller counts those that
 * it has stored. */
int quota_check_run(const struct quota_peer *peer, struct err *err);
int quota_check_row(const struct quota_peer *peer, struct err *err);

#endif
