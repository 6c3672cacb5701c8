/* The server's HTTP endpoint: which request it is, whose, and may it. */

#include "sync/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "sync/gate.h"
#include "sync/http.h"

/* The peer keeps two connections, each with a worker of its own; the others are for
 * everybody's next request (sync/callers.h). */
#define TUNNEL_WORKERS   6
#define LOOPBACK_WORKERS 2
#define LOOPBACK         "127.0.0.1"
/* While an operation runs: its end is an event, and comes before. */
#define TICK_BUSY_MS 100

struct endpoint {
	char address[ADDRESS_SIZE];
	char bracketed[ADDRESS_SIZE + 2]; /* as an IPv6 address is written in Host */
	int64_t lease_max_ms;
	const struct endpoint_ops *ops;
	void *ctx;
	struct http *tunnel;
	struct http *loopback; /* NULL where it could not be had */
	int event_fd;
	struct gate gate;
	struct msg_answer closed_answer; /* of the last session its peer closed */
};

/* One request on its way. */
struct call {
	struct endpoint *endpoint;
	const struct http_request *request;
	struct http_response *response;
	bool ours; /* it knows the session's id, or has just got it */
	struct err err;
};

const char *endpoint_library_version(void)
{
	return http_library_version();
}

static void answer(struct call *call, int rc)
{
	http_answer(call->response, -rc, call->err.text);
}

static void answer_json(struct call *call, char *json)
{
	if (!json) {
		answer(call, -EIO);
		return;
	}
	call->response->status = 200;
	call->response->json = json;
}

/* --- a session's operations --- */

/* 0: the operation may run; operation_end() follows. */
static int operation_begin(struct call *call, const char *id)
{
	return gate_enter(&call->endpoint->gate, call->request->address, id,
			  &call->err);
}

/* endpoint_tick() has something new to say after each. */
static void operation_end(struct call *call, bool renew)
{
	uint64_t one = 1;

	gate_leave(&call->endpoint->gate, renew);
	io_write_all(call->endpoint->event_fd, &one, sizeof(one));
}

/* With the gate's lock. */
static void expire(struct endpoint *e)
{
	if (gate_expire(&e->gate))
		e->ops->expired(e->ctx);
}

/* Without waiting for the operation under way: it may be another's. */
static int check_free(struct call *call, const struct msg_open *m)
{
	struct session session = gate_session(&call->endpoint->gate);
	struct session_wish wish = {.address = call->request->address,
				    .run = m->run.uuid};
	bool resumed;

	return session_open(&session, &wish, clock_boot_ms(), &resumed, &call->err);
}

static int open_session(struct call *call, struct msg_open *m,
			struct msg_opened *opened)
{
	struct endpoint *e = call->endpoint;
	const char *address = call->request->address;
	struct session_wish wish = {.address = address, .run = m->run.uuid};
	struct session next;
	bool resumed;
	int rc;

	if (m->lease_ms > e->lease_max_ms)
		m->lease_ms = e->lease_max_ms;
	wish.lease_ms = m->lease_ms;
	expire(e);
	/* The session there is stays as it is unless the operation succeeds. */
	next = gate_session(&e->gate);
	rc = session_open(&next, &wish, clock_boot_ms(), &resumed, &call->err);
	if (rc < 0)
		return rc;
	rc = e->ops->open(e->ctx, m, address, resumed, &opened->server, &call->err);
	if (rc < 0)
		return rc;
	gate_install(&e->gate, &next);
	call->ours = true;
	text_copy(opened->session, sizeof(opened->session), next.id);
	opened->lease_ms = next.lease_ms;
	return 0;
}

static void handle_open(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_opened opened = {0};
	struct msg_open m;
	int rc = msg_open_decode(request->body, request->size, &m, &call->err);

	if (rc == 0)
		rc = check_free(call, &m);
	if (rc == 0) {
		gate_lock(&call->endpoint->gate);
		rc = open_session(call, &m, &opened);
		operation_end(call, false);
	}
	if (rc < 0)
		answer(call, rc);
	else
		answer_json(call, msg_opened_encode(&opened, &call->err));
}

typedef int run_fn(struct call *call, const void *message);

/* One of the session's operations, if its message decoded (`rc`). */
static void operate(struct call *call, int rc, const char *id, run_fn *run,
		    const void *message)
{
	if (rc == 0)
		rc = operation_begin(call, id);
	if (rc == 0) {
		call->ours = true;
		rc = run(call, message);
		operation_end(call, rc == 0);
	}
	answer(call, rc);
}

