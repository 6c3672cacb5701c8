/* SPDX-License-Identifier: MIT */
/* Bands of outer sizes: building them, queries, their text. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/path.h"

static struct path_bands parsed(const char *text)
{
	struct path_bands bands;
	struct err err = ERR_INIT;

	assert_int_equal(path_bands_parse(text, &bands, &err), 0);
	return bands;
}

static void fates_by_size(void **state)
{
	struct path_bands bands = parsed("1460:whole,1500:lost,65535:fragmented");

	(void)state;
	assert_int_equal(path_bands_fate(&bands, 1), FATE_WHOLE);
	assert_int_equal(path_bands_fate(&bands, 1460), FATE_WHOLE);
	assert_int_equal(path_bands_fate(&bands, 1461), FATE_LOST);
	assert_int_equal(path_bands_fate(&bands, 1500), FATE_LOST);
	assert_int_equal(path_bands_fate(&bands, 1501), FATE_FRAGMENTED);
	assert_int_equal(path_bands_fate(&bands, OUTER_SIZE_MAX), FATE_FRAGMENTED);
	assert_int_equal(path_bands_whole_max(&bands), 1460);
}

static void nothing_known(void **state)
{
	struct path_bands bands = parsed("");
	char text[PATH_BANDS_TEXT_SIZE];

	(void)state;
	assert_int_equal(bands.count, 0);
	assert_int_equal(path_bands_fate(&bands, 1280), FATE_UNKNOWN);
	assert_int_equal(path_bands_whole_max(&bands), 0);
	path_bands_format(&bands, text);
	assert_string_equal(text, "");
}

static void last_band_reaches_to_the_end(void **state)
{
	struct path_bands bands = parsed("1440:whole,1500:unknown,1600:lost");
	char text[PATH_BANDS_TEXT_SIZE];

	(void)state;
	assert_int_equal(path_bands_fate(&bands, 9000), FATE_LOST);
	path_bands_format(&bands, text);
	assert_string_equal(text, "1440:whole,1500:unknown,65535:lost");
}

static void equal_neighbours_are_one(void **state)
{
	struct path_bands bands = {0};

	(void)state;
	assert_int_equal(path_bands_add(&bands, 1280, FATE_WHOLE), 0);
	assert_int_equal(path_bands_add(&bands, 1400, FATE_WHOLE), 0);
	assert_int_equal(bands.count, 1);
	assert_int_equal(path_bands_whole_max(&bands), 1400);
	assert_int_equal(path_bands_add(&bands, 1400, FATE_LOST), -ERANGE);
	assert_int_equal(path_bands_add(&bands, OUTER_SIZE_MAX + 1, FATE_LOST),
			 -ERANGE);
}

static void room_for_the_longest(void **state)
{
	struct path_bands bands = {0};
	struct path_bands again;
	char text[PATH_BANDS_TEXT_SIZE];

	(void)state;
	for (int i = 1; i <= PATH_BANDS_MAX; i++)
		assert_int_equal(path_bands_add(&bands,
						OUTER_SIZE_MAX - PATH_BANDS_MAX + i,
						i % 2 ? FATE_FRAGMENTED : FATE_UNKNOWN),
				 0);
	path_bands_format(&bands, text);
	assert_true(strlen(text) > PATH_BANDS_MAX * 14);
	assert_int_equal(path_bands_parse(text, &again, NULL), 0);
	assert_memory_equal(&again, &bands, sizeof(bands));
	strcat(text, ",65536:lost");
	assert_int_equal(path_bands_parse(text, &again, NULL), -EINVAL);
}

static void bad_texts(void **state)
{
	static const char *const texts[] = {
		"1460",
		":whole",
		"1460:",
		"1460:Whole",
		"0:whole",
		"65536:whole",
		"1460:whole,1400:lost",
		"1460:whole,",
		",1460:whole",
		"1460 :whole",
	};
	struct path_bands bands = parsed("1460:whole");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(path_bands_parse(texts[i], &bands, &err), -EINVAL);
		assert_true(err.text[0]);
		assert_int_equal(bands.count, 1);
	}
}

static void fragments_without_losses_below(void **state)
{
	struct path_bands slowed = parsed("1460:whole,1479:unknown,65535:fragmented");
	struct path_bands lossy = parsed("1460:whole,1500:lost,65535:fragmented");
	struct path_bands whole = parsed("65535:whole");

	(void)state;
	assert_true(path_bands_slowed(&slowed));
	assert_false(path_bands_slowed(&lossy));
	assert_false(path_bands_slowed(&whole));
}

static void smallest_size_that_differs(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		int size;
	} cases[] = {
		{"1500:whole,65535:lost", "1500:whole,65535:lost", 0},
		{"1500:whole,65535:lost", "1400:whole,65535:lost", 1401},
		{"1400:whole,65535:lost", "1500:whole,65535:lost", 1401},
		{"1500:whole,65535:fragmented", "1500:whole,65535:lost", 1501},
		{"1300:lost,65535:whole", "65535:whole", 1},
		/* What is unknown differs from nothing. */
		{"1500:whole,65535:lost", "1400:whole,65535:unknown", 0},
		{"1390:whole,1500:unknown,65535:lost", "1400:whole,65535:lost", 0},
		{"1390:whole,1420:unknown,65535:lost", "1430:whole,65535:lost", 1421},
		{"", "1400:whole,65535:lost", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path_bands a = parsed(cases[i].a);
		struct path_bands b = parsed(cases[i].b);

		assert_int_equal(path_bands_differ(&a, &b), cases[i].size);
		assert_int_equal(path_bands_differ(&b, &a), cases[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fates_by_size),
		cmocka_unit_test(nothing_known),
		cmocka_unit_test(last_band_reaches_to_the_end),
		cmocka_unit_test(equal_neighbours_are_one),
		cmocka_unit_test(room_for_the_longest),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(fragments_without_losses_below),
		cmocka_unit_test(smallest_size_that_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
