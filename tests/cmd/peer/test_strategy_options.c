/* SPDX-License-Identifier: MIT */
/* Options that a strategy does not use are refused, each with what it is for. */

#include "cmd/peer/strategy_options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {
	"passes",           "order",    "seed",      "margin",
	"budget",           "duration", "precision", "congestion",
	"peer-skip-errors", "no-probe", "check",
};
#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

static bool given[NAMES];
static struct option_spec rows[NAMES + 1];

static const struct strategy_use grid = {.strategy = &strategies[STRATEGY_grid]};
static const struct strategy_use grid_by_default = {
	.strategy = &strategies[STRATEGY_grid],
	.by_default = true,
};
static const struct strategy_use shuffled = {
	.strategy = &strategies[STRATEGY_grid],
	.shuffled = true,
};
static const struct strategy_use smart = {.strategy = &strategies[STRATEGY_smart]};
static const struct strategy_use smart_by_default = {
	.strategy = &strategies[STRATEGY_smart],
	.by_default = true,
};
static const struct strategy_use probe = {.strategy = &strategies[STRATEGY_probe]};
static const struct strategy_use apply = {
	.strategy = &strategies[STRATEGY_grid],
	.by_default = true,
	.one_pair = true,
};

static int check_one(const struct strategy_use *use, const char *name, struct err *err)
{
	for (int i = 0; i < NAMES; i++) {
		rows[i] = (struct option_spec){.name = names[i], .seen = &given[i]};
		given[i] = strcmp(names[i], name) == 0;
	}
	return strategy_options_check(rows, use, err);
}

static void refused(void **state)
{
	static const struct {
		const struct strategy_use *use;
		const char *option;
		const char *text;
	} cases[] = {
		{&grid, "margin", "--margin is for --strategy smart, this is grid"},
		{&grid_by_default, "budget",
		 "--budget is for --strategy smart, this is grid, the default with "
		 "--mtu-min, --mtu-max or --mtu-step"},
		{&grid, "seed",
		 "--seed is for --order shuffled; --order row needs none"},
		{&smart, "order", "--order is for --strategy grid, this is smart"},
		{&smart_by_default, "passes",
		 "--passes is for --strategy grid, this is smart, the default without "
		 "--mtu-min, --mtu-max and --mtu-step"},
		{&probe, "passes", "--passes is for --strategy grid, this is probe"},
		{&smart, "no-probe",
		 "--no-probe is for --strategy grid, this is smart"},
		{&smart_by_default, "check",
		 "--check is for --strategy probe, this is smart, the default without "
		 "--mtu-min, --mtu-max and --mtu-step"},
		{&apply, "check",
		 "--check is for --strategy probe; --apply measures one pair"},
		{&apply, "no-probe",
		 "--no-probe is for --strategy grid; --apply measures one pair"},
		{&probe, "order", "--order is for --strategy grid, this is probe"},
		{&probe, "seed",
		 "--seed is for --strategy grid or smart, this is probe"},
		{&probe, "margin", "--margin is for --strategy smart, this is probe"},
		{&probe, "budget", "--budget is for --strategy smart, this is probe"},
		{&probe, "duration",
		 "--duration is for --strategy grid or smart, this is probe"},
		{&probe, "precision",
		 "--precision is for --strategy grid or smart, this is probe"},
		{&probe, "congestion",
		 "--congestion is for --strategy grid or smart, this is probe"},
		{&probe, "peer-skip-errors",
		 "--peer-skip-errors is for --strategy grid or smart, this is probe"},
		{&apply, "margin",
		 "--margin is for --strategy smart; --apply measures one pair"},
		{&apply, "budget",
		 "--budget is for --strategy smart; --apply measures one pair"},
		{&apply, "order",
		 "--order is for --strategy grid; --apply measures one pair"},
		{&apply, "seed",
		 "--seed is for --strategy grid or smart; --apply measures one pair"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(check_one(cases[i].use, cases[i].option, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void accepted(void **state)
{
	static const struct {
		const struct strategy_use *use;
		const char *option;
	} cases[] = {
		{&grid, "passes"},
		{&grid, "order"},
		{&grid, "no-probe"},
		{&shuffled, "seed"},
		{&grid, "duration"},
		{&grid, "precision"},
		{&grid, "congestion"},
		{&smart, "margin"},
		{&smart, "budget"},
		{&smart, "seed"},
		{&smart, "duration"},
		{&smart, "precision"},
		{&smart, "congestion"},
		{&apply, "passes"},
		{&apply, "duration"},
		{&apply, "congestion"},
		{&smart, "peer-skip-errors"},
		{&probe, "check"},
		{&probe, "none of them"},
		{&apply, "none of them"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(check_one(cases[i].use, cases[i].option, &err), 0);
	}
}

static void one_end(void **state)
{
	static const struct {
		const char *option;
		bool useless[3]; /* by enum strategy_one_end */
	} cases[] = {
		{"passes", {true, true, false}},
		{"order", {true, true, false}},
		{"seed", {true, true, false}},
		{"margin", {true, true, true}},
		{"budget", {true, true, true}},
		{"duration", {true, false, false}},
		{"precision", {true, false, false}},
		{"congestion", {true, false, false}},
		{"peer-skip-errors", {true, false, false}},
		{"no-probe", {true, true, true}},
		{"check", {true, true, true}},
		{"none of them", {false, false, false}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_one(&grid, cases[i].option, NULL);
		for (int use = 0; use < 3; use++) {
			const char *found = strategy_options_useless(
				rows, (enum strategy_one_end)use);

			if (!cases[i].useless[use])
				assert_null(found);
			else
				assert_string_equal(found, cases[i].option);
		}
	}
}

/* The server stores no run of a probe, and knows it by its name. */
static void the_probe_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(strategy_name(&strategies[STRATEGY_probe]), STRATEGY_PROBE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(accepted),
		cmocka_unit_test(one_end),
		cmocka_unit_test(the_probe_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
