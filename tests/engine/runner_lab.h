/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RUNNER_LAB_H
#define TESTS_RUNNER_LAB_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/runner.h"

/*
 * Two runners, each in a network namespace of its own, as the two hosts of a tunnel:
 *
 *	peer  10.77.0.2 ---- veth ---- 10.77.0.1  server
 *
 * or both in one namespace on lo. The namespaces end with the processes in them.
 *Failures of the set-up fail the test that is running.
 */

#define LAB_SERVER "10.77.0.1"
#define LAB_PEER   "10.77.0.2"
#define LAB_PORT   5201

enum lab_kind {
	LAB_LOOPBACK,
	LAB_VETH,
};

struct lab_end {
	int netns;
	pid_t pid; /* pid of its runner's process; 0: it is gone */
	struct runner *runner;
};

struct lab {
	struct lab_end server;
	struct lab_end peer;
	struct test_spec arm;  /* fit for runner_arm() on the server */
	struct test_spec call; /* fit for runner_measure() on the peer */
};

void lab_setup(struct lab *lab, enum lab_kind kind, int64_t duration_ms);
void lab_teardown(struct lab *lab);

/* Run a program (args end with NULL) in the end's namespace; it must succeed. */
void lab_run(const struct lab_end *end, const char *program, const char *const *args);

/* Drop packets that arrive at this end and match the nftables expression. */
void lab_drop(const struct lab_end *end, const char *expression);

/* The same, with an answer: the connection is refused. */
void lab_reject(const struct lab_end *end, const char *expression);

/* Wait until the runner has a child; return its pid. */
pid_t lab_await_child(const struct lab_end *end);
/* Wait until the runner has no child, 300 ms at most. */
void lab_await_no_child(const struct lab_end *end);
/* Count the children of the runner's process, zombies included. */
int lab_count_children(const struct lab_end *end);
int lab_count_descriptors(const struct lab_end *end);
/* Wait until no TCP socket of the end's namespace has anything to send or to wait for,
 * 300 ms at most; listening sockets and TIME_WAIT do not count. */
void lab_await_silence(const struct lab_end *end);

/* Wait until the process has ended, 300 ms at most; a zombie counts as ended. */
void lab_await_death(pid_t pid);

void lab_sleep_ms(int ms);

/* Send the signal after a delay, from a process of its own. */
void lab_signal_later(pid_t pid, int sig, int ms);

#endif
