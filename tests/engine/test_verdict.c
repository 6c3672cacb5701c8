/* SPDX-License-Identifier: MIT */
/* Recommendations from measurements and probes, on paths computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/verdict.h"
#include "engine/verdict_text.h"

#define CLEAN    "1500:whole,65535:fragmented"
#define DEADZONE "1460:whole,1500:lost,65535:fragmented"
#define HOLE     "1460:whole,65535:lost"

static const struct mtu_range usual = {1280, 1500, 20};

/* A visit; rates in Mbit/s, 0: lost. */
struct visited {
	struct mtu_pair mtu;
	double up;
	double down;
	bool reference;
};

static void fill(const struct visited *visits, size_t count, struct measurement *ret)
{
	for (size_t i = 0; i < count; i++) {
		const double rate[DIR_COUNT] = {visits[i].up, visits[i].down};

		ret[i] = (struct measurement){
			.mtu = visits[i].mtu,
			.reference = visits[i].reference,
		};
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			struct dir_result *r = &ret[i].dir[dir];

			dir_result_init(r, rate[dir] > 0 ? TEST_OK : TEST_BLACKHOLE,
					"%s", "");
			r->started_at_ms = 1000 + (int64_t)i * 3000 + dir * 1500;
			if (rate[dir] > 0)
				r->goodput_bps = (int64_t)(rate[dir] * 1e6);
		}
	}
}

#define VISITS_MAX 12

static struct verdict find(const char *up, const char *down, struct mtu_pair current,
			   const struct visited *visits, size_t count)
{
	struct measurement m[VISITS_MAX];
	struct verdict_input input = {
		.path.overhead = PATH_OVERHEAD_IPV4,
		.server = usual,
		.peer = usual,
		.current = current,
		.m = m,
		.count = count,
		.margin = 0.05,
	};
	struct verdict v;

	assert_true(count <= VISITS_MAX);
	assert_int_equal(path_bands_parse(up, &input.path.dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(down, &input.path.dir[DIR_DOWNLOAD], NULL),
			 0);
	fill(visits, count, m);
	assert_int_equal(verdict_find(&input, &v), 0);
	return v;
}

static void expect_text(const struct verdict *v, const char *wanted)
{
	const struct path_survey survey = {.probes = {9, 9}};
	char *text;

	assert_int_equal(verdict_text(v, &survey, &text, NULL), 0);
	if (!strstr(text, wanted))
		fail_msg("'%s' is not in:\n%s", wanted, text);
	free(text);
}

/* --- losses of the current pair --- */

struct losing {
	const char *up;
	const char *down;
	struct mtu_pair current;
	unsigned warnings; /* expected of these two warnings */
	const char *text;
};

/* clang-format off */
static const struct losing losing[] = {
	/* 60 + 1420 = 1480 arrives whole. */
	{CLEAN, CLEAN, {1420, 1420}, 0, "why: "},
	/* 1480 is lost. */
	{DEADZONE, CLEAN, {1420, 1420}, VERDICT_WARN_DEAD_ZONE,
	 "\nwarning: current pair, 1420 and 1420, upload: full-size TCP packets are lost, "
	 "which leave with 1480 bytes\n"},
	{CLEAN, DEADZONE, {1420, 1420}, VERDICT_WARN_DEAD_ZONE,
	 "\nwarning: current pair, 1420 and 1420, download: full-size TCP packets are "
	 "lost, which leave with 1480 bytes\n"},
	/* Segments of 1280 leave as 1340. 1392 = 87 * 16 leaves as 1452; 1393 is padded
	 * to 1408 and leaves as 1468: lost, as are all up to 1460, which leaves as
	 * 1520. */
	{HOLE, CLEAN, {1280, 1460}, VERDICT_WARN_ROUTED,
	 "\nwarning: current pair, 1280 and 1460, upload: TCP passes only because the "
	 "server's MSS protects it; UDP and routed packets above 1392 bytes are lost\n"},
	/* The same in the other direction: download is sent with the server's MTU. */
	{CLEAN, HOLE, {1460, 1280}, VERDICT_WARN_ROUTED,
	 "\nwarning: current pair, 1460 and 1280, download: TCP passes only because the "
	 "peer's MSS protects it; UDP and routed packets above 1392 bytes are lost\n"},
	/* Segments of 1460 leave as 1520 and pass in fragments. 1393 to 1440 = 90 * 16
	 * leave as 1468, 1484 and 1500; 1441 as 1456 + 60 = 1516. */
	{DEADZONE, CLEAN, {1460, 1460}, VERDICT_WARN_ROUTED,
	 "\nwarning: current pair, 1460 and 1460, upload: full-size TCP packets pass, but "
	 "others of 1393 to 1440 bytes are lost\n"},
	/* The MSS does not matter either when packets of the whole MTU pass in
	 * fragments. */
	{DEADZONE, CLEAN, {1280, 1460}, VERDICT_WARN_ROUTED,
	 "upload: full-size TCP packets pass, but others of 1393 to 1440 bytes are lost\n"},
	/* Segments of 1400: upload leaves as 1408 + 60 = 1468, lost; download, clamped
	 * to the server's own 1400, as 1460. */
	{HOLE, HOLE, {1400, 1460}, VERDICT_WARN_DEAD_ZONE,
	 "upload: full-size TCP packets are lost, which leave with 1468 bytes\n"
	 "warning: conn"},
	/* Two zones: 1361 to 1376 leave as 1436, 1409 to 1424 as 1484. */
	{"1420:whole,1440:lost,1480:whole,1490:lost,65535:whole", CLEAN, {1440, 1440},
	 VERDICT_WARN_ROUTED,
	 "but others of 1361 to 1424 bytes are lost, not of every size\n"},
};
/* clang-format on */

static void losses_of_the_current_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(losing) / sizeof(losing[0]); i++) {
		const struct losing *l = &losing[i];
		struct verdict v = find(l->up, l->down, l->current, NULL, 0);
		unsigned found = v.warnings &
				 (VERDICT_WARN_DEAD_ZONE | VERDICT_WARN_ROUTED);

		if (found != l->warnings)
			fail_msg("case %zu: warnings %x", i, found);
		expect_text(&v, l->text);
	}
}

