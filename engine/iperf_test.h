#ifndef ENGINE_IPERF_TEST_H
#define ENGINE_IPERF_TEST_H

#include <stdbool.h>

#include "base/types.h"
#include "engine/testspec.h"

/*
 * One libiperf test, for a process that was forked for it and exits after it:
 * libiperf's timers, error numbers and more are globals, and it may call exit()
 * (docs/architecture.md). Its .c file is the only one that includes iperf_api.h.
 *
 * A watcher thread in the same process (engine/watch.h) ends the test at its duration,
 * calls a black hole or a stall what it is, and computes the steady goodput.
 */

/*
 * Run the test to its end, write a struct test_report into `report_fd` and end the
 * process, resetting (SO_LINGER 0) every TCP socket it still has, so that nothing keeps
 * retransmitting into a black hole. SIGTERM does the same at any time, without a
 * report; so a report that does not come means that the process was ended or died.
 * Descriptors 1 and 2 must be where libiperf may complain.
 *
 * Client: a refused connect, or a server that is busy, is tried again until the
 * deadline (testspec_deadline_ms() from now); a network or host without a route for
 * testspec_connect_ms(). Server: one test; the deadline is IPERF_SERVER_GRACE_MS
 * later than the client's, so that it is the client who judges.
 */
#define IPERF_SERVER_GRACE_MS 2000

void iperf_test_run(const struct test_spec *spec, int report_fd)
	__attribute__((noreturn));

/* "3.12", of the library linked at run time. Static. */
const char *iperf_test_version(void);

#endif
