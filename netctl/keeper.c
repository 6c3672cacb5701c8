#include "netctl/keeper.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "netctl/hoststate.h"

/* How long main may take to put both ends back and close its database. */
#define MAIN_END_MS 20000
/* The others only have to notice that a socket closed. */
#define CHILD_END_MS 5000

enum child {
	CHILD_GUARD,
	CHILD_RUNNER,
	CHILD_MAIN,
	CHILD_COUNT,
};

struct keeper {
	const struct guard_config *config;
	const struct priv_user *user;
	const struct keeper_roles *roles;
	pid_t keeper_pid;
	pid_t pids[CHILD_COUNT]; /* 0 once it has ended */
	int status[CHILD_COUNT]; /* exit status; 128 + signal */
	/* [0] is the guard's, runner's, keeper's end; [1] main's, main's, guard's. */
	int guard_pair[2];
	int runner_pair[2];
	int keeper_pair[2];
	sigset_t signals; /* the ones waited for */
};

static void say(const struct keeper *k, const char *text)
{
	if (k->config->say && text[0])
		k->config->say(text);
}

/* --- in the children --- */

/* Ctrl-C, a lost terminal or a closed session must not take guard or runner along. */
static void leave_terminal(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

	setsid();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

static int guard_child(struct keeper *k)
{
	struct err err = ERR_INIT;

	leave_terminal();
	prctl(PR_SET_NAME, "mtusweep-guard", 0, 0, 0);
	fd_close(&k->guard_pair[1]);
	fd_close(&k->runner_pair[0]);
	fd_close(&k->runner_pair[1]);
	fd_close(&k->keeper_pair[0]);
	if (priv_keep(k->config->conf_file[0] ? PRIV_KEEP_CONF_FILE : 0, &err) < 0 ||
	    priv_forbid_exec(&err) < 0) {
		say(k, err.text);
		return 1;
	}
	return guard_serve(k->config, k->guard_pair[0], k->keeper_pair[1]);
}

static int unprivileged(struct keeper *k, int death_signal)
{
	struct err err = ERR_INIT;

	if (priv_drop(k->user, &err) < 0 || priv_forbid_exec(&err) < 0) {
		say(k, err.text);
		return -EPERM;
	}
	priv_die_with_parent(death_signal, k->keeper_pid);
	return 0;
}

static int runner_child(struct keeper *k)
{
	leave_terminal();
	prctl(PR_SET_NAME, "mtusweep-runner", 0, 0, 0);
	fd_close(&k->guard_pair[0]);
	fd_close(&k->guard_pair[1]);
	fd_close(&k->runner_pair[1]);
	fd_close(&k->keeper_pair[0]);
	fd_close(&k->keeper_pair[1]);
	if (unprivileged(k, SIGKILL) < 0)
		return 1;
	return k->roles->runner(k->runner_pair[0]);
}

static int main_child(struct keeper *k)
{
	prctl(PR_SET_NAME, "mtusweep-main", 0, 0, 0);
	fd_close(&k->guard_pair[0]);
	fd_close(&k->runner_pair[0]);
	fd_close(&k->keeper_pair[0]);
	fd_close(&k->keeper_pair[1]);
	if (unprivileged(k, SIGTERM) < 0)
		return 1;
	return k->roles->main(k->roles->ctx, k->guard_pair[1], k->runner_pair[1]);
}

static int fork_child(struct keeper *k, enum child which, int (*child)(struct keeper *))
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* Blocked in the keeper, which waits for them; a child handles its own.
		 */
		int lock = k->config->lock_fd;

		if (which != CHILD_GUARD)
			fd_close(&lock);
		sigprocmask(SIG_UNBLOCK, &k->signals, NULL);
		_exit(child(k));
	}
	k->pids[which] = pid;
	return 0;
}

/* --- the keeper itself --- */

static void note_end(struct keeper *k, pid_t pid, int wait_status)
{
	for (int i = 0; i < CHILD_COUNT; i++) {
		if (k->pids[i] != pid)
			continue;
		k->pids[i] = 0;
		k->status[i] = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
						      : 128 + WTERMSIG(wait_status);
	}
}

static void reap(struct keeper *k)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
		note_end(k, pid, wait_status);
}

/*
 * Wait for the next signal, until the deadline (clock_boot_ms(); negative: none).
 * Signals for main are forwarded, ends are noted. False at the deadline.
 */
static bool wait_event(struct keeper *k, int64_t deadline_ms)
{
	int left = deadline_ms < 0 ? 3600000 : clock_left_ms(deadline_ms);
	struct timespec timeout = {
		.tv_sec = left / 1000,
		.tv_nsec = (long)(left % 1000) * 1000000,
	};
	int sig = sigtimedwait(&k->signals, NULL, &timeout);

	if (sig == SIGCHLD)
		reap(k);
	else if (sig > 0 && k->pids[CHILD_MAIN])
		kill(k->pids[CHILD_MAIN], sig);
	return sig > 0 || deadline_ms < 0 || clock_boot_ms() < deadline_ms;
}

