/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_ALONE_H
#define CMD_PEER_PEER_ALONE_H

#include "cmd/peer/alone_targets.h"
#include "engine/onesided.h"
#include "netctl/echofind.h"

struct peer_config;

/*
 * --alone: find the tunnel's MTU with this end only. The far end is any host that answers
 * echoes, or TCP, or sends port unreachable. Nothing is changed for good but with
 * --persist best (alone_apply.h). The answer is printed, then stored as a run whose server
 * MTU is MTU_UNKNOWN.
 */

/* The questions of --alone and their results. */
struct alone {
	const struct peer_config *config;
	struct guard *guard;
	struct runner *runner;
	const struct alone_target *target; /* that answered */
	struct echofind find;
	struct onesided_looks looks;
	struct onesided result;
	bool echoes;          /* the target answers them */
	bool pieces_lost;     /* it reassembles no fragments of echoes */
	enum echo_kind there; /* the packets behind looks.there */
	bool unseen;          /* outer packets cannot be captured */
	int sizes_back;       /* sent for the way back */
	int64_t rtt_us;
	int64_t took_ms;
};

/* keeper_roles.main, for --alone; `ctx` is a struct peer_config. Returns the exit status:
 * PROGRAM_MISFIT if this end's present MTU is larger than the one found. */
int peer_alone_main(void *ctx, int guard_fd, int runner_fd);

#endif
