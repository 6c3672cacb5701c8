/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RUNNER_H
#define ENGINE_RUNNER_H

#include "base/err.h"
#include "engine/testspec.h"

/*
 * The runner: an unprivileged, single-threaded process that forks one child a test. It
 * is forked before any thread exists, so its children may call libiperf.
 *
 * runner_serve() is the runner's side; struct runner is main's side, usable from any
 * thread, one call at a time (it locks). They exchange fixed-size messages over a
 * SOCK_SEQPACKET pair. There is one test at a time: arming or measuring first ends a
 * test that still runs (SIGTERM, SIGKILL 50 ms later).
 *
 * The setup of a test takes five round trips. Where two tests follow one another, that of
 * the second goes on beside the first one's data: both ends fork its process then, which
 * makes its connections and is held. The server releases it when the first test has come
 * to a good end there, the client when it is asked to measure. Where the first one fails,
 * both ends end the second.
 *
 *	server: runner_arm_first()
 *	client: runner_measure_first(); runner_measure_next()
 */

/* Run the runner's process: serve until the other end closes `fd`, then return the exit
 * status. */
int runner_serve(int fd);

struct runner;

/* Take ownership of `fd`. -ENOMEM. */
int runner_new(int fd, struct runner **ret, struct err *err);
void runner_free(struct runner *runner);

/*
 * Reserve a TCP port at the address `local`, which may be link-local to `interface`, for
 * the control connection of the next test (spec->client_port, at both ends). The server
 * recognises the test by it among other connections from the peer's host. The port is
 * reserved until the next call but one. 0: none is free, any will do.
 */
int runner_reserve(struct runner *runner, const char *local, const char *interface);

/*
 * Start the server's half of a test for spec->remote alone, and return when it listens.
 * -ETIMEDOUT after 2 s; -EADDRINUSE and other errors with libiperf's text; -EPIPE when
 * the runner is gone.
 */
int runner_arm(struct runner *runner, const struct test_spec *spec, struct err *err);

/* The same for a test that the test `next` follows: spec->remote's, too. */
int runner_arm_first(struct runner *runner, const struct test_spec *spec,
		     const struct test_spec *next, struct err *err);

/*
 * Return -ECONNABORTED, and a sentence, if others than the peer disturbed the last
 * armed test: they connected and sent nothing, or data that libiperf cannot parse. Each
 * time the test was armed again for its remaining time, but the peer's test may have
 * failed through that. Else 0, also while another call takes longer than 50 ms.
 */
int runner_disturbed(struct runner *runner, struct err *err);

/*
 * Run the client's half and wait for its result, at most until the spec's deadline.
 * When `stop_fd` (or -1) becomes readable, the test is ended and -EINTR returned.
 * -EPIPE when the runner is gone. A failed test is a result: 0 is returned. A shortage
 * on this host (of a process, memory, a descriptor or a port) is not: the errno is
 * returned, one of err_is_shortage(), and the sentence names the resource.
 */
int runner_measure(struct runner *runner, const struct test_spec *spec, int stop_fd,
		   struct dir_result *ret, struct err *err);

/* The same for a test that the test `next` follows. */
int runner_measure_first(struct runner *runner, const struct test_spec *spec,
			 const struct test_spec *next, int stop_fd,
			 struct dir_result *ret, struct err *err);

/*
 * Measure with the test that was `next`; `spec` says its id and deadlines. -ENOENT: it has
 * not got its connections, and is ended. A result that is neither ok nor a loss of data may
 * come from the first test's end. In both cases arm it at the server, and measure.
 */
int runner_measure_next(struct runner *runner, const struct test_spec *spec,
			int stop_fd, struct dir_result *ret, struct err *err);

/* The longest pause in the flow of data of the last test that runner_measure()
 * returned. */
int64_t runner_stalled_ms(const struct runner *runner);

/*
 * Get the server's figures of the test `id`, which was armed last: if this end sent,
 * the figures that the sender knows; else none. The test must be over
 * at the other end; its end here is waited for, 0.8 s at most (-ETIMEDOUT). -ENOENT:
 * another test was armed since, or none.
 */
int runner_result(struct runner *runner, uint32_t id, struct dir_result *ret,
		  struct err *err);

/* End the running test, if any, and wait for its end (100 ms at most). */
int runner_cancel(struct runner *runner, struct err *err);

#endif
