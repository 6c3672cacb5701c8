/* SPDX-License-Identifier: MIT */
#include "cmd/peer/strategy_options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define GRID  (1u << STRATEGY_grid)
#define SMART (1u << STRATEGY_smart)
#define PROBE (1u << STRATEGY_probe)
#define APPLY (1u << STRATEGY_COUNT)
/* --alone --iperf-server: the recommended MTU, or a grid */
#define ONE_MTU  (1u << (STRATEGY_COUNT + 1))
#define ONE_GRID (1u << (STRATEGY_COUNT + 2))
#define ONE_END  (ONE_MTU | ONE_GRID)

/* Each option that some use has no need of, with the uses that need it. */
static const struct strategy_option {
	const char *name;
	unsigned int uses;
} options[] = {
	{"no-probe", GRID},
	{"check", PROBE},
	{"passes", GRID | APPLY | ONE_GRID},
	{"order", GRID | ONE_GRID},
	{"seed", GRID | SMART | ONE_GRID},
	{"margin", SMART},
	{"budget", SMART},
	{"duration", GRID | SMART | APPLY | ONE_END},
	{"precision", GRID | SMART | APPLY | ONE_END},
	{"congestion", GRID | SMART | APPLY | ONE_END},
	{"peer-skip-errors", GRID | SMART | APPLY | ONE_END},
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static unsigned int bit_of(const struct strategy_use *use)
{
	return use->one_pair ? APPLY : 1u << (use->strategy - strategies);
}

static bool is_given(const struct option_spec *rows, const char *name)
{
	for (const struct option_spec *row = rows; row->name; row++) {
		if (strcmp(row->name, name) == 0 && row->seen)
			return *row->seen;
	}
	assert(!"an option of the table has no row that notes it");
	return false;
}

/* "grid or smart" */
static void list_strategies(unsigned int uses, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (int i = 0; i < STRATEGY_COUNT && used < size; i++) {
		if (uses & (1u << i))
			used += (size_t)snprintf(ret + used, size - used, "%s%s",
						 used ? " or " : "", strategy_names[i]);
	}
}

static const char *why_this(const struct strategy_use *use)
{
	if (!use->by_default)
		return "";
	return use->strategy->is_grid ? ", the default with --mtu-min, --mtu-max or "
					"--mtu-step"
				      : ", the default without --mtu-min, --mtu-max "
					"and --mtu-step";
}

static int refuse_option(const struct strategy_option *option,
			 const struct strategy_use *use, struct err *err)
{
	char names[64];

	list_strategies(option->uses, names, sizeof(names));
	if (use->one_pair)
		return err_set(err, -EINVAL,
			       "--%s is for --strategy %s; --apply measures one pair",
			       option->name, names);
	return err_set(err, -EINVAL, "--%s is for --strategy %s, this is %s%s",
		       option->name, names, strategy_name(use->strategy),
		       why_this(use));
}

int strategy_options_check(const struct option_spec *rows,
			   const struct strategy_use *use, struct err *err)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (is_given(rows, options[i].name) && !(options[i].uses & bit_of(use)))
			return refuse_option(&options[i], use, err);
	}
	if (is_given(rows, "seed") && use->strategy->is_grid && !use->shuffled)
		return err_set(
			err, -EINVAL,
			"--seed is for --order shuffled; --order row needs none");
	return 0;
}

const char *strategy_options_useless(const struct option_spec *rows,
				     enum strategy_one_end use)
{
	static const unsigned int bits[] = {
		[ONE_END_PROBES] = 0,
		[ONE_END_CONFIRMS] = ONE_MTU,
		[ONE_END_SWEEPS] = ONE_GRID,
	};

	for (size_t i = 0; i < OPTIONS; i++) {
		if (!(options[i].uses & bits[use]) && is_given(rows, options[i].name))
			return options[i].name;
	}
	return NULL;
}
