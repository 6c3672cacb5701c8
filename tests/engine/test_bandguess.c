/* SPDX-License-Identifier: MIT */
/* Bands derived from rates: invented sweeps whose bands are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "engine/bandguess.h"
#include "engine/pathmodel.h"

#define CELLS_MAX 40

/* The diagonal of a grid with step 20, on a line of 50 Mbit/s with these bands. */
static int sweep(const char *bands, int max, struct measurement *ret)
{
	struct path path = {.overhead = {60, 60}};
	int count = 0;

	assert_int_equal(path_bands_parse(bands, &path.dir[DIR_UPLOAD], NULL), 0);
	for (int mtu = 1280; mtu <= max; mtu += 20) {
		struct measurement *m = &ret[count++];
		struct prediction p;

		*m = (struct measurement){.mtu = {mtu, mtu}};
		p = pathmodel_predict(&path, &m->mtu, DIR_UPLOAD);
		dir_result_init(&m->dir[DIR_UPLOAD],
				p.goodput > 0 ? TEST_OK : TEST_BLACKHOLE, "%s", "");
		if (p.goodput > 0)
			m->dir[DIR_UPLOAD].received_bps = (int64_t)(p.goodput * 50e6);
	}
	return count;
}

struct expectation {
	const char *bands;
	int max;
	double noise;
	const char *guess;
};

/* clang-format off */
static const struct expectation table[] = {
	/* 1400 is 1460, 1420 is 1480, 1440 is 1500, 1460 is 1520. */
	{"1460:whole,1500:lost,65535:fragmented", 1500, 0.01,
	 "1460:whole,1479:unknown,1500:lost,1519:unknown,65535:fragmented"},
	/* Above the largest size, 1560, nothing is known: it may arrive in
	 * fragments. */
	{"1440:whole,65535:lost", 1500, 0.01,
	 "1440:whole,1459:unknown,1560:lost,65535:unknown"},
	{"65535:whole", 1420, 0.01, "1480:whole,65535:unknown"},
	{"1480:whole,65535:fragmented", 1500, 0.005,
	 "1480:whole,1499:unknown,65535:fragmented"},
	/* Noise hides the fragments: sizes above Ethernet's stay open. */
	{"1480:whole,65535:fragmented", 1500, 0.12,
	 "1500:whole,1519:unknown,65535:unknown"},
	/* A path for jumbo frames: with rates that prove it, and without. */
	{"65535:whole", 1900, 0.002, "1960:whole,65535:unknown"},
	{"65535:whole", 1900, 0.12, "1500:whole,1519:unknown,65535:unknown"},
	/* Nor below the smallest one. */
	{"65535:lost", 1500, 0.01, "1339:unknown,1560:lost,65535:unknown"},
};
/* clang-format on */

static void bands_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct measurement cells[CELLS_MAX];
		int count = sweep(table[i].bands, table[i].max, cells);
		struct path_bands expected;
		struct path_bands bands;
		char text[PATH_BANDS_TEXT_SIZE];
		char wanted[PATH_BANDS_TEXT_SIZE];

		assert_int_equal(path_bands_parse(table[i].guess, &expected, NULL), 0);
		path_bands_format(&expected, wanted);
		assert_int_equal(bandguess(cells, (size_t)count, 60, DIR_UPLOAD,
					   table[i].noise, &bands),
				 0);
		path_bands_format(&bands, text);
		assert_string_equal(text, wanted);
	}
}

/* From 1461 bytes on half of the rate is left, from 1501 on a thirtieth: the second
 * fall is clearer. */
static void lowest_heavy_fall_counts(void **state)
{
	struct measurement cells[CELLS_MAX];
	int count = sweep("65535:whole", 1600, cells);
	struct path_bands bands;

	(void)state;
	for (int i = 0; i < count; i++) {
		int outer = cells[i].mtu.peer + 60;
		int64_t *rate = &cells[i].dir[DIR_UPLOAD].received_bps;

		*rate /= outer > 1500 ? 30 : outer > 1460 ? 2 : 1;
	}
	assert_int_equal(bandguess(cells, (size_t)count, 60, DIR_UPLOAD, 0.12, &bands),
			 0);
	assert_int_equal(path_bands_whole_max(&bands), 1460);
	assert_int_equal(path_bands_fate(&bands, 1480), FATE_FRAGMENTED);
	assert_int_equal(path_bands_fate(&bands, 1520), FATE_FRAGMENTED);
}

