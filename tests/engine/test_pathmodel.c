/* SPDX-License-Identifier: MIT */
/* The model against cells computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/pathmodel.h"

#define ALL "65535:"

static struct path make_path(int overhead, const char *up, const char *down)
{
	struct path path = {.overhead = {overhead, overhead}};

	assert_int_equal(path_bands_parse(up, &path.dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(down, &path.dir[DIR_DOWNLOAD], NULL), 0);
	return path;
}

struct cell {
	const char *bands; /* bands of the upload */
	int overhead;
	struct mtu_pair mtu; /* upload is sent with .peer */
	enum fate tcp;
	int tcp_outer;
	enum fate routed;
	int routed_outer;
	double goodput;
};

#define CLEAN    "1500:whole,65535:fragmented"
#define DEADZONE "1460:whole,1500:lost,65535:fragmented"
#define HOLE     "1460:whole,65535:lost"

/* clang-format off */
static const struct cell cells[] = {
	/* 1420 to 1424, clamped to 1420; 60 + 1420 = 1480. (1420 - 52) / (1480 + 38) */
	{CLEAN, 60, {1420, 1420}, FATE_WHOLE, 1480, FATE_WHOLE, 1480, 1368.0 / 1518},
	/* 1440 = 90 * 16; 60 + 1440 = 1500. (1440 - 52) / (1500 + 38) */
	{CLEAN, 60, {1440, 1440}, FATE_WHOLE, 1500, FATE_WHOLE, 1500, 1388.0 / 1538},
	/* 60 + 1460 = 1520. A fragment holds 1480 of the 1500 behind the IP header: two.
	 * 1520 + 20 for the second header + 2 * 38 = 1616. */
	{CLEAN, 60, {1460, 1460}, FATE_FRAGMENTED, 1520, FATE_FRAGMENTED, 1520,
	 1408.0 / 1616},
	/* 60 + 2980 = 3040. 3020 / 1480: three. 3040 + 2 * 20 + 3 * 38 = 3194 */
	{CLEAN, 60, {2980, 2980}, FATE_FRAGMENTED, 3040, FATE_FRAGMENTED, 3040,
	 2928.0 / 3194},
	/* The server's MTU makes the segments small: 1280 = 80 * 16, 60 + 1280 = 1340.
	 * Other packets: 1408, 1424, 1440 leave as 1468, 1484, 1500, all lost; 1460 as
	 * 1520. */
	{DEADZONE, 60, {1280, 1460}, FATE_WHOLE, 1340, FATE_LOST, 1500, 1228.0 / 1378},
	/* 60 + 1400 = 1460, the padding to 1408 clamped away. */
	{DEADZONE, 60, {1400, 1400}, FATE_WHOLE, 1460, FATE_WHOLE, 1460, 1348.0 / 1498},
	/* The same segments, but with room for the padding: 1408, 60 + 1408 = 1468. */
	{DEADZONE, 60, {1400, 1420}, FATE_LOST, 1468, FATE_LOST, 1480, 0},
	/* 1388 to 1392: 1452, whole. 1408 and 1420 are lost. */
	{DEADZONE, 60, {1388, 1420}, FATE_WHOLE, 1452, FATE_LOST, 1480, 1336.0 / 1490},
	/* Beyond the zone: 1520 is fragmented, by a link of 1500. */
	{DEADZONE, 60, {1460, 1460}, FATE_FRAGMENTED, 1520, FATE_LOST, 1500,
	 1408.0 / 1616},
	/* The server's MTU above the peer's changes nothing here. */
	{HOLE, 60, {1500, 1400}, FATE_WHOLE, 1460, FATE_WHOLE, 1460, 1348.0 / 1498},
	{HOLE, 60, {1500, 1401}, FATE_LOST, 1461, FATE_LOST, 1461, 0},
	/* One byte above 1392 = 87 * 16 is padded to 1408 if the sender has room. */
	{HOLE, 60, {1392, 1500}, FATE_WHOLE, 1452, FATE_LOST, 1560, 1340.0 / 1490},
	{HOLE, 60, {1393, 1500}, FATE_LOST, 1468, FATE_LOST, 1560, 0},
	/* IPv6 outside. 80 + 1420 = 1500, whole. */
	{CLEAN, 80, {1420, 1420}, FATE_WHOLE, 1500, FATE_WHOLE, 1500, 1368.0 / 1538},
	/* 80 + 1440 = 1520. A fragment holds (1500 - 40 - 8) / 8 * 8 = 1448 of 1480: two.
	 * 1520 + 40 for the second header + 2 * 8 + 2 * 38 = 1652 */
	{CLEAN, 80, {1440, 1440}, FATE_FRAGMENTED, 1520, FATE_FRAGMENTED, 1520,
	 1388.0 / 1652},
	/* No size arrives whole: two fragments are as good a guess as any. 1480 + 20 +
	 * 2 * 38 = 1576 */
	{ALL "fragmented", 60, {1420, 1420}, FATE_FRAGMENTED, 1480, FATE_FRAGMENTED, 1480,
	 1368.0 / 1576},
	/* The fate is unknown without probes, and between two edges. */
	{"", 60, {1420, 1420}, FATE_UNKNOWN, 1480, FATE_UNKNOWN, 1480, -1},
	{"1400:whole,1480:unknown,65535:lost", 60, {1420, 1420}, FATE_UNKNOWN, 1480,
	 FATE_UNKNOWN, 1480, -1},
	/* Unknown is worse than fragments, and better than a loss. */
	{"1400:whole,1460:unknown,65535:lost", 60, {1280, 1420}, FATE_WHOLE, 1340,
	 FATE_LOST, 1480, 1228.0 / 1378},
};
/* clang-format on */

