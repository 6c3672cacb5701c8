/* SPDX-License-Identifier: MIT */
/* The rest of an interrupted plan. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan_grid.h"
#include "engine/plan_rest.h"

/* 1300 and 1350 at both ends, two passes: eight visits; shuffled, three more of the
 * reference. */
static struct plan *make_whole(enum grid_order order)
{
	const struct plan_grid_options options = {
		.server = {1300, 1350, 50},
		.peer = {1300, 1350, 50},
		.passes = 2,
		.order = order,
		.seed = 7,
	};
	struct plan *plan;

	assert_int_equal(plan_grid_new(&options, &plan, NULL), 0);
	return plan;
}

static struct plan *make_rest(struct plan *whole, const struct measurement *known,
			      size_t count, bool repeat_failed)
{
	const struct plan_rest_options options = {
		.whole = whole,
		.known = known,
		.known_count = count,
		.repeat_failed = repeat_failed,
	};
	struct plan *plan;

	assert_int_equal(plan_rest_new(&options, &plan, NULL), 0);
	return plan;
}

static struct measurement visited(int pass, int server, int peer,
				  enum test_status status)
{
	struct measurement m = {.seq = 1, .pass = pass, .mtu = {server, peer}};

	m.dir[DIR_DOWNLOAD].status = status;
	return m;
}

/* List all visits that the plan names as "pass:server/peer ...". */
static void list(struct plan *plan, char *ret, size_t size)
{
	struct visit visit;
	int total = plan_total(plan);
	int count = 0;

	ret[0] = '\0';
	while (plan_next(plan, &visit)) {
		size_t used = strlen(ret);
		struct measurement m =
			visited(visit.pass, visit.mtu.server, visit.mtu.peer, TEST_OK);

		snprintf(ret + used, size - used, "%s%d:%d/%d", used ? " " : "",
			 visit.pass, visit.mtu.server, visit.mtu.peer);
		plan_learn(plan, &m);
		count++;
	}
	assert_int_equal(count, total);
	plan_free(plan);
}

static void nothing_known_is_the_whole(void **state)
{
	char text[256];

	(void)state;
	list(make_rest(make_whole(GRID_ROW), NULL, 0, false), text, sizeof(text));
	assert_string_equal(text, "1:1300/1300 1:1300/1350 1:1350/1300 1:1350/1350 "
				  "2:1300/1300 2:1300/1350 2:1350/1300 2:1350/1350");
}

static void known_visits_are_left_out(void **state)
{
	const struct measurement known[] = {
		visited(2, 1350, 1300, TEST_OK),
		visited(1, 1300, 1300, TEST_OK),
		visited(1, 1300, 1350, TEST_BLACKHOLE),
		/* The visit is recorded twice, as after a repetition. */
		visited(1, 1300, 1350, TEST_OK),
		visited(1, 1350, 1350, TEST_TIMEOUT),
	};
	char text[256];

	(void)state;
	list(make_rest(make_whole(GRID_ROW), known, 5, false), text, sizeof(text));
	assert_string_equal(text, "1:1350/1300 2:1300/1300 2:1300/1350 2:1350/1350");
	list(make_rest(make_whole(GRID_ROW), known, 5, true), text, sizeof(text));
	assert_string_equal(text, "1:1350/1300 1:1350/1350 2:1300/1300 2:1300/1350 "
				  "2:1350/1350");
}

/* Cut the plan after any number of visits: both parts together name each visit once. */
static void any_cut_of_a_shuffled_plan(void **state)
{
	struct measurement known[11];
	struct plan *plan = make_whole(GRID_SHUFFLED);
	struct visit visit;
	char whole[256] = "";
	char begun[256] = "";
	char left[256];

	(void)state;
	list(make_whole(GRID_SHUFFLED), whole, sizeof(whole));
	assert_non_null(strstr(whole, "1:1300/1300 "));
	assert_non_null(strstr(whole, " 5:1300/1300"));
	for (size_t i = 0; plan_next(plan, &visit); i++) {
		size_t used = strlen(begun);

		list(make_rest(make_whole(GRID_SHUFFLED), known, i, false), left,
		     sizeof(left));
		assert_memory_equal(begun, whole, used);
		assert_string_equal(left, whole + used);
		known[i] =
			visited(visit.pass, visit.mtu.server, visit.mtu.peer, TEST_OK);
		snprintf(begun + used, sizeof(begun) - used, "%d:%d/%d ", visit.pass,
			 visit.mtu.server, visit.mtu.peer);
	}
	plan_free(plan);
}

/* A plan that decides by results learns the earlier results in their turn. */
struct curious {
	struct plan plan;
	int named;
	int learned[4];
};

static bool curious_next(struct plan *plan, struct visit *ret)
{
	struct curious *c = (struct curious *)plan;

	if (c->named == 4)
		return false;
	*ret = (struct visit){.mtu = {1300 + c->named, 1300}, .pass = 1};
	c->named++;
	return true;
}

static void curious_learn(struct plan *plan, const struct measurement *m)
{
	struct curious *c = (struct curious *)plan;

	c->learned[c->named - 1] = m->mtu.server;
}

static int curious_total(const struct plan *plan)
{
	(void)plan;
	return 4;
}

static void curious_free(struct plan *plan)
{
	(void)plan;
}

static void whole_learns_what_was_known(void **state)
{
	static const struct plan_ops ops = {
		.next = curious_next,
		.learn = curious_learn,
		.total = curious_total,
		.free = curious_free,
	};
	struct curious curious = {.plan.ops = &ops};
	const struct measurement known[] = {
		visited(1, 1302, 1300, TEST_OK),
		visited(1, 1300, 1300, TEST_OK),
	};
	char text[256];

	(void)state;
	list(make_rest(&curious.plan, known, 2, false), text, sizeof(text));
	assert_string_equal(text, "1:1301/1300 1:1303/1300");
	for (int i = 0; i < 4; i++)
		assert_int_equal(curious.learned[i], 1300 + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known_is_the_whole),
		cmocka_unit_test(known_visits_are_left_out),
		cmocka_unit_test(any_cut_of_a_shuffled_plan),
		cmocka_unit_test(whole_learns_what_was_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
