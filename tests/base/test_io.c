/* SPDX-License-Identifier: MIT */
/* Descriptors: waiting, whole reads, and stopping by a signal. */

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/stop.h"

static void test_read_file(void **state)
{
	cleanup_free char *data = NULL;
	char block[10000];
	size_t size = 0;
	int fds[2];

	(void)state;
	memset(block, 'x', sizeof(block));
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(io_write_all(fds[1], block, sizeof(block)), 0);
	fd_close(&fds[1]);
	assert_int_equal(fds[1], -1);
	assert_int_equal(io_read_file(fds[0], sizeof(block), &data, &size), 0);
	assert_int_equal(size, sizeof(block));
	assert_memory_equal(data, block, sizeof(block));
	assert_int_equal(data[size], 0);
	fd_close(&fds[0]);
}

static void test_read_limit(void **state)
{
	char *data = NULL;
	size_t size = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(io_write_all(fds[1], "abcdef", 6), 0);
	fd_close(&fds[1]);
	assert_int_equal(io_read_file(fds[0], 5, &data, &size), -EFBIG);
	assert_null(data);
	fd_close(&fds[0]);
	assert_int_equal(io_read_file(-1, 5, &data, &size), -EBADF);
}

static int write_beyond_limit(void)
{
	const struct rlimit limit = {.rlim_cur = 4, .rlim_max = 4};
	cleanup_fd int fd = memfd_create("limited", MFD_CLOEXEC);
	struct err err = ERR_INIT;
	int r;

	io_survive_file_limit();
	if (fd < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	r = io_write_all(fd, "abcdef", 6);
	if (r != -EFBIG)
		return 2;
	err_sys(&err, -r, "cannot write 'x'");
	return strcmp(err.text, "cannot write 'x': the file size limit (ulimit -f) is "
				"reached")
		       ? 3
		       : 0;
}

/* The write fails like any other, and no signal ends the process. */
static void test_file_limit(void **state)
{
	struct err err = ERR_INIT;
	int status = -1;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_beyond_limit());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Without a limit the text is the file system's. */
	err_sys(&err, EFBIG, "cannot write 'x'");
	assert_string_equal(err.text, "cannot write 'x': File too large");
}

static void test_wait(void **state)
{
	int64_t before = clock_boot_ms();
	int fds[2];
	int stop[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(stop), 0);
	assert_int_equal(io_wait(fds[0], stop[0], before + 50), 0);
	assert_true(clock_boot_ms() >= before + 50);
	assert_int_equal(io_write_all(fds[1], "a", 1), 0);
	assert_int_equal(io_wait(fds[0], stop[0], before + 10000), 1);
	assert_int_equal(io_write_all(stop[1], "a", 1), 0);
	assert_int_equal(io_wait(fds[0], stop[0], before + 10000), -EINTR);
	assert_int_equal(io_wait(-1, -1, clock_boot_ms() + 10), 0);
	fd_close(&fds[0]);
	assert_int_equal(io_write_all(fds[1], "a", 1), -EPIPE);
	fd_close(&fds[1]);
	fd_close(&stop[0]);
	fd_close(&stop[1]);
}

static void test_hang_up(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fd_close(&fds[1]);
	assert_int_equal(io_wait(fds[0], -1, clock_boot_ms() + 10000), -EPIPE);
	fd_close(&fds[0]);
}

/* Test it in a child: stop_install() changes the whole process permanently. */
static int stop_with_ignored(int ignored)
{
	signal(ignored, SIG_IGN);
	if (stop_install() < 0)
		return 10;
	raise(ignored);
	if (ignored == SIGTERM)
		return stop_requested() && stop_signal() == SIGTERM ? 0 : 1;
	if (stop_requested() || stop_signal())
		return 2;
	raise(SIGTERM);
	return stop_requested() && stop_signal() == SIGTERM ? 0 : 3;
}

static void test_stop_keeps_ignored(void **state)
{
	static const int signals[] = {SIGINT, SIGHUP, SIGTERM};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t pid = fork();
		int status = -1;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(stop_with_ignored(signals[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void test_stop(void **state)
{
	(void)state;
	assert_int_equal(stop_install(), 0);
	assert_false(stop_requested());
	assert_int_equal(stop_signal(), 0);
	raise(SIGHUP);
	raise(SIGTERM);
	assert_true(stop_requested());
	assert_true(stop_requested());
	assert_int_equal(stop_signal(), SIGHUP);
	assert_int_equal(io_wait(-1, stop_fd(), clock_boot_ms() + 10000), -EINTR);
}

/* --- a terminal that is no longer read: its sshd hangs in a dead tunnel --- */

/* Write texts of mixed sizes: often a part of the last one fits. */
static int fill_terminal(int slave, unsigned seed)
{
	static const size_t sizes[] = {16, 80, 100, 250, 400, 511};
	static const char text[512];
	int64_t deadline;

	dup2(slave, STDOUT_FILENO);
	dup2(slave, STDERR_FILENO);
	/* A wait without end becomes a death by this signal. */
	alarm(5);
	io_unblock_standard();
	if (fcntl(slave, F_GETFL) & O_NONBLOCK)
		return 2;
	deadline = clock_boot_ms() + 4000;
	while (clock_boot_ms() < deadline) {
		size_t size = sizes[rand_r(&seed) % 6];

		if (io_write_or_drop(STDERR_FILENO, text, size, 0) == -EAGAIN)
			return 0;
	}
	return 3;
}

/* A text of several times what a pipe holds, to a reader that takes its time. */
static void test_slow_reader(void **state)
{
	static char text[300000];
	size_t got = 0;
	int ends[2];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		fcntl(ends[1], F_SETFL, O_NONBLOCK);
		_exit(io_write_or_drop(ends[1], text, sizeof(text), 2000) == 0 ? 0 : 1);
	}
	close(ends[1]);
	for (;;) {
		char part[20000];
		ssize_t n;

		usleep(5000);
		n = read(ends[0], part, sizeof(part));
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(got, sizeof(text));
}

static void test_unread_terminal(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 40; seed++) {
		int master;
		int slave;
		int status;
		pid_t pid;

		assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
		pid = fork();
		if (pid == 0)
			_exit(fill_terminal(slave, seed));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		close(slave);
		close(master);
		assert_int_equal(status, 0);
	}
}

static void test_close_inherited(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int high = fcntl(STDIN_FILENO, F_DUPFD, 100);

		io_close_inherited();
		_exit(high == 100 && fcntl(high, F_GETFD) < 0 &&
				      fcntl(STDERR_FILENO, F_GETFD) >= 0
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_limit),
		cmocka_unit_test(test_file_limit),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_hang_up),
		cmocka_unit_test(test_stop_keeps_ignored),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_unread_terminal),
		cmocka_unit_test(test_close_inherited),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
