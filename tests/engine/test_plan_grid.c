/* SPDX-License-Identifier: MIT */
/* The grid: its pairs, their order, and their number of visits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/plan_grid.h"

#define VISITS_MAX 600

static const struct plan_grid_options small = {
	.server = {1280, 1320, 20},
	.peer = {1400, 1430, 20},
	.passes = 2,
	.order = GRID_ROW,
};

static int collect(const struct plan_grid_options *options, struct visit *ret)
{
	struct err err = ERR_INIT;
	struct measurement m = {0};
	struct plan *plan;
	int total;
	int count = 0;

	if (plan_grid_new(options, &plan, &err) < 0)
		fail_msg("no plan: %s", err.text);
	total = plan_total(plan);
	/* Visits are compared as memory. */
	memset(ret, 0, (VISITS_MAX + 1) * sizeof(*ret));
	while (count < VISITS_MAX && plan_next(plan, &ret[count])) {
		m.mtu = ret[count].mtu;
		plan_learn(plan, &m);
		count++;
	}
	assert_false(plan_next(plan, &ret[count]));
	assert_int_equal(count, total);
	assert_int_equal(count, plan_grid_visits(options));
	plan_free(plan);
	return count;
}

static void test_row_order(void **state)
{
	static const struct visit expected[] = {
		{.mtu = {1280, 1400}, .pass = 1}, {.mtu = {1280, 1420}, .pass = 1},
		{.mtu = {1300, 1400}, .pass = 1}, {.mtu = {1300, 1420}, .pass = 1},
		{.mtu = {1320, 1400}, .pass = 1}, {.mtu = {1320, 1420}, .pass = 1},
		{.mtu = {1280, 1400}, .pass = 2}, {.mtu = {1280, 1420}, .pass = 2},
		{.mtu = {1300, 1400}, .pass = 2}, {.mtu = {1300, 1420}, .pass = 2},
		{.mtu = {1320, 1400}, .pass = 2}, {.mtu = {1320, 1420}, .pass = 2},
	};
	struct visit visits[VISITS_MAX + 1];

	(void)state;
	assert_int_equal(collect(&small, visits), 12);
	assert_memory_equal(visits, expected, sizeof(expected));
}

static bool same_mtu(const struct visit *a, const struct visit *b)
{
	return mtu_pair_same(&a->mtu, &b->mtu);
}

/* The number of earlier visits of the pair, which its pass must show. */
static int visits_before(const struct visit *visits, int i)
{
	int n = 0;

	for (int j = 0; j < i; j++)
		n += same_mtu(&visits[i], &visits[j]);
	return n;
}

/* Check that each pass names every pair once, in any order; the smallest pair is the
 * reference. Move the grid's visits to the front; the places of the series remain. */
static int take_grid(const struct plan_grid_options *options, struct visit *visits,
		     int pairs)
{
	int all = plan_grid_visits(options);
	int grid = pairs * options->passes;
	int gaps = all - grid - 1;
	int kept = 0;

	for (int i = 0; i < all; i++) {
		bool least = visits[i].mtu.server == options->server.min &&
			     visits[i].mtu.peer == options->peer.min;

		assert_int_equal(visits[i].pass, visits_before(visits, i) + 1);
		assert_int_equal(visits[i].reference, least);
		assert_true(mtu_range_allows(&options->server, visits[i].mtu.server));
		assert_true(mtu_range_allows(&options->peer, visits[i].mtu.peer));
	}
	for (int i = 0, series = 0; i < all; i++) {
		if (series <= gaps && kept == series * grid / gaps) {
			assert_true(visits[i].reference);
			series++;
			continue;
		}
		visits[kept++] = visits[i];
	}
	assert_int_equal(kept, grid);
	for (int i = 0; i < kept; i++) {
		for (int j = i / pairs * pairs; j < i; j++)
			assert_false(same_mtu(&visits[i], &visits[j]));
	}
	return gaps;
}

static void test_shuffled(void **state)
{
	struct plan_grid_options options = {
		.server = {1280, 1500, 20},
		.peer = {1280, 1500, 20},
		.passes = 2,
		.order = GRID_SHUFFLED,
		.seed = 7,
	};
	struct visit rows[VISITS_MAX + 1], first[VISITS_MAX + 1], again[VISITS_MAX + 1];
	int moved = 0, differs = 0;

	(void)state;
	assert_int_equal(collect(&options, first), 288 + 25);
	collect(&options, again);
	assert_memory_equal(first, again, (288 + 25) * sizeof(first[0]));
	assert_int_equal(take_grid(&options, first, 144), 24);
	for (int i = 0; i < 144; i++)
		differs += !same_mtu(&first[i], &first[i + 144]);
	assert_true(differs > 100);
	options.seed = 8;
	collect(&options, again);
	take_grid(&options, again, 144);
	assert_true(memcmp(first, again, 288 * sizeof(first[0])) != 0);
	options.order = GRID_ROW;
	collect(&options, rows);
	for (int i = 0; i < 144; i++)
		moved += !same_mtu(&first[i], &rows[i]);
	assert_true(moved > 100);
}

