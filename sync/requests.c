/* SPDX-License-Identifier: MIT */
/* Find the request's operation and its session, and check that it is allowed. */

#include "sync/requests.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/text.h"

/* While an operation runs: its end is an event, and comes before. */
#define TICK_BUSY_MS 100

/* One request on its way. */
struct call {
	struct requests *requests;
	const struct http_request *request;
	struct http_response *response;
	bool ours;    /* it knows the session's id, or has just got it */
	bool greeted; /* it was a hello: a session is asked for next */
	struct err err;
};

/* The content of a request. All but `open` begin with the id of a session. */
union message {
	char session[TOKEN_SIZE];
	struct msg_open open;
	struct msg_pair pair;
	struct msg_arm arm;
	struct msg_probe probe;
	struct msg_ask figures;
	struct msg_row row;
	struct msg_path path;
	struct msg_recommendation recommendation;
	struct msg_session lease;
	struct msg_session commit;
	struct msg_close close;
};

#define BEGINS_WITH_SESSION(name)                           \
	_Static_assert(offsetof(struct name, session) == 0, \
		       "union message reads it as its session")
BEGINS_WITH_SESSION(msg_pair);
BEGINS_WITH_SESSION(msg_arm);
BEGINS_WITH_SESSION(msg_probe);
BEGINS_WITH_SESSION(msg_ask);
BEGINS_WITH_SESSION(msg_row);
BEGINS_WITH_SESSION(msg_path);
BEGINS_WITH_SESSION(msg_recommendation);
BEGINS_WITH_SESSION(msg_session);
BEGINS_WITH_SESSION(msg_close);

#define DEFINE_DECODE(member, type)                                                   \
	static int decode_##member(const char *json, size_t size, union message *ret, \
				   struct err *err)                                   \
	{                                                                             \
		return msg_##type##_decode(json, size, &ret->member, err);            \
	}
DEFINE_DECODE(open, open)
DEFINE_DECODE(pair, pair)
DEFINE_DECODE(arm, arm)
DEFINE_DECODE(probe, probe)
DEFINE_DECODE(figures, ask)
DEFINE_DECODE(row, row)
DEFINE_DECODE(path, path)
DEFINE_DECODE(recommendation, recommendation)
DEFINE_DECODE(lease, session)
DEFINE_DECODE(commit, session)
DEFINE_DECODE(close, close)

/*
 * How a request is served. `run` returns 0 or a negative errno with its sentence in
 * call->err; one that answers with more than yes or no has done so when it returns 0.
 */
struct route {
	const char *method;
	const char *path; /* or its beginning, where it ends in '/' */
	/* NULL: it says nothing beside its path. */
	int (*decode)(const char *json, size_t size, union message *ret,
		      struct err *err);
	/* When and for whom it runs; calls `run`. */
	int (*serve)(struct call *call, const struct route *route, union message *m);
	int (*run)(struct call *call, union message *m);
	bool at_end; /* a peer sends it when its run ends */
};

static int answer_json(struct call *call, char *json)
{
	if (!json)
		return -EIO;
	call->response->status = 200;
	call->response->json = json;
	return 0;
}

/* --- admission and turns --- */

/* Each of these changes the result of requests_tick(). */
static void operation_end(struct call *call, bool renew)
{
	uint64_t one = 1;

	gate_leave(&call->requests->gate, renew);
	io_write_all(call->requests->event_fd, &one, sizeof(one));
}

/* The session's peer asks: tell it that the server is about to end. */
static int check_stopping(struct call *call, const struct route *route)
{
	struct requests *q = call->requests;

	if (route->at_end || !atomic_load(&q->stopping))
		return 0;
	call->ours = true;
	return err_set(&call->err, -EINTR, "%s", q->stop_why.text);
}

/* Anybody, at any time. */
static int serve_read(struct call *call, const struct route *route, union message *m)
{
	return route->run(call, m);
}

/* The session's peer, one after the other. */
static int serve_operation(struct call *call, const struct route *route,
			   union message *m)
{
	int r = gate_enter(&call->requests->gate, call->request->address, m->session,
			   &call->err);

	if (r < 0)
		return r;
	call->ours = true;
	r = check_stopping(call, route);
	if (r == 0)
		r = route->run(call, m);
	operation_end(call, r == 0);
	return r;
}

/* The session's peer, beside whatever operation runs. */
static int serve_beside(struct call *call, const struct route *route, union message *m)
{
	struct gate *gate = &call->requests->gate;
	const char *address = call->request->address;
	int r = gate_check(gate, address, m->session, &call->err);

	if (r < 0)
		return r;
	call->ours = true;
	r = check_stopping(call, route);
	if (r == 0)
		r = route->run(call, m);
	if (r == 0)
		gate_renew(gate, address, m->session);
	return r;
}

/* Nobody else gets a session then, but may wait for the next server. */
static int check_ending(struct call *call)
{
	if (!atomic_load(&call->requests->stopping))
		return 0;
	return err_set(&call->err, -ESHUTDOWN, "the server is ending");
}

