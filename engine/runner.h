#ifndef ENGINE_RUNNER_H
#define ENGINE_RUNNER_H

#include "base/err.h"
#include "engine/testspec.h"

/*
 * The runner: an unprivileged, single-threaded process that forks one child a test. It
 * was forked before any thread existed, so its children may call libiperf.
 *
 * The runner's side is runner_serve(); main's side is struct runner, usable from any
 * thread, one call at a time (it locks). They talk fixed-size messages over a
 * SOCK_SEQPACKET pair. One test at a time: arming or measuring ends what is still
 * running first (SIGTERM, SIGKILL 50 ms later).
 */

/* The process's whole life: serves until the other end closes `fd`; returns its exit
 * status. */
int runner_serve(int fd);

struct runner;

/* Takes `fd` over. -ENOMEM. */
int runner_new(int fd, struct runner **ret, struct err *err);
void runner_free(struct runner *runner);

/*
 * A TCP port at the address `local` for the control connection of the next test
 * (spec->client_port, at both ends), so that the server can tell it from others of this
 * host. It is kept until the next call. 0: none can be had, any will do.
 */
int runner_reserve(struct runner *runner, const char *local);

/*
 * Start the server's half of a test and return when it listens, for spec->remote alone. -ETIMEDOUT after 2 s;
 * -EADDRINUSE and others with libiperf's text; -EPIPE when the runner is gone.
 */
int runner_arm(struct runner *runner, const struct test_spec *spec, struct err *err);

/*
 * Whether others than the peer disturbed the test that was armed last: they reached it
 * and said nothing, or what libiperf cannot take. It was armed again each time, for the
 * rest of its time; but the peer's test may have failed through that. 0, or
 * -ECONNABORTED with what happened; 0 also while a call that is under way takes longer
 * than 50 ms.
 */
int runner_disturbed(struct runner *runner, struct err *err);

/*
 * Run the client's half and wait for its result, at most until the spec's deadline.
 * When `stop_fd` (or -1) becomes readable the test is ended and -EINTR returned. -EPIPE
 * when the runner is gone. A test that fails is a result: 0 is returned. One that this host
 * has no room for (no process, memory, descriptor or port) is none: the errno, which is one
 * of err_is_shortage(), and what could not be had.
 */
int runner_measure(struct runner *runner, const struct test_spec *spec, int stop_fd,
		   struct dir_result *ret, struct err *err);

/* The longest time in which no data moved, once it flowed, in the test that
 * runner_measure() returned last. */
int64_t runner_stalled_ms(const struct runner *runner);

/*
 * What this end, the server's, saw of the test `id`, which was armed last: where it was the
 * one that sent, goodput with its interval and the round trip; else no figure. The test
 * must be over at the other end; its end here is waited for, 1 s at most (-ETIMEDOUT).
 * -ENOENT: another was armed since, or none.
 */
int runner_result(struct runner *runner, uint32_t id, struct dir_result *ret,
		  struct err *err);

/* End whatever test is running, and wait for its end (100 ms at most). */
int runner_cancel(struct runner *runner, struct err *err);

#endif
