/* SPDX-License-Identifier: MIT */
/* Guard, runner and main, from fork() on. */
#include "netctl/children.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/debug.h"
#include "base/io.h"
#include "base/leave.h"
#include "base/stop.h"

struct family {
	const struct children_config *config;
	struct children *children;
	pid_t keeper_pid;
	/* [0] is the guard's, runner's, keeper's end; [1] main's, main's, guard's. */
	int guard_pair[2];
	int runner_pair[2];
	int keeper_pair[2];
};

static void say_as_child(const struct family *f, const char *text)
{
	if (f->config->guard->say && text[0])
		f->config->guard->say(text);
}

/* Ctrl-C, a lost terminal or a closed session must not take guard or runner along. */
static void leave_terminal(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

	setsid();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

static int guard_child(struct family *f)
{
	unsigned int keep =
		PRIV_KEEP_NET_RAW |
		(f->config->guard->bounds.conf_file[0] ? PRIV_KEEP_CONF_FILE : 0);
	struct guard_config own = *f->config->guard;
	struct outside outside;
	struct err err = ERR_INIT;

	prctl(PR_SET_NAME, "mtusweep-guard", 0, 0, 0);
	priv_spare_from_oom();
	fd_close(&f->guard_pair[1]);
	fd_close(&f->runner_pair[0]);
	fd_close(&f->runner_pair[1]);
	fd_close(&f->keeper_pair[0]);
	/* Later no namespace can be entered any more. */
	if (outside_open(own.bounds.interface, &outside, &err) < 0) {
		say_as_child(f, err.text);
		err = (struct err)ERR_INIT;
	}
	own.outside = &outside;
	if (priv_keep(keep, &err) < 0 || priv_confine(PRIV_SOCKETS_PACKET, &err) < 0) {
		say_as_child(f, err.text);
		return 1;
	}
	return guard_serve(&own, f->guard_pair[0], f->keeper_pair[1]);
}

static int drop_privileges(struct family *f, int death_signal)
{
	struct err err = ERR_INIT;

	if (priv_drop(f->config->user, &err) < 0 ||
	    priv_confine(PRIV_SOCKETS_INET, &err) < 0) {
		say_as_child(f, err.text);
		return -EPERM;
	}
	priv_die_with_parent(death_signal, f->keeper_pid);
	return 0;
}

static int runner_child(struct family *f)
{
	prctl(PR_SET_NAME, "mtusweep-runner", 0, 0, 0);
	fd_close(&f->guard_pair[0]);
	fd_close(&f->guard_pair[1]);
	fd_close(&f->runner_pair[1]);
	fd_close(&f->keeper_pair[0]);
	fd_close(&f->keeper_pair[1]);
	if (drop_privileges(f, SIGKILL) < 0)
		return 1;
	return f->config->roles->runner(f->runner_pair[0]);
}

static int main_child(struct family *f)
{
	prctl(PR_SET_NAME, "mtusweep-main", 0, 0, 0);
	fd_close(&f->guard_pair[0]);
	fd_close(&f->runner_pair[0]);
	fd_close(&f->keeper_pair[0]);
	fd_close(&f->keeper_pair[1]);
	if (drop_privileges(f, STOP_SIGNAL_DEATH) < 0)
		return 1;
	return f->config->roles->main(f->config->roles->ctx, f->guard_pair[1],
				      f->runner_pair[1]);
}

static const char *const names[CHILD_COUNT] = {"guard", "runner", "main"};

static int fork_child(struct family *f, enum children_role which,
		      int (*child)(struct family *))
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int lock = f->config->guard->lock_fd;
		int conf_lock = f->config->guard->conf_lock_fd;

		if (which != CHILD_GUARD)
			fd_close(&lock);
		if (which != CHILD_GUARD && conf_lock > 0)
			fd_close(&conf_lock);
		/* Blocked in the keeper, which waits for them. None must come through
		 * before it is ignored; main lets them in with its handlers there. */
		if (which != CHILD_MAIN) {
			leave_terminal();
			sigprocmask(SIG_UNBLOCK, f->config->signals, NULL);
		}
		debug_set_process(names[which]);
		debug_log("process", "begins");
		leave_process(child(f));
	}
	f->children->pids[which] = pid;
	return 0;
}

static int open_pairs(struct family *f)
{
	int *pairs[] = {f->guard_pair, f->runner_pair, f->keeper_pair};

	for (int i = 0; i < 3; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]) < 0)
			return -errno;
	}
	return 0;
}

static int fork_all(struct family *f)
{
	int r = open_pairs(f);

	if (r == 0)
		r = fork_child(f, CHILD_GUARD, guard_child);
	if (r == 0)
		r = fork_child(f, CHILD_RUNNER, runner_child);
	if (r == 0)
		r = fork_child(f, CHILD_MAIN, main_child);
	fd_close(&f->guard_pair[0]);
	fd_close(&f->guard_pair[1]);
	fd_close(&f->runner_pair[0]);
	fd_close(&f->runner_pair[1]);
	fd_close(&f->keeper_pair[1]);
	return r;
}

int children_start(const struct children_config *config, struct children *ret)
{
	struct family family = {
		.config = config,
		.children = ret,
		.keeper_pid = getpid(),
		.guard_pair = {-1, -1},
		.runner_pair = {-1, -1},
		.keeper_pair = {-1, -1},
	};
	int r;

	*ret = (struct children){0};
	r = fork_all(&family);
	ret->keeper_fd = family.keeper_pair[0];
	return r;
}

static void note_end(struct children *c, pid_t pid, int wait_status)
{
	for (int i = 0; i < CHILD_COUNT; i++) {
		if (c->pids[i] != pid)
			continue;
		c->pids[i] = 0;
		c->status[i] = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
						      : 128 + WTERMSIG(wait_status);
		debug_log("process", "%s[%d] ended with status %d", names[i], (int)pid,
			  c->status[i]);
	}
}

void children_reap(struct children *c)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
		note_end(c, pid, wait_status);
}
