/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CMD_FAKERUNNER_H
#define TESTS_CMD_FAKERUNNER_H

#include <stdbool.h>

#include "engine/runner_msg.h"

/*
 * A runner without tests: it answers on its end of a socket pair as engine/runner.c does,
 * at once, with results that the test chooses.
 */

struct fakerunner {
	int fd; /* -1: closed */
	/* The result of a test; false: there is none, as while it is under way. */
	bool (*measure)(void *ctx, const struct test_spec *spec,
			struct dir_result *ret);
	void *ctx;
	struct test_spec armed; /* the last one */
	int arms;
	int measures;
	int cancels;
	/* After `skip` requests of `kind`, the next `times` fail with `code`. */
	struct {
		enum runner_kind kind;
		int skip;
		int times;
		int code;
	} fault;
	int64_t stalled_ms; /* in each test */
	int proofs_lost; /* so many full-size tests more did not arrive, by RUNNER_RESULT */
};

void fakerunner_init(struct fakerunner *runner);

/* Answer a request, if there is one. False: the other end is closed. */
bool fakerunner_answer(struct fakerunner *runner);

/* An ok result of that rate. */
void fakerunner_fill(struct dir_result *ret, int64_t rate_bps);

#endif
