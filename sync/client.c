/* SPDX-License-Identifier: MIT */
/* The peer's half of the protocol: each request, and the meaning of its answer. */

#include "sync/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "sync/transport.h"

struct client {
	struct transport *transport;
	bool answered;
};

const char *client_library_version(void)
{
	return transport_library_version();
}

int client_new(const struct client_config *config, struct client **ret, struct err *err)
{
	struct transport_config transport = {
		.interface = config->interface,
		.address = config->address,
		.port = config->port,
		.stop_fd = config->stop_fd,
	};
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return err_set(err, -ENOMEM, "out of memory for the HTTP client");
	r = transport_new(&transport, &client->transport, err);
	if (r < 0) {
		client_free(client);
		return r;
	}
	*ret = client;
	return 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	transport_free(client->transport);
	free(client);
}

void client_ignore_stop(struct client *client)
{
	transport_ignore_stop(client->transport);
}

bool client_answered(const struct client *client)
{
	return client->answered;
}

int64_t client_rtt_us(const struct client *client)
{
	return transport_rtt_us(client->transport);
}

bool client_was_clean(const struct client *client)
{
	return transport_was_clean(client->transport);
}

/* --- interpretation of answers --- */

static int no_answer_of_ours(const struct client *client, struct err *err)
{
	return err_set(err, -EPROTO, "the service at '%s' is not an mtusweep server",
		       transport_where(client->transport));
}

/* An error answer as our own error. */
static int refusal_error(struct client *client, const struct transport_answer *got,
			 struct err *err)
{
	struct msg_answer answer;

	/* A part of the request was lost on the way. */
	if (got->status == 408)
		return err_set(err, -ETIMEDOUT,
			       "the request did not arrive whole at the server");
	if (msg_answer_decode(got->body, got->size, &answer, NULL) < 0 ||
	    answer.code == 0)
		return no_answer_of_ours(client, err);
	client->answered = true;
	return err_set(err, -answer.code, "%s%.360s",
		       strncmp(answer.text, "the server", strlen("the server")) == 0
			       ? ""
			       : "the server: ",
		       answer.text);
}

/* 0: a 200, whose body is still to be decoded. */
static int send_request(struct client *client, const struct transport_exchange *x,
			struct transport_answer *ret, struct err *err)
{
	int r;

	client->answered = false;
	r = transport_run(client->transport, x, ret, err);
	if (r < 0)
		return r;
	return ret->status == 200 ? 0 : refusal_error(client, ret, err);
}

/* A 200's body did decode, or not. */
static int check_decoded(struct client *client, int r, struct err *err)
{
	if (r == -EBADMSG)
		return no_answer_of_ours(client, err);
	client->answered = true;
	return r;
}

/* A POST or PUT of `json` (freed): 0 with a 200 whose body is still to be decoded. */
static int send_json(struct client *client, struct transport_exchange *x, char *json,
		     struct transport_answer *ret, struct err *err)
{
	cleanup_free char *body = json;

	if (!body)
		return -EINVAL;
	x->body = body;
	return send_request(client, x, ret, err);
}

/* A POST or PUT of `json` (freed) that is answered by a msg_answer. */
static int send_change(struct client *client, struct transport_exchange *x, char *json,
		       struct err *err)
{
	struct transport_answer got;
	struct msg_answer answer;
	int r = send_json(client, x, json, &got, err);

	if (r < 0)
		return r;
	r = msg_answer_decode(got.body, got.size, &answer, err);
	if (r == 0 && answer.code != 0)
		r = -EBADMSG;
	r = check_decoded(client, r, err);
	if (r == 0 && err)
		text_copy(err->text, sizeof(err->text), answer.text);
	return r;
}

#define EXCHANGE(verb, where, timeout_ms)                     \
	{                                                     \
		.method = (verb), .path = (where),            \
		.deadline_ms = clock_boot_ms() + (timeout_ms) \
	}

/* --- the requests --- */

void client_hello_begin(struct client *client)
{
	/* The deadline is that of client_hello(). */
	struct transport_exchange x = EXCHANGE("GET", "/v1/hello", 0);

	transport_begin(client->transport, &x);
}