static int run_pair(struct call *call, const void *message)
{
	struct endpoint *e = call->endpoint;

	return e->ops->pair(e->ctx, message, &call->err);
}

static void handle_pair(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_pair m;
	int rc = msg_pair_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_pair, &m);
}

static int run_arm(struct call *call, const void *message)
{
	struct endpoint *e = call->endpoint;

	return e->ops->arm(e->ctx, message, &call->err);
}

static void handle_arm(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_arm m;
	int rc = msg_arm_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_arm, &m);
}

static int run_commit(struct call *call, const void *message)
{
	struct endpoint *e = call->endpoint;

	(void)message;
	return e->ops->commit(e->ctx, &call->err);
}

static void handle_commit(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_session m;
	int rc = msg_session_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_commit, &m);
}

/* Beside whatever operation runs. */
static void handle_renew(struct call *call)
{
	const struct http_request *request = call->request;
	struct endpoint *e = call->endpoint;
	struct msg_session m;
	int rc = msg_session_decode(request->body, request->size, &m, &call->err);

	if (rc == 0)
		rc = gate_check(&e->gate, request->address, m.session, &call->err);
	call->ours = rc == 0;
	if (rc == 0)
		rc = e->ops->renew(e->ctx, &call->err);
	if (rc == 0)
		gate_renew(&e->gate, request->address, m.session);
	answer(call, rc);
}

/* Whether "/v1/run/<uuid>/row/<seq>" names the session's run and this row. */
static int check_row_path(struct call *call, const struct msg_row *m)
{
	struct session session = gate_session(&call->endpoint->gate);
	char expected[96];

	snprintf(expected, sizeof(expected), "/v1/run/%s/row/%u", session.run,
		 m->row.seq);
	if (strcmp(expected, call->request->path) == 0)
		return 0;
	return err_set(&call->err, -EINVAL,
		       "row refused: its path is not '%s', the session's run and the "
		       "message's row",
		       expected);
}

static int run_row(struct call *call, const void *message)
{
	struct endpoint *e = call->endpoint;
	const struct msg_row *m = message;
	int rc = check_row_path(call, m);

	if (rc == 0)
		rc = e->ops->row(e->ctx, &m->row, &call->err);
	if (rc == 0)
		gate_count_row(&e->gate, m->row.seq);
	return rc;
}

static void handle_row(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_row m;
	int rc = msg_row_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_row, &m);
}

static int close_session(struct call *call, const struct msg_close *m)
{
	struct endpoint *e = call->endpoint;
	struct msg_answer *said = &e->closed_answer;
	int rc;

	/* This peer's answer got lost, and it asks again. */
	if (gate_was_closed(&e->gate, call->request->address, m->session)) {
		text_copy(call->err.text, sizeof(call->err.text), said->text);
		return -said->code;
	}
	rc = gate_check(&e->gate, call->request->address, m->session, &call->err);
	if (rc < 0)
		return rc;
	rc = e->ops->close(e->ctx, m->outcome, m->text, &call->err);
	said->code = -rc;
	text_copy(said->text, sizeof(said->text), call->err.text);
	gate_close(&e->gate);
	return rc;
}

static void handle_close(struct call *call)
{
	const struct http_request *request = call->request;
	struct gate *gate = &call->endpoint->gate;
	struct msg_close m;
	int rc = msg_close_decode(request->body, request->size, &m, &call->err);

	if (rc == 0 && !gate_was_closed(gate, request->address, m.session))
		rc = gate_known(gate, request->address, m.session, &call->err);
	if (rc == 0) {
		gate_lock(gate);
		rc = close_session(call, &m);
		operation_end(call, false);
	}
	answer(call, rc);
}

/* --- reads --- */

static void handle_hello(struct call *call)
{
	struct endpoint *e = call->endpoint;
	struct msg_hello m = {0};

	e->ops->hello(e->ctx, &m);
	m.protocol = MSG_PROTOCOL;
	m.busy = gate_session(&e->gate).open;
	answer_json(call, msg_hello_encode(&m, &call->err));
}

static void handle_status(struct call *call)
{
	struct msg_status m;

	gate_status(&call->endpoint->gate, &m);
	answer_json(call, msg_status_encode(&m, &call->err));
}

/* --- which request it is --- */

