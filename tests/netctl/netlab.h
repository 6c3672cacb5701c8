#ifndef TESTS_NETCTL_NETLAB_H
#define TESTS_NETCTL_NETLAB_H

/*
 * What the tests of netctl/ need around them: a network namespace of their own, the
 * "ip" program, and children for what cannot be undone in a process (capabilities,
 * mounts).
 */

/* A fresh network namespace for this process, with "lo" up. Gone when it exits. */
void netlab_enter(void);

/* A fresh mount namespace for this process; nothing leaks out of it. */
void netlab_private_mounts(void);

/* The same, with a /run/mtusweep of its own: what others start tidies up in theirs. */
void netlab_private_run(void);

/* Run a program, its words separated by single blanks, and fail the test unless it
 * exits with status 0. */
void netlab_run(const char *command);

/* The exit status of a program, or -1; its stderr is dropped. */
int netlab_try(const char *command);

/* Run it in the background; its pid. It dies with this process. */
int netlab_start(const char *command);
/* Wait for a child; its exit status, or -1. */
int netlab_wait(int pid);
/* End what netlab_start() or fork() started, and wait for it. */
void netlab_stop(int pid);

/* Run `body` in a child: 0 when it returned 0. In it use NETLAB_CHECK, not cmocka's
 * asserts, which would go on with the other tests there. */
int netlab_child(int (*body)(void *ctx), void *ctx);

#define NETLAB_CHECK(condition)                                            \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			return 1;                                          \
		}                                                          \
	} while (0)

/* Become nobody, without capabilities, for good. 0 or -errno. */
int netlab_drop_root(void);

#endif
