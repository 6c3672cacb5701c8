/* SPDX-License-Identifier: MIT */
/* The search for bands, over simulated paths, with random packet loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "band_sim.h"

#define LINK_MTU BAND_SIM_LINK

/* Run the search; return the number of rounds. */
static int search(struct bandfind *find, const struct path_bands *path)
{
	struct band_sim sim = {.bands = *path, .random = 1};
	struct band_sim_cost cost;

	band_sim_search(&sim, find, 20, 100, &cost);
	return cost.rounds;
}

/* Learn one copy of each size. */
static void learn_one(struct bandfind *find, int size, enum fate fate)
{
	bandfind_learn(find, size, fate, 1, fate != FATE_LOST);
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
		/* one more, 1500 in copies: it is proved to arrive always */
		{"1500:whole,65535:fragmented", 10},
		/* and 1501 and 1560, whose loss is confirmed */
		{"1500:whole,65535:lost", 12},
		/* 1501 and 1560; 1486 1489 1490 1491; 1490 proved, 1491 confirmed */
		{"1490:whole,65535:lost", 17},
		/* 1461 stands between 1460 and 1480: 1470 1465 1462 1461; 1460 proved */
		{"1460:whole,65535:fragmented", 14},
		/* the same with 1461, 1480, 1492 and 1500 confirmed: larger ones arrive */
		{"1460:whole,1500:lost,65535:fragmented", 18},
	};
	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path_bands path = bands_of(cases[i].path);
		struct bandfind find;

		bandfind_init(&find, &band_sim_ethernet);
		search(&find, &path);
		assert_found(&find, cases[i].path);
		assert_int_equal(find.sent, cases[i].sent);
	}
}

static void test_accident(void **unused)
{
	struct path_bands path = bands_of("1500:whole,65535:fragmented");
	int sizes[BANDFIND_ROUND];
	struct bandfind find;
	int copies;
	int count;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	count = bandfind_next(&find, sizes, &copies);
	for (int i = 0; i < count; i++)
		learn_one(&find, sizes[i],
			  sizes[i] == 1440 ? FATE_LOST
					   : path_bands_fate(&path, sizes[i]));
	/* The lost one, the smallest to compare it with, and 1500 for a proof. */
	assert_int_equal(bandfind_next(&find, sizes, &copies), 3);
	assert_int_equal(sizes[0], 1280);
	assert_int_equal(sizes[1], 1440);
	assert_int_equal(sizes[2], 1500);
	for (int i = 0; i < 3; i++)
		bandfind_learn(&find, sizes[i], FATE_WHOLE, copies, copies);
	assert_int_equal(bandfind_next(&find, sizes, &copies), 0);
	assert_found(&find, "1500:whole,65535:fragmented");
}

static void test_below_the_lowest(void **unused)
{
	struct path_bands path = bands_of("1000:whole,65535:lost");
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	search(&find, &path);
	assert_found(&find, "1000:whole,65535:lost");

	/* If no smaller size can be sent exactly, nothing else is known. */
	bandfind_init(&find, &(struct bandfind_config){
				     .min = 1340, .max = 1560, .sender_mtu = LINK_MTU});
	search(&find, &path);
	assert_found(&find, "1339:unknown,65535:lost");
}

/* The MTU of a hub's link ends the search below what the sender's link carries. */
static void test_above_the_largest(void **unused)
{
	struct path_bands path = bands_of("65535:whole");
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &(struct bandfind_config){
				     .min = 636, .max = 1480, .sender_mtu = LINK_MTU});
	search(&find, &path);
	assert_found(&find, "1480:whole,65535:unknown");
	path = bands_of("1460:whole,65535:lost");
	bandfind_init(&find, &(struct bandfind_config){
				     .min = 636, .max = 1480, .sender_mtu = LINK_MTU});
	search(&find, &path);
	assert_found(&find, "1460:whole,65535:lost");
}

/* A translator between the ends reassembles what the sender's kernel fragmented: packets
 * that are smaller behind it arrive whole. */
static void test_above_the_senders_link(void **unused)
{
	struct path_bands path = bands_of("1520:whole,65535:fragmented");
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	search(&find, &path);
	assert_found(&find, "1500:whole,65535:fragmented");
}

