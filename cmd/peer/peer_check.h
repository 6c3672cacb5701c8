/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_CHECK_H
#define CMD_PEER_PEER_CHECK_H

#include <stddef.h>

#include "base/path.h"
#include "netctl/bandfind.h"

/*
 * --strategy probe: whether the pair that was in force before the probe fits the path. The
 * exit status says it to programs, a sentence to people, and with --check one line on
 * stdout to a monitoring system, in the form of its plug-ins. All but peer_check_failed()
 * and peer_check_print() are pure.
 */

struct peer_check {
	struct mtu_pair current; /* 0: that end does not tell its MTU */
	/* An MTU of 0: none fits in that direction. */
	struct mtu_pair largest;
	/* PROGRAM_DONE fits, PROGRAM_MISFIT, or PROGRAM_FAILED: cannot be judged */
	enum program_status status;
	/* "current pair: server MTU 1420, peer MTU 1420: fits whole" */
	char text[360];
};

/* Judge the pair. Sizes that count as lost make a misfit, whatever is unknown of others. */
void peer_check_pair(const struct path *path,
		     const struct bandfind_sometimes sometimes[DIR_COUNT],
		     const struct mtu_pair *current, struct peer_check *ret);

/* The line with that result, "MTU OK - ...\n", with performance data. */
void peer_check_line(const struct peer_check *check, int64_t took_ms, char *ret,
		     size_t size);

/* Print it. 0, or what the writing failed with. */
int peer_check_print(const struct peer_check *check, int64_t took_ms);

/* Print the line of a check that failed, "MTU UNKNOWN - why\n". */
void peer_check_failed(const char *why);

#endif
