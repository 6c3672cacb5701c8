/* The runner's process: one request, one child at a time. */
#include "engine/runner.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "engine/iperf_test.h"
#include "engine/runner_child.h"
#include "engine/runner_msg.h"

struct server {
	int fd;
	struct child child;
	bool awaited;    /* somebody waits for a reply about the child */
	uint32_t serial; /* theirs */
	enum test_role role;
	int64_t deadline_ms;
};

/* A main that does not read is on its way out: the socket's end will tell. To wait for
 * it would keep the children from their deadlines. */
static void send_reply(const struct server *s, const struct runner_reply *reply)
{
	ssize_t n;

	do {
		n = send(s->fd, reply, sizeof(*reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
}

static void init_reply(struct runner_reply *reply, uint32_t serial)
{
	memset(reply, 0, sizeof(*reply));
	reply->serial = serial;
}

static void reply_armed(struct server *s)
{
	struct runner_reply reply;

	init_reply(&reply, s->serial);
	s->awaited = false;
	send_reply(s, &reply);
}

/* The child has ended by itself: pass on what came of it. */
static void reply_ended(struct server *s)
{
	const struct child *child = &s->child;
	struct runner_reply reply;
	char why[RESULT_TEXT];

	if (!s->awaited)
		return;
	s->awaited = false;
	init_reply(&reply, s->serial);
	reply.result = child->result.result;
	if (!child->reported) {
		child_describe(child, why, sizeof(why));
		dir_result_init(&reply.result, TEST_ERROR, "%s", why);
		reply.result.started_at_ms = clock_wall_ms();
	}
	if (s->role == ROLE_SERVER) {
		reply.code = child->reported && child->result.code < 0
				     ? child->result.code
				     : -EIO;
		err_set(&reply.err, reply.code, "cannot start the test's server: %s",
			reply.result.text);
	}
	send_reply(s, &reply);
}

static void reply_overdue(struct server *s)
{
	struct runner_reply reply;

	if (!s->awaited)
		return;
	s->awaited = false;
	init_reply(&reply, s->serial);
	dir_result_init(&reply.result, TEST_TIMEOUT,
			"the test's process did not end by its deadline and was ended");
	reply.result.started_at_ms = clock_wall_ms();
	if (s->role == ROLE_SERVER)
		reply.code = err_set(&reply.err, -ETIMEDOUT,
				     "the test's server did not start to listen");
	send_reply(s, &reply);
}

static void start_test(struct server *s, const struct runner_request *request)
{
	struct runner_reply reply;
	enum test_role role = request->kind == RUNNER_ARM ? ROLE_SERVER : ROLE_CLIENT;

	init_reply(&reply, request->serial);
	if (request->spec.role != role)
		reply.code = err_set(&reply.err, -EINVAL,
				     "the test is for the other end's role");
	if (reply.code == 0)
		reply.code = testspec_check(&request->spec, &reply.err);
	if (reply.code == 0)
		reply.code = child_start(&s->child, &request->spec, s->fd, &reply.err);
	if (reply.code < 0) {
		send_reply(s, &reply);
		return;
	}
	s->awaited = true;
	s->serial = request->serial;
	s->role = role;
	s->deadline_ms = clock_boot_ms() + testspec_deadline_ms(&request->spec) +
			 RUNNER_CHILD_GRACE_MS;
	if (role == ROLE_SERVER)
		s->deadline_ms += IPERF_SERVER_GRACE_MS;
}

static void handle(struct server *s, const struct runner_request *request)
{
	struct runner_reply reply;

	child_end(&s->child);
	s->awaited = false;
	switch (request->kind) {
	case RUNNER_ARM:
	case RUNNER_MEASURE:
		start_test(s, request);
		break;
	case RUNNER_CANCEL:
		init_reply(&reply, request->serial);
		send_reply(s, &reply);
		break;
	}
}

/* 1 for a request, 0 when main is gone or not talking sense. */
static int receive(const struct server *s, struct runner_request *ret)
{
	ssize_t n;

	do {
		n = recv(s->fd, ret, sizeof(*ret), MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret);
}

static void look_after_child(struct server *s, const struct pollfd *output,
			     const struct pollfd *report)
{
	if (output->revents)
		child_read_output(&s->child);
	if (s->child.listens && s->awaited && s->role == ROLE_SERVER)
		reply_armed(s);
	if (report->revents && child_read_report(&s->child)) {
		child_reap(&s->child);
		reply_ended(s);
	} else if (clock_left_ms(s->deadline_ms) == 0) {
		child_end(&s->child);
		reply_overdue(s);
	}
}

int runner_serve(int fd)
{
	struct server s = {.fd = fd, .child = CHILD_NONE};
	struct runner_request request;

	for (;;) {
		struct pollfd waits[3] = {
			{.fd = fd, .events = POLLIN},
			{.fd = s.child.output, .events = POLLIN},
			{.fd = s.child.report, .events = POLLIN},
		};
		bool running = s.child.pid > 0;
		int n = poll(waits, 3, running ? clock_left_ms(s.deadline_ms) : -1);

		if (n < 0 && errno != EINTR)
			break;
		if (n < 0)
			continue;
		if (running)
			look_after_child(&s, &waits[1], &waits[2]);
		if (!waits[0].revents)
			continue;
		if (!receive(&s, &request))
			break;
		handle(&s, &request);
	}
	child_end(&s.child);
	close(fd);
	return 0;
}