static void test_sender_learns(void **unused)
{
	struct path_bands before = bands_of("1460:whole,65535:lost");
	struct path_bands after = bands_of("1460:whole,65535:fragmented");
	int sizes[BANDFIND_ROUND];
	struct bandfind find;
	int copies;
	int count;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	count = bandfind_next(&find, sizes, &copies);
	for (int i = 0; i < count; i++)
		learn_one(&find, sizes[i], path_bands_fate(&before, sizes[i]));
	bandfind_lower_sender_mtu(&find, 1500);
	bandfind_lower_sender_mtu(&find, 1460);
	search(&find, &after);
	assert_found(&find, "1460:whole,65535:fragmented");
	assert_int_equal(find.sent, 9 + 3);
}

static void test_cannot_be_told(void **unused)
{
	int sizes[BANDFIND_ROUND];
	struct bandfind find;
	int copies;
	int count;

	(void)unused;
	/* No packet arrives: the search gives up and says so. */
	bandfind_init(&find, &band_sim_ethernet);
	assert_found(&find, "");
	while ((count = bandfind_next(&find, sizes, &copies)) > 0) {
		for (int i = 0; i < count; i++)
			learn_one(&find, sizes[i], FATE_UNKNOWN);
	}
	assert_found(&find, "65535:unknown");

	/* An unknown size among equal ones gets their fate. */
	bandfind_init(&find, &band_sim_ethernet);
	while ((count = bandfind_next(&find, sizes, &copies)) > 0) {
		for (int i = 0; i < count; i++)
			bandfind_learn(&find, sizes[i],
				       sizes[i] == 1460   ? FATE_UNKNOWN
				       : sizes[i] <= 1500 ? FATE_WHOLE
							  : FATE_FRAGMENTED,
				       copies, copies);
	}
	assert_found(&find, "1500:whole,65535:fragmented");
	/* 1460 twice more, and the proof of 1500 */
	assert_int_equal(find.sent, 9 + 3);
}

static void test_stays_open(void **unused)
{
	struct bandfind find;
	int sizes[BANDFIND_ROUND];
	int copies;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	assert_true(bandfind_next(&find, sizes, &copies) > 0);
	learn_one(&find, 1280, FATE_WHOLE);
	learn_one(&find, 1460, FATE_WHOLE);
	learn_one(&find, 1480, FATE_LOST);
	assert_found(&find, "1460:whole,65535:unknown");
	bandfind_learn(&find, 1480, FATE_LOST, 3, 0);
	assert_found(&find, "1460:whole,1479:unknown,65535:lost");
}

static void test_jumbo(void **unused)
{
	struct bandfind_config config = {.min = 636, .max = 9060, .sender_mtu = 9000};
	struct path_bands path = bands_of("9000:whole,65535:fragmented");
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &config);
	search(&find, &path);
	assert_found(&find, "9000:whole,65535:fragmented");
	path = bands_of("1500:whole,65535:fragmented");
	bandfind_init(&find, &config);
	search(&find, &path);
	assert_found(&find, "1500:whole,65535:fragmented");
}

/* A slow line's queue holds 64 KiB: the first round, and a loss by chance, leave sizes to
 * repeat, and no round of several copies loses more. */
static void test_jumbo_queue(void **unused)
{
	struct bandfind_config config = {.min = 636, .max = 9061, .sender_mtu = 9001};
	struct path_bands path = bands_of("9001:whole,65535:fragmented");
	int sizes[BANDFIND_ROUND];
	struct bandfind find;
	bool first = true;
	int copies;
	int count;

	(void)unused;
	bandfind_init(&find, &config);
	while ((count = bandfind_next(&find, sizes, &copies)) > 0) {
		int queue = 65536;

		for (int i = 0; i < count; i++) {
			int fit = queue / sizes[i] < copies ? queue / sizes[i] : copies;

			if (first && sizes[i] == 9001)
				fit = 0;
			queue -= fit * sizes[i];
			bandfind_learn(&find, sizes[i],
				       fit ? path_bands_fate(&path, sizes[i])
					   : FATE_LOST,
				       copies, fit);
		}
		first = false;
	}
	assert_found(&find, "9001:whole,65535:fragmented");
}

