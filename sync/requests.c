/* Which request it is, whose, and may it. */

#include "sync/requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"

/* While an operation runs: its end is an event, and comes before. */
#define TICK_BUSY_MS 100

/* One request on its way. */
struct call {
	struct requests *requests;
	const struct http_request *request;
	struct http_response *response;
	bool ours; /* it knows the session's id, or has just got it */
	struct err err;
};

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
	return gate_enter(&call->requests->gate, call->request->address, id,
			  &call->err);
}

/* requests_tick() has something new to say after each. */
static void operation_end(struct call *call, bool renew)
{
	uint64_t one = 1;

	gate_leave(&call->requests->gate, renew);
	io_write_all(call->requests->event_fd, &one, sizeof(one));
}

/* With the gate's lock. */
static void expire(struct requests *q)
{
	if (gate_expire(&q->gate))
		q->ops->expired(q->ctx);
}

/* Without waiting for the operation under way: it may be another's. */
static int check_free(struct call *call, const struct msg_open *m)
{
	struct session session = gate_session(&call->requests->gate);
	struct session_wish wish = {
		.address = call->request->address,
		.run = m->run.uuid,
		.secret = m->secret,
	};
	bool resumed;

	return session_open(&session, &wish, clock_boot_ms(), &resumed, &call->err);
}

static int open_session(struct call *call, struct msg_open *m,
			struct msg_opened *opened)
{
	struct requests *q = call->requests;
	const char *address = call->request->address;
	struct session_wish wish = {
		.address = address,
		.run = m->run.uuid,
		.secret = m->secret,
	};
	struct session next;
	bool resumed;
	int rc;

	if (m->lease_ms > q->lease_max_ms)
		m->lease_ms = q->lease_max_ms;
	wish.lease_ms = m->lease_ms;
	expire(q);
	/* The session there is stays as it is unless the operation succeeds. */
	next = gate_session(&q->gate);
	rc = session_open(&next, &wish, clock_boot_ms(), &resumed, &call->err);
	if (rc < 0)
		return rc;
	rc = q->ops->open(q->ctx, m, address, resumed, &opened->server, &call->err);
	if (rc < 0)
		return rc;
	gate_install(&q->gate, &next);
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
		gate_lock(&call->requests->gate);
		rc = open_session(call, &m, &opened);
		operation_end(call, false);
	}
	if (rc < 0)
		answer(call, rc);
	else
		answer_json(call, msg_opened_encode(&opened, &call->err));
}

typedef int run_fn(struct call *call, const void *message);

/* One of the session's operations, if its message decoded (`rc`). One that answers with
 * more than yes or no has done so when it returns 0. */
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
	if (rc < 0 || !call->response->json)
		answer(call, rc);
}

static int run_pair(struct call *call, const void *message)
{
	struct requests *q = call->requests;

	return q->ops->pair(q->ctx, message, &call->err);
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
	struct requests *q = call->requests;

	return q->ops->arm(q->ctx, message, &call->err);
}

static void handle_arm(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_arm m;
	int rc = msg_arm_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_arm, &m);
}

static int run_probe(struct call *call, const void *message)
{
	struct requests *q = call->requests;
	struct msg_probing probing = {0};
	int rc = q->ops->probe(q->ctx, message, &probing, &call->err);

	if (rc == 0)
		answer_json(call, msg_probing_encode(&probing, &call->err));
	return rc;
}

static void handle_probe(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_probe m;
	int rc = msg_probe_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_probe, &m);
}

static int run_figures(struct call *call, const void *message)
{
	const struct msg_ask *m = message;
	struct requests *q = call->requests;
	struct msg_figures figures;
	int rc = q->ops->figures(q->ctx, m->test, &figures, &call->err);

	if (rc == 0)
		answer_json(call, msg_figures_encode(&figures, &call->err));
	return rc;
}

static void handle_figures(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_ask m;
	int rc = msg_ask_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_figures, &m);
}

static int run_commit(struct call *call, const void *message)
{
	struct requests *q = call->requests;

	(void)message;
	return q->ops->commit(q->ctx, &call->err);
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
	struct requests *q = call->requests;
	struct msg_session m;
	int rc = msg_session_decode(request->body, request->size, &m, &call->err);

	if (rc == 0)
		rc = gate_check(&q->gate, request->address, m.session, &call->err);
	call->ours = rc == 0;
	if (rc == 0)
		rc = q->ops->renew(q->ctx, &call->err);
	if (rc == 0)
		gate_renew(&q->gate, request->address, m.session);
	answer(call, rc);
}

