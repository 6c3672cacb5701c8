/* SPDX-License-Identifier: MIT */
/* The runner's process: one request at a time, and a child for its test; another one for
 * the next test, while that is set up. */
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
	bool awaited;    /* main waits for a reply about the child */
	uint32_t serial; /* the serial of main's request */
	/* serial of the request that waits for the armed test's result; 0: none */
	uint32_t wanted;
	struct test_spec spec; /* the child's test */
	int64_t deadline_ms;
	/* the test that follows it, held in a process of its own while this one's data
	 * flows; no pid: not begun, or no more */
	struct child ahead;
	struct test_spec next;
	bool followed;  /* `ahead` is still to be begun */
	bool disturbed; /* others than the peer disturbed the last armed test */
	struct err disturbance;
};

/* Do not wait for a main that does not read: it is ending, and the socket's end will
 * show that. Waiting would delay the children's deadlines. */
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

/* Pass on the result of a child that ended by itself. */
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
	reply.stalled_ms = child->result.stalled_ms;
	if (!child->reported) {
		child_describe(child, why, sizeof(why));
		dir_result_init(&reply.result, TEST_ERROR, "%s", why);
		reply.result.started_at_ms = clock_wall_ms();
	}
	if (s->spec.role == ROLE_SERVER) {
		reply.code = child->reported && child->result.code < 0
				     ? child->result.code
				     : -EIO;
		err_set(&reply.err, reply.code, "cannot start the test's server: %s",
			reply.result.text);
	} else if (child->reported && err_is_shortage(child->result.code)) {
		reply.code = child->result.code;
		err_set(&reply.err, 0, "cannot run the test: %s", reply.result.text);
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
			"the test's process missed its deadline and was killed");
	reply.result.started_at_ms = clock_wall_ms();
	if (s->spec.role == ROLE_SERVER)
		reply.code = err_set(&reply.err, -ETIMEDOUT,
				     "the test's server did not start to listen");
	send_reply(s, &reply);
}

static void set_deadline(struct server *s)
{
	s->deadline_ms = clock_boot_ms() + testspec_deadline_ms(&s->spec) +
			 RUNNER_CHILD_GRACE_MS;
	if (s->spec.role == ROLE_SERVER)
		s->deadline_ms += IPERF_SERVER_GRACE_MS;
}

static int check_request(const struct runner_request *request, enum test_role role,
			 struct err *err)
{
	int r = testspec_check(&request->spec, err);

	if (r == 0 && request->spec.followed)
		r = testspec_check(&request->next, err);
	if (r == 0 && (request->spec.role != role ||
		       (request->spec.followed && request->next.role != role)))
		r = err_set(err, -EINVAL, "the test is for the other role");
	return r;
}

static void start_test(struct server *s, const struct runner_request *request)
{
	struct runner_reply reply;
	enum test_role role = request->kind == RUNNER_ARM ? ROLE_SERVER : ROLE_CLIENT;

	init_reply(&reply, request->serial);
	s->disturbed = false;
	reply.code = check_request(request, role, &reply.err);
	if (reply.code == 0)
		reply.code = child_start(&s->child, &request->spec, s->fd, &reply.err);
	if (reply.code < 0) {
		send_reply(s, &reply);
		return;
	}
	s->awaited = true;
	s->serial = request->serial;
	s->spec = request->spec;
	s->next = request->next;
	s->followed = request->spec.followed;
	set_deadline(s);
}

/* The held test takes the place of the one that has ended. */
static void release_next(struct server *s)
{
	s->child = s->ahead;
	s->ahead = (struct child)CHILD_NONE;
	s->spec = s->next;
	/* Where it is armed again, nothing precedes it. */
	s->spec.held = false;
	s->disturbed = false;
	set_deadline(s);
	child_release(&s->child);
}

/* Measure with the client's held test, if it has its connections. */
static void measure_next(struct server *s, const struct runner_request *request)
{
	struct runner_reply reply;

	child_end(&s->child);
	s->followed = false;
	if (s->ahead.pid > 0 && s->ahead.armed && s->next.id == request->spec.id &&
	    s->next.role == ROLE_CLIENT) {
		release_next(s);
		s->awaited = true;
		s->serial = request->serial;
		return;
	}
	child_end(&s->ahead);
	s->awaited = false;
	init_reply(&reply, request->serial);
	reply.code = err_set(&reply.err, -ENOENT, "the test '%u' is not set up",
			     request->spec.id);
	send_reply(s, &reply);
}

static void reply_asked(const struct server *s, uint32_t serial)
{
	struct runner_reply reply;

	init_reply(&reply, serial);
	if (s->disturbed) {
		reply.code = -ECONNABORTED;
		reply.err = s->disturbance;
	}
	send_reply(s, &reply);
}

static void reply_result(struct server *s)
{
	struct runner_reply reply;

	init_reply(&reply, s->wanted);
	s->wanted = 0;
	if (s->child.reported)
		reply.result = s->child.result.result;
	else
		reply.code =
			err_set(&reply.err, -ENOENT, "the test ended without a result");
	send_reply(s, &reply);
}

/* Reply with the result of the last armed test, now or when it has one. */
static void want_result(struct server *s, const struct runner_request *request)
{
	struct runner_reply reply;

	if (s->spec.role == ROLE_SERVER && s->spec.id == request->spec.id &&
	    s->deadline_ms > 0) {
		s->wanted = request->serial;
		if (s->child.reported || s->child.pid == 0)
			reply_result(s);
		return;
	}
	init_reply(&reply, request->serial);
	reply.code = err_set(&reply.err, -ENOENT, "the test armed last is not '%u'",
			     request->spec.id);
	send_reply(s, &reply);
}