static void test_one_by_one(void **unused)
{
	struct path_bands path = bands_of("1460:whole,1500:lost,65535:fragmented");
	struct bandfind_config config = band_sim_ethernet;
	struct bandfind find;
	int rounds;

	(void)unused;
	config.one_by_one = true;
	bandfind_init(&find, &config);
	rounds = search(&find, &path);
	assert_int_equal(rounds, find.sent);
	assert_found(&find, "1460:whole,1500:lost,65535:fragmented");
}

/* --- sizes that pass only sometimes --- */

/* The largest whole size is sent in copies. When some of them are lost, while the
 * smallest size always arrives, it passes sometimes, and larger ones need no proof. */
static void test_sometimes(void **unused)
{
	struct band_sim sim = {
		.bands = bands_of("1500:whole,65535:fragmented"),
		.sometimes = 1461,
		.share = 0.5,
		.random = 5,
	};
	struct bandfind_sometimes sometimes;
	struct band_sim_cost cost;
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	band_sim_search(&sim, &find, 20, 100, &cost);
	assert_found(&find, "1460:whole,1500:lost,65535:fragmented");
	sometimes = bandfind_sometimes(&find);
	assert_in_range(sometimes.low, 1461, 1500);
	assert_in_range(sometimes.high, sometimes.low, 1500);
	assert_in_range(sometimes.arrived, sometimes.sent / 4, sometimes.sent * 3 / 4);
	/* On a clean path none do. */
	bandfind_init(&find, &band_sim_ethernet);
	search(&find, &sim.bands);
	assert_int_equal(bandfind_sometimes(&find).low, 0);
}

/* A loss that hits the smallest size alike is no property of the size. */
static void test_lossy_line(void **unused)
{
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	bandfind_learn(&find, 1280, FATE_WHOLE, 40, 28);
	bandfind_learn(&find, 1500, FATE_WHOLE, 40, 28);
	assert_int_equal(bandfind_sometimes(&find).low, 0);
	bandfind_init(&find, &band_sim_ethernet);
	bandfind_learn(&find, 1280, FATE_WHOLE, 40, 40);
	bandfind_learn(&find, 1500, FATE_WHOLE, 40, 28);
	assert_int_equal(bandfind_sometimes(&find).low, 1500);
}

/* Doubtful losses are not guessed about: the search was cut short. */
static void test_doubt_is_unknown(void **unused)
{
	struct bandfind find;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	learn_one(&find, 1280, FATE_WHOLE);
	learn_one(&find, 1492, FATE_LOST);
	learn_one(&find, 1500, FATE_WHOLE);
	learn_one(&find, 1501, FATE_FRAGMENTED);
	assert_found(&find, "1280:whole,1499:unknown,1500:whole,65535:fragmented");
}

/* --- reordering --- */

/* The first round's END overtakes two probes: what was concluded is corrected. */
static void test_overtaken(void **unused)
{
	struct bandfind find;
	int sizes[BANDFIND_ROUND];
	int copies;
	int count;

	(void)unused;
	bandfind_init(&find, &band_sim_ethernet);
	count = bandfind_next(&find, sizes, &copies);
	for (int i = 0; i < count; i++)
		learn_one(&find, sizes[i],
			  sizes[i] == 1492 || sizes[i] > 1500 ? FATE_LOST : FATE_WHOLE);
	assert_found(&find, "1480:whole,1499:unknown,1500:whole,65535:unknown");
	bandfind_learn_late(&find, 1492, FATE_WHOLE, 1);
	bandfind_learn_late(&find, 1501, FATE_WHOLE, 1);
	bandfind_learn_late(&find, 1560, FATE_FRAGMENTED, 1);
	bandfind_learn(&find, 1500, FATE_WHOLE, 10, 10);
	assert_int_equal(bandfind_next(&find, sizes, &copies), 0);
	assert_found(&find, "1500:whole,65535:fragmented");
}

