/* SPDX-License-Identifier: MIT */
/* The user's view of a sweep, on a terminal and in a log. */

#include "cmd/host/progress.h"

#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/leave.h"

static char seen[4096];

static void assert_seen(const char *text)
{
	if (!strstr(seen, text))
		fail_msg("'%s' is not in '%s'", text, seen);
}

static struct measurement visit(void)
{
	struct measurement m = {.seq = 1, .mtu = {1400, 1380}};

	dir_result_init(&m.dir[DIR_UPLOAD], TEST_OK, "%s", "");
	m.dir[DIR_UPLOAD].goodput_bps = 12340000;
	dir_result_init(&m.dir[DIR_DOWNLOAD], TEST_BLACKHOLE, "nothing arrived");
	return m;
}

static void show(void)
{
	struct measurement last = visit();
	struct progress_line line = {
		.mtu = {1420, 1400},
		.doing = "upload",
		.total = 9,
		.left_ms = NO_FIGURE,
	};

	progress_update(&line);
	line.left_ms = 3725000;
	line.last = &last;
	line.done = 1;
	progress_update(&line);
	line.doing = "done";
	line.done = 2;
	line.left_ms = 65400;
	progress_row(&line);
	line.total = 0;
	line.done = 3;
	last.dir[DIR_UPLOAD].goodput_bps = NO_FIGURE;
	progress_row(&line);
	progress_clear();
	/* Nothing is there to be cleared. */
	progress_clear();
}

/* Run show() with stderr at `fd`, and read what came from `from`. */
static void look_at(int fd, int from)
{
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fd, STDERR_FILENO);
		show();
		leave_process(0);
	}
	close(fd);
	while (used + 1 < sizeof(seen) &&
	       (n = read(from, seen + used, sizeof(seen) - used - 1)) > 0)
		used += (size_t)n;
	seen[used] = '\0';
	close(from);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_terminal(void **state)
{
	struct winsize size = {.ws_row = 24, .ws_col = 60};
	int master;
	int slave;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	look_at(slave, master);
	/* One line that is written anew. */
	assert_seen("\r\033[K[0 of 9] 1420/1400 upload\r\033[K");
	assert_seen("[1 of 9, 1:02:05 left] 1420/1400 upload, last 1400/1380: up");
	/* It is cut before it wraps. */
	assert_null(strstr(seen, "12.3 Mbit/s, down"));
	assert_seen("[2 of 9, 1:05 left] 1420/1400 done");
	assert_seen("[3, 1:05 left] 1420/1400 done");
	assert_null(strchr(seen, '\n'));
	assert_string_equal(seen + strlen(seen) - 4, "\r\033[K");
}

static void test_log(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	look_at(ends[1], ends[0]);
	/* A line for each visit, and nothing else. */
	assert_string_equal(
		seen, "[2 of 9, 1:05 left] 1400/1380: up 12.3 Mbit/s, down blackhole\n"
		      "[3, 1:05 left] 1400/1380: up ?, down blackhole\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
