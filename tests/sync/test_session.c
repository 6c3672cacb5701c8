/* SPDX-License-Identifier: MIT */
/* The session that may change the host's state: a table of histories. */

#include "sync/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RUN_1  "11111111-2222-4333-8444-555555555555"
#define RUN_2  "99999999-2222-4333-8444-555555555555"
#define SECRET "0123456789abcdef0123456789abcdef"
#define ALMOST "0123456789abcdef0123456789abcdee"

enum act {
	OPEN,  /* by `address` for `run` */
	GUESS, /* the same, with another secret than the run's */
	CHECK, /* by `address`, with the id opened last */
	STALE, /* by `address`, with the id opened before that */
	RENEW,
	EXPIRE, /* rc is 1 if it has expired */
	CLOSE,
};

struct step {
	int64_t at_ms;
	enum act act;
	const char *address;
	const char *run;
	int rc;
	bool resumed;
};

struct history {
	const char *what;
	struct step steps[8];
};

/* Leases are 1000 ms. */
static const struct history histories[] = {
	{"nobody",
	 {{0, CHECK, "10.0.0.2", NULL, -ESTALE, 0}, {9, EXPIRE, NULL, NULL, 0, 0}}},
	{"open, use, close",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {500, CHECK, "10.0.0.2", NULL, 0, 0},
	  {600, CLOSE, NULL, NULL, 0, 0},
	  {601, CHECK, "10.0.0.2", NULL, -ESTALE, 0},
	  {602, OPEN, "10.0.0.3", RUN_2, 0, false}}},
	{"another address has the id",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {1, CHECK, "10.0.0.3", NULL, -EPERM, 0}}},
	{"another peer is told to wait",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {999, OPEN, "10.0.0.3", RUN_2, -EBUSY, 0},
	  {999, OPEN, "10.0.0.3", RUN_1, -EBUSY, 0},
	  {999, CHECK, "10.0.0.2", NULL, 0, 0}}},
	{"another run of the same peer too",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {999, OPEN, "10.0.0.2", RUN_2, -EBUSY, 0}}},
	{"the same run takes its session over, the old id is void",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {900, OPEN, "10.0.0.2", RUN_1, 0, true},
	  {901, CHECK, "10.0.0.2", NULL, 0, 0},
	  {901, STALE, "10.0.0.2", NULL, -ESTALE, 0},
	  {1899, CHECK, "10.0.0.2", NULL, 0, 0}}},
	{"a takeover without the secret is refused, and changes nothing",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {1, GUESS, "10.0.0.2", RUN_1, -EACCES, false},
	  {2, CHECK, "10.0.0.2", NULL, 0, 0},
	  {999, EXPIRE, NULL, NULL, 0, 0},
	  {1000, EXPIRE, NULL, NULL, 1, 0}}},
	{"the lease runs out",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {999, EXPIRE, NULL, NULL, 0, 0},
	  {1000, CHECK, "10.0.0.2", NULL, -ESTALE, 0},
	  {1000, EXPIRE, NULL, NULL, 1, 0},
	  {1001, EXPIRE, NULL, NULL, 0, 0},
	  {1002, OPEN, "10.0.0.3", RUN_2, 0, false}}},
	{"renewed in time",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {900, RENEW, NULL, NULL, 0, 0},
	  {1899, CHECK, "10.0.0.2", NULL, 0, 0},
	  {1899, EXPIRE, NULL, NULL, 0, 0},
	  {1900, EXPIRE, NULL, NULL, 1, 0}}},
	{"run out, not noticed yet, opened by another",
	 {{0, OPEN, "10.0.0.2", RUN_1, 0, false},
	  {1000, OPEN, "10.0.0.3", RUN_2, 0, false},
	  {1001, STALE, "10.0.0.2", NULL, -ESTALE, 0},
	  {1001, CHECK, "10.0.0.3", NULL, 0, 0}}},
};

static const struct session_wish wish_1 = {"10.0.0.2", RUN_1, SECRET, 1000};

static void take(struct session *s, const struct step *step, char ids[2][TOKEN_SIZE])
{
	struct err err = ERR_INIT;
	struct session_wish wish = {.lease_ms = 1000};
	bool resumed = false;

	switch (step->act) {
	case OPEN:
	case GUESS:
		wish.address = step->address;
		wish.run = step->run;
		wish.secret = step->act == OPEN ? SECRET : ALMOST;
		assert_int_equal(session_open(s, &wish, step->at_ms, &resumed, &err),
				 step->rc);
		assert_int_equal(resumed, step->resumed);
		if (step->rc == -EBUSY)
			assert_non_null(strstr(err.text, "'10.0.0.2'"));
		if (step->rc < 0)
			break;
		memcpy(ids[1], ids[0], TOKEN_SIZE);
		memcpy(ids[0], s->id, TOKEN_SIZE);
		break;
	case CHECK:
	case STALE:
		assert_int_equal(session_check(s, step->address,
					       ids[step->act == STALE], step->at_ms,
					       &err),
				 step->rc);
		break;
	case RENEW:
		session_renew(s, step->at_ms);
		break;
	case EXPIRE:
		assert_int_equal(session_expire(s, step->at_ms), step->rc);
		break;
	case CLOSE:
		session_close(s);
		break;
	}
}

static void histories_go_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
		char ids[2][TOKEN_SIZE] = {""};
		struct session s = {0};

		print_message("%s\n", histories[i].what);
		for (const struct step *step = histories[i].steps;
		     step < histories[i].steps + 8 && (step->address || step->at_ms);
		     step++) {
			print_message("  at %d\n", (int)step->at_ms);
			take(&s, step, ids);
		}
	}
}

static void ids_are_long_and_differ(void **state)
{
	char seen[64][TOKEN_SIZE];
	bool resumed;

	(void)state;
	for (int i = 0; i < 64; i++) {
		struct session s = {0};

		assert_int_equal(session_open(&s, &wish_1, 0, &resumed, NULL), 0);
		assert_int_equal(strspn(s.id, "0123456789abcdef"), TOKEN_SIZE - 1);
		memcpy(seen[i], s.id, TOKEN_SIZE);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(seen[k], seen[i]);
	}
}

/* Any change to the id, and any other length, is refused. */
static void every_character_counts(void **state)
{
	struct session s = {0};
	bool resumed;

	(void)state;
	session_open(&s, &wish_1, 0, &resumed, NULL);
	for (int i = 0; i < TOKEN_SIZE - 1; i++) {
		char id[TOKEN_SIZE];

		memcpy(id, s.id, sizeof(id));
		id[i] = id[i] == '0' ? '1' : '0';
		assert_int_equal(session_check(&s, "10.0.0.2", id, 0, NULL), -ESTALE);
		id[i] = '\0';
		assert_int_equal(session_check(&s, "10.0.0.2", id, 0, NULL), -ESTALE);
	}
	assert_int_equal(session_check(&s, "10.0.0.2", s.id, 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories_go_as_told),
		cmocka_unit_test(ids_are_long_and_differ),
		cmocka_unit_test(every_character_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
