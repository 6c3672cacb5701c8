/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_STRATEGY_H
#define CMD_PEER_STRATEGY_H

#include "base/err.h"
#include "base/types.h"

struct peer;
struct plan;

/*
 * The strategies: ways for the peer to find out about a path. This list is the only one; a
 * new strategy is an X here (its word in --strategy and its part of the help) and a row of
 * the table in strategy.c.
 */
#define STRATEGY_LIST(X)                                                          \
	X(grid, "probe the path, measure every pair of both ends'\n"              \
		"ranges, and recommend a pair;\n")                                \
	X(smart, "probe the path, measure the few pairs that could\n"             \
		 "prove its prediction wrong, and recommend a pair;\n")           \
	X(probe, "probe the path, recommend the pair that the probes\n"           \
		 "predict, and say if the current pair fits (exit status\n"       \
		 "3: it does not); measure no pair\n"                             \
		 "(default: grid with --mtu-min, --mtu-max or --mtu-step, else\n" \
		 "smart)")

#define STRATEGY_ENUM(word, help) STRATEGY_##word,
#define STRATEGY_NAME(word, help) #word,
#define STRATEGY_HELP(word, help) #word ": " help

enum strategy_kind { STRATEGY_LIST(STRATEGY_ENUM) STRATEGY_COUNT };

struct strategy {
	/* The pairs are the grid of both ends' ranges, known before the first one;
	 * --passes and --order apply to it. Else MTUs are chosen from all that the ends
	 * allow, and the plan has no fixed end, within --budget. */
	bool is_grid;
	/* Defaults of options that are not given; 0: the option's own. */
	int64_t duration_ms;
	bool duration_by_path; /* see struct peer_config */
	int precision;
	int mtu_step;
	bool prefer_bbr;
	/* The rest is for strategies that measure pairs after the probes; NULL in others,
	 * which apply no pair. */
	int (*make_plan)(const struct peer *peer, struct plan **ret, struct err *err);
	/* All pairs are measured: store, print and share the recommendation. *ret stays
	 * as it is where no pair is recommended. */
	int (*conclude)(struct peer *peer, struct mtu_pair *ret, struct err *err);
};

/* By enum strategy_kind; the names end with NULL. */
extern const struct strategy strategies[STRATEGY_COUNT];
extern const char *const strategy_names[STRATEGY_COUNT + 1];

const char *strategy_name(const struct strategy *strategy);

#endif
