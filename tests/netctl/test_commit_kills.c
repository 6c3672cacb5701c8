/* SPDX-License-Identifier: MIT */
/*
 * test_commit_kills [KILLS [SEED]]: SIGKILL around a commit, to the guard alone, the
 * keeper alone, both, or all four processes; half of the kills at each of the guard's
 * system calls in turn, half at random moments. If keeper or guard survives, it
 * completes the work, else the next start does. Then link and conf file are byte for
 * byte either as before the run or the applied pair. The only copy beside the conf file
 * is the dated one of an applied pair. test_commit_killed.c kills a commit in one
 * process, at each call.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/clock.h"
#include "base/io.h"
#include "keeperlab.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"

#define SET    1300
#define CHOSEN "[Interface]\nMTU = 1300\n"
#define OWNER  12345
#define MODE   0640
/* More stops than a commit of the guard has. */
#define STOPS_MAX 4000

enum victims {
	GUARD,
	KEEPER,
	BOTH,
	ALL,
	VICTIMS_COUNT,
};
static const char *const victims_name[] = {"guard", "keeper", "both", "all"};

struct pids {
	pid_t keeper;
	pid_t guard;
};

static struct {
	int killed[VICTIMS_COUNT];
	int missed; /* they had ended before the kill */
	int at_call;
	int kept;
	int restored;
	int copies; /* copies left beside the conf file */
	int wrong;  /* neither state, or an end that failed */
} count;

static int64_t span_us; /* time span of the random moments */
static int kills = 100;
static unsigned int seed = 1;

/* --- a run with a commit --- */

static bool holds(const char *path, const char *text)
{
	cleanup_file FILE *file = fopen(path, "r");
	char data[256] = "";

	return file && fread(data, 1, sizeof(data) - 1, file) > 0 &&
	       strcmp(data, text) == 0;
}

/* Count the files beside the conf file: dated ones, which must equal the earlier conf
 * file, in ret_dated, and all others. Remove them. */
static int count_copies(int *ret_dated)
{
	size_t length = (size_t)(strrchr(with.conf, '/') - with.conf);
	char folder[80];
	char path[PATH_MAX];
	const struct dirent *entry;
	int copies = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%.*s", (int)length, with.conf);
	dir = opendir(folder);
	assert_non_null(dir);
	*ret_dated = 0;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || strcmp(path, with.conf) == 0)
			continue;
		if (strstr(path, ".mtusweep-2") && holds(path, CONF))
			++*ret_dated;
		else
			copies++;
		unlink(path);
	}
	closedir(dir);
	return copies;
}

/* Remove everything that could disturb the next run. */
static void begin_anew(void)
{
	struct rtlink link;
	FILE *file = fopen(with.conf, "w");
	int dated;

	assert_non_null(file);
	hoststate_restore_journal(LINK, NULL);
	journal_remove(LINK, NULL);
	count_copies(&dated);
	fputs(CONF, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chown(with.conf, OWNER, OWNER), 0);
	assert_int_equal(chmod(with.conf, MODE), 0);
	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	assert_int_equal(rtlink_set_mtu(link.index, ORIGINAL, NULL), 0);
}

static struct pids start(void)
{
	struct pids pids = {.keeper = start_keeper(0, false)};

	pids.guard = find_guard(pids.keeper);
	return pids;
}

static void trace(pid_t guard)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, guard, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, guard, NULL, NULL), 0);
	assert_int_equal(waitpid(guard, &status, __WALL), guard);
	assert_true(WIFSTOPPED(status));
}

/* Let it continue through this many stops; return the number made, smaller when main
 * had its answer before. */
static int go_on(pid_t guard, int stops)
{
	int made = 0;
	int status;

	while (made < stops && !shared->committed) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, guard, NULL, NULL), 0);
		assert_int_equal(waitpid(guard, &status, __WALL), guard);
		assert_true(WIFSTOPPED(status));
		made++;
	}
	return made;
}

/* Let it continue without tracing. */
static void let_go(pid_t guard)
{
	assert_int_equal(ptrace(PTRACE_DETACH, guard, NULL, NULL), 0);
}

/* Count a guard's stops from a request to commit to its answer. */
static int count_stops(void)
{
	struct pids pids;
	int stops;

	begin_anew();
	pids = start();
	trace(pids.guard);
	shared->go = true;
	stops = go_on(pids.guard, STOPS_MAX);
	let_go(pids.guard);
	assert_in_range(stops, 100, STOPS_MAX - 1);
	assert_int_equal(wait_status_within(pids.keeper, 8000), 0);
	return stops;
}

/* Measure the time from a commit to the end of its run, undisturbed. */
static int64_t measure_us(void)
{
	int64_t since_us;
	struct pids pids;

	begin_anew();
	pids = start();
	since_us = clock_boot_us();
	shared->go = true;
	assert_int_equal(wait_status_within(pids.keeper, 8000), 0);
	return clock_boot_us() - since_us;
}

/* --- the kill --- */

static void kill_victims(const struct pids *pids, enum victims victims)
{
	const pid_t all[] = {pids->keeper, pids->guard, shared->main_pid,
			     shared->runner_pid};

	switch (victims) {
	case GUARD:
		kill(pids->guard, SIGKILL);
		return;
	case KEEPER:
		kill(pids->keeper, SIGKILL);
		return;
	case BOTH:
		/* Stop both first: neither can react to the other's death. */
		kill(pids->keeper, SIGSTOP);
		kill(pids->guard, SIGKILL);
		kill(pids->keeper, SIGKILL);
		return;
	case ALL:
		for (int i = 0; i < 4; i++)
			kill(all[i], SIGSTOP);
		for (int i = 0; i < 4; i++)
			kill(all[i], SIGKILL);
		return;
	case VICTIMS_COUNT:
		break;
	}
}

