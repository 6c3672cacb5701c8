/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_KEEPERLAB_H
#define TESTS_NETCTL_KEEPERLAB_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A keeper on a veth for the tests of netctl/: keeper and guard are the real ones, main
 * and runner small stand-ins. Set `with`, call start_keeper(), and look at `shared`.
 */

#define LINK     "mtk0"
#define ORIGINAL 1420
#define CONF     "[Interface]\nMTU = 1420\n"

/* Shared with the children. */
struct keeperlab_shared {
	_Atomic pid_t main_pid;
	_Atomic pid_t runner_pid;
	_Atomic int set_result; /* 1 until main has set the MTU */
	_Atomic int stop_signal;
	_Atomic bool lock_seen; /* set by main or runner */
	_Atomic bool say_blocks;
	_Atomic bool go;        /* main may commit */
	_Atomic bool committed; /* main has the answer, yes or no */
	char said[512];         /* the last text */
	char all_said[4096];    /* all texts, one after another */
	int main_status;
	bool main_waits;
};
extern struct keeperlab_shared *shared;

/* Settings of the next keeper. */
struct keeperlab_with {
	int main_end_ms;
	int ignored[2];   /* ignored signals */
	const char *conf; /* with PERSIST_EACH */
	bool commits;     /* with PERSIST_BEST; main does so once `go` is set */
	int conf_lock_fd;
};
extern struct keeperlab_with with;

/* Call it before all tests. 0 or -1. */
int keeperlab_init(void);

/* Set-ups and the tear-down of a test. */
int set_up(void **state);
int set_up_conf(void **state);
int tear_down_conf(void **state);

/* Fork the keeper at once, or when main has set the MTU. */
pid_t fork_keeper(int main_status, bool main_waits);
pid_t start_keeper(int main_status, bool main_waits);

/* Return its exit status, or 128 and the signal; end a keeper that does not end in
 * time. */
int wait_status(pid_t pid);
int wait_status_within(pid_t pid, int ms);

/* Find the child of `parent` that is neither main nor runner. */
pid_t find_guard(pid_t parent);

void wait_ms(int ms);
int mtu_now(void);
bool alive(pid_t pid);
void assert_gone(pid_t pid);
/* Assert that MTU and conf file are as before, and that there is no journal. */
void assert_restored(void);

#endif
