/*
 * The keeper and the three it forks: exit status, forwarded signals, and what is left
 * of the MTU when any one of them is killed. Main and runner are small stand-ins;
 * keeper and guard are the real ones, on a veth.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "netctl/guard.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/keeper.h"
#include "netctl/rtlink.h"
#include "netlab.h"

#define LINK     "mtk0"
#define ORIGINAL 1420

/* Shared with the children. */
static struct {
	_Atomic pid_t main_pid;
	_Atomic pid_t runner_pid;
	_Atomic int set_result; /* 1 until main has set the MTU */
	_Atomic int stop_signal;
	_Atomic bool lock_seen; /* by main or runner */
	_Atomic bool say_blocks;
	char said[512]; /* the last text */
	int main_status;
	bool main_waits;
} * shared;

/* What the next keeper is started with. */
static struct {
	int main_end_ms;
	int ignored[2];   /* signals */
	const char *conf; /* with PERSIST_EACH */
	int conf_lock_fd;
} with;

static int mtu_now(void)
{
	struct rtlink link;

	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	return link.mtu;
}

static int stand_in_main(void *ctx, int guard_socket, int runner_socket)
{
	struct guard *guard;

	(void)ctx;
	stop_install();
	if (getuid() == 0 || guard_new(guard_socket, &guard, NULL) < 0)
		return 1;
	shared->set_result = guard_set(guard, 1300, 60000, NULL);
	if (with.conf_lock_fd && fcntl(with.conf_lock_fd, F_GETFD) >= 0)
		shared->lock_seen = true;
	shared->main_pid = getpid();
	if (shared->main_waits) {
		io_wait(guard_socket, stop_fd(), clock_boot_ms() + 10000);
		shared->stop_signal = stop_signal();
	}
	guard_free(guard);
	close(runner_socket);
	return shared->main_status;
}

static int stand_in_runner(int fd)
{
	char byte;

	if (with.conf_lock_fd && fcntl(with.conf_lock_fd, F_GETFD) >= 0)
		shared->lock_seen = true;
	shared->runner_pid = getpid();
	return read(fd, &byte, 1) == 0 ? 0 : 1;
}

static void wait_ms(int ms)
{
	io_wait(-1, -1, clock_boot_ms() + ms);
}

static void note_said(const char *text)
{
	text_copy(shared->said, sizeof(shared->said), text);
	while (shared->say_blocks)
		wait_ms(5);
}

/* The keeper in a child; returns once main has set the MTU. */
static pid_t start_keeper(int main_status, bool main_waits)
{
	struct guard_config config = {
		.range = {.min = 1280, .max = 1500, .step = 20},
		.lock_fd = -1,
		.conf_lock_fd = with.conf_lock_fd,
		.say = note_said,
	};
	struct priv_user user = {.uid = 65534, .gid = 65534, .name = "nobody"};
	struct keeper_roles roles = {
		.main = stand_in_main,
		.runner = stand_in_runner,
		.main_end_ms = with.main_end_ms,
	};
	int64_t deadline = clock_boot_ms() + 5000;
	pid_t pid;

	shared->main_pid = shared->runner_pid = 0;
	shared->stop_signal = 0;
	shared->lock_seen = shared->say_blocks = false;
	shared->said[0] = '\0';
	shared->set_result = 1;
	shared->main_status = main_status;
	shared->main_waits = main_waits;
	text_copy(config.interface, sizeof(config.interface), LINK);
	if (with.conf) {
		config.persist = PERSIST_EACH;
		text_copy(config.conf_file, sizeof(config.conf_file), with.conf);
	}
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 2; i++)
			if (with.ignored[i])
				signal(with.ignored[i], SIG_IGN);
		_exit(keeper_run(&config, &user, &roles));
	}
	while ((!shared->main_pid || !shared->runner_pid) && clock_boot_ms() < deadline)
		io_wait(-1, -1, clock_boot_ms() + 5);
	assert_int_equal(shared->set_result, 0);
	return pid;
}

static int wait_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The same, within a time; a keeper that waits on is ended. */
static int wait_status_within(pid_t pid, int ms)
{
	int64_t deadline = clock_boot_ms() + ms;
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       !info.si_pid && clock_boot_ms() < deadline)
		wait_ms(5);
	if (!info.si_pid) {
		kill(shared->main_pid, SIGKILL);
		kill(pid, SIGKILL);
		wait_status(pid);
		fail_msg("the keeper waits for more than %d ms", ms);
	}
	return wait_status(pid);
}

