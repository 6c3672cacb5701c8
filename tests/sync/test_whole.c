/* SPDX-License-Identifier: MIT */
#include "sync/whole.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"

#define GET  "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n"

struct beginning {
	const char *text;
	size_t size;
	enum whole whole;
};

#define BEGINNING(text, whole)                 \
	{                                      \
		text, sizeof(text) - 1, whole, \
	}

static const struct beginning beginnings[] = {
	BEGINNING("G", WHOLE_NOT),
	BEGINNING(GET, WHOLE_NOT),
	BEGINNING(GET "Host: x\r\n\r", WHOLE_NOT),
	BEGINNING(GET "Host: x\r\n\r\n", WHOLE_ALL),
	BEGINNING("GET / HTTP/1.1\nHost: x\n\n", WHOLE_ALL),
	BEGINNING("\r\n\r\n" GET, WHOLE_ALL),
	/* a body */
	BEGINNING(POST "Content-Length: 2\r\n\r\n", WHOLE_HEAD),
	BEGINNING(POST "Content-Length: 2\r\n\r\n{", WHOLE_HEAD),
	BEGINNING(POST "Content-Length: 2\r\n\r\n{}", WHOLE_ALL),
	BEGINNING(POST "Content-Length: 2\r\n\r\n{}GET", WHOLE_ALL),
	BEGINNING(POST "content-length:2\r\nX: y\r\n\r\n{", WHOLE_HEAD),
	BEGINNING(POST "X-Content-Length: 2\r\n\r\n", WHOLE_ALL),
	BEGINNING(POST "\r\n\r\nContent-Length: 2\r\n", WHOLE_ALL),
	/* refused without it */
	BEGINNING(POST "Content-Length: 60000\r\n\r\n", WHOLE_ALL),
	BEGINNING(POST "Content-Length: -1\r\n\r\n", WHOLE_ALL),
	BEGINNING(POST "Content-Length: 99999999999999999999\r\n\r\n", WHOLE_ALL),
	/* no request */
	BEGINNING("\x16\x03\x01", WHOLE_ALL),
	BEGINNING("G\0T", WHOLE_ALL),
	BEGINNING(GET "X: \t", WHOLE_ALL),
	BEGINNING("GET /\xc3\xa9", WHOLE_NOT),
};

static void beginnings_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		const struct beginning *b = &beginnings[i];
		cleanup_free char *text = malloc(b->size + 1);

		memcpy(text, b->text, b->size);
		text[b->size] = 'x';
		print_message("'%s'\n", b->text);
		assert_int_equal(whole_judge(text, b->size), b->whole);
	}
}

/* More than that is never looked at. */
static void a_head_without_end_counts_as_whole(void **state)
{
	char text[WHOLE_HEAD_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(whole_judge(text, WHOLE_HEAD_MAX - 1), WHOLE_NOT);
	assert_int_equal(whole_judge(text, WHOLE_HEAD_MAX), WHOLE_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beginnings_are_judged),
		cmocka_unit_test(a_head_without_end_counts_as_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
