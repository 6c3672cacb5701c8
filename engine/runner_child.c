/* SPDX-License-Identifier: MIT */
/* Start, watch and end the process of one test. */
#include "engine/runner_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/priv.h"
#include "base/text.h"
#include "engine/fullsize.h"
#include "engine/iperf_test.h"

#define TERM_GRACE_MS 50
#define READS_MAX     16

static void become_child(const struct test_spec *spec, int output, int report, int go)
	__attribute__((noreturn));

static void become_child(const struct test_spec *spec, int output, int report, int go)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* Its standard error belongs to the test's report. */
	debug_start(NULL);
	/* Otherwise descriptor 0 would be free, and become one of libiperf's
	 * sockets. */
	if (null < 0)
		null = report;
	dup2(null, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(output);
	if (null != report)
		close(null);
	switch (spec->kind) {
	case TEST_THROUGHPUT:
		iperf_test_run(spec, report, go);
	case TEST_FULL_SIZE:
		fullsize_run(spec, report);
	}
	_exit(1);
}

static void close_pipes(struct child *child)
{
	fd_close(&child->output);
	fd_close(&child->report);
	fd_close(&child->go);
}

int child_start(struct child *child, const struct test_spec *spec, int runner_fd,
		struct err *err)
{
	cleanup_fd int output_write = -1;
	cleanup_fd int report_write = -1;
	cleanup_fd int go_read = -1;
	pid_t runner = getpid();
	int output[2], report[2], go[2];

	*child = (struct child)CHILD_NONE;
	if (pipe2(output, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe for the test");
	child->output = output[0];
	output_write = output[1];
	if (pipe2(report, O_CLOEXEC) < 0) {
		close_pipes(child);
		return err_sys(err, errno, "cannot make a pipe for the test");
	}
	child->report = report[0];
	report_write = report[1];
	if (spec->held && pipe2(go, O_CLOEXEC) < 0) {
		close_pipes(child);
		return err_sys(err, errno, "cannot make a pipe for the test");
	}
	if (spec->held) {
		child->go = go[1];
		go_read = go[0];
	}
	fcntl(child->output, F_SETFL, O_NONBLOCK);
	child->pid = fork();
	if (child->pid == 0) {
		priv_die_with_parent(SIGKILL, runner);
		close(runner_fd);
		close(child->output);
		close(child->report);
		fd_close(&child->go);
		become_child(spec, output_write, report_write, go_read);
	}
	if (child->pid < 0) {
		int error = errno;

		child->pid = 0;
		close_pipes(child);
		return err_sys(err, error, "cannot fork for the test");
	}
	return 0;
}

void child_release(const struct child *child)
{
	if (child->go >= 0)
		io_write_all(child->go, "", 1);
}

static bool has_word(const char *line)
{
	return strpbrk(line, "abcdefghijklmnopqrstuvwxyz") != NULL;
}

static void end_line(struct child *child)
{
	const char *line = child->line;

	child->line[child->line_length] = '\0';
	child->line_length = 0;
	line += strspn(line, " \t\"");
	if (!has_word(line))
		return;
	text_copy(child->said, sizeof(child->said), line);
	text_printable(child->said);
}

static void take_output(struct child *child, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			end_line(child);
		else if (child->line_length < sizeof(child->line) - 1)
			child->line[child->line_length++] = data[i];
	}
}

void child_read_output(struct child *child)
{
	char data[4096];
	ssize_t n;

	/* A child that prints without end must not delay the runner's deadlines. */
	for (int i = 0; child->output >= 0 && i < READS_MAX; i++) {
		n = read(child->output, data, sizeof(data));
		if (n > 0)
			take_output(child, data, (size_t)n);
		else if (n == 0)
			fd_close(&child->output);
		else if (errno != EINTR)
			return;
	}
}

bool child_read_report(struct child *child)
{
	struct test_report report;
	ssize_t n;

	do {
		n = read(child->report, &report, sizeof(report));
	} while (n < 0 && errno == EINTR);
	/* A report is smaller than PIPE_BUF: it arrives complete or not at all. */
	if (n != (ssize_t)sizeof(report))
		return true;
	if (report.armed || report.flowing) {
		child->armed |= report.armed;
		child->flowing |= report.flowing;
		return false;
	}
	child->reported = true;
	child->result = report;
	return false;
}

void child_reap(struct child *child)
{
	pid_t pid;

	/* No report can come any more, so the process has no further use. */
	kill(child->pid, SIGKILL);
	do {
		pid = waitpid(child->pid, &child->wait_status, 0);
	} while (pid < 0 && errno == EINTR);
	child_read_output(child);
	close_pipes(child);
	child->pid = 0;
}

/* Wait until the report pipe ends or the deadline. */
static void await_end(struct child *child, int64_t deadline_ms)
{
	struct pollfd wait = {.fd = child->report, .events = POLLIN};

	for (;;) {
		int n = poll(&wait, 1, clock_left_ms(deadline_ms));

		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		if (n > 0 && child_read_report(child))
			return;
	}
}

void child_end(struct child *child)
{
	if (child->pid == 0)
		return;
	kill(child->pid, SIGTERM);
	await_end(child, clock_boot_ms() + TERM_GRACE_MS);
	child_reap(child);
}

bool child_was_disturbed(const struct child *child)
{
	if (child->reported)
		return child->result.code == -ECONNABORTED ||
		       (child->armed && err_is_shortage(child->result.code));
	/* A test that could not listen may fail again each time for the same reason. */
	return child->armed || WIFSIGNALED(child->wait_status);
}

void child_describe(const struct child *child, char *ret, size_t size)
{
	int status = child->wait_status;
	const char *said = child->said[0] != '\0' ? child->said : "nothing";

	if (WIFSIGNALED(status))
		snprintf(ret, size,
			 "the test's process was killed by signal %d; its output: %s",
			 WTERMSIG(status), said);
	else
		snprintf(ret, size,
			 "the test's process ended with status %d; its output: %s",
			 WEXITSTATUS(status), said);
}
