/* SPDX-License-Identifier: MIT */
/* The proofs of one end, from looks as probes bring them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/onesided.h"

/* An end with IPv4 outside, whose link takes 1500. */
struct want {
	const char *up;
	enum onesided_proof proof;
	int own_mtu;
	int far_mtu;
	bool far_is_limit;
	bool either_way;
	int assumed;
	int differ_tunnel;
	int mss;
};

struct row {
	const char *name;
	const char *trip;
	const char *there;
	const char *outside;
	int too_big;
	const char *back;
	int largest_back;
	bool back_ends;
	struct want want;
};

#define CLEAN   "1500:whole,65535:fragmented"
#define OUTSIDE "1500:whole,65535:unknown"
#define SEEN    "1468:whole,65535:unknown" /* a far end with 1420 */

/* clang-format off */
static const struct row rows[] = {
	{"clean", CLEAN, "", OUTSIDE, 0, SEEN, 1420, true,
	 {CLEAN, ONESIDED_WHOLE, 1440, 1420, true, false, 0, 0, 1400}},
	{"clean, and the far end has 1500", CLEAN, "", OUTSIDE, 0,
	 "1500:whole,1515:unknown,65535:fragmented", 1488, false,
	 {CLEAN, ONESIDED_WHOLE, 1440, 1440, false, false, 0, 0, 1400}},
	/* Lost there: answers of the size come back. Above 1420 they come in pieces. */
	{"hole 1440 up", "1440:whole,65535:lost", "", "1440:whole,65535:lost", 0, SEEN,
	 1420, true,
	 {"1440:whole,65535:lost", ONESIDED_WHOLE, 1380, 1420, true, false, 0, 0, 1340}},
	/* Nothing tells which way it is, and 1380 works in any case. */
	{"hole 1440 down, no small answers", "1440:whole,65535:lost", "",
	 "1440:whole,65535:lost", 0, "1436:whole,1451:unknown,65535:lost", 1376, false,
	 {"1440:whole,65535:unknown", ONESIDED_WHOLE, 1380, 1376, false, true, 0, 0, 1336}},
	/* Sizes in steps of 16: looks do not disagree between two of them. */
	{"hole 1440, in steps", "1436:whole,1451:unknown,65535:lost", "",
	 "1440:whole,65535:lost", 0, "1436:whole,65535:unknown", 1376, false,
	 {"1436:whole,65535:unknown", ONESIDED_WHOLE, 1376, 1376, true, true, 0, 0, 1336}},
	{"hole 1440 up, in steps", "1436:whole,1451:unknown,65535:lost",
	 "1436:whole,1451:unknown,65535:lost", "1440:whole,65535:lost", 0,
	 "1436:whole,65535:unknown", 1376, false,
	 {"1436:whole,1451:unknown,65535:lost", ONESIDED_WHOLE, 1376, 1376, true, false, 0,
	  0, 1336}},
	/* A far end with 1312 splits its answers inside the tunnel, not those outside,
	 * which get lost on the way back: no proof of fragments. */
	{"answers lost outside", "1400:whole,65535:lost", "", "1380:whole,65535:lost",
	 0, "1372:whole,65535:unknown", 1312, true,
	 {"1400:whole,65535:lost", ONESIDED_ARRIVES, 1340, 1312, true, false, 0, 0,
	  1300}},
	/* The endpoint's silence is the way back's, and proves nothing of the way there. */
	{"hole 1440 down", "1440:whole,65535:lost", CLEAN, "1440:whole,65535:lost", 0,
	 "1436:whole,1451:unknown,65535:lost", 1376, false,
	 {CLEAN, ONESIDED_ARRIVES, 1440, 1376, false, false, 0, 0, 1336}},
	{"routers fragment above 1492", CLEAN, "", "1492:whole,65535:lost", 1492,
	 "1484:whole,1499:unknown,65535:fragmented", 1488, false,
	 {"1492:whole,65535:fragmented", ONESIDED_WHOLE, 1432, 1424, false, false, 0, 0,
	  1384}},
	/* No message says so, but the answer would have come back. */
	{"the same in silence", CLEAN, "", "1492:whole,65535:lost", 0, CLEAN, 1440, false,
	 {"1492:whole,65535:fragmented", ONESIDED_WHOLE, 1432, 1440, false, false, 0, 1500,
	  1392}},
	{"the endpoint is silent, download in fragments", CLEAN, "", "", 0,
	 "1484:whole,1499:unknown,65535:fragmented", 1488, false,
	 {CLEAN, ONESIDED_ARRIVES, 1424, 1424, false, false, 1484, 0, 1384}},
	{"dead zone", "1460:whole,1500:lost,65535:fragmented", "", "1460:whole,65535:lost",
	 0, SEEN, 1420, true,
	 {"1460:whole,1500:lost,65535:fragmented", ONESIDED_WHOLE, 1400, 1420, true, false,
	  0, 0, 1360}},
	{"no echo, one port", "", "1440:whole,65535:lost", "", 0, "", 0, false,
	 {"1440:whole,65535:lost", ONESIDED_ARRIVES, 1380, 0, false, false, 0, 0, 1340}},
	/* Echoes beside the tunnel pass where the tunnel's packets do not. */
	{"only UDP is lost", "1440:whole,65535:lost", "1440:whole,65535:lost", OUTSIDE, 0,
	 SEEN, 1420, true,
	 {"1440:whole,65535:lost", ONESIDED_WHOLE, 1380, 1420, true, false, 0, 1440, 1340}},
	{"far end 1280", CLEAN, "", OUTSIDE, 0, "1340:whole,65535:unknown", 1280, true,
	 {CLEAN, ONESIDED_WHOLE, 1440, 1280, true, false, 0, 0, 1400}},
	/* The search ended at the edge of the way there: the far end's MTU is not seen. */
	{"pieces are lost", "1400:whole,65535:lost", "", "1400:whole,65535:lost", 0,
	 "1388:whole,65535:unknown", 1328, false,
	 {"1400:whole,65535:unknown", ONESIDED_WHOLE, 1340, 1328, true, true, 0, 0,
	  1288}},
	{"nothing of 1280 arrives", "1339:unknown,65535:lost", "", "", 0, "", 0, false,
	 {"65535:unknown", ONESIDED_NOTHING, 0, 0, false, false, 0, 0, 0}},
	{"nothing answers", "", "", "", 0, "", 0, false,
	 {"", ONESIDED_NOTHING, 0, 0, false, false, 0, 0, 0}},
};
/* clang-format on */