/* A child of `parent` that is neither main nor runner. */
static pid_t find_guard(pid_t parent)
{
	char path[64];
	cleanup_file FILE *file = NULL;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fscanf(file, "%d", &pid) == 1) {
		if (pid != shared->main_pid && pid != shared->runner_pid)
			return pid;
	}
	fail_msg("no guard among the children of %d", parent);
	return 0;
}

static void assert_gone(pid_t pid)
{
	int64_t deadline = clock_boot_ms() + 3000;

	while (kill(pid, 0) == 0 && clock_boot_ms() < deadline)
		io_wait(-1, -1, clock_boot_ms() + 5);
	assert_int_equal(kill(pid, 0), -1);
}

static void assert_restored(void)
{
	int64_t deadline = clock_boot_ms() + 3000;
	struct journal journal;

	while (mtu_now() != ORIGINAL && clock_boot_ms() < deadline)
		io_wait(-1, -1, clock_boot_ms() + 5);
	assert_int_equal(mtu_now(), ORIGINAL);
	while (journal_read(LINK, &journal, NULL) == 0 && clock_boot_ms() < deadline)
		io_wait(-1, -1, clock_boot_ms() + 5);
	assert_int_equal(journal_read(LINK, &journal, NULL), -ENOENT);
}

static int set_up(void **state)
{
	(void)state;
	memset(&with, 0, sizeof(with));
	netlab_enter();
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1420 up");
	return 0;
}

static void test_status(void **state)
{
	static const int rows[][2] = {{0, 0}, {1, 1}, {2, 2}, {3, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t keeper = start_keeper(rows[i][0], false);

		assert_int_equal(wait_status(keeper), rows[i][1]);
		assert_restored();
	}
}

static void test_signals(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t keeper = start_keeper(1, true);

		kill(keeper, signals[i]);
		assert_int_equal(wait_status(keeper), 1);
		assert_int_equal(shared->stop_signal, signals[i]);
		assert_restored();
	}
}

static void test_main_killed(void **state)
{
	pid_t keeper = start_keeper(0, true);

	(void)state;
	kill(shared->main_pid, SIGKILL);
	assert_int_equal(wait_status(keeper), 1);
	assert_restored();
	assert_gone(shared->runner_pid);
}

static void test_guard_killed(void **state)
{
	pid_t keeper = start_keeper(0, true);

	(void)state;
	kill(find_guard(keeper), SIGKILL);
	assert_int_equal(wait_status(keeper), 1);
	assert_restored();
	assert_gone(shared->main_pid);
	assert_gone(shared->runner_pid);
}

static void test_runner_killed(void **state)
{
	pid_t keeper = start_keeper(0, true);

	(void)state;
	kill(shared->runner_pid, SIGKILL);
	assert_int_equal(wait_status(keeper), 1);
	assert_restored();
	assert_gone(shared->main_pid);
}

static void test_keeper_killed(void **state)
{
	pid_t keeper = start_keeper(0, true);
	pid_t guard = find_guard(keeper);

	(void)state;
	kill(keeper, SIGKILL);
	assert_int_equal(wait_status(keeper), 128 + SIGKILL);
	assert_restored();
	assert_gone(guard);
	assert_gone(shared->main_pid);
	assert_gone(shared->runner_pid);
}

/* --- an end that is asked for --- */

static bool alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static void test_main_stuck(void **state)
{
	pid_t keeper;

	(void)state;
	with.main_end_ms = 600;
	keeper = start_keeper(0, true);
	kill(shared->main_pid, SIGSTOP);
	kill(keeper, SIGTERM);
	wait_ms(300);
	assert_true(alive(shared->main_pid));
	assert_int_equal(wait_status_within(keeper, 3000), 1);
	assert_string_equal(shared->said,
			    "the main process did not end in time and was "
			    "killed; the MTU is put back");
	assert_gone(shared->main_pid);
	assert_restored();
}

/* Once more, a second later, is "at once"; the doubles of one key or one hung-up
 * terminal are not. */
static void test_asked_twice(void **state)
{
	static const int doubles[] = {SIGINT, SIGHUP, SIGTERM, SIGINT};
	pid_t keeper = start_keeper(0, true);

	(void)state;
	kill(shared->main_pid, SIGSTOP);
	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		kill(keeper, doubles[i]);
		wait_ms(100);
	}
	wait_ms(800);
	kill(keeper, SIGHUP);
	wait_ms(200);
	assert_true(alive(shared->main_pid));
	kill(keeper, SIGINT);
	assert_int_equal(wait_status_within(keeper, 3000), 1);
	assert_restored();
}