/* Wait for a child's end; end it by force when it takes too long. */
static void wait_end(struct keeper *k, enum child which, int64_t timeout_ms)
{
	int64_t deadline = clock_boot_ms() + timeout_ms;

	reap(k);
	while (k->pids[which]) {
		if (wait_event(k, deadline))
			continue;
		kill(k->pids[which], SIGKILL);
		deadline = clock_boot_ms() + timeout_ms;
	}
}

static int restore_for_guard(struct keeper *k)
{
	struct err err = ERR_INIT;
	int r;

	say(k, "the guard process died; its work is done by the keeper");
	r = hoststate_restore_journal(k->config->interface, &err);
	say(k, err.text);
	return r;
}

/* Guard and runner end with status 0 when main closes their sockets, before it exits.
 */
static bool died(const struct keeper *k, enum child which)
{
	return !k->pids[which] && k->status[which] != 0;
}

/* Until main has ended, or one of the others too early; then end the rest in order. */
static int supervise(struct keeper *k)
{
	bool guard_died;
	bool runner_died;
	bool ok;

	while (k->pids[CHILD_MAIN] && !died(k, CHILD_GUARD) && !died(k, CHILD_RUNNER))
		wait_event(k, -1);
	guard_died = died(k, CHILD_GUARD);
	runner_died = died(k, CHILD_RUNNER);
	ok = !guard_died || restore_for_guard(k) == 0;
	if (runner_died)
		say(k, "the runner process died; the run ends");
	if (k->pids[CHILD_MAIN])
		kill(k->pids[CHILD_MAIN], SIGTERM);
	wait_end(k, CHILD_MAIN, MAIN_END_MS);
	wait_end(k, CHILD_RUNNER, CHILD_END_MS);
	wait_end(k, CHILD_GUARD, CHILD_END_MS);
	/* Killed by us or by others between: the journal is still there then. */
	if (k->status[CHILD_GUARD] != 0 && !guard_died)
		ok = restore_for_guard(k) == 0;
	if (!ok || guard_died || runner_died || k->status[CHILD_GUARD] != 0)
		return 1;
	return k->status[CHILD_MAIN] > 2 ? 1 : k->status[CHILD_MAIN];
}

static int open_pairs(struct keeper *k)
{
	int *pairs[] = {k->guard_pair, k->runner_pair, k->keeper_pair};

	for (int i = 0; i < 3; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]) < 0)
			return -errno;
	}
	return 0;
}

static int start(struct keeper *k)
{
	int r = open_pairs(k);

	if (r == 0)
		r = fork_child(k, CHILD_GUARD, guard_child);
	if (r == 0)
		r = fork_child(k, CHILD_RUNNER, runner_child);
	if (r == 0)
		r = fork_child(k, CHILD_MAIN, main_child);
	fd_close(&k->guard_pair[0]);
	fd_close(&k->guard_pair[1]);
	fd_close(&k->runner_pair[0]);
	fd_close(&k->runner_pair[1]);
	fd_close(&k->keeper_pair[1]);
	return r;
}

int keeper_run(const struct guard_config *config, const struct priv_user *user,
	       const struct keeper_roles *roles)
{
	struct keeper k = {
		.config = config,
		.user = user,
		.roles = roles,
		.keeper_pid = getpid(),
		.guard_pair = {-1, -1},
		.runner_pair = {-1, -1},
		.keeper_pair = {-1, -1},
	};
	unsigned int keep = PRIV_KEEP_KILL |
			    (config->conf_file[0] ? PRIV_KEEP_CONF_FILE : 0);
	struct err err = ERR_INIT;
	int r;

	sigemptyset(&k.signals);
	sigaddset(&k.signals, SIGINT);
	sigaddset(&k.signals, SIGTERM);
	sigaddset(&k.signals, SIGHUP);
	sigaddset(&k.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &k.signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = start(&k);
	if (r < 0)
		err_sys(&err, -r, "cannot start the processes of a run");
	if (r == 0)
		r = priv_keep(keep, &err);
	if (r == 0)
		r = priv_forbid_exec(&err);
	if (r == 0)
		return supervise(&k);
	say(&k, err.text);
	if (k.pids[CHILD_MAIN])
		kill(k.pids[CHILD_MAIN], SIGKILL);
	fd_close(&k.keeper_pair[0]);
	for (int i = CHILD_COUNT - 1; i >= 0; i--)
		wait_end(&k, (enum child)i, CHILD_END_MS);
	return 1;
}