static void parse(const char *text, struct path_bands *ret)
{
	assert_int_equal(path_bands_parse(text, ret, NULL), 0);
}

static void check_row(const struct row *row, const struct onesided *r)
{
	const struct want *want = &row->want;
	char up[PATH_BANDS_TEXT_SIZE];

	print_message("%s\n", row->name);
	path_bands_format(&r->there, up);
	assert_string_equal(up, want->up);
	assert_int_equal(r->proof, want->proof);
	assert_int_equal(r->own_mtu, want->own_mtu);
	assert_int_equal(r->far_mtu, want->far_mtu);
	assert_int_equal(r->far_is_limit, want->far_is_limit);
	assert_int_equal(r->far_is_present, want->far_is_limit && row->back_ends);
	assert_int_equal(r->either_way, want->either_way);
	assert_int_equal(r->assumed, want->assumed);
	assert_int_equal(r->differ.tunnel, want->differ_tunnel);
	assert_int_equal(r->mss[0], want->mss);
	assert_int_equal(r->mss[1], want->mss ? want->mss - 20 : 0);
}

static void test_looks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct onesided_looks looks = {
			.overhead = PATH_OVERHEAD_IPV4,
			.too_big = row->too_big,
			.outside_max = row->outside[0] ? 1500 : 0,
			.largest_back = row->largest_back,
			.largest_fate = row->largest_back ? FATE_WHOLE : FATE_UNKNOWN,
			.back_ends = row->back_ends,
			.size_max = 1500,
		};
		struct onesided r;

		parse(row->trip, &looks.trip);
		parse(row->there, &looks.there);
		parse(row->outside, &looks.outside);
		parse(row->back, &looks.back);
		onesided_judge(&looks, &r);
		check_row(row, &r);
	}
}

/* Nothing larger was sent: the result says that it is no edge. */
static void test_limit(void **state)
{
	struct onesided_looks looks = {.overhead = PATH_OVERHEAD_IPV4,
				       .size_max = 1420};
	struct onesided r;

	(void)state;
	parse("1480:whole,65535:unknown", &looks.trip);
	onesided_judge(&looks, &r);
	assert_int_equal(r.own_mtu, 1420);
	assert_true(r.own_is_limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