static void handle_runner_request(struct server *s,
				  const struct runner_request *request)
{
	struct runner_reply reply;

	if (request->kind == RUNNER_ASK) {
		reply_asked(s, request->serial);
		return;
	}
	if (request->kind == RUNNER_RESULT) {
		want_result(s, request);
		return;
	}
	if (request->kind == RUNNER_RELEASE) {
		measure_next(s, request);
		return;
	}
	child_end(&s->child);
	child_end(&s->ahead);
	s->awaited = false;
	s->followed = false;
	s->wanted = 0;
	switch (request->kind) {
	case RUNNER_ARM:
	case RUNNER_MEASURE:
		start_test(s, request);
		break;
	case RUNNER_CANCEL:
		init_reply(&reply, request->serial);
		send_reply(s, &reply);
		break;
	case RUNNER_ASK:
	case RUNNER_RESULT:
	case RUNNER_RELEASE:
		break;
	}
}

/* 1 for a request, 0 when main is gone or sent nonsense. */
static int receive_request(const struct server *s, struct runner_request *ret)
{
	ssize_t n;

	do {
		n = recv(s->fd, ret, sizeof(*ret), MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret);
}

/* Call it with the child's report, or after the child's end. */
static void note_disturbance(struct server *s)
{
	const struct child *child = &s->child;
	char why[RESULT_TEXT];

	/* Before a test is armed, the peer does not know of it. */
	if (s->disturbed || !child->armed || !child_was_disturbed(child))
		return;
	child_describe(child, why, sizeof(why));
	s->disturbed = true;
	err_set(&s->disturbance, 0, "the test was disturbed: %s",
		child->reported ? child->result.result.text : why);
}

/* Arm a server's test again that others than the peer ended, in a new process: the peer
 * may be on its way. */
static bool arm_again(struct server *s)
{
	if (s->spec.role != ROLE_SERVER || !child_was_disturbed(&s->child))
		return false;
	/* It has the port. */
	child_end(&s->ahead);
	if (child_start(&s->child, &s->spec, s->fd, NULL) < 0)
		return false;
	s->followed = s->spec.followed;
	return true;
}

/* Set the next test up, once there is room for it. It is held, so that no data flows
 * before this one's end. Without it the peer has it armed as usual. */
static void begin_next(struct server *s)
{
	if (!s->followed || !s->child.flowing)
		return;
	s->followed = false;
	child_start(&s->ahead, &s->next, s->fd, NULL);
}

/* After the end of a server's test: the peer has all of it where it came to a good end, and
 * goes on with the next. Where it did not, it arms a test anew. */
static void follow_test(struct server *s)
{
	if (s->spec.role != ROLE_SERVER || s->ahead.pid == 0)
		return;
	if (s->child.reported && s->child.result.code == 0 &&
	    s->child.result.result.status == TEST_OK)
		release_next(s);
	else
		child_end(&s->ahead);
}

static void look_after_next(struct server *s, const struct pollfd *output,
			    const struct pollfd *report)
{
	if (output->revents)
		child_read_output(&s->ahead);
	if (report->revents && child_read_report(&s->ahead))
		child_reap(&s->ahead);
}

static void look_after_child(struct server *s, const struct pollfd *output,
			     const struct pollfd *report)
{
	bool ended = report->revents && child_read_report(&s->child);

	if (output->revents)
		child_read_output(&s->child);
	if (s->spec.role == ROLE_SERVER && s->child.armed && s->awaited)
		reply_armed(s);
	if (ended)
		child_reap(&s->child);
	if (ended || s->child.reported)
		note_disturbance(s);
	if (s->wanted && s->child.reported)
		reply_result(s);
	begin_next(s);
	if (ended) {
		if (!arm_again(s)) {
			reply_ended(s);
			follow_test(s);
		}
	} else if (clock_left_ms(s->deadline_ms) == 0) {
		child_end(&s->child);
		child_end(&s->ahead);
		reply_overdue(s);
	}
}

int runner_serve(int fd)
{
	struct server s = {.fd = fd, .child = CHILD_NONE, .ahead = CHILD_NONE};
	struct runner_request request;

	for (;;) {
		struct pollfd waits[5] = {
			{.fd = fd, .events = POLLIN},
			{.fd = s.child.output, .events = POLLIN},
			{.fd = s.child.report, .events = POLLIN},
			{.fd = s.ahead.output, .events = POLLIN},
			{.fd = s.ahead.report, .events = POLLIN},
		};
		bool running = s.child.pid > 0;
		int n = poll(waits, s.ahead.pid > 0 ? 5 : 3,
			     running ? clock_left_ms(s.deadline_ms) : -1);

		/* RLIMIT_NOFILE has become smaller than the list: do with less. */
		if (n < 0 && errno == EINVAL && s.ahead.pid > 0)
			child_end(&s.ahead);
		else if (n < 0 && errno != EINTR)
			break;
		if (n < 0)
			continue;
		if (s.ahead.pid > 0)
			look_after_next(&s, &waits[3], &waits[4]);
		if (running)
			look_after_child(&s, &waits[1], &waits[2]);
		if (!waits[0].revents)
			continue;
		if (!receive_request(&s, &request))
			break;
		handle_runner_request(&s, &request);
	}
	child_end(&s.child);
	child_end(&s.ahead);
	close(fd);
	return 0;
}
