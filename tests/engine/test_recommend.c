/* SPDX-License-Identifier: MIT */
/* Recommendations from measurements and probes, on paths computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/recommend.h"
#include "engine/recommend_evidence.h"

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

static struct recommendation find(const char *up, const char *down,
				  struct mtu_pair current, const struct visited *visits,
				  size_t count)
{
	struct measurement m[VISITS_MAX];
	struct recommend_input input = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.server = usual,
		.peer = usual,
		.current = current,
		.m = m,
		.count = count,
		.margin = 0.05,
	};
	struct recommendation v;

	assert_true(count <= VISITS_MAX);
	assert_int_equal(path_bands_parse(up, &input.path.dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(down, &input.path.dir[DIR_DOWNLOAD], NULL),
			 0);
	fill(visits, count, m);
	assert_int_equal(recommend_find(&input, &v), 0);
	return v;
}

static void expect_text(const struct recommendation *v, const char *wanted)
{
	const struct path_survey survey = {.probes = {9, 9}};
	struct evidence e;
	char *text;

	recommend_evidence(v, &survey, &e);
	assert_int_equal(evidence_text(&e, &text, NULL), 0);
	if (!strstr(text, wanted))
		fail_msg("'%s' is not in:\n%s", wanted, text);
	free(text);
}

/* Behind a relay on an end's own host nothing is proved whole, and no endpoint can move. */
static void relayed_is_no_proof(void **state)
{
	struct measurement none;
	struct recommend_input input = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.path.relayed = {false, true},
		.server = usual,
		.peer = usual,
		.m = &none,
		.margin = 0.05,
	};
	struct recommendation v;

	(void)state;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		assert_int_equal(path_bands_parse(CLEAN, &input.path.dir[dir], NULL),
				 0);
	assert_int_equal(recommend_find(&input, &v), 0);
	assert_int_equal(v.why, REASON_RELAYED);
	assert_int_equal(v.recommended.mtu.server, 1440);
	assert_true(v.warnings & RECOMMEND_WARN_UNSEEN);
	assert_false(v.warnings & RECOMMEND_WARN_ROAM);
	input.path.relayed[DIR_DOWNLOAD] = false;
	input.path.unseen[DIR_UPLOAD] = true;
	assert_int_equal(recommend_find(&input, &v), 0);
	assert_int_equal(v.why, REASON_RELAYED);
	assert_int_equal(v.recommended.mtu.server, 1440);
	assert_true(v.warnings & RECOMMEND_WARN_UNSEEN);
	assert_true(v.warnings & RECOMMEND_WARN_ROAM);
	input.path.unseen[DIR_UPLOAD] = false;
	assert_int_equal(recommend_find(&input, &v), 0);
	assert_int_equal(v.why, REASON_FITS);
	assert_true(v.warnings & RECOMMEND_WARN_ROAM);
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
	{DEADZONE, CLEAN, {1420, 1420}, RECOMMEND_WARN_DEAD_ZONE,
	 "\nwarning: current pair, 1420/1420, upload: full-size TCP packets are lost, "
	 "which leave with 1480 bytes\n"},
	{CLEAN, DEADZONE, {1420, 1420}, RECOMMEND_WARN_DEAD_ZONE,
	 "\nwarning: current pair, 1420/1420, download: full-size TCP packets are "
	 "lost, which leave with 1480 bytes\n"},
	/* Segments of 1280 leave as 1340. 1392 = 87 * 16 leaves as 1452; 1393 is padded
	 * to 1408 and leaves as 1468: lost, as are all up to 1460, which leaves as
	 * 1520. */
	{HOLE, CLEAN, {1280, 1460}, RECOMMEND_WARN_ROUTED,
	 "\nwarning: current pair, 1280/1460, upload: TCP passes only because the "
	 "server's MSS protects it; UDP and routed packets above 1392 bytes are lost\n"},
	/* The same in the other direction: download is sent with the server's MTU. */
	{CLEAN, HOLE, {1460, 1280}, RECOMMEND_WARN_ROUTED,
	 "\nwarning: current pair, 1460/1280, download: TCP passes only because the "
	 "peer's MSS protects it; UDP and routed packets above 1392 bytes are lost\n"},
	/* Segments of 1460 leave as 1520 and pass in fragments. 1393 to 1440 = 90 * 16
	 * leave as 1468, 1484 and 1500; 1441 as 1456 + 60 = 1516. */
	{DEADZONE, CLEAN, {1460, 1460}, RECOMMEND_WARN_ROUTED,
	 "\nwarning: current pair, 1460/1460, upload: full-size TCP packets pass, but "
	 "others of 1393 to 1440 bytes are lost\n"},
	/* The MSS does not matter either when packets of the whole MTU pass in
	 * fragments. */
	{DEADZONE, CLEAN, {1280, 1460}, RECOMMEND_WARN_ROUTED,
	 "upload: full-size TCP packets pass, but others of 1393 to 1440 bytes are lost\n"},
	/* Segments of 1400: upload leaves as 1408 + 60 = 1468, lost; download, clamped
	 * to the server's own 1400, as 1460. */
	{HOLE, HOLE, {1400, 1460}, RECOMMEND_WARN_DEAD_ZONE,
	 "upload: full-size TCP packets are lost, which leave with 1468 bytes\n"
	 "warning: hosts"},
	/* Two zones: 1361 to 1376 leave as 1436, 1409 to 1424 as 1484. */
	{"1420:whole,1440:lost,1480:whole,1490:lost,65535:whole", CLEAN, {1440, 1440},
	 RECOMMEND_WARN_ROUTED,
	 "but others of 1361 to 1424 bytes are lost, not of every size\n"},
};
/* clang-format on */