static void cells_worked_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		const struct cell *c = &cells[i];
		struct path path = make_path(c->overhead, c->bands, "");
		struct prediction p = pathmodel_predict(&path, &c->mtu, DIR_UPLOAD);

		if (p.tcp != c->tcp || p.tcp_outer != c->tcp_outer ||
		    p.routed != c->routed || p.routed_outer != c->routed_outer)
			fail_msg("cell %zu, %d/%d: tcp %s at %d, routed %s at %d", i,
				 c->mtu.server, c->mtu.peer, fate_name(p.tcp),
				 p.tcp_outer, fate_name(p.routed), p.routed_outer);
		assert_float_equal(p.goodput, c->goodput, 1e-9);
	}
}

/* Download is sent with the server's MTU. */
static void each_direction_has_its_sender(void **state)
{
	struct path path = make_path(60, "", HOLE);
	struct prediction p;

	(void)state;
	p = pathmodel_predict(&path, &(struct mtu_pair){1401, 1400}, DIR_DOWNLOAD);
	/* 1400 to 1408, clamped to 1401. */
	assert_int_equal(p.tcp_outer, 1461);
	assert_int_equal(p.tcp, FATE_LOST);
	p = pathmodel_predict(&path, &(struct mtu_pair){1400, 1500}, DIR_DOWNLOAD);
	assert_int_equal(p.tcp_outer, 1460);
	assert_int_equal(p.routed, FATE_WHOLE);
}

/* A translator between an IPv6 server and an IPv4 peer, links of 1500, and the same with
 * links of 1280 behind it. */
static void each_sender_has_its_overhead(void **state)
{
	static const struct mtu_range range = {1200, 1500, 1};
	struct path path = make_path(0, CLEAN, CLEAN);
	struct mtu_pair best = {0};

	(void)state;
	path.overhead[DIR_UPLOAD] = PATH_OVERHEAD_IPV4;
	path.overhead[DIR_DOWNLOAD] = PATH_OVERHEAD_IPV6;
	assert_true(pathmodel_candidate(&path, &range, &range, &best));
	assert_int_equal(best.server, 1420);
	assert_int_equal(best.peer, 1440);
	assert_false(pathmodel_fits(&path, &(struct mtu_pair){1440, 1440}));
	assert_int_equal(pathmodel_outer(&path, DIR_UPLOAD, 1400, 1400), 1460);
	assert_int_equal(pathmodel_outer(&path, DIR_DOWNLOAD, 1400, 1400), 1480);
	path = make_path(0, "1480:whole,65535:fragmented",
			 "1280:whole,65535:fragmented");
	path.overhead[DIR_UPLOAD] = PATH_OVERHEAD_IPV4;
	path.overhead[DIR_DOWNLOAD] = PATH_OVERHEAD_IPV6;
	assert_true(pathmodel_candidate(&path, &range, &range, &best));
	assert_int_equal(best.server, 1200);
	assert_int_equal(best.peer, 1420);
}

struct choice {
	const char *up;
	const char *down;
	int overhead;
	struct mtu_range range; /* range of both ends */
	bool found;
	struct mtu_pair best;
};

