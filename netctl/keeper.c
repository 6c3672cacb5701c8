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
#include "base/leave.h"
#include "base/stop.h"
#include "netctl/hoststate.h"

/* The others only have to notice that a socket closed. */
#define CHILD_END_MS 5000
/* Against a SIGCHLD that got lost. */
#define LOOK_ANYWAY_MS 60000

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
	bool main_told;          /* why main was killed was said */
	bool failing;            /* the journal could not be restored */
	pid_t pids[CHILD_COUNT]; /* 0 once it has ended */
	int status[CHILD_COUNT]; /* exit status; 128 + signal */
	/* [0] is the guard's, runner's, keeper's end; [1] main's, main's, guard's. */
	int guard_pair[2];
	int runner_pair[2];
	int keeper_pair[2];
	sigset_t signals;       /* the ones waited for */
	int64_t asked_at_ms;    /* when a signal first asked for the end; 0 never */
	int64_t main_end_by_ms; /* on clock_boot_ms(); negative: no hurry */
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

	prctl(PR_SET_NAME, "mtusweep-guard", 0, 0, 0);
	priv_spare_from_oom();
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
	if (unprivileged(k, STOP_SIGNAL_DEATH) < 0)
		return 1;
	return k->roles->main(k->roles->ctx, k->guard_pair[1], k->runner_pair[1]);
}

static int fork_child(struct keeper *k, enum child which, int (*child)(struct keeper *))
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int lock = k->config->lock_fd;
		int conf_lock = k->config->conf_lock_fd;

		if (which != CHILD_GUARD)
			fd_close(&lock);
		if (which != CHILD_GUARD && conf_lock > 0)
			fd_close(&conf_lock);
		/* Blocked in the keeper, which waits for them. None must come through
		 * before it is ignored; main lets them in with its handlers there. */
		if (which != CHILD_MAIN) {
			leave_terminal();
			sigprocmask(SIG_UNBLOCK, &k->signals, NULL);
		}
		leave_process(child(k));
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

static int64_t main_end_ms(const struct keeper *k)
{
	return k->roles->main_end_ms ? k->roles->main_end_ms : KEEPER_MAIN_END_MS;
}

static void kill_main(struct keeper *k, const char *why)
{
	k->main_told = true;
	/* Its end may have been noted just now; 0 would be our whole process group. */
	if (!k->pids[CHILD_MAIN])
		return;
	kill(k->pids[CHILD_MAIN], SIGKILL);
	k->main_end_by_ms = clock_boot_ms() + CHILD_END_MS;
	say(k, why);
}

static void forward(struct keeper *k, int sig)
{
	int64_t now = clock_boot_ms();

	if (!k->pids[CHILD_MAIN])
		return;
	if (!k->asked_at_ms) {
		k->asked_at_ms = now;
		k->main_end_by_ms = now + main_end_ms(k);
	} else if (sig != SIGHUP && now - k->asked_at_ms >= KEEPER_INSIST_MS) {
		kill_main(k, "ended at once; the MTU is put back without waiting for "
			     "the other end");
		return;
	}
	kill(k->pids[CHILD_MAIN], sig);
}

/*
 * Wait for the next signal, until the deadline (clock_boot_ms(); negative: none).
 * Signals for main are forwarded, ends are noted. False at the deadline.
 */
static bool wait_event(struct keeper *k, int64_t deadline_ms)
{
	int left = deadline_ms < 0 ? LOOK_ANYWAY_MS : clock_left_ms(deadline_ms);
	struct timespec timeout = {
		.tv_sec = left / 1000,
		.tv_nsec = (long)(left % 1000) * 1000000,
	};
	int sig = sigtimedwait(&k->signals, NULL, &timeout);

	reap(k);
	if (sig > 0 && sig != SIGCHLD)
		forward(k, sig);
	return sig > 0 || deadline_ms < 0 || clock_boot_ms() < deadline_ms;
}

/* Wait for a child's end; end it by force when it takes too long. */
static void wait_end(struct keeper *k, enum child which, int64_t timeout_ms)
{
	int64_t deadline = clock_boot_ms() + timeout_ms;

	reap(k);
	while (k->pids[which]) {
		if (wait_event(k, deadline) || !k->pids[which])
			continue;
		kill(k->pids[which], SIGKILL);
		deadline = clock_boot_ms() + timeout_ms;
	}
}

/* Guard and runner end with status 0 when main closes their sockets, before it exits.
 */
static bool died(const struct keeper *k, enum child which)
{
	return !k->pids[which] && k->status[which] != 0;
}