static void losses_of_the_current_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(losing) / sizeof(losing[0]); i++) {
		const struct losing *l = &losing[i];
		struct recommendation v = find(l->up, l->down, l->current, NULL, 0);
		unsigned found = v.warnings &
				 (RECOMMEND_WARN_DEAD_ZONE | RECOMMEND_WARN_ROUTED);

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
	 "whole; 1420/1420 would either way\n"},
	/* 1519 - 60 = 1459; the grid contains 1440; 80 + 1440 = 1520 is too large. */
	{"1519:whole,65535:lost", {1440, 1440}, true, {1420, 1420}, "1420/1420"},
	/* 1520 - 60 = 1460, and 80 + 1440 = 1520. */
	{"1520:whole,65535:lost", {1460, 1460}, true, {1440, 1440}, "1440/1440"},
	/* 80 + 1500 is not above the band: no warning. */
	{"65535:whole", {1500, 1500}, false, {0}, "why: "},
	/* No warning either if the range keeps the pair small: 80 + 1500 = 1580. */
	{"1580:whole,65535:lost", {1500, 1500}, false, {0}, "why: "},
	/* 1340 - 60 = 1280, and the range has no smaller MTU. */
	{"1340:whole,65535:lost", {1280, 1280}, true, {0},
	 "this pair would not fit whole\n"},
	/* 1440 - 60 = 1380, in the grid; the fate of 80 + 1380 = 1460 is open. */
	{"1440:whole,1460:unknown,65535:lost", {1380, 1380}, true, {1360, 1360},
	 "this pair might not fit whole; 1360/1360 would"},
};
/* clang-format on */

static void a_move_to_ipv6_is_noted_where_it_matters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(roaming) / sizeof(roaming[0]); i++) {
		const struct roaming *r = &roaming[i];
		struct recommendation v =
			find(r->both, r->both, (struct mtu_pair){0}, NULL, 0);

		assert_int_equal(v.recommended.mtu.server, r->best.server);
		assert_int_equal(v.recommended.mtu.peer, r->best.peer);
		assert_int_equal(!!(v.warnings & RECOMMEND_WARN_ROAM), r->warned);
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
	struct recommendation v = find(CLEAN, CLEAN, best, visits, 5);

	(void)state;
	assert_true(v.warnings & RECOMMEND_WARN_CONTRADICTED);
	assert_false(v.contradiction_confirmed);
	assert_false(v.guessed[DIR_UPLOAD]);
	assert_int_equal(v.contradicted.server, 1420);
	expect_text(&v, "no second one confirmed it, so the probes were believed\n");
	expect_text(&v, "\nit is the current pair\n");

	v = find(CLEAN, CLEAN, best, visits, 6);
	assert_true(v.contradiction_confirmed);
	assert_true(v.guessed[DIR_UPLOAD]);
	assert_false(v.guessed[DIR_DOWNLOAD]);
	expect_text(&v, "a second one confirmed it\n");
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
	struct recommendation v = find(CLEAN, CLEAN, best, visits, 4);

	(void)state;
	assert_false(v.warnings & RECOMMEND_WARN_CONTRADICTED);
	assert_int_equal(v.why, REASON_FITS);
}

