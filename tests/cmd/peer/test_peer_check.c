/* SPDX-License-Identifier: MIT */
/* The judgement of the current pair: what it says, and the line for monitoring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/peer/peer_check.h"

#define CLEAN "1500:whole,65535:fragmented"

static void make_path(const char *up, const char *down, struct path *ret)
{
	struct err err = ERR_INIT;

	*ret = (struct path){.overhead = {60, 60}};
	if (path_bands_parse(up, &ret->dir[DIR_UPLOAD], &err) < 0 ||
	    path_bands_parse(down, &ret->dir[DIR_DOWNLOAD], &err) < 0)
		fail_msg("%s", err.text);
}

static void judged(void **state)
{
	static const struct {
		const char *up;
		const char *down;
		struct mtu_pair current;
		enum program_status status;
		const char *text;
	} cases[] = {
		{CLEAN, CLEAN, {1440, 1440}, PROGRAM_DONE, "fits whole"},
		{CLEAN, CLEAN, {1420, 1280}, PROGRAM_DONE, "fits whole"},
		/* Each end's own MTU counts in its direction. */
		{"1440:whole,65535:lost",
		 CLEAN,
		 {1440, 1380},
		 PROGRAM_DONE,
		 "fits whole"},
		{"1440:whole,65535:lost",
		 CLEAN,
		 {1420, 1420},
		 PROGRAM_MISFIT,
		 "does not fit: upload packets of 1377 to 1420 bytes are lost"},
		{"1440:whole,65535:lost",
		 CLEAN,
		 {1420, 1381},
		 PROGRAM_MISFIT,
		 "does not fit: upload packets of 1377 to 1381 bytes are lost"},
		{CLEAN,
		 "1479:whole,65535:fragmented",
		 {1420, 1420},
		 PROGRAM_MISFIT,
		 "does not fit: download packets of 1409 to 1420 bytes arrive in "
		 "fragments"},
		{"1400:whole,65535:lost",
		 "1400:whole,65535:fragmented",
		 {1420, 1341},
		 PROGRAM_MISFIT,
		 "does not fit: upload packets of 1329 to 1341 bytes are lost, "
		 "download "
		 "packets of 1329 to 1420 bytes arrive in fragments"},
		/* A band in the middle; what is known to be bad counts. */
		{"1400:whole,1450:fragmented,1470:unknown,65535:whole",
		 CLEAN,
		 {1440, 1440},
		 PROGRAM_MISFIT,
		 "does not fit: upload packets of 1329 to 1376 bytes arrive in "
		 "fragments"},
		{"1400:whole,65535:unknown",
		 CLEAN,
		 {1420, 1420},
		 PROGRAM_FAILED,
		 "cannot be judged: upload packets of 1329 to 1420 bytes could not be "
		 "judged"},
	};
	const struct bandfind_sometimes sometimes[DIR_COUNT] = {{0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mtu_pair *current = &cases[i].current;
		struct peer_check check;
		struct path path;
		char text[sizeof(check.text)];

		make_path(cases[i].up, cases[i].down, &path);
		peer_check_pair(&path, sometimes, current, &check);
		snprintf(text, sizeof(text),
			 "current pair: server MTU %d, peer MTU %d: %s",
			 current->server, current->peer, cases[i].text);
		assert_string_equal(check.text, text);
		assert_int_equal(check.status, cases[i].status);
	}
}

/* An older server does not tell its MTU: no guess takes its place. */
static void unknown_is_not_judged(void **state)
{
	const struct bandfind_sometimes sometimes[DIR_COUNT] = {{0}};
	struct peer_check check;
	struct path path;

	(void)state;
	make_path(CLEAN, CLEAN, &path);
	peer_check_pair(&path, sometimes, &(struct mtu_pair){0, 1420}, &check);
	assert_int_equal(check.status, PROGRAM_FAILED);
	assert_string_equal(
		check.text,
		"the current pair cannot be judged: the server does not tell its MTU");
}

static void doubt_is_said(void **state)
{
	const struct bandfind_sometimes sometimes[DIR_COUNT] = {{0}};
	struct peer_check check;
	struct path path;

	(void)state;
	make_path(CLEAN, CLEAN, &path);
	path.unseen[DIR_DOWNLOAD] = true;
	peer_check_pair(&path, sometimes, &(struct mtu_pair){1420, 1420}, &check);
	assert_int_equal(check.status, PROGRAM_DONE);
	assert_string_equal(check.text,
			    "current pair: server MTU 1420, peer MTU 1420: arrives, "
			    "and fragments cannot be told from whole packets");
}

static void sizes_that_pass_sometimes(void **state)
{
	const struct bandfind_sometimes sometimes[DIR_COUNT] = {
		[DIR_UPLOAD] = {.low = 1461, .high = 1500}};
	struct peer_check check;
	struct path path;

	(void)state;
	make_path("1460:whole,65535:lost", CLEAN, &path);
	peer_check_pair(&path, sometimes, &(struct mtu_pair){1420, 1420}, &check);
	assert_int_equal(check.status, PROGRAM_MISFIT);
	assert_string_equal(
		check.text,
		"current pair: server MTU 1420, peer MTU 1420: does not fit: upload "
		"packets of 1393 to 1420 bytes are lost, or pass only sometimes");
}

static void one_line(void **state)
{
	static const struct {
		const char *up;
		struct mtu_pair current;
		const char *line;
	} cases[] = {
		{CLEAN,
		 {1420, 1420},
		 "MTU OK - current pair: server MTU 1420, peer MTU 1420: fits whole; "
		 "largest that fits: server MTU 1440, peer MTU 1440 | server_mtu=1420 "
		 "peer_mtu=1420 server_fits=1440 peer_fits=1440 probe=230ms\n"},
		{CLEAN,
		 {1440, 1440},
		 "MTU OK - current pair: server MTU 1440, peer MTU 1440: fits whole; "
		 "no larger pair does | server_mtu=1440 peer_mtu=1440 "
		 "server_fits=1440 peer_fits=1440 probe=230ms\n"},
		{"65535:lost",
		 {1280, 1280},
		 "MTU CRITICAL - current pair: server MTU 1280, peer MTU 1280: does "
		 "not fit: upload packets of 1 to 1280 bytes are lost; no pair fits "
		 "whole | server_mtu=1280 peer_mtu=1280 server_fits=1440 peer_fits=0 "
		 "probe=230ms\n"},
	};
	const struct bandfind_sometimes sometimes[DIR_COUNT] = {{0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer_check check;
		struct path path;
		char line[800];

		make_path(cases[i].up, CLEAN, &path);
		peer_check_pair(&path, sometimes, &cases[i].current, &check);
		peer_check_line(&check, 230, line, sizeof(line));
		assert_string_equal(line, cases[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judged),
		cmocka_unit_test(unknown_is_not_judged),
		cmocka_unit_test(doubt_is_said),
		cmocka_unit_test(sizes_that_pass_sometimes),
		cmocka_unit_test(one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
