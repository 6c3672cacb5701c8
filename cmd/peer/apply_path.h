/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_APPLY_PATH_H
#define CMD_PEER_APPLY_PATH_H

#include "base/types.h"
#include "base/warning.h"

/* The path model of an earlier run, consulted before a pair is applied. */

struct apply_path {
	const char *db;
	const char *run; /* the run with the probes; NULL: the newest of these ends */
	const struct end_facts *server;
	const struct end_facts *peer;
	struct mtu_pair mtu;
};

/* Warn if full-size packets of the pair are fragmented. False: they are not, or nothing is
 * known of the path. */
bool apply_path_warning(const struct apply_path *wish, struct warning *ret);

#endif