/* --- a lowered MSS --- */

/* Find the recommendation where TCP's packets have `clamp` bytes at most both ways. */
static struct recommendation find_clamped(const char *both, int clamp,
					  const struct visited *visits, size_t count)
{
	struct measurement m[VISITS_MAX];
	struct recommend_input input = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.server = usual,
		.peer = usual,
		.current = {1420, 1420},
		.m = m,
		.count = count,
		.margin = 0.05,
	};
	struct recommendation v;

	assert_true(count <= VISITS_MAX);
	fill(visits, count, m);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		assert_int_equal(path_bands_parse(both, &input.path.dir[dir], NULL), 0);
		for (size_t i = 0; i < count; i++) {
			int full = m[i].mtu.server < m[i].mtu.peer ? m[i].mtu.server
								   : m[i].mtu.peer;

			m[i].dir[dir].packet_bytes = full < clamp ? full : clamp;
		}
	}
	assert_int_equal(recommend_find(&input, &v), 0);
	return v;
}

/* Packets above 1460 are lost, and TCP of each pair passes. */
static const struct visited all_pass[] = {
	{{1400, 1400}, 50, 50, true},  {{1420, 1420}, 50, 50, false},
	{{1440, 1440}, 50, 50, false}, {{1400, 1400}, 50, 50, true},
	{{1280, 1280}, 49, 49, false}, {{1420, 1420}, 50, 50, false},
	{{1400, 1400}, 50, 50, true},
};

static void clamped_tests_do_not_outweigh_probes(void **state)
{
	static const int clamps[] = {1240, 1340, 1380};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct recommendation v = find_clamped(HOLE, clamps[i], all_pass, 7);

		assert_int_equal(v.contradicted.server, 0);
		assert_int_equal(v.recommended.mtu.server, 1400);
		assert_int_equal(v.recommended.mtu.peer, 1400);
		assert_int_equal(v.why, REASON_FITS);
		assert_int_equal(v.clamped[DIR_UPLOAD], clamps[i]);
		assert_true(v.warnings & RECOMMEND_WARN_CLAMPED);
		assert_false(v.warnings & RECOMMEND_WARN_DEAD_ZONE);
		assert_true(v.warnings & RECOMMEND_WARN_ROUTED);
	}
}

/* An MSS of 1340 over IPv4 leaves packets of 1380. The current pair's of 1420 leave as
 * 1480, and are lost, as are all above 1392. */
static void a_clamp_is_said(void **state)
{
	struct recommendation v = find_clamped(HOLE, 1380, all_pass, 7);

	(void)state;
	expect_text(&v,
		    "\nwarning: upload: TCP sent packets of 1380 bytes at most, less "
		    "than the MTUs allow: a firewall's MSS clamp, a route's advmss "
		    "or mtu, or tcp_mtu_probing lowers its MSS to 1340 (IPv4) or "
		    "1320 (IPv6)");
	expect_text(&v, "\nwarning: download: TCP sent packets of 1380 bytes");
	expect_text(&v, "\nwarning: current pair, 1420/1420, upload: TCP passes only "
			"because its MSS is lowered; UDP and routed packets above 1392 "
			"bytes are lost\n");
}

/* Packets as large as the smaller MTU are not clamped, whatever the largest MTU is. */
static void whole_segments_are_no_clamp(void **state)
{
	struct recommendation v = find_clamped(CLEAN, 1440, all_pass, 7);

	(void)state;
	assert_int_equal(v.clamped[DIR_UPLOAD], 0);
	assert_false(v.warnings & RECOMMEND_WARN_CLAMPED);
}

/* Probes say that packets of 1357 bytes and more are lost, and those of 1392 arrive, twice:
 * 1380 is padded. That says nothing about those above 1500, whose probes were lost. */
static void losses_above_what_arrived_stay(void **state)
{
	struct recommendation v = find_clamped(
		"1350:whole,1460:lost,1500:whole,65535:lost", 1380, all_pass, 7);

	(void)state;
	assert_true(v.contradiction_confirmed);
	assert_true(v.guessed[DIR_UPLOAD]);
	assert_int_equal(path_bands_fate(&v.path.dir[DIR_UPLOAD], 1452), FATE_WHOLE);
	assert_int_equal(path_bands_fate(&v.path.dir[DIR_UPLOAD], 1480), FATE_UNKNOWN);
	assert_int_equal(path_bands_fate(&v.path.dir[DIR_UPLOAD], 1501), FATE_LOST);
}

