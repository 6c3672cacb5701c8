/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RUNNER_CHILD_H
#define ENGINE_RUNNER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/testspec.h"

/*
 * A test's process as its parent, the runner, sees it: a pid and its pipes. The report
 * pipe ends when the process does.
 *
 *	child_start(); poll() both descriptors;
 *	child_read_output() when `output` is readable;
 *	child_read_report() when `report` is, child_reap() when that returned true
 */

#define CHILD_LINE_SIZE 100

struct child {
	pid_t pid;  /* 0: none */
	int output; /* pipe of its output; -1 when it has closed it */
	int report;
	int go;       /* pipe that releases a held test; -1: none */
	bool armed;   /* as in struct test_report */
	bool flowing; /* the same */
	bool reported;
	struct test_report result;
	int wait_status;
	char line[CHILD_LINE_SIZE]; /* the line being read */
	size_t line_length;
	char said[CHILD_LINE_SIZE]; /* the last complete line that contains a word */
};

#define CHILD_NONE                                   \
	{                                            \
		.output = -1, .report = -1, .go = -1 \
	}

/* Fork a child that runs the test. `runner_fd` is closed in it. */
int child_start(struct child *child, const struct test_spec *spec, int runner_fd,
		struct err *err);

/* Let the data of a held test flow. */
void child_release(const struct child *child);

void child_read_output(struct child *child);

/* Read from the report pipe; return true at its end. */
bool child_read_report(struct child *child);

/* Wait for the child's end, which must be near, and close the pipes. */
void child_reap(struct child *child);

/* End the child: SIGTERM, SIGKILL 50 ms later; then reap it. No child: no effect. */
void child_end(struct child *child);

/* True when others than the peer ended a server's test: the library crashed or gave up
 * on a caller's data, the watcher saw them, or this host ran short of something once
 * the test listened. Call it after child_reap(). */
bool child_was_disturbed(const struct child *child);

/* Describe for a person why the child ended without a report. Call it after
 * child_reap(). */
void child_describe(const struct child *child, char *ret, size_t size);

#endif
