/* Main's side of the runner. */
#include "engine/runner.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "engine/runner_msg.h"
#include "engine/tcp.h"

#define ARM_MS    2000
#define CANCEL_MS 1000
#define RESULT_MS 1000
/* A renewal must not wait for a test to be armed, but for another renewal's question. */
#define ASK_WAIT_MS 50

struct runner {
	int fd;
	int reserved_fd; /* has the port of the next test */
	uint32_t serial;
	int64_t stalled_ms;
	pthread_mutex_t lock;
};

int runner_new(int fd, struct runner **ret, struct err *err)
{
	struct runner *runner = calloc(1, sizeof(*runner));

	if (!runner)
		return err_set(err, -ENOMEM, "out of memory for the runner");
	runner->fd = fd;
	runner->reserved_fd = -1;
	pthread_mutex_init(&runner->lock, NULL);
	*ret = runner;
	return 0;
}

void runner_free(struct runner *runner)
{
	if (!runner)
		return;
	fd_close(&runner->fd);
	fd_close(&runner->reserved_fd);
	pthread_mutex_destroy(&runner->lock);
	free(runner);
}

int runner_reserve(struct runner *runner, const char *local)
{
	int port;

	pthread_mutex_lock(&runner->lock);
	fd_close(&runner->reserved_fd);
	port = tcp_reserve(local, &runner->reserved_fd);
	pthread_mutex_unlock(&runner->lock);
	return port > 0 ? port : 0;
}

static int runner_gone(struct err *err)
{
	return err_set(err, -EPIPE, "the process that runs the tests has ended");
}

static int send_request(struct runner *runner, enum runner_kind kind,
			const struct test_spec *spec, struct err *err)
{
	struct runner_request request;
	ssize_t n;

	memset(&request, 0, sizeof(request));
	request.kind = kind;
	request.serial = ++runner->serial;
	if (spec)
		request.spec = *spec;
	do {
		/* A runner that reads no more is as good as gone: no waiting for room. */
		n = send(runner->fd, &request, sizeof(request),
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		return runner_gone(err);
	if (n < 0)
		return err_sys(err, errno,
			       "cannot reach the process that runs the tests");
	return 0;
}

/* The reply to the last request; older ones are dropped. -ETIMEDOUT, -EINTR, -EPIPE. */
static int await_reply(struct runner *runner, int stop_fd, int64_t deadline_ms,
		       struct runner_reply *ret, struct err *err)
{
	for (;;) {
		int ready = io_wait(runner->fd, stop_fd, deadline_ms);
		ssize_t n;

		if (ready == 0)
			return err_set(
				err, -ETIMEDOUT,
				"the process that runs the tests does not answer");
		if (ready == -EINTR)
			return err_set(err, -EINTR, "the test was stopped");
		if (ready == -EPIPE)
			return runner_gone(err);
		if (ready < 0)
			return err_sys(err, -ready, "cannot wait for the test");
		n = recv(runner->fd, ret, sizeof(*ret), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return runner_gone(err);
		if (n == (ssize_t)sizeof(*ret) && ret->serial == runner->serial)
			return 0;
	}
}

/* With the lock held. */
static int cancel(struct runner *runner, struct err *err)
{
	struct runner_reply reply;
	int ret = send_request(runner, RUNNER_CANCEL, NULL, err);

	if (ret < 0)
		return ret;
	return await_reply(runner, -1, clock_boot_ms() + CANCEL_MS, &reply, err);
}

/* With the lock held: ask, wait, and leave nothing running on failure. */
static int ask(struct runner *runner, enum runner_kind kind,
	       const struct test_spec *spec, int stop_fd, struct runner_reply *ret,
	       struct err *err)
{
	int64_t patience_ms =
		kind == RUNNER_ARM ? ARM_MS
				   : testspec_deadline_ms(spec) + RUNNER_MAIN_GRACE_MS;
	int code = send_request(runner, kind, spec, err);

	if (code < 0)
		return code;
	code = await_reply(runner, stop_fd, clock_boot_ms() + patience_ms, ret, err);
	if (code < 0) {
		if (code != -EPIPE)
			cancel(runner, NULL);
		return code;
	}
	if (ret->code < 0 && err)
		*err = ret->err;
	return ret->code;
}

int runner_arm(struct runner *runner, const struct test_spec *spec, struct err *err)
{
	struct runner_reply reply;
	int ret;

	pthread_mutex_lock(&runner->lock);
	ret = ask(runner, RUNNER_ARM, spec, -1, &reply, err);
	pthread_mutex_unlock(&runner->lock);
	return ret;
}

int runner_measure(struct runner *runner, const struct test_spec *spec, int stop_fd,
		   struct dir_result *ret, struct err *err)
{
	struct runner_reply reply;
	int code;

	pthread_mutex_lock(&runner->lock);
	code = ask(runner, RUNNER_MEASURE, spec, stop_fd, &reply, err);
	pthread_mutex_unlock(&runner->lock);
	if (code < 0)
		return code;
	*ret = reply.result;
	runner->stalled_ms = reply.stalled_ms;
	return 0;
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
	int code;

	pthread_mutex_lock(&runner->lock);
	code = send_request(runner, RUNNER_RESULT, &spec, err);
	if (code == 0)
		code = await_reply(runner, -1, clock_boot_ms() + RESULT_MS, &reply,
				   err);
	pthread_mutex_unlock(&runner->lock);
	if (code < 0)
		return code;
	if (reply.code < 0 && err)
		*err = reply.err;
	if (reply.code == 0)
		*ret = reply.result;
	return reply.code;
}

int runner_cancel(struct runner *runner, struct err *err)
{
	int ret;

	pthread_mutex_lock(&runner->lock);
	ret = cancel(runner, err);
	pthread_mutex_unlock(&runner->lock);
	return ret;
}

int runner_disturbed(struct runner *runner, struct err *err)
{
	int64_t until_ms = clock_boot_ms() + ASK_WAIT_MS;
	struct runner_reply reply;
	int ret;

	while (pthread_mutex_trylock(&runner->lock) != 0) {
		if (clock_boot_ms() >= until_ms)
			return 0;
		io_wait(-1, -1, clock_boot_ms() + 1);
	}
	ret = send_request(runner, RUNNER_ASK, NULL, NULL);
	if (ret == 0)
		ret = await_reply(runner, -1, clock_boot_ms() + CANCEL_MS, &reply,
				  NULL);
	pthread_mutex_unlock(&runner->lock);
	if (ret < 0 || reply.code == 0)
		return 0;
	if (err)
		*err = reply.err;
	return reply.code;
}