/* The series is first, last, and at least each GRID_REFERENCE_EVERY visits between. */
static void test_reference_series(void **state)
{
	static const struct {
		int server_max, passes, visits;
	} table[] = {
		{1, 1, 2 + 3},   {1, 2, 4 + 3},   {2, 1, 4 + 3},      {4, 3, 24 + 3},
		{5, 3, 30 + 4},  {6, 2, 24 + 3},  {9, 2, 36 + 4},     {37, 1, 74 + 8},
		{24, 1, 48 + 5}, {1, 30, 60 + 6}, {100, 2, 400 + 35},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct plan_grid_options options = {
			.server = {1, table[i].server_max, 1},
			.peer = {1, 2, 1},
			.passes = table[i].passes,
			.order = GRID_SHUFFLED,
			.seed = i,
		};
		struct visit visits[VISITS_MAX + 1];
		int count = collect(&options, visits);
		int since = 0;

		assert_int_equal(count, table[i].visits);
		assert_true(visits[0].reference);
		assert_true(visits[count - 1].reference);
		for (int j = 0; j < count; j++) {
			since = visits[j].reference ? 0 : since + 1;
			assert_true(since <= GRID_REFERENCE_EVERY);
		}
		take_grid(&options, visits, table[i].server_max * 2);
	}
}

/* The grid has one pair. */
static void test_one_pair_needs_no_series(void **state)
{
	const struct plan_grid_options options = {
		.server = {1400, 1400, 1},
		.peer = {1400, 1400, 1},
		.passes = 3,
		.order = GRID_SHUFFLED,
	};
	struct visit visits[VISITS_MAX + 1];

	(void)state;
	assert_int_equal(collect(&options, visits), 3);
	for (int i = 0; i < 3; i++) {
		assert_false(visits[i].reference);
		assert_int_equal(visits[i].pass, i + 1);
	}
}

/* Count the visits also for grids that no plan accepts. */
static void test_visits_in_all(void **state)
{
	struct plan_grid_options options = {
		.server = {1280, 1500, 20},
		.peer = {1280, 1300, 10},
		.passes = 2,
	};

	(void)state;
	assert_int_equal(plan_grid_visits(&options), 72);
	options.order = GRID_SHUFFLED;
	assert_int_equal(plan_grid_visits(&options), 72 + 7);
	options.server = options.peer = (struct mtu_range){576, 65535, 1};
	options.passes = 1;
	assert_int_equal(plan_grid_visits(&options), 100000000);
	options.passes = INT32_MAX;
	assert_int_equal(plan_grid_visits(&options), 100000000);
	options.peer.step = 0;
	assert_int_equal(plan_grid_visits(&options), 0);
}

/* Each of the 24 orders of four pairs is about equally frequent. */
static void test_no_order_is_favoured(void **state)
{
	struct plan_grid_options options = {
		.server = {1, 2, 1},
		.peer = {1, 2, 1},
		.passes = 1,
		.order = GRID_SHUFFLED,
	};
	struct visit visits[VISITS_MAX + 1];
	int seen[256] = {0};
	int orders = 0;

	(void)state;
	for (options.seed = 0; options.seed < 24000; options.seed++) {
		int key = 0;

		collect(&options, visits);
		take_grid(&options, visits, 4);
		for (int i = 0; i < 4; i++)
			key = key * 4 + (visits[i].mtu.server - 1) * 2 +
			      visits[i].mtu.peer - 1;
		seen[key]++;
	}
	for (int i = 0; i < 256; i++) {
		if (seen[i] == 0)
			continue;
		orders++;
		assert_in_range(seen[i], 850, 1150);
	}
	assert_int_equal(orders, 24);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		struct mtu_range server, peer;
		int passes;
		int code;
	} table[] = {
		{{1280, 1500, 20}, {1280, 1500, 20}, 0, -EINVAL},
		{{1280, 1500, 20}, {1280, 1500, 20}, -1, -EINVAL},
		{{1500, 1280, 20}, {1280, 1500, 20}, 1, -EINVAL},
		{{1280, 1500, 20}, {1280, 1500, 0}, 1, -EINVAL},
		{{1280, 1500, -20}, {1280, 1500, 20}, 1, -EINVAL},
		{{1000, 1999, 1}, {1000, 1999, 1}, 1, 0},
		{{1000, 1999, 1}, {1000, 2000, 1}, 1, -EINVAL},
		{{1000, 1999, 1}, {1000, 1999, 1}, 2, -EINVAL},
		{{576, 65535, 1}, {576, 65535, 1}, 2147483647, -EINVAL},
		{{1400, 1400, 1}, {1400, 1400, 1}, 1000000, 0},
		{{1400, 1400, 1}, {1400, 1400, 1}, 1000001, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct plan_grid_options options = {
			.server = table[i].server,
			.peer = table[i].peer,
			.passes = table[i].passes,
		};
		struct err err = ERR_INIT;
		struct plan *plan = NULL;

		assert_int_equal(plan_grid_new(&options, &plan, &err), table[i].code);
		assert_true((plan == NULL) == (table[i].code < 0));
		assert_true((err.text[0] == '\0') == (table[i].code == 0));
		plan_free(plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row_order),
		cmocka_unit_test(test_shuffled),
		cmocka_unit_test(test_reference_series),
		cmocka_unit_test(test_one_pair_needs_no_series),
		cmocka_unit_test(test_visits_in_all),
		cmocka_unit_test(test_no_order_is_favoured),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
