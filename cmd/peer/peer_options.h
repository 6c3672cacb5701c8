/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_OPTIONS_H
#define CMD_PEER_PEER_OPTIONS_H

#include "base/options.h"
#include "cmd/peer/peer.h"

/*
 * The options of mtusweep-peer beyond host_options, and their checks. The table in
 * cmd/peer.c fills peer_options; peer_options_check() and peer_options_ready() are
 * host_program's.
 */

struct peer_options {
	struct peer_config config; /* for peer_main() */
	int strategy;              /* enum strategy_kind */
	int order;                 /* enum grid_order */
	/* the table that fills this, for the options that a strategy does not use */
	const struct option_spec *rows;
	bool strategy_given;
	bool no_probe_given;
	bool check_given;
	bool passes_given;
	bool order_given;
	bool duration_given;
	bool precision_given;
	bool congestion_given;
	bool margin_given;
	bool budget_given;
	bool skip_errors_given;
};

/* The program's one set, with its defaults. */
extern struct peer_options peer_options;
/* The words of --order, by enum grid_order. */
extern const char *const peer_order_names[];

/* Fill in what follows from other options, also in host_options. -EINVAL: they exclude one
 * another, or one is missing. */
int peer_options_check(struct err *err);

/* Check the route to the server, and complete config and `host`. -EINVAL: packets to the
 * server do not leave by the interface; else rtroute_get()'s. */
int peer_options_ready(struct host *host, struct err *err);

/* This host cannot start a run: --check has its line all the same. */
void peer_options_failed(const char *why);

#endif
