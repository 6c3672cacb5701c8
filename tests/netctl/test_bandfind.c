/* SPDX-License-Identifier: MIT */
/* The search for bands, over simulated paths, with random packet loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "netctl/bandfind.h"

#define LINK_MTU 1500
#define LAYOUTS  10000
#define LOSS     0.005 /* probability for one packet */

/* --- a path --- */

static uint64_t state;

static uint64_t random_bits(void)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717);
}

static int random_below(int limit)
{
	return (int)((random_bits() >> 33) % (uint64_t)limit);
}

static bool is_lost_by_chance(double share)
{
	return (double)(random_bits() >> 11) / 9007199254740992.0 < share;
}

/* Draw the fate of one packet. */
static enum fate send_one(const struct path_bands *path, int size, double loss)
{
	enum fate fate = path_bands_fate(path, size);
	int packets = fate == FATE_FRAGMENTED || size > LINK_MTU ? 2 : 1;

	for (int i = 0; i < packets; i++) {
		if (is_lost_by_chance(loss))
			return FATE_LOST;
	}
	return fate;
}

static const struct bandfind_config ethernet = {
	.min = 636,
	.max = 1560,
	.sender_mtu = LINK_MTU,
};

/* Run the search; return the number of rounds. */
static int search(struct bandfind *find, const struct path_bands *path, double loss)
{
	int sizes[BANDFIND_ROUND];
	int rounds = 0;
	int count;

	while ((count = bandfind_next(find, sizes)) > 0) {
		rounds++;
		for (int i = 0; i < count; i++) {
			assert_true(i == 0 || sizes[i] > sizes[i - 1]);
			bandfind_learn(find, sizes[i], send_one(path, sizes[i], loss));
		}
		assert_true(find->sent <= BANDFIND_HARD);
	}
	return rounds;
}

static bool is_right(const struct bandfind *find, const struct path_bands *path)
{
	char expected[PATH_BANDS_TEXT_SIZE];
	char found[PATH_BANDS_TEXT_SIZE];
	struct path_bands bands;

	bandfind_result(find, &bands);
	path_bands_format(path, expected);
	path_bands_format(&bands, found);
	return strcmp(expected, found) == 0;
}

static struct path_bands bands_of(const char *text)
{
	struct path_bands bands;

	assert_int_equal(path_bands_parse(text, &bands, NULL), 0);
	return bands;
}

static void assert_found(const struct bandfind *find, const char *expected)
{
	char found[PATH_BANDS_TEXT_SIZE];
	struct path_bands bands;

	bandfind_result(find, &bands);
	path_bands_format(&bands, found);
	assert_string_equal(found, expected);
}

/* --- paths made by hand --- */

static void test_paths(void **unused)
{
	static const struct {
		const char *path;
		int sent; /* computed by hand: nine at first, and those that follow */
	} cases[] = {
		{"1500:whole,65535:fragmented", 9},
		/* one more, which confirms the loss of 1501 */
		{"1500:whole,65535:lost", 10},
		/* 1486 1489 1490 1491, then 1491 again */
		{"1490:whole,65535:lost", 14},
		/* 1461 stands between 1460 and 1480: 1470 1465 1462 1461 */
		{"1460:whole,65535:fragmented", 13},
		/* the same with 1461 and 1500 confirmed */
		{"1460:whole,1500:lost,65535:fragmented", 15},
	};
	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path_bands path = bands_of(cases[i].path);
		struct bandfind find;

		bandfind_init(&find, &ethernet);
		search(&find, &path, 0);
		assert_found(&find, cases[i].path);
		assert_int_equal(find.sent, cases[i].sent);
	}
}

static void test_accident(void **unused)
{
	struct path_bands path = bands_of("1500:whole,65535:fragmented");
	int sizes[BANDFIND_ROUND];
	struct bandfind find;
	int count;

	(void)unused;
	bandfind_init(&find, &ethernet);
	count = bandfind_next(&find, sizes);
	for (int i = 0; i < count; i++)
		bandfind_learn(&find, sizes[i],
			       sizes[i] == 1440 ? FATE_LOST
						: path_bands_fate(&path, sizes[i]));
	assert_int_equal(bandfind_next(&find, sizes), 1);
	assert_int_equal(sizes[0], 1440);
	bandfind_learn(&find, 1440, FATE_WHOLE);
	assert_int_equal(bandfind_next(&find, sizes), 0);
	assert_found(&find, "1500:whole,65535:fragmented");
}