/* clang-format off */
static const struct choice choices[] = {
	{CLEAN, CLEAN, 60, {1280, 1500, 10}, true, {1440, 1440}},
	/* 1492 - 60 = 1432; the grid contains 1430. */
	{"1492:whole,65535:lost", "1492:whole,65535:lost", 60, {1280, 1500, 10}, true,
	 {1430, 1430}},
	{"1492:whole,65535:lost", "1492:whole,65535:lost", 60, {1280, 1500, 1}, true,
	 {1432, 1432}},
	/* 1492 - 80 */
	{"1492:whole,65535:lost", "1492:whole,65535:lost", 80, {1280, 1500, 1}, true,
	 {1412, 1412}},
	/* The peer's upload has the zone, the server's download has not. */
	{DEADZONE, CLEAN, 60, {1280, 1500, 20}, true, {1440, 1400}},
	/* Above the zone all is fragmented: nothing larger fits whole. */
	{"1440:whole,65535:lost", "1480:whole,65535:fragmented", 60, {1280, 1500, 20},
	 true, {1420, 1380}},
	/* A zone that does not end below the largest whole size. */
	{"1380:whole,1440:lost,1500:whole,65535:lost", CLEAN, 60, {1280, 1500, 20}, true,
	 {1440, 1320}},
	/* None fits, or none is known to. */
	{"1300:whole,65535:lost", CLEAN, 60, {1280, 1500, 10}, false, {0}},
	{"", CLEAN, 60, {1280, 1500, 10}, false, {0}},
	{ALL "fragmented", CLEAN, 60, {1280, 1500, 10}, false, {0}},
	/* The edge is between 1441 and 1460: 1440 is certain. */
	{"1440:whole,1460:unknown,65535:lost", CLEAN, 60, {1280, 1500, 10}, true,
	 {1440, 1380}},
};
/* clang-format on */

static void the_largest_that_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct choice *c = &choices[i];
		struct path path = make_path(c->overhead, c->up, c->down);
		struct mtu_pair best = {0};
		bool found = pathmodel_candidate(&path, &c->range, &c->range, &best);

		if (found != c->found || best.server != c->best.server ||
		    best.peer != c->best.peer)
			fail_msg("choice %zu: %d, %d/%d", i, found, best.server,
				 best.peer);
		if (found)
			assert_true(pathmodel_fits(&path, &best));
	}
}

/* No pair above the candidate in either MTU fits, whatever the bands. */
static void nothing_larger_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct choice *c = &choices[i];
		struct path path = make_path(c->overhead, c->up, c->down);
		int count = mtu_range_count(&c->range);

		for (int j = 0; j < count * count; j++) {
			struct mtu_pair mtu = {
				.server = mtu_range_at(&c->range, j / count),
				.peer = mtu_range_at(&c->range, j % count),
			};

			if (mtu.server > c->best.server || mtu.peer > c->best.peer)
				assert_false(pathmodel_fits(&path, &mtu));
		}
	}
}

struct lost {
	const char *up;
	struct mtu_pair mtu;
	bool any;
	int first;
	int last;
	bool all;
};

/* clang-format off */
static const struct lost lost[] = {
	/* 1393 is padded to 1408 and leaves with 1468; 1440 = 90 * 16 with 1500. */
	{DEADZONE, {1280, 1460}, true, 1393, 1440, true},
	/* The sender's MTU is 1400: all padding ends there. */
	{DEADZONE, {1280, 1400}, false, 0, 0, false},
	{HOLE, {1280, 1402}, true, 1393, 1402, true},
	/* 1409 to 1424 leave with 1484: below the second loss, above the first. */
	{"1460:whole,1470:lost,1490:whole,65535:lost", {1440, 1440}, true, 1393, 1440,
	 false},
	{"", {1500, 1500}, false, 0, 0, false},
};
/* clang-format on */

static void sizes_that_are_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		const struct lost *l = &lost[i];
		struct path path = make_path(60, l->up, "");
		int sizes[2] = {0};
		bool all = false;

		assert_int_equal(pathmodel_sizes(&path, &l->mtu, DIR_UPLOAD, FATE_LOST,
						 sizes, &all),
				 l->any);
		if (sizes[0] != l->first || sizes[1] != l->last || all != l->all)
			fail_msg("case %zu: %d to %d, all %d", i, sizes[0], sizes[1],
				 all);
	}
}

/* The same for another fate: what is lost does not hide it. */
static void sizes_of_a_fate(void **state)
{
	struct path path = make_path(60, "1460:whole,1475:fragmented,65535:lost", "");
	const struct mtu_pair mtu = {1420, 1440};
	int sizes[2];
	bool all;

	(void)state;
	assert_true(
		pathmodel_sizes(&path, &mtu, DIR_UPLOAD, FATE_FRAGMENTED, sizes, &all));
	assert_int_equal(sizes[0], 1393);
	assert_int_equal(sizes[1], 1408);
	assert_true(all);
	assert_false(
		pathmodel_sizes(&path, &mtu, DIR_UPLOAD, FATE_UNKNOWN, sizes, &all));
}

struct most {
	const char *up;
	const char *down;
	bool found;
	struct mtu_pair best;
};

