/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CMD_CMDLAB_H
#define TESTS_CMD_CMDLAB_H

#include <sys/types.h>

#include "../store/fixture.h"
#include "cmd/peer/peer.h"
#include "cmd/server/server.h"
#include "fakeguard.h"
#include "fakerunner.h"

#include "../child_check.h"

/*
 * Both main processes on the loopback, without root:
 *
 *	fake guard -- peer_main() ---- HTTP, 127.x.y.z ---- server_main() -- fake guard
 *	fake runner --/    |                                    |      \-- fake runner
 *	               peer.db                              server.db
 *
 * Each runs in a process of its own, as the keeper starts it; the fakes are answered by
 * the test's process while it waits in cmdlab_run() and cmdlab_end_server(). The address
 * is the test process's own, so that tests can run beside one another.
 */

#define CMDLAB_MTU 1412 /* both links', before the run; no test sets it */

struct cmdlab_end {
	struct fixture *files; /* a folder and the database in it */
	struct host_options options;
	struct host host;
	struct fakeguard guard;
	struct fakerunner runner;
	pid_t pid;  /* 0: not running */
	int status; /* exit status of the last that ended, or 128 and its signal */
	char said[16384];   /* the last one's stderr */
	char printed[8192]; /* and stdout */
};

struct cmdlab {
	struct cmdlab_end peer;
	struct cmdlab_end server;
	struct peer_config peer_config;
	struct server_config server_config;
	char address[ADDRESS_SIZE]; /* the server's */
	/* The peer's tests: ok, faster with larger MTUs, but a black hole from that MTU of
	 * the sender on; full-size ones the same with limits of their own. 0: no limit. */
	int lost_from[DIR_COUNT];
	int full_size_lost_from[DIR_COUNT];
	int slope; /* bit/s more for each byte of either MTU */
	/* Called before the peer's n-th test, from 1, is answered; NULL: nothing. False: it
	 * is not answered. */
	bool (*before_test)(struct cmdlab *lab, int n, const struct test_spec *spec);
};

/* For cmocka_unit_test_setup_teardown(). A grid of server MTUs 1380, 1420 and peer MTUs
 * 1400, 1420, `persist` none. */
int cmdlab_setup(void **state);
/* From now on, both ends' probes are answered: all sizes arrive whole. */
void cmdlab_answer_probes(struct cmdlab *lab);
int cmdlab_teardown(void **state);

void cmdlab_start_server(struct cmdlab *lab);
/* The same, of another function in the place of server_main(). */
void cmdlab_start_server_as(struct cmdlab *lab,
			    int (*server)(struct cmdlab *lab, int guard_fd,
					  int runner_fd));
/* SIGTERM, unless it has ended. Its exit status. */
int cmdlab_end_server(struct cmdlab *lab);
/* Run server_main() until it ends by itself, or wait for the one that was started. */
int cmdlab_run_server(struct cmdlab *lab);
int cmdlab_wait_for_server(struct cmdlab *lab);
/* SIGKILL. */
void cmdlab_kill_server(struct cmdlab *lab);

/* Run peer_main() to its end. Its exit status. */
int cmdlab_run(struct cmdlab *lab);
/* In before_test(): answer the other requests for so long, as while a test runs. */
void cmdlab_answer_for(struct cmdlab *lab, int ms);
/* Like cmdlab_run(), with another function as the peer. Its asserts would not be seen, so
 * the test fails, with its output on stderr, unless it returns 0. */
void cmdlab_run_client(struct cmdlab *lab, int (*client)(struct cmdlab *lab));

/* Fail the test unless `said` contains the text, or if it does. */
void cmdlab_assert_said(const char *said, const char *text);
void cmdlab_assert_not_said(const char *said, const char *text);

#endif