static void test_below_the_lowest(void **unused)
{
	struct path_bands path = bands_of("1000:whole,65535:lost");
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &ethernet);
	search(&find, &path, 0);
	assert_found(&find, "1000:whole,65535:lost");

	/* If no smaller size can be sent exactly, nothing else is known. */
	bandfind_init(&find, &(struct bandfind_config){
				     .min = 1340, .max = 1560, .sender_mtu = LINK_MTU});
	search(&find, &path, 0);
	assert_found(&find, "1339:unknown,65535:lost");
}

static void test_sender_learns(void **unused)
{
	struct path_bands before = bands_of("1460:whole,65535:lost");
	struct path_bands after = bands_of("1460:whole,65535:fragmented");
	int sizes[BANDFIND_ROUND];
	struct bandfind find;
	int count;

	(void)unused;
	bandfind_init(&find, &ethernet);
	count = bandfind_next(&find, sizes);
	for (int i = 0; i < count; i++)
		bandfind_learn(&find, sizes[i], path_bands_fate(&before, sizes[i]));
	bandfind_lower_sender_mtu(&find, 1500);
	bandfind_lower_sender_mtu(&find, 1460);
	search(&find, &after, 0);
	assert_found(&find, "1460:whole,65535:fragmented");
	assert_int_equal(find.sent, 9 + 2);
}

static void test_cannot_be_told(void **unused)
{
	int sizes[BANDFIND_ROUND];
	struct bandfind find;
	int count;

	(void)unused;
	/* No packet arrives: the search gives up and says so. */
	bandfind_init(&find, &ethernet);
	assert_found(&find, "");
	while ((count = bandfind_next(&find, sizes)) > 0) {
		for (int i = 0; i < count; i++)
			bandfind_learn(&find, sizes[i], FATE_UNKNOWN);
	}
	assert_found(&find, "65535:unknown");

	/* An unknown size among equal ones gets their fate. */
	bandfind_init(&find, &ethernet);
	while ((count = bandfind_next(&find, sizes)) > 0) {
		for (int i = 0; i < count; i++)
			bandfind_learn(&find, sizes[i],
				       sizes[i] == 1460   ? FATE_UNKNOWN
				       : sizes[i] <= 1500 ? FATE_WHOLE
							  : FATE_FRAGMENTED);
	}
	assert_found(&find, "1500:whole,65535:fragmented");
	assert_int_equal(find.sent, 9 + 2);
}

static void test_stays_open(void **unused)
{
	struct bandfind find;
	int sizes[BANDFIND_ROUND];

	(void)unused;
	bandfind_init(&find, &ethernet);
	assert_true(bandfind_next(&find, sizes) > 0);
	bandfind_learn(&find, 1280, FATE_WHOLE);
	bandfind_learn(&find, 1460, FATE_WHOLE);
	bandfind_learn(&find, 1480, FATE_LOST);
	assert_found(&find, "1460:whole,1479:unknown,65535:lost");
}

static void test_jumbo(void **unused)
{
	struct bandfind_config config = {.min = 636, .max = 9060, .sender_mtu = 9000};
	struct path_bands path = bands_of("9000:whole,65535:fragmented");
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &config);
	search(&find, &path, 0);
	assert_found(&find, "9000:whole,65535:fragmented");
	path = bands_of("1500:whole,65535:fragmented");
	bandfind_init(&find, &config);
	search(&find, &path, 0);
	assert_found(&find, "1500:whole,65535:fragmented");
}

static void test_one_by_one(void **unused)
{
	struct path_bands path = bands_of("1460:whole,1500:lost,65535:fragmented");
	struct bandfind_config config = ethernet;
	struct bandfind find;
	int rounds;

	(void)unused;
	config.one_by_one = true;
	bandfind_init(&find, &config);
	rounds = search(&find, &path, 0);
	assert_int_equal(rounds, find.sent);
	assert_found(&find, "1460:whole,1500:lost,65535:fragmented");
}

/* --- ten thousand random paths --- */

/* Sizes at which routers, tunnels and lines have edges. */
static const int real_edges[] = {
	1280, 1300, 1340, 1360, 1380, 1392, 1400, 1412, 1420, 1422, 1428, 1430, 1432,
	1436, 1438, 1440, 1442, 1444, 1446, 1448, 1450, 1452, 1454, 1456, 1458, 1460,
	1462, 1464, 1468, 1472, 1476, 1478, 1480, 1484, 1488, 1490, 1492, 1496,
};

/* The kinds of the documented path model; `edge` is the last size that arrives
 * whole. */
static struct path_bands layout(int kind, int edge)
{
	struct path_bands bands = {0};