static void one_that_arrived_outweighs_losses(void **state)
{
	struct measurement m[3] = {
		{.mtu = {1400, 1400}}, {.mtu = {1400, 1400}}, {.mtu = {1400, 1400}}};
	struct path_bands bands;

	(void)state;
	for (int i = 0; i < 3; i++)
		dir_result_init(&m[i].dir[DIR_UPLOAD], TEST_BLACKHOLE, "%s", "");
	dir_result_init(&m[1].dir[DIR_UPLOAD], TEST_OK, "%s", "");
	m[1].dir[DIR_UPLOAD].received_bps = 50000000;
	assert_int_equal(bandguess(m, 3, 60, DIR_UPLOAD, 0.01, &bands), 0);
	assert_int_equal(path_bands_fate(&bands, 1460), FATE_WHOLE);
	/* A test that never began gives no evidence about the path. */
	for (int i = 0; i < 3; i++)
		dir_result_init(&m[i].dir[DIR_UPLOAD], TEST_ERROR, "%s", "broken");
	assert_int_equal(bandguess(m, 3, 60, DIR_UPLOAD, 0.01, &bands), 0);
	assert_int_equal(bands.count, 0);
}

/* Only a test that began and lost its data says something about the path. A firewall's
 * limit of new connections leaves tests unreachable, whatever the size. */
static void only_lost_data_counts_as_none(void **state)
{
	static const struct {
		enum test_status status;
		int64_t rate;
	} cases[] = {
		{TEST_OK, 50000000},       {TEST_BLACKHOLE, 0},
		{TEST_TIMEOUT, 0},         {TEST_UNREACHABLE, NO_FIGURE},
		{TEST_REFUSED, NO_FIGURE}, {TEST_ERROR, NO_FIGURE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dir_result result;

		dir_result_init(&result, cases[i].status, "%s", "");
		if (cases[i].status == TEST_OK)
			result.received_bps = 50000000;
		assert_int_equal(bandguess_rate(&result), cases[i].rate);
	}
}

static void an_unreachable_test_makes_no_band(void **state)
{
	struct measurement cells[CELLS_MAX];
	int count = sweep("65535:whole", 1440, cells);
	struct path_bands bands;
	char text[PATH_BANDS_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < count; i += 3)
		dir_result_init(&cells[i].dir[DIR_UPLOAD], TEST_UNREACHABLE, "%s",
				"no answer");
	assert_int_equal(bandguess(cells, (size_t)count, 60, DIR_UPLOAD, 0.01, &bands),
			 0);
	path_bands_format(&bands, text);
	assert_string_equal(text, "1500:whole,65535:unknown");
}

/* A lowered MSS: packets of 1380 bytes, padded to 1392, leave with 1452 at most. Above
 * that nothing is known. */
static void clamped_tests_prove_what_they_sent(void **state)
{
	struct measurement cells[CELLS_MAX];
	struct path_bands bands;
	char text[PATH_BANDS_TEXT_SIZE];
	int count = sweep("65535:whole", 1500, cells);

	(void)state;
	for (int i = 0; i < count; i++) {
		struct dir_result *r = &cells[i].dir[DIR_UPLOAD];

		r->packet_bytes = cells[i].mtu.peer < 1380 ? cells[i].mtu.peer : 1380;
	}
	assert_int_equal(bandguess(cells, (size_t)count, 60, DIR_UPLOAD, 0.05, &bands),
			 0);
	path_bands_format(&bands, text);
	assert_string_equal(text, "1452:whole,65535:unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bands_are_found),
		cmocka_unit_test(lowest_heavy_fall_counts),
		cmocka_unit_test(one_that_arrived_outweighs_losses),
		cmocka_unit_test(only_lost_data_counts_as_none),
		cmocka_unit_test(an_unreachable_test_makes_no_band),
		cmocka_unit_test(clamped_tests_prove_what_they_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
