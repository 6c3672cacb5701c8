#ifndef CMD_PEER_APPLY_PATH_H
#define CMD_PEER_APPLY_PATH_H

#include "base/err.h"
#include "base/types.h"

/* What earlier probes of the path say of a pair that is to be applied. */

struct apply_path {
	const char *db;
	const char *
		run; /* whose probes; NULL: those of the newest run of these two ends */
	const struct end_facts *server;
	const struct end_facts *peer;
	struct mtu_pair mtu;
};

/* In *ret: a sentence if full-size packets of the pair are fragmented, with the largest
 * pair that fits; "" if they are not, or nothing is known of the path. */
void apply_path_warning(const struct apply_path *wish, struct err *ret);

#endif
