/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_H
#define CMD_ALONE_ALONE_H

#include "cmd/alone/alone_targets.h"
#include "cmd/host/host.h"
#include "cmd/watch/watch.h"
#include "engine/onesided.h"
#include "engine/plan_grid.h"
#include "netctl/echofind.h"

struct alone_config {
	const struct host_options *options;
	const struct host *host;
	enum direction own;       /* in which this end sends */
	const char *option;       /* that names addresses to ask: "target"; static */
	struct option_list named; /* its words */
	struct alone_targets targets;
	const struct watch_options *watch; /* NULL: none */
	bool json; /* print the run as JSON in place of all texts */
	/* throughput with a stock iperf3 server (alone_rates.h) */
	const char *iperf_server;  /* as the user names it; NULL: none */
	struct alone_target iperf; /* the same, found behind the tunnel; "": none */
	int64_t duration_ms;
	int64_t wait_ms;
	int precision;          /* percent */
	const char *congestion; /* NULL: the kernel's default */
	bool skip_errors;       /* a failed test does not end the run */
	/* all MTUs of the range; else only what confirms the recommended one */
	bool grid;
	int passes;
	enum grid_order order;
	uint64_t seed;
};

/*
 * --alone, of both programs: find the tunnel's MTU with this end only. The far end is any
 * host that answers echoes, or TCP, or sends port unreachable. Nothing is changed for good
 * but with --persist best (alone_apply.h). The answer is printed, then stored as a run in
 * which the far end's MTU is MTU_UNKNOWN.
 */

/* The questions of --alone and their results. */
struct alone {
	const struct alone_config *config;
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
	bool contradicted; /* throughput tests contradict the result */
	bool confirmed;    /* they show that it works both ways */
};

/* This end's MTU before the run: on a hub that of the route. */
int alone_current_mtu(const struct alone *alone);

/* Probe the path once, with config and guard set and all else 0, and restore the link.
 * -ETIMEDOUT: nobody answers; -EINTR. */
int alone_probe(struct alone *alone, struct err *err);

/* The whole of keeper_roles.main with --alone. Returns the exit status:
 * PROGRAM_MISFIT if this end's present MTU is larger than the one found. */
int alone_main(const struct alone_config *config, int guard_fd, int runner_fd);

#endif