	switch (kind) {
	case 0: /* clean */
		edge = LINK_MTU;
		path_bands_add(&bands, edge, FATE_WHOLE);
		path_bands_add(&bands, OUTER_SIZE_MAX, FATE_FRAGMENTED);
		break;
	case 1: /* clean, but for fragments */
		path_bands_add(&bands, LINK_MTU, FATE_WHOLE);
		path_bands_add(&bands, OUTER_SIZE_MAX, FATE_LOST);
		break;
	case 2: /* fragmented on the way */
		path_bands_add(&bands, edge, FATE_WHOLE);
		path_bands_add(&bands, OUTER_SIZE_MAX, FATE_FRAGMENTED);
		break;
	case 3: /* a black hole */
		path_bands_add(&bands, edge, FATE_WHOLE);
		path_bands_add(&bands, OUTER_SIZE_MAX, FATE_LOST);
		break;
	default: /* only packets that the sender fragmented arrive */
		path_bands_add(&bands, edge, FATE_WHOLE);
		path_bands_add(&bands, LINK_MTU, FATE_LOST);
		path_bands_add(&bands, OUTER_SIZE_MAX, FATE_FRAGMENTED);
		break;
	}
	return bands;
}

struct tally {
	int right;
	int right_soft;
	long sent;
	long rounds;
	int rounds_most;
};

static void tally_one(struct tally *tally, const struct path_bands *path)
{
	struct bandfind find;
	int rounds;

	bandfind_init(&find, &ethernet);
	rounds = search(&find, path, LOSS);
	tally->sent += find.sent;
	tally->rounds += rounds;
	if (rounds > tally->rounds_most)
		tally->rounds_most = rounds;
	if (!is_right(&find, path))
		return;
	tally->right++;
	tally->right_soft += find.sent <= BANDFIND_SOFT;
}

static void print_tally(const char *what, const struct tally *tally)
{
	print_message("%s: %.2f %% right within %d sizes, %.2f %% within %d; mean %.1f "
		      "sizes, %.1f rounds (at most %d)\n",
		      what, 100.0 * tally->right_soft / LAYOUTS, BANDFIND_SOFT,
		      100.0 * tally->right / LAYOUTS, BANDFIND_HARD,
		      (double)tally->sent / LAYOUTS, (double)tally->rounds / LAYOUTS,
		      tally->rounds_most);
}

static void test_realistic_layouts(void **unused)
{
	struct tally tally = {0};

	(void)unused;
	state = 1;
	for (int i = 0; i < LAYOUTS; i++) {
		int n = (int)(sizeof(real_edges) / sizeof(real_edges[0]));
		struct path_bands path =
			layout(random_below(5), real_edges[random_below(n)]);

		tally_one(&tally, &path);
	}
	print_tally("realistic layouts", &tally);
	assert_true(tally.right_soft >= LAYOUTS * 0.999);
}

static void test_any_edge(void **unused)
{
	struct tally tally = {0};

	(void)unused;
	state = 2;
	for (int i = 0; i < LAYOUTS; i++) {
		struct path_bands path =
			layout(2 + random_below(3), 1280 + random_below(220));

		tally_one(&tally, &path);
	}
	print_tally("any edge", &tally);
	assert_true(tally.right_soft >= LAYOUTS * 0.99);
}

/* Two edges at any sizes are visible if a usual size is between them: without one
 * nothing shows the band. */
static bool is_visible(int low, int high)
{
	static const int usual[] = {1400, 1440, 1460, 1480, 1492};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (usual[i] > low && usual[i] <= high)
			return true;
	}
	return false;
}

static void test_any_two_edges(void **unused)
{
	struct tally tally = {0};

	(void)unused;
	state = 3;
	for (int i = 0; i < LAYOUTS; i++) {
		struct path_bands path = {0};
		int low;
		int high;

		do {
			low = 1280 + random_below(219);
			high = low + 1 + random_below(1499 - low);
		} while (!is_visible(low, high));
		path_bands_add(&path, low, FATE_WHOLE);
		path_bands_add(&path, high, FATE_LOST);
		path_bands_add(&path, OUTER_SIZE_MAX, FATE_FRAGMENTED);
		tally_one(&tally, &path);
	}
	print_tally("any two edges", &tally);
	assert_true(tally.right >= LAYOUTS * 0.985);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_accident),
		cmocka_unit_test(test_below_the_lowest),
		cmocka_unit_test(test_sender_learns),
		cmocka_unit_test(test_cannot_be_told),
		cmocka_unit_test(test_stays_open),
		cmocka_unit_test(test_jumbo),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_realistic_layouts),
		cmocka_unit_test(test_any_edge),
		cmocka_unit_test(test_any_two_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
