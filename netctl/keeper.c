/* SPDX-License-Identifier: MIT */
#include "netctl/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "netctl/children.h"
#include "netctl/hoststate.h"

/* The others only have to notice that a socket closed. */
#define CHILD_END_MS 5000
/* In case a SIGCHLD gets lost. */
#define LOOK_ANYWAY_MS 60000
/* The pause before a failed restore is retried. */
#define TRY_AGAIN_S 1

struct keeper {
	const struct guard_config *config;
	const struct keeper_roles *roles;
	struct children children;
	bool main_told;         /* why main was killed was said */
	bool failing;           /* the journal could not be restored */
	sigset_t signals;       /* the ones waited for */
	int64_t asked_at_ms;    /* when a signal first asked for the end; 0 never */
	int64_t main_end_by_ms; /* on clock_boot_ms(); negative: no hurry */
};

static void say_as_keeper(const struct keeper *k, const char *text)
{
	if (k->config->say && text[0])
		k->config->say(text);
}

static int64_t main_end_ms(const struct keeper *k)
{
	return k->roles->main_end_ms ? k->roles->main_end_ms : KEEPER_MAIN_END_MS;
}

static void kill_main(struct keeper *k, const char *why)
{
	k->main_told = true;
	/* Its end may have been noted just now; 0 would be our whole process group. */
	if (!k->children.pids[CHILD_MAIN])
		return;
	kill(k->children.pids[CHILD_MAIN], SIGKILL);
	k->main_end_by_ms = clock_boot_ms() + CHILD_END_MS;
	say_as_keeper(k, why);
}

static void forward_signal(struct keeper *k, int sig)
{
	int64_t now = clock_boot_ms();

	if (!k->children.pids[CHILD_MAIN])
		return;
	if (!k->asked_at_ms) {
		k->asked_at_ms = now;
		k->main_end_by_ms = now + main_end_ms(k);
	} else if (sig != SIGHUP && now - k->asked_at_ms >= KEEPER_INSIST_MS) {
		kill_main(k, "stopped by a second signal; the MTU is restored without "
			     "waiting for the other end");
		return;
	}
	kill(k->children.pids[CHILD_MAIN], sig);
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

	children_reap(&k->children);
	if (sig > 0 && sig != SIGCHLD)
		forward_signal(k, sig);
	return sig > 0 || deadline_ms < 0 || clock_boot_ms() < deadline_ms;
}

/* Wait for a child's end; end it by force when it takes too long. */
static void wait_end(struct keeper *k, enum children_role which, int64_t timeout_ms)
{
	int64_t deadline = clock_boot_ms() + timeout_ms;

	children_reap(&k->children);
	while (k->children.pids[which]) {
		if (wait_event(k, deadline) || !k->children.pids[which])
			continue;
		kill(k->children.pids[which], SIGKILL);
		deadline = clock_boot_ms() + timeout_ms;
	}
}

/* Guard and runner end with status 0 when main closes their sockets, before it exits.
 */
static bool child_died(const struct keeper *k, enum children_role which)
{
	return !k->children.pids[which] && k->children.status[which] != 0;
}

static void end_main(struct keeper *k)
{
	if (!k->children.pids[CHILD_MAIN])
		return;
	kill(k->children.pids[CHILD_MAIN], STOP_SIGNAL_DEATH);
	if (k->main_end_by_ms < 0)
		k->main_end_by_ms = clock_boot_ms() + main_end_ms(k);
}

static void restore_host(struct keeper *k, struct err *err)
{
	int r = hoststate_restore_journal(k->config->bounds.interface, err);

	/* A damaged journal stays so. */
	k->failing = r < 0 && r != -ESTALE && r != -EBADMSG;
}

/* Restore before printing, since printing may block. */
static void replace_guard(struct keeper *k)
{
	struct err err = ERR_INIT;
	struct err text;

	restore_host(k, &err);
	end_main(k);
	err_set(&text, 0, "the guard process %s; the keeper: %.270s%s",
		k->children.status[CHILD_GUARD] > 128 ? "died" : "could not restore",
		err.text[0] ? err.text : "nothing is left to restore",
		k->failing ? "; retrying every second" : "");
	say_as_keeper(k, text.text);
}

/* Main took a while to end: the obstacle may be gone. */
static void try_again(struct keeper *k)
{
	struct err err = ERR_INIT;
	struct err text;

	restore_host(k, &err);
	if (k->failing)
		return;
	err_set(&text, 0, "the keeper retried: %.300s", err.text);
	say_as_keeper(k, text.text);
}

