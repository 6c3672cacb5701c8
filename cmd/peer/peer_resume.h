/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_RESUME_H
#define CMD_PEER_PEER_RESUME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/tunnel.h"
#include "base/types.h"

/*
 * A run of the database that goes on: what it was, what of it is measured, and whether
 * this is still the same sweep of the same tunnel.
 */

struct resumed {
	int64_t run;          /* 0: nothing is resumed */
	struct run_info info; /* as it was stored */
	struct measurement *known;
	size_t count;
	uint32_t last_seq;
};

struct resume_wish {
	const char *db;
	const char *run;     /* as --resume takes it; NULL: the newest of the peer's */
	const char *options; /* this start's options, the JSON that would be stored */
	bool seed_given;     /* else the run's own counts */
	const struct tunnel *tunnel; /* this one; NULL: it is not known */
};

/*
 * -ENOENT, -ENOTUNIQ no such run; -EINVAL it is the server's copy, another program
 * writes it just now, or an option differs from the run's: the text names it and both
 * values. resume_release() follows in any case.
 */
int resume_load(const struct resume_wish *wish, struct resumed *ret, struct err *err);
void resume_release(struct resumed *resumed);

/* The pair that is to be applied. */
struct applied {
	struct mtu_pair mtu;
	bool measured; /* or predicted, in a run, of these two ends */
	struct end_facts server;
	struct end_facts peer;
};

struct apply_wish {
	const char *db;
	const char
		*run; /* NULL: the newest of a peer that has a pair and is no --apply */
	struct mtu_pair
		mtu; /* {0, 0}: the run's recommendation, else its fastest pair */
	const struct tunnel *tunnel; /* this one; NULL: it is not known */
};

/* -ENOENT, -ENOTUNIQ no such run; -EINVAL it was imported; -ENODATA the pair is not in it,
 * or was not ok each time. A pair that the run predicted and did not measure is said to be
 * one: it is proved before it is applied, like any other.
 */
int apply_load(const struct apply_wish *wish, struct applied *ret, struct err *err);

/* Check that an end is the same as in the run: its public key, or where one is not known
 * host, interface and address; its backend; and the family of the outer packets if both are
 * known. -EINVAL: it differs, and other tunnels have other results. `which`: "server" or
 * "peer". */
int resume_check_end(const char *which, const struct end_facts *then,
		     const struct end_facts *now, struct err *err);

#endif
