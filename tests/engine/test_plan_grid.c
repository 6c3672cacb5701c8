/* The grid: which pairs, in which order, how often. */
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
	/* They are compared as memory. */
	memset(ret, 0, (VISITS_MAX + 1) * sizeof(*ret));
	while (count < VISITS_MAX && plan_next(plan, &ret[count])) {
		m.mtu = ret[count].mtu;
		plan_learn(plan, &m);
		count++;
	}
	assert_false(plan_next(plan, &ret[count]));
	assert_int_equal(count, total);
	plan_free(plan);
	return count;
}

static void test_row_order(void **state)
{
	static const struct visit expected[] = {
		{{1280, 1400}, 1, false}, {{1280, 1420}, 1, false},
		{{1300, 1400}, 1, false}, {{1300, 1420}, 1, false},
		{{1320, 1400}, 1, false}, {{1320, 1420}, 1, false},
		{{1280, 1400}, 2, false}, {{1280, 1420}, 2, false},
		{{1300, 1400}, 2, false}, {{1300, 1420}, 2, false},
		{{1320, 1400}, 2, false}, {{1320, 1420}, 2, false},
	};
	struct visit visits[VISITS_MAX + 1];

	(void)state;
	assert_int_equal(collect(&small, visits), 12);
	assert_memory_equal(visits, expected, sizeof(expected));
}

static bool same_mtu(const struct visit *a, const struct visit *b)
{
	return a->mtu.server == b->mtu.server && a->mtu.peer == b->mtu.peer;
}

/* Every pair once in each pass, whatever the order. */
static void assert_complete(const struct plan_grid_options *options,
			    const struct visit *visits, int pairs)
{
	for (int i = 0; i < pairs * options->passes; i++) {
		int pass_start = i / pairs * pairs;

		assert_int_equal(visits[i].pass, i / pairs + 1);
		for (int j = pass_start; j < i; j++)
			assert_false(same_mtu(&visits[i], &visits[j]));
		assert_true(mtu_range_allows(&options->server, visits[i].mtu.server));
		assert_true(mtu_range_allows(&options->peer, visits[i].mtu.peer));
	}
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
	assert_int_equal(collect(&options, first), 288);
	assert_complete(&options, first, 144);
	collect(&options, again);
	assert_memory_equal(first, again, 288 * sizeof(first[0]));
	for (int i = 0; i < 144; i++)
		differs += !same_mtu(&first[i], &first[i + 144]);
	assert_true(differs > 100);
	options.seed = 8;
	collect(&options, again);
	assert_true(memcmp(first, again, 288 * sizeof(first[0])) != 0);
	options.order = GRID_ROW;
	collect(&options, rows);
	for (int i = 0; i < 144; i++)
		moved += !same_mtu(&first[i], &rows[i]);
	assert_true(moved > 100);
}

/* Each of the 24 orders of four pairs comes up about as often as the others. */
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
		cmocka_unit_test(test_no_order_is_favoured),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
