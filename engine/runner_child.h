#ifndef ENGINE_RUNNER_CHILD_H
#define ENGINE_RUNNER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/testspec.h"

/*
 * The child of a test as its parent, the runner, sees it: a pid and two pipes. Whether
 *it is there shows in its report pipe: that ends when the process does.
 *
 *	child_start(); poll() both descriptors;
 *	child_read_output() when `output` is readable;
 *	child_read_report() when `report` is, child_reap() when that returned true
 */

#define CHILD_LINE_SIZE 100

struct child {
	pid_t pid;  /* 0: none */
	int output; /* what it prints; -1 when it has closed it */
	int report;
	bool armed; /* a server */
	bool reported;
	struct test_report result;
	int wait_status;
	char line[CHILD_LINE_SIZE]; /* being read */
	size_t line_length;
	char said[CHILD_LINE_SIZE]; /* the last whole line that has a word in it */
};

#define CHILD_NONE                         \
	{                                  \
		.output = -1, .report = -1 \
	}

/* Fork a child that runs the test. `runner_fd` is closed in it. */
int child_start(struct child *child, const struct test_spec *spec, int runner_fd,
		struct err *err);

void child_read_output(struct child *child);

/* Take what is in the report pipe; true when that was its end. */
bool child_read_report(struct child *child);

/* Wait for its end, which must be near, and close the pipes. */
void child_reap(struct child *child);

/* End it: SIGTERM, 50 ms later SIGKILL; then reap. Nothing happens where there is none.
 */
void child_end(struct child *child);

/* Whether a server's test ended through others than the peer: the library crashed or
 * gave up on what a caller sent, the watcher saw them, or this host lacked something once
 * the test listened; after child_reap(). */
bool child_was_disturbed(const struct child *child);

/* Why it ended without a report, for a person; after child_reap(). */
void child_describe(const struct child *child, char *ret, size_t size);

#endif