/* A late probe of which nothing is known was not lost; and none counts twice. */
static void test_late_unknown(void **unused)
{
	struct bandfind find;
	int sizes[BANDFIND_ROUND];
	int copies;

	(void)unused;
	bandfind_init(&find, &(struct bandfind_config){.min = 1400, .max = 1400});
	bandfind_learn(&find, 1400, FATE_LOST, 5, 0);
	assert_int_equal(bandfind_next(&find, sizes, &copies), 0);
	bandfind_learn_late(&find, 1400, FATE_UNKNOWN, 9);
	bandfind_learn_late(&find, 1410, FATE_WHOLE, 1);
	assert_int_equal(bandfind_next(&find, sizes, &copies), 1);
	assert_int_equal(sizes[0], 1400);
	bandfind_learn(&find, 1400, FATE_WHOLE, 2, 1);
	bandfind_learn_late(&find, 1400, FATE_WHOLE, 9);
	assert_int_equal(find.sizes[0].sent, 2);
	assert_int_equal(find.sizes[0].arrived, 2);
}

/* --- many random paths --- */

enum path_kind {
	PATH_CLEAN,
	PATH_EDGE,      /* one edge anywhere */
	PATH_TWO_LINES, /* packet by packet, one of them with an edge anywhere */
	PATH_JITTER,    /* one edge anywhere; packets take up to 60 ms longer */
	PATH_REORDERED, /* the same; one packet in twenty overtakes others */
};

struct expectation {
	const char *name;
	enum path_kind kind;
	double loss;
	double wrong;   /* at most; share of the paths */
	double open;    /* at most: some sizes unknown */
	double packets; /* mean, at most */
	double ms;      /* mean, at most; of a round trip of 20 ms */
	int parts;      /* into which a round cuts a gap; 0: 2 */
};

/* With the bounds of 1000 paths; tests/bench/bands.c measures more. */
static const struct expectation table[] = {
	{"clean", PATH_CLEAN, 0, 0, 0, 18, 50, 0},
	{"clean, loss 0.5 %", PATH_CLEAN, 0.005, 0.001, 0.001, 22, 55, 0},
	{"clean, loss 5 %", PATH_CLEAN, 0.05, 0.003, 0.01, 45, 100, 0},
	{"clean, loss 20 %", PATH_CLEAN, 0.20, 0.02, 0.05, 120, 200, 0},
	{"edge", PATH_EDGE, 0, 0, 0, 55, 220, 0},
	{"edge, loss 0.5 %", PATH_EDGE, 0.005, 0.001, 0.003, 60, 230, 0},
	{"edge, loss 5 %", PATH_EDGE, 0.05, 0.003, 0.01, 90, 280, 0},
	{"edge, loss 10 %", PATH_EDGE, 0.10, 0.01, 0.04, 125, 350, 0},
	{"edge, loss 20 %", PATH_EDGE, 0.20, 0.02, 0.20, 185, 450, 0},
	{"edge, fifths", PATH_EDGE, 0, 0, 0, 60, 145, 5},
	{"edge, fifths, loss 0.5 %", PATH_EDGE, 0.005, 0.001, 0.003, 65, 150, 5},
	{"edge, fifths, loss 5 %", PATH_EDGE, 0.05, 0.005, 0.01, 105, 220, 5},
	{"two lines", PATH_TWO_LINES, 0, 0.015, 0.04, 200, 500, 0},
	{"two lines, loss 0.5 %", PATH_TWO_LINES, 0.005, 0.02, 0.12, 210, 500, 0},
	{"jitter", PATH_JITTER, 0, 0.001, 0.001, 75, 750, 5},
	{"jitter, loss 0.5 %", PATH_JITTER, 0.005, 0.002, 0.002, 75, 800, 5},
	{"reordered", PATH_REORDERED, 0, 0.001, 0.001, 65, 280, 5},
	{"reordered, loss 0.5 %", PATH_REORDERED, 0.005, 0.002, 0.002, 70, 290, 5},
};

static void make_path(struct band_sim *sim, enum path_kind kind)
{
	int edge = 1281 + band_sim_below(sim, 220);

	sim->sometimes = 0;
	sim->jitter_ms = kind == PATH_JITTER ? 60 : 0;
	sim->ahead = kind == PATH_REORDERED ? 0.05 : 0;
	sim->bands = band_sim_edge(0, LINK_MTU);
	if (kind == PATH_EDGE || kind == PATH_JITTER || kind == PATH_REORDERED)
		sim->bands = band_sim_edge(band_sim_below(sim, 3), edge);
	if (kind == PATH_TWO_LINES) {
		sim->sometimes = edge + 1;
		sim->share = 0.5;
	}
}