/* --- moving to IPv6 --- */

struct roaming {
	const char *both;
	struct mtu_pair best;
	bool warned;
	struct mtu_pair roam;
	const char *text;
};

/* clang-format off */
static const struct roaming roaming[] = {
	/* 1500 - 60 = 1440, over IPv6 1500 - 80 = 1420. */
	{CLEAN, {1440, 1440}, true, {1420, 1420},
	 "\nnote: should an endpoint move to IPv6 (20 bytes more), this pair would not fit "
	 "whole; 1420 and 1420 would either way\n"},
	/* 1519 - 60 = 1459; the grid contains 1440; 80 + 1440 = 1520 is too large. */
	{"1519:whole,65535:lost", {1440, 1440}, true, {1420, 1420}, "1420 and 1420"},
	/* 1520 - 60 = 1460, and 80 + 1440 = 1520. */
	{"1520:whole,65535:lost", {1460, 1460}, true, {1440, 1440}, "1440 and 1440"},
	/* 80 + 1500 is not above the band: no warning. */
	{"65535:whole", {1500, 1500}, false, {0}, "why: "},
	/* No warning either if the range keeps the pair small: 80 + 1500 = 1580. */
	{"1580:whole,65535:lost", {1500, 1500}, false, {0}, "why: "},
	/* 1340 - 60 = 1280, and the range has no smaller MTU. */
	{"1340:whole,65535:lost", {1280, 1280}, true, {0},
	 "this pair would not fit whole\n"},
	/* 1440 - 60 = 1380, in the grid; the fate of 80 + 1380 = 1460 is open. */
	{"1440:whole,1460:unknown,65535:lost", {1380, 1380}, true, {1360, 1360},
	 "this pair might not fit whole; 1360 and 1360 would"},
};
/* clang-format on */