/* Nobody else restores this host before the next start. After a signal has requested
 * the end, the limit is the time that main would have; another signal ends the wait at
 * once. */
static void await_restored(struct keeper *k)
{
	static const struct timespec pause = {.tv_sec = TRY_AGAIN_S};
	int64_t deadline = k->asked_at_ms ? k->asked_at_ms + main_end_ms(k) : INT64_MAX;

	while (k->failing && clock_boot_ms() < deadline) {
		int sig = sigtimedwait(&k->signals, NULL, &pause);

		if (sig > 0 && sig != SIGCHLD && sig != SIGHUP)
			return;
		try_again(k);
	}
}

static void end_for_runner(struct keeper *k)
{
	end_main(k);
	say_as_keeper(k, k->children.status[CHILD_RUNNER] > 128
				 ? "the runner process died; the run ends"
				 : "the runner process failed; the run ends");
}

/* Until main has ended; it is told to when one of the others ended too early. */
static void await_main(struct keeper *k, bool *guard_replaced)
{
	bool runner_missed = false;

	while (k->children.pids[CHILD_MAIN]) {
		if (!wait_event(k, k->main_end_by_ms))
			kill_main(k, "the main process did not end in time and was "
				     "killed; the MTU is restored");
		if (child_died(k, CHILD_GUARD) && !*guard_replaced) {
			*guard_replaced = true;
			replace_guard(k);
		}
		if (child_died(k, CHILD_RUNNER) && !runner_missed) {
			runner_missed = true;
			end_for_runner(k);
		}
	}
}

/* Report the end of main when it was killed and could not report it itself. */
static void tell_of_main(const struct keeper *k)
{
	char text[96];

	if (k->main_told || k->children.status[CHILD_MAIN] <= 128)
		return;
	snprintf(text, sizeof(text),
		 "the main process was killed by signal %d; the run ends",
		 k->children.status[CHILD_MAIN] - 128);
	say_as_keeper(k, text);
}

/* Until main has ended; then end the rest in order. */
static int supervise_children(struct keeper *k)
{
	bool guard_replaced = false;
	bool runner_died;

	await_main(k, &guard_replaced);
	runner_died = child_died(k, CHILD_RUNNER);
	tell_of_main(k);
	wait_end(k, CHILD_RUNNER, CHILD_END_MS);
	wait_end(k, CHILD_GUARD, CHILD_END_MS);
	/* Killed by us or by others between: the journal is still there then. */
	if (child_died(k, CHILD_GUARD) && !guard_replaced)
		replace_guard(k);
	else if (k->failing)
		try_again(k);
	await_restored(k);
	if (runner_died || child_died(k, CHILD_GUARD))
		return 1;
	return k->children.status[CHILD_MAIN] > PROGRAM_CHANGED
		       ? PROGRAM_FAILED
		       : k->children.status[CHILD_MAIN];
}

/* Signals ignored at the start (nohup; a script's background job) stay ignored, except
 * SIGCHLD and SIGTERM, which the keeper needs. */
static void choose_signals(sigset_t *signals)
{
	static const int ends[] = {SIGINT, SIGHUP};
	struct sigaction now;

	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	/* Main alone ends at the soft limit of processor time, in order. */
	signal(SIGXCPU, SIG_IGN);
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
		.roles = roles,
		.main_end_by_ms = -1,
	};
	const struct children_config children = {
		.guard = config,
		.user = user,
		.roles = roles,
		.signals = &k.signals,
	};
	unsigned int keep = PRIV_KEEP_KILL |
			    (config->bounds.conf_file[0] ? PRIV_KEEP_CONF_FILE : 0);
	struct err err = ERR_INIT;
	int r;

	choose_signals(&k.signals);
	r = children_start(&children, &k.children);
	if (r < 0)
		err_sys(&err, -r, "cannot start the processes of a run");
	/* After the forks: what memory is short of is main's and runner's, as before. */
	priv_spare_from_oom();
	if (r == 0)
		r = priv_keep(keep, &err);
	if (r == 0)
		r = priv_confine(PRIV_SOCKETS_LOCAL, &err);
	if (r == 0)
		return supervise_children(&k);
	say_as_keeper(&k, err.text);
	if (k.children.pids[CHILD_MAIN])
		kill(k.children.pids[CHILD_MAIN], SIGKILL);
	fd_close(&k.children.keeper_fd);
	for (int i = CHILD_COUNT - 1; i >= 0; i--)
		wait_end(&k, (enum children_role)i, CHILD_END_MS);
	return 1;
}
