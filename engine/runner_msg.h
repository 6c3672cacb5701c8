#ifndef ENGINE_RUNNER_MSG_H
#define ENGINE_RUNNER_MSG_H

#include "base/err.h"
#include "engine/testspec.h"

/*
 * What main and the runner say to each other, for runner.c and runner_client.c alone:
 * one message a packet (base/ask.h), both ends the same program. A reply
 * carries its request's serial; one that nobody waits for any more is dropped by main.
 */

enum runner_kind {
	RUNNER_ARM,     /* replied to when the server listens, or cannot */
	RUNNER_MEASURE, /* replied to with the result; not at all when cancelled */
	RUNNER_CANCEL,  /* replied to when nothing is running any more */
	RUNNER_ASK,     /* replied to at once */
	RUNNER_RESULT, /* replied to when the armed test has ended; spec.id says which */
};

struct runner_request {
	uint32_t serial;
	enum runner_kind kind;
	struct test_spec spec; /* not for cancel and ask; of result, the id alone */
};

struct runner_reply {
	uint32_t serial;
	int32_t code;             /* 0 or a negative errno */
	struct err err;           /* where code is not 0 */
	struct dir_result result; /* of measure and result */
	int64_t stalled_ms;       /* of measure */
};

/* When the runner itself ends a child that outlived its own deadline, and when main
 * gives the runner up, after testspec_deadline_ms(). */
#define RUNNER_CHILD_GRACE_MS 250
#define RUNNER_MAIN_GRACE_MS  1000

#endif