/* Return false when there was no process left to kill. */
static bool kill_at_call(const struct pids *pids, enum victims victims, int stops)
{
	trace(pids->guard);
	shared->go = true;
	if (go_on(pids->guard, stops) < stops) {
		let_go(pids->guard);
		return false;
	}
	kill_victims(pids, victims);
	/* A process that lives continues with the commit. The keeper learns of a dead
	 * guard's end only after it was reaped here. */
	if (victims == KEEPER)
		let_go(pids->guard);
	else
		waitpid(pids->guard, NULL, __WALL);
	count.at_call++;
	return true;
}

static bool kill_at_random(const struct pids *pids, enum victims victims)
{
	struct timespec pause = {.tv_nsec = random() % (span_us * 1000)};

	shared->go = true;
	nanosleep(&pause, NULL);
	if (waitid(P_PID, (id_t)pids->keeper, &(siginfo_t){0},
		   WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    !alive(pids->guard))
		return false;
	kill_victims(pids, victims);
	return true;
}

/* --- the state afterwards --- */

static void fail_kill(int number, enum victims victims, const char *what)
{
	count.wrong++;
	print_error("kill %d of %s: %s\n", number, victims_name[victims], what);
}

static const char *judge(bool *ret_kept)
{
	struct journal journal;
	struct stat st;
	int dated;
	int copies = count_copies(&dated);
	bool kept = holds(with.conf, CHOSEN);

	if (copies) {
		count.copies += copies;
		return "copies are left";
	}
	if (journal_read(LINK, &journal, NULL) != -ENOENT)
		return "a journal is left";
	if (!kept && !holds(with.conf, CONF))
		return "the conf file is neither the one nor the other";
	if (stat(with.conf, &st) < 0 || st.st_uid != OWNER ||
	    (st.st_mode & 07777) != MODE)
		return "the conf file has another owner or mode";
	if (mtu_now() != (kept ? SET : ORIGINAL))
		return "the link is not what the conf file is";
	if (dated != kept)
		return "the conf file from before is not kept as it should be";
	*ret_kept = kept;
	return NULL;
}

static const char *start_next(void)
{
	int r = hoststate_restore_journal(LINK, NULL);

	if (r == 0)
		r = hostconf_check(with.conf, NULL);
	return r < 0 ? "the next start fails" : NULL;
}

/* A run that was not killed in time does not count, but must end well too. */
static void check_end(int number, const struct pids *pids, enum victims victims,
		      bool in_time)
{
	const char *wrong = NULL;
	bool kept = false;

	wait_status_within(pids->keeper, 8000);
	assert_gone(pids->guard);
	assert_gone(shared->main_pid);
	assert_gone(shared->runner_pid);
	if (in_time && (victims == BOTH || victims == ALL))
		wrong = start_next();
	if (!wrong)
		wrong = judge(&kept);
	if (wrong)
		fail_kill(number, victims, wrong);
	else if (in_time && kept)
		count.kept++;
	else if (in_time)
		count.restored++;
}

/* --- the campaign --- */

/* `stops`: 0 is a random moment */
static void kill_once(int number, enum victims victims, int stops)
{
	struct pids pids;
	bool killed;

	begin_anew();
	pids = start();
	killed = stops ? kill_at_call(&pids, victims, stops)
		       : kill_at_random(&pids, victims);
	if (killed)
		count.killed[victims]++;
	else
		count.missed++;
	check_end(number, &pids, victims, killed);
}

/* Spread the kills evenly from the first call to the last. */
static int stops_of(int turn, int turns, int stops)
{
	return 1 + (turns >= stops ? turn % stops : turn * stops / turns);
}

static int killed(void)
{
	return count.killed[GUARD] + count.killed[KEEPER] + count.killed[BOTH] +
	       count.killed[ALL];
}

static void test_kills(void **state)
{
	int stops = count_stops();
	int turns = (kills + 1) / 2;

	(void)state;
	span_us = measure_us();
	srandom(seed);
	for (int i = 0; killed() < kills && i < 10 * kills; i++) {
		int turn = i / 2;
		int victims = (turn + turn / stops) % VICTIMS_COUNT;

		kill_once(i, (enum victims)victims,
			  i % 2 ? 0 : stops_of(turn, turns, stops));
	}
	print_message(
		"seed %u: killed %d times (guard %d, keeper %d, both %d, all %d; %d "
		"at one of %d stops at system calls), too late %d times; pair kept "
		"%d, restored %d; copies left %d, wrong ends %d\n",
		seed, killed(), count.killed[GUARD], count.killed[KEEPER],
		count.killed[BOTH], count.killed[ALL], count.at_call, stops,
		count.missed, count.kept, count.restored, count.copies, count.wrong);
	assert_int_equal(killed(), kills);
	assert_int_equal(count.copies, 0);
	assert_int_equal(count.wrong, 0);
	assert_in_range(count.kept, 1, kills);
	assert_in_range(count.restored, 1, kills);
}

static int set_up_commits(void **state)
{
	int r = set_up_conf(state);

	with.commits = true;
	return r;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kills, set_up_commits,
						tear_down_conf),
	};

	if (argc > 1)
		kills = atoi(argv[1]);
	if (argc > 2)
		seed = (unsigned int)atoi(argv[2]);
	if (kills < 8) {
		print_error("usage: test_commit_kills [KILLS, 8 or more [SEED]]\n");
		return 2;
	}
	if (keeperlab_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
