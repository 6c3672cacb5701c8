/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_IPERF_TEST_H
#define ENGINE_IPERF_TEST_H

#include <stdbool.h>

#include "base/types.h"
#include "engine/testspec.h"

/*
 * One libiperf test, in a process that is forked for it and exits after it: libiperf's
 * timers and error numbers are globals, and it may call exit() (docs/architecture.md).
 * Its .c file alone includes iperf_api.h.
 *
 * A watcher thread in the same process (engine/watch.h) ends the test at its duration,
 * calls a black hole or a stall what it is, and computes the steady goodput.
 */

/*
 * Run the test to its end, write a struct test_report into `report_fd` and end the
 * process. Every TCP socket that is still open is reset (SO_LINGER 0), so that no
 * retransmits go on into a black hole. SIGTERM does the same at any time, without a
 * report; without a report, the process was ended or died. libiperf may print to
 * descriptors 1 and 2.
 *
 * Client: a refused connect, or a busy server, is retried for testspec_refused_ms(); a
 * network or host without a route for testspec_reach_ms(). Server: one test; its deadline
 * is IPERF_SERVER_GRACE_MS later than the client's, so that the client decides the result.
 *
 * A held test makes its connections, but moves no data before `go_fd` is readable: at the
 * server libiperf does not get the data connection, and begins no test without it.
 */
#define IPERF_SERVER_GRACE_MS 2000

void iperf_test_run(const struct test_spec *spec, int report_fd, int go_fd)
	__attribute__((noreturn));

/* The version of the linked library, such as "3.12". Static. */
const char *iperf_test_version(void);

#endif