struct route {
	const char *path; /* or its beginning, where it ends in '/' */
	const char *method;
	void (*handle)(struct call *call);
};

static const struct route routes[] = {
	{"/v1/hello", "GET", handle_hello},   {"/v1/status", "GET", handle_status},
	{"/v1/session", "POST", handle_open}, {"/v1/pair", "POST", handle_pair},
	{"/v1/arm", "POST", handle_arm},      {"/v1/run/", "PUT", handle_row},
	{"/v1/lease", "POST", handle_renew},  {"/v1/commit", "POST", handle_commit},
	{"/v1/close", "POST", handle_close},
};

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t length = strlen(routes[i].path);
		bool prefix = routes[i].path[length - 1] == '/';

		if (strncmp(path, routes[i].path, length) == 0 &&
		    (prefix || path[length] == '\0'))
			return &routes[i];
	}
	return NULL;
}

static void handle(void *ctx, const struct http_request *request,
		   struct http_response *ret)
{
	const struct route *route = find_route(request->path);
	struct call call = {.endpoint = ctx, .request = request, .response = ret};

	if (!route) {
		http_answer(ret, ENOENT, "nothing is served under this path");
	} else if (strcmp(route->method, request->method) != 0) {
		http_answer(ret, EOPNOTSUPP, "this path is not for this method");
		ret->allow = route->method;
	} else {
		route->handle(&call);
	}
	/* A kept connection holds a worker: only the session's peer is worth one, and
	 * its address alone does not tell it from others on its host. */
	ret->keep = call.ours;
}

/* --- life --- */

/* This host itself may look on; there is no tunnel to it, so it can open nothing. */
static bool is_admitted(void *ctx, const char *address)
{
	const struct endpoint *e = ctx;

	return strcmp(address, e->address) == 0 || e->ops->admit(e->ctx, address);
}

static int listen_tunnel(struct endpoint *e, int port, struct err *err)
{
	struct http_config config = {
		.address = e->address,
		.port = port,
		.workers = TUNNEL_WORKERS,
		.names = {e->address, e->bracketed, NULL},
		.body_limit = MSG_BODY_LIMIT,
		.is_admitted = is_admitted,
		.handle = handle,
		.ctx = e,
	};

	return http_new(&config, &e->tunnel, err);
}

/* For looking on; a host without it, or with another service there, is no worse. */
static void listen_loopback(struct endpoint *e, int port)
{
	struct http_config config = {
		.address = LOOPBACK,
		.port = port,
		.workers = LOOPBACK_WORKERS,
		.read_only = true,
		.names = {LOOPBACK, "localhost", NULL},
		.body_limit = MSG_BODY_LIMIT,
		.handle = handle,
		.ctx = e,
	};

	http_new(&config, &e->loopback, NULL);
}

int endpoint_new(const struct endpoint_config *config, struct endpoint **ret,
		 struct err *err)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return err_set(err, -ENOMEM, "out of memory for the endpoint");
	e->lease_max_ms = config->lease_max_ms;
	e->ops = config->ops;
	e->ctx = config->ctx;
	gate_init(&e->gate);
	text_copy(e->address, sizeof(e->address), config->address);
	snprintf(e->bracketed, sizeof(e->bracketed), "[%s]", e->address);
	e->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->event_fd < 0)
		rc = err_sys(err, errno, "cannot make an event descriptor");
	else
		rc = listen_tunnel(e, config->port, err);
	if (rc < 0) {
		endpoint_free(e);
		return rc;
	}
	listen_loopback(e, config->port);
	*ret = e;
	return 0;
}

void endpoint_free(struct endpoint *endpoint)
{
	if (!endpoint)
		return;
	http_free(endpoint->tunnel);
	http_free(endpoint->loopback);
	fd_close(&endpoint->event_fd);
	gate_release(&endpoint->gate);
	free(endpoint);
}

int endpoint_tick(struct endpoint *endpoint)
{
	struct session session;
	uint64_t events;

	if (read(endpoint->event_fd, &events, sizeof(events)) < 0 && errno != EAGAIN)
		return TICK_BUSY_MS;
	if (!gate_try_lock(&endpoint->gate))
		return TICK_BUSY_MS;
	expire(endpoint);
	gate_leave(&endpoint->gate, false);
	session = gate_session(&endpoint->gate);
	return session.open ? clock_left_ms(session.expires_at_ms) : -1;
}

int endpoint_fd(const struct endpoint *endpoint)
{
	return endpoint->event_fd;
}
