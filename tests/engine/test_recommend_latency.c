/* SPDX-License-Identifier: MIT */
/* Latency under load beside a recommendation: mentioned if it differs beyond noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/recommend.h"
#include "engine/recommend_evidence.h"

#define VISITS_MAX 16

/* A test of each direction; 0: the test has no latency. */
struct test {
	int mtu; /* of both ends */
	double up_ms;
	double down_ms;
};

/* All pairs fit and are as fast. The recommended pair is 1440/1440. */
static void judge(const struct test *tests, size_t count, int current,
		  struct recommendation *ret, struct evidence *ret_evidence)
{
	const struct path_survey survey = {.probes = {9, 9}};
	struct measurement m[VISITS_MAX];
	struct recommend_input input = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.server = {1280, 1500, 20},
		.peer = {1280, 1500, 20},
		.current = {current, current},
		.m = m,
		.count = count,
		.margin = 0.05,
	};

	assert_true(count <= VISITS_MAX);
	for (size_t i = 0; i < count; i++) {
		const double ms[DIR_COUNT] = {tests[i].up_ms, tests[i].down_ms};

		m[i] = (struct measurement){.mtu = {tests[i].mtu, tests[i].mtu}};
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			struct dir_result *r = &m[i].dir[dir];

			dir_result_init(r, TEST_OK, "%s", "");
			r->started_at_ms = 1000 + (int64_t)i * 3000 + dir * 1500;
			r->goodput_bps = 50000000;
			if (ms[dir] > 0)
				r->latency_us = (int64_t)(ms[dir] * 1000);
		}
	}
	for (int dir = 0; dir < DIR_COUNT; dir++)
		assert_int_equal(path_bands_parse("1500:whole,65535:fragmented",
						  &input.path.dir[dir], NULL),
				 0);
	assert_int_equal(recommend_find(&input, ret), 0);
	assert_int_equal(ret->recommended.mtu.server, 1440);
	recommend_evidence(ret, &survey, ret_evidence);
}

static int mentions(const struct evidence *e)
{
	int n = 0;

	for (int i = 0; i < e->warnings; i++)
		n += e->warning[i].kind == WARNING_LATENCY;
	return n;
}

static void a_lower_latency_is_mentioned(void **state)
{
	static const struct test tests[] = {
		{1440, 84, 30}, {1420, 85, 31}, {1300, 41, 30}, {1440, 86, 31},
		{1300, 40, 30}, {1420, 83, 30}, {1440, 82, 30}, {1300, 42, 31},
	};
	struct recommendation v;
	struct evidence e;
	char *text;

	(void)state;
	judge(tests, 8, 1420, &v, &e);
	assert_int_equal(v.latency[DIR_UPLOAD].mtu.server, 1300);
	assert_int_equal(v.latency[DIR_DOWNLOAD].mtu.server, 0);
	assert_int_equal(mentions(&e), 1);
	assert_int_equal(evidence_text(&e, &text, NULL), 0);
	if (!strstr(text, "\nnote: upload: the round trip under load is 84 ms with "
			  "server MTU 1440, peer MTU 1440, and 41 ms with server MTU "
			  "1300, peer MTU 1300; noise does not explain that\n"))
		fail_msg("not in:\n%s", text);
	free(text);
}

/* Where none is lower, the current pair's higher one is mentioned before others. */
static void the_current_pair_comes_before_others(void **state)
{
	static const struct test tests[] = {
		{1440, 40, 30}, {1420, 85, 31}, {1300, 99, 30}, {1440, 41, 31},
		{1300, 98, 30}, {1420, 83, 30}, {1440, 41, 30}, {1300, 99, 31},
	};
	struct recommendation v;
	struct evidence e;

	(void)state;
	judge(tests, 8, 1420, &v, &e);
	assert_int_equal(v.latency[DIR_UPLOAD].mtu.server, 1420);
	judge(tests, 8, 1400, &v, &e);
	assert_int_equal(v.latency[DIR_UPLOAD].mtu.server, 1300);
	assert_int_equal(mentions(&e), 1);
}

static void noise_is_not_mentioned(void **state)
{
	static const struct {
		struct test tests[8];
		size_t count;
	} table[] = {
		/* Tests of one pair differ as much. */
		{{{1440, 84, 0},
		  {1300, 41, 0},
		  {1440, 43, 0},
		  {1300, 80, 0},
		  {1440, 82, 0},
		  {1300, 40, 0},
		  {1440, 44, 0},
		  {1300, 42, 0}},
		 8},
		/* Below 10 %. */
		{{{1440, 84, 0},
		  {1300, 90, 0},
		  {1440, 84, 0},
		  {1300, 90, 0},
		  {1440, 84, 0},
		  {1300, 90, 0},
		  {1440, 84, 0},
		  {1300, 90, 0}},
		 8},
		/* Below 2 ms. */
		{{{1440, 1, 0},
		  {1300, 2, 0},
		  {1440, 1, 0},
		  {1300, 2, 0},
		  {1440, 1, 0},
		  {1300, 2, 0},
		  {1440, 1, 0},
		  {1300, 2, 0}},
		 8},
		/* Too few tests to know the noise. */
		{{{1440, 84, 0}, {1300, 41, 0}, {1440, 84, 0}, {1300, 41, 0}}, 4},
		/* One test of the other pair. */
		{{{1440, 84, 0},
		  {1440, 84, 0},
		  {1440, 84, 0},
		  {1440, 84, 0},
		  {1440, 84, 0},
		  {1440, 84, 0},
		  {1300, 41, 0}},
		 7},
		{{{1440, 0, 0}, {1300, 0, 0}}, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct recommendation v;
		struct evidence e;

		judge(table[i].tests, table[i].count, 1420, &v, &e);
		if (mentions(&e))
			fail_msg("row %zu is mentioned", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lower_latency_is_mentioned),
		cmocka_unit_test(the_current_pair_comes_before_others),
		cmocka_unit_test(noise_is_not_mentioned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