int client_hello(struct client *client, int timeout_ms, struct msg_hello *ret,
		 struct err *err)
{
	struct transport_exchange x = EXCHANGE("GET", "/v1/hello", timeout_ms);
	struct transport_answer got;
	int r = send_request(client, &x, &got, err);

	if (r < 0)
		return r;
	return check_decoded(client, msg_hello_decode(got.body, got.size, ret, err),
			     err);
}

int client_open(struct client *client, const struct msg_open *m, int timeout_ms,
		struct msg_opened *ret, struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", "/v1/session", timeout_ms);
	struct transport_answer got;
	int r = send_json(client, &x, msg_open_encode(m, err), &got, err);

	if (r < 0)
		return r;
	r = check_decoded(client, msg_opened_decode(got.body, got.size, ret, err), err);
	/* This end restores when its own lease says so, whatever the server grants. */
	if (r == 0 && ret->lease_ms > m->lease_ms)
		ret->lease_ms = m->lease_ms;
	return r;
}

int client_pair(struct client *client, const struct msg_pair *m, int timeout_ms,
		struct msg_paired *ret, struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", "/v1/pair", timeout_ms);
	struct transport_answer got;
	int r = send_json(client, &x, msg_pair_encode(m, err), &got, err);

	if (r < 0)
		return r;
	return check_decoded(client, msg_paired_decode(got.body, got.size, ret, err),
			     err);
}

int client_arm(struct client *client, const struct msg_arm *m, int timeout_ms,
	       struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", "/v1/arm", timeout_ms);

	return send_change(client, &x, msg_arm_encode(m, err), err);
}

int client_probe(struct client *client, const struct msg_probe *m, int timeout_ms,
		 struct msg_probing *ret, struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", "/v1/probe", timeout_ms);
	struct transport_answer got;
	int r = send_json(client, &x, msg_probe_encode(m, err), &got, err);

	if (r < 0)
		return r;
	return check_decoded(client, msg_probing_decode(got.body, got.size, ret, err),
			     err);
}

int client_figures(struct client *client, const struct msg_ask *m, int timeout_ms,
		   struct msg_figures *ret, struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", "/v1/figures", timeout_ms);
	struct transport_answer got;
	int r = send_json(client, &x, msg_ask_encode(m, err), &got, err);

	if (r < 0)
		return r;
	return check_decoded(client, msg_figures_decode(got.body, got.size, ret, err),
			     err);
}

int client_row(struct client *client, const char *run, const struct msg_row *m,
	       int timeout_ms, struct err *err)
{
	char path[80];
	struct transport_exchange x = EXCHANGE("PUT", path, timeout_ms);

	snprintf(path, sizeof(path), "/v1/run/%.36s/row/%" PRIu32, run, m->row.seq);
	return send_change(client, &x, msg_row_encode(m, err), err);
}

int client_path(struct client *client, const struct msg_path *m, int timeout_ms,
		struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", "/v1/path", timeout_ms);

	return send_change(client, &x, msg_path_encode(m, err), err);
}

int client_recommendation(struct client *client, const struct msg_recommendation *m,
			  int timeout_ms, struct err *err)
{
	struct transport_exchange x =
		EXCHANGE("POST", "/v1/recommendation", timeout_ms);

	return send_change(client, &x, msg_recommendation_encode(m, err), err);
}

static int send_session(struct client *client, const char *path, const char *session,
			int timeout_ms, struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", path, timeout_ms);
	struct msg_session m = {0};

	text_copy(m.session, sizeof(m.session), session);
	return send_change(client, &x, msg_session_encode(&m, err), err);
}

int client_renew(struct client *client, const char *session, int timeout_ms,
		 struct err *err)
{
	return send_session(client, "/v1/lease", session, timeout_ms, err);
}

int client_commit(struct client *client, const char *session, int timeout_ms,
		  struct err *err)
{
	return send_session(client, "/v1/commit", session, timeout_ms, err);
}

int client_close(struct client *client, const struct msg_close *m, int timeout_ms,
		 struct err *err)
{
	struct transport_exchange x = EXCHANGE("POST", "/v1/close", timeout_ms);

	return send_change(client, &x, msg_close_encode(m, err), err);
}
