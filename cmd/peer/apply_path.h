/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_APPLY_PATH_H
#define CMD_PEER_APPLY_PATH_H

#include "base/err.h"
#include "base/types.h"

/* The path model of an earlier run, consulted before a pair is applied. */

struct apply_path {
	const char *db;
	const char *run; /* the run with the probes; NULL: the newest of these ends */
	const struct end_facts *server;
	const struct end_facts *peer;
	struct mtu_pair mtu;
};

/* In *ret: a sentence if full-size packets of the pair are fragmented, with the largest
 * pair that fits; "" if they are not, or nothing is known of the path. */
void apply_path_warning(const struct apply_path *wish, struct err *ret);

#endif