static void end_main(struct keeper *k)
{
	if (!k->pids[CHILD_MAIN])
		return;
	kill(k->pids[CHILD_MAIN], STOP_SIGNAL_DEATH);
	if (k->main_end_by_ms < 0)
		k->main_end_by_ms = clock_boot_ms() + main_end_ms(k);
}

static void restore(struct keeper *k, struct err *err)
{
	int r = hoststate_restore_journal(k->config->interface, err);

	k->failing = r < 0 && r != -ESTALE;
}

/* First the work, then the words: nobody may be reading them. */
static void replace_guard(struct keeper *k)
{
	struct err err = ERR_INIT;
	struct err text;

	restore(k, &err);
	end_main(k);
	err_set(&text, 0, "the guard process %s; the keeper: %.280s",
		k->status[CHILD_GUARD] > 128 ? "died" : "could not restore",
		err.text[0] ? err.text : "nothing is left to be put back");
	say(k, text.text);
}

/* Main's end took a while: what stood in the way may be gone. */
static void try_again(struct keeper *k)
{
	struct err err = ERR_INIT;
	struct err text;

	restore(k, &err);
	if (k->failing)
		return;
	err_set(&text, 0, "the keeper, tried again: %.300s", err.text);
	say(k, text.text);
}

static void end_for_runner(struct keeper *k)
{
	end_main(k);
	say(k, k->status[CHILD_RUNNER] > 128 ? "the runner process died; the run ends"
					     : "the runner process failed; the run "
					       "ends");
}

/* Until main has ended; it is told to when one of the others ended too early. */
static void await_main(struct keeper *k, bool *guard_replaced)
{
	bool runner_missed = false;

	while (k->pids[CHILD_MAIN]) {
		if (!wait_event(k, k->main_end_by_ms))
			kill_main(k, "the main process did not end in time and was "
				     "killed; the MTU is put back");
		if (died(k, CHILD_GUARD) && !*guard_replaced) {
			*guard_replaced = true;
			replace_guard(k);
		}
		if (died(k, CHILD_RUNNER) && !runner_missed) {
			runner_missed = true;
			end_for_runner(k);
		}
	}
}

/* What main would have said itself. */
static void tell_of_main(const struct keeper *k)
{
	char text[96];

	if (k->main_told || k->status[CHILD_MAIN] <= 128)
		return;
	snprintf(text, sizeof(text),
		 "the main process was killed by signal %d; the run ends",
		 k->status[CHILD_MAIN] - 128);
	say(k, text);
}

/* Until main has ended; then end the rest in order. */
static int supervise(struct keeper *k)
{
	bool guard_replaced = false;
	bool runner_died;

	await_main(k, &guard_replaced);
	runner_died = died(k, CHILD_RUNNER);
	tell_of_main(k);
	wait_end(k, CHILD_RUNNER, CHILD_END_MS);
	wait_end(k, CHILD_GUARD, CHILD_END_MS);
	/* Killed by us or by others between: the journal is still there then. */
	if (died(k, CHILD_GUARD) && !guard_replaced)
		replace_guard(k);
	else if (k->failing)
		try_again(k);
	if (runner_died || died(k, CHILD_GUARD))
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

/* What was ignored from the start (nohup; a script's background job) stays so, but an
 * end of our own children must be heard of, and SIGTERM. */
static void choose_signals(sigset_t *signals)
{
	static const int ends[] = {SIGINT, SIGHUP};
	struct sigaction now;

	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(signals);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SIGTERM);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (sigaction(ends[i], NULL, &now) < 0 || now.sa_handler != SIG_IGN)
			sigaddset(signals, ends[i]);
	}
	sigprocmask(SIG_BLOCK, signals, NULL);
}

int keeper_run(const struct guard_config *config, const struct priv_user *user,
	       const struct keeper_roles *roles)
{
	struct keeper k = {
		.config = config,
		.user = user,
		.roles = roles,
		.keeper_pid = getpid(),
		.main_end_by_ms = -1,
		.guard_pair = {-1, -1},
		.runner_pair = {-1, -1},
		.keeper_pair = {-1, -1},
	};
	unsigned int keep = PRIV_KEEP_KILL |
			    (config->conf_file[0] ? PRIV_KEEP_CONF_FILE : 0);
	struct err err = ERR_INIT;
	int r;

	choose_signals(&k.signals);
	r = start(&k);
	if (r < 0)
		err_sys(&err, -r, "cannot start the processes of a run");
	/* After the forks: what memory is short of is main's and runner's, as before. */
	priv_spare_from_oom();
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