/* Check that the client may have a session. This precedes the wait for its turn, since
 * the operation under way may be another client's. */
static int serve_open(struct call *call, const struct route *route, union message *m)
{
	struct gate *gate = &call->requests->gate;
	struct session session = gate_session(gate);
	struct session_wish wish = {
		.address = call->request->address,
		.run = m->open.run.uuid,
		.secret = m->open.secret,
	};
	bool resumed;
	int r = session_open(&session, &wish, clock_boot_ms(), &resumed, &call->err);

	if (r < 0)
		return r;
	gate_lock(gate);
	r = resumed ? check_stopping(call, route) : check_ending(call);
	if (r == 0)
		r = route->run(call, m);
	operation_end(call, false);
	return r;
}

/* The session's peer, also one whose answer got lost and who asks again. */
static int serve_close(struct call *call, const struct route *route, union message *m)
{
	struct gate *gate = &call->requests->gate;
	const char *address = call->request->address;
	int r = 0;

	if (!gate_was_closed(gate, address, m->session))
		r = gate_known(gate, address, m->session, &call->err);
	if (r < 0)
		return r;
	gate_lock(gate);
	r = route->run(call, m);
	operation_end(call, false);
	return r;
}

/* --- the requests --- */

static int run_hello(struct call *call, union message *m)
{
	struct requests *q = call->requests;
	struct msg_hello hello = {0};

	(void)m;
	/* Its caller asks for a session next. */
	call->greeted = true;
	q->ops->hello(q->ctx, &hello);
	hello.protocol = MSG_PROTOCOL;
	hello.busy = gate_session(&q->gate).open;
	return answer_json(call, msg_hello_encode(&hello, &call->err));
}

static int run_status(struct call *call, union message *m)
{
	struct msg_status status;

	(void)m;
	gate_status(&call->requests->gate, &status);
	return answer_json(call, msg_status_encode(&status, &call->err));
}

/* With the gate's lock. */
static void expire_session(struct requests *q)
{
	if (gate_expire(&q->gate))
		q->ops->expired(q->ctx);
}

/* The present session stays as it is unless the operation succeeds. */
static int run_open(struct call *call, union message *m)
{
	struct requests *q = call->requests;
	struct msg_open *open = &m->open;
	struct msg_opened opened = {0};
	struct session_wish wish = {
		.address = call->request->address,
		.run = open->run.uuid,
		.secret = open->secret,
	};
	struct session next;
	bool resumed;
	int r;

	if (open->lease_ms > q->lease_max_ms)
		open->lease_ms = q->lease_max_ms;
	wish.lease_ms = open->lease_ms;
	expire_session(q);
	next = gate_session(&q->gate);
	r = session_open(&next, &wish, clock_boot_ms(), &resumed, &call->err);
	if (r < 0)
		return r;
	r = q->ops->open(q->ctx, open, wish.address, resumed, &opened.server,
			 &call->err);
	if (r < 0)
		return r;
	gate_install(&q->gate, &next);
	call->ours = true;
	text_copy(opened.session, sizeof(opened.session), next.id);
	opened.lease_ms = next.lease_ms;
	return answer_json(call, msg_opened_encode(&opened, &call->err));
}

static int run_pair(struct call *call, union message *m)
{
	struct requests *q = call->requests;
	struct msg_paired paired = {0};
	int r = q->ops->pair(q->ctx, &m->pair, &paired, &call->err);

	return r < 0 ? r : answer_json(call, msg_paired_encode(&paired, &call->err));
}

/* The whole of a request that one operation serves. */
#define DEFINE_RUN(name)                                           \
	static int run_##name(struct call *call, union message *m) \
	{                                                          \
		struct requests *q = call->requests;               \
                                                                   \
		return q->ops->name(q->ctx, &m->name, &call->err); \
	}

DEFINE_RUN(arm)
DEFINE_RUN(path)
DEFINE_RUN(recommendation)

static int run_probe(struct call *call, union message *m)
{
	struct requests *q = call->requests;
	struct msg_probing probing = {0};
	int r = q->ops->probe(q->ctx, &m->probe, &probing, &call->err);

	return r < 0 ? r : answer_json(call, msg_probing_encode(&probing, &call->err));
}

static int run_figures(struct call *call, union message *m)
{
	struct requests *q = call->requests;
	struct msg_figures figures;
	int r = q->ops->figures(q->ctx, m->figures.test, &figures, &call->err);

	return r < 0 ? r : answer_json(call, msg_figures_encode(&figures, &call->err));
}

/* Check that "/v1/run/<uuid>/row/<seq>" names the session's run and this row. */
static int check_row_path(struct call *call, const struct msg_row *m)
{
	struct session session = gate_session(&call->requests->gate);
	char expected[96];

	snprintf(expected, sizeof(expected), "/v1/run/%s/row/%u", session.run,
		 m->row.seq);
	if (strcmp(expected, call->request->path) == 0)
		return 0;
	return err_set(&call->err, -EINVAL,
		       "row refused: the path must be '%s', from the session's run and "
		       "the message's row",
		       expected);
}