/* --- what the caller ignores --- */

static void test_child_signal_ignored(void **state)
{
	pid_t keeper;

	(void)state;
	with.ignored[0] = SIGCHLD;
	keeper = start_keeper(2, false);
	assert_int_equal(wait_status_within(keeper, 5000), 2);
	assert_restored();
	keeper = start_keeper(0, true);
	kill(shared->runner_pid, SIGKILL);
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_restored();
}

static void test_nohup(void **state)
{
	static const int signals[] = {SIGHUP, SIGINT};
	pid_t keeper;

	(void)state;
	with.ignored[0] = SIGHUP;
	with.ignored[1] = SIGINT;
	/* Nor may the keeper think that an end was asked for. */
	with.main_end_ms = 1000;
	keeper = start_keeper(1, true);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		kill(keeper, signals[i]);
		kill(shared->main_pid, signals[i]);
	}
	wait_ms(1300);
	assert_true(alive(shared->main_pid));
	assert_int_equal(mtu_now(), 1300);
	kill(keeper, SIGTERM);
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_int_equal(shared->stop_signal, SIGTERM);
	assert_restored();
}

/* --- what it says, and when --- */

static void test_restores_before_it_talks(void **state)
{
	pid_t keeper = start_keeper(0, true);

	(void)state;
	shared->say_blocks = true;
	kill(find_guard(keeper), SIGKILL);
	assert_restored();
	shared->say_blocks = false;
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_string_equal(shared->said, "the guard process died; the keeper: 'mtk0' "
					  "has its MTU 1420 back");
}

static char conf[64];

static int set_up_conf(void **state)
{
	FILE *file;
	int fd;

	set_up(state);
	netlab_private_mounts();
	text_copy(conf, sizeof(conf), "/tmp/mtusweep-keeper-XXXXXX");
	fd = mkstemp(conf);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return -1;
	fputs("[Interface]\nMTU = 1420\n", file);
	with.conf = conf;
	return fclose(file);
}

static int tear_down_conf(void **state)
{
	char beside[128];

	(void)state;
	snprintf(beside, sizeof(beside), "%s%s", conf, JOURNAL_CONF_SUFFIX);
	umount2(conf, MNT_DETACH);
	unlink(conf);
	unlink(beside);
	return 0;
}

static void test_guard_could_not(void **state)
{
	char journal[JOURNAL_PATH_SIZE];
	pid_t keeper = start_keeper(0, true);

	(void)state;
	assert_int_equal(mount(conf, conf, NULL, MS_BIND, NULL), 0);
	kill(keeper, SIGTERM);
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_int_equal(umount2(conf, MNT_DETACH), 0);
	assert_int_equal(journal_path(LINK, journal, NULL), 0);
	assert_non_null(strstr(shared->said, "the guard process could not restore; the "
					     "keeper: cannot put"));
	assert_non_null(strstr(shared->said, journal));
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(hoststate_restore_journal(LINK, NULL), 0);
}

static void test_conf_lock(void **state)
{
	pid_t keeper;

	(void)state;
	with.conf_lock_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200);
	assert_true(with.conf_lock_fd > 0);
	keeper = start_keeper(0, false);
	assert_int_equal(wait_status_within(keeper, 5000), 0);
	assert_false(shared->lock_seen);
	close(with.conf_lock_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_status, set_up),
		cmocka_unit_test_setup(test_signals, set_up),
		cmocka_unit_test_setup(test_main_killed, set_up),
		cmocka_unit_test_setup(test_guard_killed, set_up),
		cmocka_unit_test_setup(test_runner_killed, set_up),
		cmocka_unit_test_setup(test_keeper_killed, set_up),
		cmocka_unit_test_setup(test_main_stuck, set_up),
		cmocka_unit_test_setup(test_asked_twice, set_up),
		cmocka_unit_test_setup(test_child_signal_ignored, set_up),
		cmocka_unit_test_setup(test_nohup, set_up),
		cmocka_unit_test_setup(test_restores_before_it_talks, set_up),
		cmocka_unit_test_setup_teardown(test_guard_could_not, set_up_conf,
						tear_down_conf),
		cmocka_unit_test_setup(test_conf_lock, set_up),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