static void a_move_to_ipv6_is_noted_where_it_matters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(roaming) / sizeof(roaming[0]); i++) {
		const struct roaming *r = &roaming[i];
		struct verdict v =
			find(r->both, r->both, (struct mtu_pair){0}, NULL, 0);

		assert_int_equal(v.recommended.mtu.server, r->best.server);
		assert_int_equal(v.recommended.mtu.peer, r->best.peer);
		assert_int_equal(!!(v.warnings & VERDICT_WARN_ROAM), r->warned);
		assert_int_equal(v.roam.server, r->roam.server);
		assert_int_equal(v.roam.peer, r->roam.peer);
		expect_text(&v, r->text);
	}
}

/* --- contradictions --- */

static const struct mtu_pair best = {1440, 1440};

/* Probes say 1500, but packets above 1460 are lost. */
static void once_is_an_accident(void **state)
{
	const struct visited visits[] = {
		{best, 50, 50, true}, {{1420, 1420}, 0, 50, false},
		{best, 50, 50, true}, {{1280, 1280}, 45, 45, false},
		{best, 50, 50, true}, {{1420, 1420}, 0, 50, false},
	};
	struct verdict v = find(CLEAN, CLEAN, best, visits, 5);

	(void)state;
	assert_true(v.warnings & VERDICT_WARN_CONTRADICTED);
	assert_false(v.contradiction_confirmed);
	assert_false(v.guessed[DIR_UPLOAD]);
	assert_int_equal(v.contradicted.server, 1420);
	expect_text(&v, "no second visit confirmed it, so the probes were believed\n");
	expect_text(&v, "\nit is the current pair\n");

	v = find(CLEAN, CLEAN, best, visits, 6);
	assert_true(v.contradiction_confirmed);
	assert_true(v.guessed[DIR_UPLOAD]);
	assert_false(v.guessed[DIR_DOWNLOAD]);
	expect_text(&v, "a second visit confirmed it, so throughput was believed\n");
}

/* A second visit with data cancels the first one's contradiction. */
static void agreement_takes_it_back(void **state)
{
	const struct visited visits[] = {
		{best, 50, 50, true},
		{{1420, 1420}, 0, 50, false},
		{best, 50, 50, true},
		{{1420, 1420}, 50, 50, false},
	};
	struct verdict v = find(CLEAN, CLEAN, best, visits, 4);

	(void)state;
	assert_false(v.warnings & VERDICT_WARN_CONTRADICTED);
	assert_int_equal(v.why, REASON_FITS);
}

/* --- the gain --- */

static void a_loss_has_no_percentage(void **state)
{
	const struct visited visits[] = {
		{{1440, 1400}, 36.5, 50, true},
		{{1420, 1420}, 0, 50, false},
		{{1440, 1400}, 36.5, 50, true},
	};
	struct verdict v =
		find(DEADZONE, CLEAN, (struct mtu_pair){1420, 1420}, visits, 3);

	(void)state;
	assert_int_equal(v.recommended.mtu.server, 1440);
	assert_int_equal(v.recommended.mtu.peer, 1400);
	expect_text(&v, "against the current pair, 1420 and 1420: upload 36.5 Mbit/s, "
			"where nothing got through; download +0.0 % (");
	expect_text(&v, "may be faster by more than 5 %\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses_of_the_current_pair),
		cmocka_unit_test(a_move_to_ipv6_is_noted_where_it_matters),
		cmocka_unit_test(once_is_an_accident),
		cmocka_unit_test(agreement_takes_it_back),
		cmocka_unit_test(a_loss_has_no_percentage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
