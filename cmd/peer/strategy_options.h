/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_STRATEGY_OPTIONS_H
#define CMD_PEER_STRATEGY_OPTIONS_H

#include "base/options.h"
#include "cmd/peer/strategy.h"

/*
 * The options that only some strategies use. One that would do nothing is refused, so that
 * nobody believes in an effect it does not have.
 */

struct strategy_use {
	const struct strategy *strategy;
	bool by_default; /* --strategy was not given */
	bool one_pair;   /* --apply */
	bool shuffled;   /* --order shuffled */
};

/* After options_parse(): whether an option counts as given is `seen` of its row. -EINVAL:
 * an option was given that does nothing in this use; the sentence names it and what it is
 * for. */
int strategy_options_check(const struct option_spec *rows,
			   const struct strategy_use *use, struct err *err);

/* The uses of --alone. */
enum strategy_one_end {
	ONE_END_PROBES,   /* without --iperf-server */
	ONE_END_CONFIRMS, /* measure the recommended MTU */
	ONE_END_SWEEPS,   /* measure all MTUs of the range */
};

/* The first option given that only some strategies use, and this use does not; NULL: none
 * is. */
const char *strategy_options_useless(const struct option_spec *rows,
				     enum strategy_one_end use);

#endif
