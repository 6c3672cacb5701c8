/*
 * The keeper and the three it forks: exit status, forwarded signals, and what is left
 * of the MTU when any one of them is killed. Main and runner are small stand-ins;
 * keeper and guard are the real ones, on a veth.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "netctl/guard.h"
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
	int main_status;
	bool main_waits;
} * shared;

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

	shared->runner_pid = getpid();
	return read(fd, &byte, 1) == 0 ? 0 : 1;
}

static void no_say(const char *text)
{
	(void)text;
}

/* The keeper in a child; returns once main has set the MTU. */
static pid_t start_keeper(int main_status, bool main_waits)
{
	struct guard_config config = {
		.range = {.min = 1280, .max = 1500, .step = 20},
		.lock_fd = -1,
		.say = no_say,
	};
	struct priv_user user = {.uid = 65534, .gid = 65534, .name = "nobody"};
	struct keeper_roles roles = {.main = stand_in_main, .runner = stand_in_runner};
	int64_t deadline = clock_boot_ms() + 5000;
	pid_t pid;

	shared->main_pid = shared->runner_pid = 0;
	shared->stop_signal = 0;
	shared->set_result = 1;
	shared->main_status = main_status;
	shared->main_waits = main_waits;
	text_copy(config.interface, sizeof(config.interface), LINK);
	pid = fork();
	if (pid == 0)
		_exit(keeper_run(&config, &user, &roles));
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

static int set_up(void **state)
{
	(void)state;
	netlab_enter();
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1420 up");
	return 0;
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
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
