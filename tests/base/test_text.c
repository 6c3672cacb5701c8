/* SPDX-License-Identifier: MIT */
/* Numbers, seconds, copying; clocks and UUIDs as text. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/text.h"

static void test_int(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} rows[] = {
		{"0", 0, 0},          {"576", 0, 576},      {"-7", 0, -7},
		{"1000", 0, 1000},    {"1001", -ERANGE, 0}, {"-8", -ERANGE, 0},
		{"", -EINVAL, 0},     {" 1", -EINVAL, 0},   {"1 ", -EINVAL, 0},
		{"0x10", -EINVAL, 0}, {"+1", -EINVAL, 0},   {"--1", -EINVAL, 0},
		{"-", -EINVAL, 0},    {"1.0", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t value = 0;

		assert_int_equal(text_to_int(rows[i].text, -7, 1000, &value),
				 rows[i].result);
		assert_int_equal(value, rows[i].value);
	}
}

static void test_ms(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} rows[] = {
		{"5", 0, 5000},
		{"0.3", 0, 300},
		{"0.25", 0, 250},
		{"1.005", 0, 1005},
		{"60", 0, 60000},
		{"60.001", -ERANGE, 0},
		{"0.099", -ERANGE, 0},
		{".5", -EINVAL, 0},
		{"5.", -EINVAL, 0},
		{"1.0005", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"5s", -EINVAL, 0},
		{"99999999999999999999", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t value = 0;

		assert_int_equal(text_to_ms(rows[i].text, 100, 60000, &value),
				 rows[i].result);
		assert_int_equal(value, rows[i].value);
	}
}

static void test_copy(void **state)
{
	char buffer[5];
	static const struct {
		const char *text;
		const char *printable;
	} rows[] = {
		{"", ""},
		{"\xff\x41", "?A"},
		{"a\xc3", "a?"},
		{"\xc3\xc3\xa4", "?\xc3\xa4"},
		{"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\xe2\x82", "??"},
		{"\xc0\xaf", "??"},
		{"\xe0\x9f\xbf", "???"},
		{"\xe0\xa0\x80", "\xe0\xa0\x80"},
		{"\xed\xa0\x80", "???"},
		{"\xed\x9f\xbf", "\xed\x9f\xbf"},
		{"\xf0\x8f\xbf\xbf", "????"},
		{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
		{"\xf4\x90\x80\x80", "????"},
		{"\x80\xbf\xfe", "???"},
		{"a\xe2\x80\xaez", "a???z"},
		{"\xe2\x81\xa6\xe2\x81\xa9", "??????"},
		{"\xe2\x80\xa9\xe2\x81\xaa", "\xe2\x80\xa9\xe2\x81\xaa"},
	};
	char bad[] = "a\033[2Jb\n\x7f\xc3\xa4\xc2\x9b";

	(void)state;
	assert_true(text_copy(buffer, sizeof(buffer), "abcd"));
	assert_string_equal(buffer, "abcd");
	assert_false(text_copy(buffer, sizeof(buffer), "abcde"));
	assert_string_equal(buffer, "abcd");
	text_printable(bad);
	assert_string_equal(bad, "a?[2Jb??\xc3\xa4??");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[16];

		text_copy(text, sizeof(text), rows[i].text);
		text_printable(text);
		assert_string_equal(text, rows[i].printable);
	}
}

static void test_iso(void **state)
{
	char text[CLOCK_ISO_SIZE];

	(void)state;
	clock_iso(INT64_C(1700000000007), text);
	assert_string_equal(text, "2023-11-14T22:13:20.007Z");
	assert_int_equal(clock_left_ms(clock_boot_ms() - 1), 0);
	assert_in_range(clock_left_ms(clock_boot_ms() + 1000), 900, 1000);
}

static void test_uuid(void **state)
{
	static const char *const bad[] = {
		"",
		"123",
		"0f8fad5b-d9cb-469f-a165-70867728950", /* one short */
		"0f8fad5b-d9cb-469f-a165-70867728950E",
		"0f8fad5bxd9cb-469f-a165-70867728950e",
		"0f8fad5b-d9cb-469f-a165-70867728950e0",
	};
	char one[UUID_SIZE];
	char other[UUID_SIZE];

	(void)state;
	uuid_make(one);
	uuid_make(other);
	assert_true(uuid_valid(one));
	assert_int_equal(one[14], '4');
	assert_string_not_equal(one, other);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(uuid_valid(bad[i]));
}

static void test_err(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, -EINVAL, "no '%s'", "wg0"), -EINVAL);
	assert_string_equal(err.text, "no 'wg0'");
	assert_int_equal(err_set(&err, -EIO, "no '%s'", "a\033[2J\xff"), -EIO);
	assert_string_equal(err.text, "no 'a?[2J?'");
	assert_int_equal(err_sys(&err, ENOENT, "cannot open '%s'", "\x80"), -ENOENT);
	assert_string_equal(err.text, "cannot open '?': No such file or directory");
	assert_int_equal(err_sys(&err, ENOENT, "cannot open '%s'", "x"), -ENOENT);
	assert_string_equal(err.text, "cannot open 'x': No such file or directory");
	assert_int_equal(err_sys(NULL, ENOENT, "cannot open '%s'", "x"), -ENOENT);
}

static void test_markup(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	text_put_markup(out, "a<b>&\"'\xc3\xa9");
	fclose(out);
	assert_string_equal(text, "a&#60;b&#62;&#38;&#34;&#39;\xc3\xa9");
	free(text);
}

static void test_plural(void **state)
{
	(void)state;
	assert_string_equal(text_plural(0), "s");
	assert_string_equal(text_plural(1), "");
	assert_string_equal(text_plural(2), "s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup), cmocka_unit_test(test_int),
		cmocka_unit_test(test_ms),     cmocka_unit_test(test_copy),
		cmocka_unit_test(test_iso),    cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_err),    cmocka_unit_test(test_plural),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
