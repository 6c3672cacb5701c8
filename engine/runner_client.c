/* SPDX-License-Identifier: MIT */
/* Main's side of the runner. */
#include "engine/runner.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/ask.h"
#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "engine/runner_msg.h"
#include "engine/tcp.h"

#define ARM_MS    2000
#define CANCEL_MS 1000
/* Every answer of the server is there within a second. */
#define RESULT_MS 800
/* A renewal must not wait for a test to be armed, but for another renewal's question. */
#define ASK_WAIT_MS 50

struct runner {
	struct ask ask;
	/* hold the ports reserved for the last test and for the one before */
	int reserved_fd[2];
	int64_t stalled_ms;
	pthread_mutex_t lock;
};

int runner_new(int fd, struct runner **ret, struct err *err)
{
	struct runner *runner = calloc(1, sizeof(*runner));

	if (!runner)
		return err_set(err, -ENOMEM, "out of memory for the runner");
	runner->ask.fd = fd;
	runner->reserved_fd[0] = runner->reserved_fd[1] = -1;
	pthread_mutex_init(&runner->lock, NULL);
	*ret = runner;
	return 0;
}

void runner_free(struct runner *runner)
{
	if (!runner)
		return;
	fd_close(&runner->ask.fd);
	fd_close(&runner->reserved_fd[0]);
	fd_close(&runner->reserved_fd[1]);
	pthread_mutex_destroy(&runner->lock);
	free(runner);
}

int runner_reserve(struct runner *runner, const char *local, const char *interface)
{
	int port;

	pthread_mutex_lock(&runner->lock);
	fd_close(&runner->reserved_fd[1]);
	runner->reserved_fd[1] = runner->reserved_fd[0];
	runner->reserved_fd[0] = -1;
	port = tcp_reserve(local, interface, &runner->reserved_fd[0]);
	pthread_mutex_unlock(&runner->lock);
	return port > 0 ? port : 0;
}

static int runner_gone(struct err *err)
{
	return err_set(err, -EPIPE, "the process that runs the tests has ended");
}

/* `next`: the test that follows; NULL: none does. */
static int send_tests(struct runner *runner, enum runner_kind kind,
		      const struct test_spec *spec, const struct test_spec *next,
		      struct err *err)
{
	struct runner_request request;
	int r;

	memset(&request, 0, sizeof(request));
	request.kind = kind;
	if (spec)
		request.spec = *spec;
	request.spec.followed = next != NULL;
	if (next) {
		request.next = *next;
		request.next.held = true;
	}
	r = ask_send(&runner->ask, &request, sizeof(request));
	if (r == -EPIPE)
		return runner_gone(err);
	if (r < 0)
		return err_sys(err, -r, "cannot reach the process that runs the tests");
	return 0;
}

static int send_request(struct runner *runner, enum runner_kind kind,
			const struct test_spec *spec, struct err *err)
{
	return send_tests(runner, kind, spec, NULL, err);
}

/* Wait for the reply to the last request. -ETIMEDOUT, -EINTR, -EPIPE. */
static int await_reply(struct runner *runner, int stop_fd, int64_t deadline_ms,
		       struct runner_reply *ret, struct err *err)
{
	int r = ask_await(&runner->ask, stop_fd, deadline_ms, ret, sizeof(*ret), NULL);

	if (r == -ETIMEDOUT)
		return err_set(err, r,
			       "the process that runs the tests does not answer");
	if (r == -EINTR)
		return err_set(err, r, "the test was stopped");
	if (r == -EPIPE)
		return runner_gone(err);
	return r < 0 ? err_sys(err, -r, "cannot wait for the test") : 0;
}

/* The lock must be held. */
static int cancel_test(struct runner *runner, struct err *err)
{
	struct runner_reply reply;
	int r = send_request(runner, RUNNER_CANCEL, NULL, err);

	if (r < 0)
		return r;
	return await_reply(runner, -1, clock_boot_ms() + CANCEL_MS, &reply, err);
}

/* Ask, wait, and leave no test running on failure. The lock must be held. */
static int ask_runner(struct runner *runner, enum runner_kind kind,
		      const struct test_spec *spec, const struct test_spec *next,
		      int stop_fd, struct runner_reply *ret, struct err *err)
{
	int64_t patience_ms =
		kind == RUNNER_ARM ? ARM_MS
				   : testspec_deadline_ms(spec) + RUNNER_MAIN_GRACE_MS;
	int r = send_tests(runner, kind, spec, next, err);

	if (r < 0)
		return r;
	r = await_reply(runner, stop_fd, clock_boot_ms() + patience_ms, ret, err);
	if (r < 0) {
		if (r != -EPIPE)
			cancel_test(runner, NULL);
		return r;
	}
	if (ret->code < 0 && err)
		*err = ret->err;
	return ret->code;
}