#define PATHS 1000

static void test_random_paths(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct expectation *e = &table[i];
		struct band_sim sim = {.random = 1, .loss = e->loss};
		struct bandfind_config config = band_sim_ethernet;
		double packets = 0;
		double ms = 0;
		int wrong = 0;
		int open = 0;

		for (int n = 0; n < PATHS; n++) {
			struct band_sim_cost cost;
			enum band_sim_verdict verdict;
			struct bandfind find;

			make_path(&sim, e->kind);
			config.parts = e->parts;
			bandfind_init(&find, &config);
			band_sim_search(&sim, &find, 20, 100, &cost);
			assert_true(find.sent <= BANDFIND_HARD);
			verdict = band_sim_judge(&sim, &find);
			wrong += verdict == BAND_SIM_LOW || verdict == BAND_SIM_HIGH;
			open += verdict == BAND_SIM_OPEN;
			packets += cost.packets;
			ms += cost.ms;
		}
		print_message("%s: %d wrong, %d open, %.1f packets, %.0f ms\n", e->name,
			      wrong, open, packets / PATHS, ms / PATHS);
		if (wrong > PATHS * e->wrong || open > PATHS * e->open ||
		    packets > PATHS * e->packets || ms > PATHS * e->ms)
			fail_msg("%s", e->name);
	}
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
	struct band_sim sim = {.random = 3, .loss = 0.005};
	int right = 0;

	(void)unused;
	for (int i = 0; i < PATHS; i++) {
		struct band_sim_cost cost;
		struct bandfind find;
		int low;
		int high;

		do {
			low = 1280 + band_sim_below(&sim, 219);
			high = low + 1 + band_sim_below(&sim, 1499 - low);
		} while (!is_visible(low, high));
		sim.bands = (struct path_bands){0};
		path_bands_add(&sim.bands, low, FATE_WHOLE);
		path_bands_add(&sim.bands, high, FATE_LOST);
		path_bands_add(&sim.bands, OUTER_SIZE_MAX, FATE_FRAGMENTED);
		bandfind_init(&find, &band_sim_ethernet);
		band_sim_search(&sim, &find, 20, 100, &cost);
		right += band_sim_judge(&sim, &find) == BAND_SIM_RIGHT;
	}
	print_message("any two edges: %.1f %% right\n", 100.0 * right / PATHS);
	assert_true(right >= PATHS * 0.985);
}

/* A sender whose sizes are 60 + 16k finds edges to 16, and says what it does not know. */
static void test_multiples(void **unused)
{
	static const struct bandfind_config sixteen = {
		.min = 316,
		.max = 1500,
		.sender_mtu = BAND_SIM_LINK,
		.unit = 16,
	};
	int sizes[BANDFIND_ROUND];
	struct path_bands path = bands_of("1400:whole,65535:lost");
	struct bandfind find;
	int copies;
	int count;

	(void)unused;
	bandfind_init(&find, &sixteen);
	while ((count = bandfind_next(&find, sizes, &copies)) > 0) {
		for (int i = 0; i < count; i++) {
			assert_int_equal((sizes[i] - 60) % 16, 0);
			for (int copy = 0; copy < copies; copy++)
				learn_one(&find, sizes[i],
					  path_bands_fate(&path, sizes[i]));
		}
	}
	assert_found(&find, "1388:whole,1403:unknown,65535:lost");
	path = bands_of("65535:whole");
	bandfind_init(&find, &sixteen);
	search(&find, &path);
	assert_found(&find, "1500:whole,65535:unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multiples),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_accident),
		cmocka_unit_test(test_below_the_lowest),
		cmocka_unit_test(test_above_the_largest),
		cmocka_unit_test(test_above_the_senders_link),
		cmocka_unit_test(test_sender_learns),
		cmocka_unit_test(test_cannot_be_told),
		cmocka_unit_test(test_stays_open),
		cmocka_unit_test(test_jumbo),
		cmocka_unit_test(test_jumbo_queue),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_sometimes),
		cmocka_unit_test(test_lossy_line),
		cmocka_unit_test(test_doubt_is_unknown),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_late_unknown),
		cmocka_unit_test(test_random_paths),
		cmocka_unit_test(test_any_two_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