/* Each pair passes with the smallest packets of the range, and no probe says more: the
 * fastest of them may lose its full-size packets. */
static void no_pair_is_recommended_unsent(void **state)
{
	struct recommendation v = find_clamped("", 1240, all_pass, 7);

	(void)state;
	assert_int_equal(v.recommended.mtu.server, 0);
	assert_int_equal(v.why, REASON_UNSENT);
	expect_text(&v, "recommended: none\nwhy: no pair is known to fit, and no test "
			"that worked sent packets as large as its MTUs");
}

/* --- the gain --- */

static void a_loss_has_no_percentage(void **state)
{
	const struct visited visits[] = {
		{{1440, 1400}, 36.5, 50, true},
		{{1420, 1420}, 0, 50, false},
		{{1440, 1400}, 36.5, 50, true},
	};
	struct recommendation v =
		find(DEADZONE, CLEAN, (struct mtu_pair){1420, 1420}, visits, 3);

	(void)state;
	assert_int_equal(v.recommended.mtu.server, 1440);
	assert_int_equal(v.recommended.mtu.peer, 1400);
	expect_text(&v, "against the current pair, 1420/1420: upload 36.5 Mbit/s "
			"instead of nothing; download +0.0 % (");
	expect_text(&v, "can still be more than 5 % faster\n");
}

/* --- tests that never began --- */

/* A firewall's limit of new connections leaves both visits of the current pair
 * unreachable: they are no losses, and contradict nothing. */
static void unreachable_is_no_loss(void **state)
{
	static const struct visited visits[] = {
		{{1440, 1440}, 50, 50, true}, {{1420, 1420}, 0, 0, false},
		{{1440, 1440}, 50, 50, true}, {{1420, 1420}, 0, 0, false},
		{{1440, 1440}, 50, 50, true},
	};
	const struct path_survey survey = {.probes = {9, 9}};
	struct measurement m[5];
	struct recommend_input input = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.server = usual,
		.peer = usual,
		.current = {1420, 1420},
		.m = m,
		.count = 5,
		.margin = 0.05,
	};
	struct recommendation v;
	struct evidence evidence;
	char *text;

	(void)state;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		assert_int_equal(path_bands_parse(CLEAN, &input.path.dir[dir], NULL),
				 0);
	fill(visits, 5, m);
	for (int i = 1; i < 5; i += 2) {
		for (int dir = 0; dir < DIR_COUNT; dir++)
			dir_result_init(&m[i].dir[dir], TEST_UNREACHABLE, "no answer");
	}
	assert_int_equal(recommend_find(&input, &v), 0);
	assert_int_equal(v.contradicted.server, 0);
	assert_int_equal(v.why, REASON_FITS);
	assert_int_equal(v.current.bps[DIR_UPLOAD].count, 0);
	recommend_evidence(&v, &survey, &evidence);
	assert_int_equal(evidence_text(&evidence, &text, NULL), 0);
	assert_null(strstr(text, "nothing got through"));
	assert_non_null(strstr(text, "\nwarning: in 2 of the measurements a test's "
				     "connection was refused or got no answer"));
	free(text);
}

/* --- nothing fits --- */

#define BELOW_FRAGMENTS "1280:whole,65535:fragmented"
#define BELOW_LOST      "1280:whole,65535:lost"

/* 1280 - 60 = 1220 fits. Faster pairs with larger fragments do not matter. */
static void the_smallest_in_fragments(void **state)
{
	static const struct visited visits[] = {
		{{1280, 1280}, 30, 30, true}, {{1420, 1420}, 34, 34, false},
		{{1280, 1280}, 30, 30, true}, {{1420, 1420}, 34, 34, false},
		{{1280, 1280}, 30, 30, true}, {{1420, 1420}, 34, 34, false},
	};
	struct recommendation v = find(BELOW_FRAGMENTS, BELOW_FRAGMENTS,
				       (struct mtu_pair){1420, 1420}, visits,
				       sizeof(visits) / sizeof(visits[0]));

	(void)state;
	assert_int_equal(v.why, REASON_IN_FRAGMENTS);
	assert_int_equal(v.recommended.mtu.server, 1280);
	assert_int_equal(v.recommended.mtu.peer, 1280);
	assert_true(v.settled);
	assert_int_equal(v.rival.server, 0);
	assert_false(v.warnings & RECOMMEND_WARN_ROAM);
	expect_text(&v, "\nwhy: no allowed pair fits whole; it is the smallest that is "
			"allowed, and its full-size packets are proved to arrive, in "
			"fragments\npath, upload: packets of up to 1280 bytes");
	expect_text(&v,
		    "\n6 measurements; settled: the probes choose it, not rates\n"
		    "warning: server MTU 1220, peer MTU 1220 is the largest pair "
		    "that fits whole, but IPv6 inside the tunnel needs 1280: to use");
}