/* clang-format off */
/* The range of both ends is 1280 to 1500 by 10. */
static const struct most most[] = {
	{CLEAN, CLEAN, true, {1440, 1440}},
	/* 60 + 1390 = 1450 passes upload, in fragments; 1400 gives 1460 already. The
	 * server's own MTU must be no larger, or segments of 1390 would be padded to
	 * 1392 and lost: 1452. */
	{"1440:lost,1450:fragmented," ALL "lost", ALL "whole", true, {1390, 1390}},
	{"1300:whole," ALL "lost", CLEAN, false, {0}},
	{"", CLEAN, false, {0}},
};
/* clang-format on */

static void the_pair_that_brings_most(void **state)
{
	static const struct mtu_range range = {1280, 1500, 10};

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		const struct most *m = &most[i];
		struct path path = make_path(60, m->up, m->down);
		struct mtu_pair best = {0};

		assert_int_equal(pathmodel_best(&path, &range, &range, &best),
				 m->found);
		if (best.server != m->best.server || best.peer != m->best.peer)
			fail_msg("case %zu: %d/%d", i, best.server, best.peer);
	}
}

struct words {
	const char *up;
	struct mtu_pair mtu;
	const char *text;
	bool guessed;
};

/* clang-format off */
static const struct words words[] = {
	{CLEAN, {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; the path "
	 "carries those of up to 1500 bytes whole; UDP and routed packets fit whole too",
	 false},
	{DEADZONE, {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; the path loses "
	 "those of 1461 to 1500 bytes: no TCP data arrives; the same goes for "
	 "UDP and routed packets", false},
	{DEADZONE, {1460, 1460},
	 "a full-size TCP segment leaves as an outer packet of 1520 bytes; the path "
	 "carries those above 1500 bytes in fragments: TCP data arrives, but costs more; "
	 "UDP and routed packets have up to 1520 bytes, and the path loses those of 1461 "
	 "to 1500 bytes", false},
	{"1479:whole,1480:lost,65535:fragmented", {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; the path loses "
	 "those of 1480 bytes: no TCP data arrives; the same goes for UDP and "
	 "routed packets", false},
	{ALL "whole", {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; the path "
	 "carries packets of any size whole; UDP and routed packets fit whole too", false},
	{"", {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; the fate of "
	 "packets of any size is unknown; the same goes for UDP and routed packets", false},
	/* Told from rates, which show less. */
	{CLEAN, {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; TCP data in "
	 "those of up to 1500 bytes arrives, and rates cannot tell if in fragments; rates "
	 "cannot tell the fate of UDP and routed packets", true},
	{"1460:whole,65535:fragmented", {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; rates fall for "
	 "those above 1460 bytes as fragments cost: TCP data arrives; the same goes for "
	 "UDP and routed packets", true},
	{DEADZONE, {1420, 1420},
	 "a full-size TCP segment leaves as an outer packet of 1480 bytes; the path loses "
	 "those of 1461 to 1500 bytes: no TCP data arrives; the same goes for UDP and "
	 "routed packets", true},
};
/* clang-format on */

/* The far end of one end alone may send larger packets than any that TCP agrees on. */
static void says_that_an_mtu_is_unknown(void **state)
{
	struct path path = make_path(60, HOLE, HOLE);
	char text[PATHMODEL_TEXT];

	(void)state;
	pathmodel_explain(&path, &(struct mtu_pair){MTU_UNKNOWN, 1400}, DIR_DOWNLOAD,
			  false, text);
	assert_string_equal(
		text, "a full-size TCP segment leaves as an outer packet of 1468 bytes "
		      "at most; the path loses those above 1460 bytes: no TCP data "
		      "arrives; the server's MTU is not known, and so is the size of "
		      "UDP and routed packets");
	pathmodel_explain(&path, &(struct mtu_pair){MTU_UNKNOWN, 1400}, DIR_UPLOAD,
			  false, text);
	assert_string_equal(
		text, "a full-size TCP segment leaves as an outer packet of 1460 "
		      "bytes; the path carries those of up to 1460 bytes whole; UDP "
		      "and routed packets fit whole too");
}

static void says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct path path = make_path(60, words[i].up, "");
		char text[PATHMODEL_TEXT];

		pathmodel_explain(&path, &words[i].mtu, DIR_UPLOAD, words[i].guessed,
				  text);
		assert_string_equal(text, words[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_worked_by_hand),
		cmocka_unit_test(each_direction_has_its_sender),
		cmocka_unit_test(each_sender_has_its_overhead),
		cmocka_unit_test(the_largest_that_fits),
		cmocka_unit_test(nothing_larger_fits),
		cmocka_unit_test(sizes_that_are_lost),
		cmocka_unit_test(sizes_of_a_fate),
		cmocka_unit_test(the_pair_that_brings_most),
		cmocka_unit_test(says_why),
		cmocka_unit_test(says_that_an_mtu_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