static void log_test(const char *what, const struct test_spec *spec, int code,
		     const struct dir_result *result)
{
	debug_log("test", "%s %u, %s, %s, port %d: %s%s%s", what, spec->id,
		  spec->kind == TEST_FULL_SIZE ? "full-size packets" : "throughput",
		  spec->role == ROLE_SERVER ? "server" : direction_name(spec->dir),
		  spec->port, code < 0 ? strerror(-code) : "ok", result ? ", " : "",
		  result ? test_status_name(result->status) : "");
}

/* What came before its data is the test's setup, what came after it its teardown. */
static void log_data(const struct dir_result *result)
{
	int64_t left_ms = clock_wall_ms() - result->started_at_ms - result->duration_ms;

	if (result->duration_ms > 0)
		debug_log("test", "data for %lld ms, until %lld ms ago",
			  (long long)result->duration_ms,
			  (long long)(left_ms > 0 ? left_ms : 0));
}

int runner_arm_first(struct runner *runner, const struct test_spec *spec,
		     const struct test_spec *next, struct err *err)
{
	struct runner_reply reply;
	int r;

	pthread_mutex_lock(&runner->lock);
	r = ask_runner(runner, RUNNER_ARM, spec, next, -1, &reply, err);
	pthread_mutex_unlock(&runner->lock);
	log_test("arm", spec, r, NULL);
	return r;
}

int runner_arm(struct runner *runner, const struct test_spec *spec, struct err *err)
{
	return runner_arm_first(runner, spec, NULL, err);
}

static int measure(struct runner *runner, enum runner_kind kind,
		   const struct test_spec *spec, const struct test_spec *next,
		   int stop_fd, struct dir_result *ret, struct err *err)
{
	struct runner_reply reply;
	int r;

	pthread_mutex_lock(&runner->lock);
	r = ask_runner(runner, kind, spec, next, stop_fd, &reply, err);
	pthread_mutex_unlock(&runner->lock);
	if (r == 0)
		log_data(&reply.result);
	log_test("measure", spec, r, r < 0 ? NULL : &reply.result);
	if (r < 0)
		return r;
	*ret = reply.result;
	runner->stalled_ms = reply.stalled_ms;
	return 0;
}

int runner_measure(struct runner *runner, const struct test_spec *spec, int stop_fd,
		   struct dir_result *ret, struct err *err)
{
	return measure(runner, RUNNER_MEASURE, spec, NULL, stop_fd, ret, err);
}

int runner_measure_first(struct runner *runner, const struct test_spec *spec,
			 const struct test_spec *next, int stop_fd,
			 struct dir_result *ret, struct err *err)
{
	return measure(runner, RUNNER_MEASURE, spec, next, stop_fd, ret, err);
}

int runner_measure_next(struct runner *runner, const struct test_spec *spec,
			int stop_fd, struct dir_result *ret, struct err *err)
{
	return measure(runner, RUNNER_RELEASE, spec, NULL, stop_fd, ret, err);
}

int64_t runner_stalled_ms(const struct runner *runner)
{
	return runner->stalled_ms;
}

int runner_result(struct runner *runner, uint32_t id, struct dir_result *ret,
		  struct err *err)
{
	struct test_spec spec = {.id = id};
	struct runner_reply reply;
	int r;

	pthread_mutex_lock(&runner->lock);
	r = send_request(runner, RUNNER_RESULT, &spec, err);
	if (r == 0)
		r = await_reply(runner, -1, clock_boot_ms() + RESULT_MS, &reply, err);
	pthread_mutex_unlock(&runner->lock);
	if (r < 0)
		return r;
	if (reply.code < 0 && err)
		*err = reply.err;
	if (reply.code == 0)
		*ret = reply.result;
	return reply.code;
}

int runner_cancel(struct runner *runner, struct err *err)
{
	int r;

	pthread_mutex_lock(&runner->lock);
	r = cancel_test(runner, err);
	pthread_mutex_unlock(&runner->lock);
	return r;
}

int runner_disturbed(struct runner *runner, struct err *err)
{
	int64_t until_ms = clock_boot_ms() + ASK_WAIT_MS;
	struct runner_reply reply;
	int r;

	while (pthread_mutex_trylock(&runner->lock) != 0) {
		if (clock_boot_ms() >= until_ms)
			return 0;
		io_wait(-1, -1, clock_boot_ms() + 1);
	}
	r = send_request(runner, RUNNER_ASK, NULL, NULL);
	if (r == 0)
		r = await_reply(runner, -1, clock_boot_ms() + CANCEL_MS, &reply, NULL);
	pthread_mutex_unlock(&runner->lock);
	if (r < 0 || reply.code == 0)
		return 0;
	if (err)
		*err = reply.err;
	return reply.code;
}