static int run_row(struct call *call, union message *m)
{
	struct requests *q = call->requests;
	int r = check_row_path(call, &m->row);

	if (r == 0)
		r = q->ops->row(q->ctx, &m->row.row, &call->err);
	if (r == 0)
		gate_count_row(&q->gate, m->row.row.seq);
	return r;
}

static int run_renew(struct call *call, union message *m)
{
	struct requests *q = call->requests;

	(void)m;
	return q->ops->renew(q->ctx, &call->err);
}

static int run_commit(struct call *call, union message *m)
{
	struct requests *q = call->requests;

	(void)m;
	return q->ops->commit(q->ctx, &call->err);
}

static int run_close(struct call *call, union message *m)
{
	struct requests *q = call->requests;
	const char *address = call->request->address;
	struct msg_answer *said = &q->closed_answer;
	int r;

	if (gate_was_closed(&q->gate, address, m->session)) {
		text_copy(call->err.text, sizeof(call->err.text), said->text);
		return -said->code;
	}
	r = gate_check(&q->gate, address, m->session, &call->err);
	if (r < 0)
		return r;
	r = q->ops->close(q->ctx, &m->close, &call->err);
	said->code = -r;
	text_copy(said->text, sizeof(said->text), call->err.text);
	gate_close(&q->gate);
	return r;
}

static const struct route routes[] = {
	{"GET", "/v1/hello", NULL, serve_read, run_hello, false},
	{"GET", "/v1/status", NULL, serve_read, run_status, false},
	{"POST", "/v1/session", decode_open, serve_open, run_open, false},
	{"POST", "/v1/pair", decode_pair, serve_operation, run_pair, false},
	{"POST", "/v1/arm", decode_arm, serve_operation, run_arm, false},
	{"POST", "/v1/probe", decode_probe, serve_operation, run_probe, false},
	{"POST", "/v1/figures", decode_figures, serve_operation, run_figures, false},
	{"PUT", "/v1/run/", decode_row, serve_operation, run_row, true},
	{"POST", "/v1/path", decode_path, serve_operation, run_path, true},
	{"POST", "/v1/recommendation", decode_recommendation, serve_operation,
	 run_recommendation, true},
	{"POST", "/v1/lease", decode_lease, serve_beside, run_renew, false},
	{"POST", "/v1/commit", decode_commit, serve_operation, run_commit, false},
	{"POST", "/v1/close", decode_close, serve_close, run_close, true},
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

static void serve_route(struct call *call, const struct route *route)
{
	const struct http_request *request = call->request;
	union message m;
	int r = 0;

	if (route->decode)
		r = route->decode(request->body, request->size, &m, &call->err);
	if (r == 0)
		r = route->serve(call, route, &m);
	if (r < 0 || !call->response->json)
		http_answer(call->response, -r, call->err.text);
}

static void route_request(struct requests *requests, const struct http_request *request,
			  struct http_response *ret)
{
	const struct route *route = find_route(request->path);
	struct call call = {.requests = requests, .request = request, .response = ret};

	if (page_handle(&requests->page, request, ret)) {
		ret->keep = false;
		return;
	}
	if (!route) {
		http_answer(ret, ENOENT, "no such path");
	} else if (strcmp(route->method, request->method) != 0) {
		http_answer(ret, EOPNOTSUPP, "method not allowed for this path");
		ret->allow = route->method;
	} else {
		serve_route(&call, route);
	}
	/* A connection that stays open holds a worker: only the session's peer gets
	 * one, and its address alone does not distinguish it from others on its host.
	 * Who greets gets one while it is spare: a round trip less to the session. */
	ret->keep = call.ours || call.greeted;
	ret->spare = !call.ours;
}

void requests_handle(struct requests *requests, const struct http_request *request,
		     struct http_response *ret)
{
	int64_t began_us = clock_boot_us();

	route_request(requests, request, ret);
	debug_log("request", "%s %s from %s: status %d (%.1f ms)", request->method,
		  request->path, request->address, ret->status,
		  debug_ms_since(began_us));
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

void requests_stop(struct requests *requests, const char *why)
{
	err_set(&requests->stop_why, 0, "%s", why);
	atomic_store(&requests->stopping, true);
	gate_lock(&requests->gate);
	requests->ops->stopping(requests->ctx);
	gate_leave(&requests->gate, false);
}

int requests_tick(struct requests *requests)
{
	struct session session;
	uint64_t events;

	if (read(requests->event_fd, &events, sizeof(events)) < 0 && errno != EAGAIN)
		return TICK_BUSY_MS;
	if (!gate_try_lock(&requests->gate))
		return TICK_BUSY_MS;
	expire_session(requests);
	gate_leave(&requests->gate, false);
	session = gate_session(&requests->gate);
	return session.open ? clock_left_ms(session.expires_at_ms) : -1;
}