/* An end whose direction carries more keeps what fits. */
static void each_end_in_fragments_or_whole(void **state)
{
	struct recommendation v =
		find(BELOW_FRAGMENTS, CLEAN, (struct mtu_pair){0}, NULL, 0);

	(void)state;
	assert_int_equal(v.why, REASON_IN_FRAGMENTS);
	assert_int_equal(v.recommended.mtu.server, 1440);
	assert_int_equal(v.recommended.mtu.peer, 1280);
	assert_int_equal(v.whole.server, 1440);
	assert_int_equal(v.whole.peer, 1220);
	/* Smaller sizes than that of 1280 cannot be probed everywhere. */
	v = find("1339:unknown,65535:fragmented", CLEAN, (struct mtu_pair){0}, NULL, 0);
	assert_int_equal(v.why, REASON_IN_FRAGMENTS);
	assert_int_equal(v.recommended.mtu.peer, 1280);
	assert_int_equal(v.whole.peer, 0);
}

static void none_arrives(void **state)
{
	struct recommendation v =
		find(BELOW_LOST, CLEAN, (struct mtu_pair){0}, NULL, 0);

	(void)state;
	assert_int_equal(v.why, REASON_NONE_ARRIVES);
	assert_int_equal(v.recommended.mtu.server, 0);
	expect_text(&v,
		    "recommended: none\nwhy: no allowed pair fits whole, and full-size "
		    "packets of each are lost\npath, upload: packets of up to 1280 "
		    "bytes arrive whole, larger ones are lost (9 probes)\n");
	expect_text(&v,
		    "\nwarning: server MTU 1440, peer MTU 1220 is the largest pair");
	/* 1350 - 60 = 1290 is allowed. */
	v = find("1350:whole,65535:lost", "1350:whole,65535:lost", (struct mtu_pair){0},
		 NULL, 0);
	assert_int_equal(v.why, REASON_FITS);
}

/* A range that was given is above what fits: no IPv6 is in the way. */
static void a_given_range_is_above(void **state)
{
	struct measurement none;
	struct recommend_input input = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.server = {1400, 1500, 20},
		.peer = {1400, 1500, 20},
		.m = &none,
		.margin = 0.05,
	};
	struct recommendation v;

	(void)state;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		path_bands_parse("1440:whole,65535:lost", &input.path.dir[dir], NULL);
	assert_int_equal(recommend_find(&input, &v), 0);
	assert_int_equal(v.why, REASON_NONE_ARRIVES);
	expect_text(&v,
		    "warning: server MTU 1380, peer MTU 1380 is the largest pair that "
		    "fits whole, but is below the MTUs that this run was allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relayed_is_no_proof),
		cmocka_unit_test(the_smallest_in_fragments),
		cmocka_unit_test(each_end_in_fragments_or_whole),
		cmocka_unit_test(none_arrives),
		cmocka_unit_test(a_given_range_is_above),
		cmocka_unit_test(losses_of_the_current_pair),
		cmocka_unit_test(a_move_to_ipv6_is_noted_where_it_matters),
		cmocka_unit_test(once_is_an_accident),
		cmocka_unit_test(agreement_takes_it_back),
		cmocka_unit_test(clamped_tests_do_not_outweigh_probes),
		cmocka_unit_test(a_clamp_is_said),
		cmocka_unit_test(whole_segments_are_no_clamp),
		cmocka_unit_test(losses_above_what_arrived_stay),
		cmocka_unit_test(no_pair_is_recommended_unsent),
		cmocka_unit_test(a_loss_has_no_percentage),
		cmocka_unit_test(unreachable_is_no_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