/* Whether "/v1/run/<uuid>/row/<seq>" names the session's run and this row. */
static int check_row_path(struct call *call, const struct msg_row *m)
{
	struct session session = gate_session(&call->requests->gate);
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
	struct requests *q = call->requests;
	const struct msg_row *m = message;
	int rc = check_row_path(call, m);

	if (rc == 0)
		rc = q->ops->row(q->ctx, &m->row, &call->err);
	if (rc == 0)
		gate_count_row(&q->gate, m->row.seq);
	return rc;
}

static void handle_row(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_row m;
	int rc = msg_row_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_row, &m);
}

static int run_path(struct call *call, const void *message)
{
	struct requests *q = call->requests;

	return q->ops->path(q->ctx, message, &call->err);
}

static void handle_path(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_path m;
	int rc = msg_path_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_path, &m);
}

static int run_verdict(struct call *call, const void *message)
{
	struct requests *q = call->requests;

	return q->ops->verdict(q->ctx, message, &call->err);
}

static void handle_verdict(struct call *call)
{
	const struct http_request *request = call->request;
	struct msg_verdict m;
	int rc = msg_verdict_decode(request->body, request->size, &m, &call->err);

	operate(call, rc, m.session, run_verdict, &m);
}

static int close_session(struct call *call, const struct msg_close *m)
{
	struct requests *q = call->requests;
	struct msg_answer *said = &q->closed_answer;
	int rc;

	/* This peer's answer got lost, and it asks again. */
	if (gate_was_closed(&q->gate, call->request->address, m->session)) {
		text_copy(call->err.text, sizeof(call->err.text), said->text);
		return -said->code;
	}
	rc = gate_check(&q->gate, call->request->address, m->session, &call->err);
	if (rc < 0)
		return rc;
	rc = q->ops->close(q->ctx, m->outcome, m->text, &call->err);
	said->code = -rc;
	text_copy(said->text, sizeof(said->text), call->err.text);
	gate_close(&q->gate);
	return rc;
}

static void handle_close(struct call *call)
{
	const struct http_request *request = call->request;
	struct gate *gate = &call->requests->gate;
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
	struct requests *q = call->requests;
	struct msg_hello m = {0};

	q->ops->hello(q->ctx, &m);
	m.protocol = MSG_PROTOCOL;
	m.busy = gate_session(&q->gate).open;
	answer_json(call, msg_hello_encode(&m, &call->err));
}

static void handle_status(struct call *call)
{
	struct msg_status m;

	gate_status(&call->requests->gate, &m);
	answer_json(call, msg_status_encode(&m, &call->err));
}

/* --- which request it is --- */

struct route {
	const char *path; /* or its beginning, where it ends in '/' */
	const char *method;
	void (*handle)(struct call *call);
};

static const struct route routes[] = {
	{"/v1/hello", "GET", handle_hello},      {"/v1/status", "GET", handle_status},
	{"/v1/session", "POST", handle_open},    {"/v1/pair", "POST", handle_pair},
	{"/v1/arm", "POST", handle_arm},         {"/v1/run/", "PUT", handle_row},
	{"/v1/lease", "POST", handle_renew},     {"/v1/commit", "POST", handle_commit},
	{"/v1/close", "POST", handle_close},     {"/v1/probe", "POST", handle_probe},
	{"/v1/figures", "POST", handle_figures}, {"/v1/path", "POST", handle_path},
	{"/v1/verdict", "POST", handle_verdict},
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

void requests_handle(struct requests *requests, const struct http_request *request,
		     struct http_response *ret)
{
	const struct route *route = find_route(request->path);
	struct call call = {.requests = requests, .request = request, .response = ret};

	if (page_handle(&requests->page, request, ret)) {
		ret->keep = false;
		return;
	}
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

int requests_init(struct requests *requests, const struct endpoint_config *config,
		  struct err *err)
{
	*requests = (struct requests){
		.lease_max_ms = config->lease_max_ms,
		.ops = config->ops,
		.ctx = config->ctx,
	};
	gate_init(&requests->gate);
	page_init(&requests->page,
		  config->ops->page.progress ? &config->ops->page : NULL, config->ctx);
	requests->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (requests->event_fd < 0)
		return err_sys(err, errno, "cannot make an event descriptor");
	return 0;
}

void requests_release(struct requests *requests)
{
	fd_close(&requests->event_fd);
	page_release(&requests->page);
	gate_release(&requests->gate);
}

int requests_tick(struct requests *requests)
{
	struct session session;
	uint64_t events;

	if (read(requests->event_fd, &events, sizeof(events)) < 0 && errno != EAGAIN)
		return TICK_BUSY_MS;
	if (!gate_try_lock(&requests->gate))
		return TICK_BUSY_MS;
	expire(requests);
	gate_leave(&requests->gate, false);
	session = gate_session(&requests->gate);
	return session.open ? clock_left_ms(session.expires_at_ms) : -1;
}
