/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_H
#define CMD_PEER_PEER_H

#include "base/types.h"
#include "cmd/alone/alone.h"
#include "cmd/host/host.h"
#include "cmd/peer/strategy.h"
#include "cmd/watch/watch.h"
#include "engine/plan_grid.h"

/*
 * The peer's main process, which decides what is measured. It opens the session, fills
 * struct sweep_ops from netctl, sync and store, runs the plan, and restores both ends
 * or applies the best pair.
 */

struct peer_config {
	const struct host_options *options;
	const struct host *host;
	const char *server_ip;
	int server_port;
	int iperf_port; /* 0: use the port that the server announces */
	int64_t duration_ms;
	/* Tests last steady_latest_us() of the round trip at most, and not duration_ms. */
	bool duration_by_path;
	const char *congestion; /* the tests' algorithm; NULL: each end's default */
	bool prefer_bbr;        /* where both ends have it, and `congestion` is NULL */
	int precision; /* percent; tests end when their goodput is known so well; 0: not */
	int64_t wait_ms;
	int passes;
	enum grid_order order;
	uint64_t seed;
	bool skip_errors;
	bool resume;            /* go on with a run of the database */
	const char *resume_run; /* NULL: the newest of this role */
	bool repeat_failed;     /* with resume: visits that failed are made again */
	bool seed_given;
	const struct strategy *strategy;
	int margin;            /* percent, smart: by which no rival may be faster */
	int64_t budget_ms;     /* smart: no visit is begun after that; 0: no limit */
	bool apply;            /* measure one pair and apply it */
	const char *apply_run; /* apply the best pair of this run; NULL: the newest */
	bool no_probe;         /* grid: measure without probing the path first */
	bool check;            /* probe: print one line, for a monitoring system */
	bool json;             /* print the run as JSON in place of all texts */
	struct mtu_pair pair;  /* apply this pair; {0, 0}: none given */
	char local[ADDRESS_SIZE];    /* this end's tunnel address */
	bool alone;                  /* this end only: no server */
	struct alone_config one_end; /* for alone */
	struct watch_options watch;  /* every_ms 0: no watch */
	int route_mtu;               /* the route's own MTU; 0: it has none */
	int route_advmss;            /* the route's advmss; 0: it has none */
};

/* host_program.libraries. */
const char *peer_libraries(void);

/* keeper_roles.main; `ctx` is a struct peer_config. Returns the exit status. */
int peer_main(void *ctx, int guard_fd, int runner_fd);

#endif
