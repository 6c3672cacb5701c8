/* SPDX-License-Identifier: MIT */
/* The end of a forked process. */
#include "base/leave.h"

#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#include <sys/prctl.h>
#endif

#ifdef MTUSWEEP_COVERAGE
#include <signal.h>
#include <sys/wait.h>

void __gcov_dump(void);

/*
 * A separate process writes the counters. This one may be told to end, or be killed, at
 * any moment, and a half-written file of counters is lost for all processes. The writer
 * holds no descriptor whose closing somebody waits for.
 */
static void write_counters(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		close_range(0, ~0U, 0);
		__gcov_dump();
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}
#endif

void leave_process(int status)
{
#ifdef MTUSWEEP_COVERAGE
	write_counters();
#endif
#ifdef __SANITIZE_ADDRESS__
	__lsan_do_leak_check();
#endif
	_exit(status);
}

void leave_allow_checks(void)
{
#ifdef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#endif
}
