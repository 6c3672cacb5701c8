/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RUNNER_MSG_H
#define ENGINE_RUNNER_MSG_H

#include "base/err.h"
#include "engine/testspec.h"

/*
 * The messages between main and the runner, for runner.c and runner_client.c alone: one
 * message per packet (base/ask.h), both ends the same program. A reply carries its
 * request's serial; main discards replies with another serial.
 */

enum runner_kind {
	RUNNER_ARM,     /* replied to when the server listens, or failed to */
	RUNNER_MEASURE, /* replied to with the result; not at all when cancelled */
	RUNNER_CANCEL,  /* replied to when no test runs any more */
	RUNNER_ASK,     /* replied to at once */
	RUNNER_RESULT,  /* replied to when the armed test has ended; spec.id names it */
	/* as measure, of the test that was set up beside the last one */
	RUNNER_RELEASE,
};

struct runner_request {
	uint32_t serial;
	enum runner_kind kind;
	struct test_spec spec; /* unused for cancel and ask; for result, only the id */
	struct test_spec next; /* for arm and measure of a test that is followed */
};

struct runner_reply {
	uint32_t serial;
	int32_t code;             /* 0 or a negative errno */
	struct err err;           /* if code is not 0 */
	struct dir_result result; /* for measure and result */
	int64_t stalled_ms;       /* for measure */
};

/* Times after testspec_deadline_ms() at which the runner ends a child that outlived its
 * own deadline, and at which main gives up on the runner. */
#define RUNNER_CHILD_GRACE_MS 250
#define RUNNER_MAIN_GRACE_MS  1000

#endif
