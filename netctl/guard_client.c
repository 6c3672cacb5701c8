/* SPDX-License-Identifier: MIT */
#include "netctl/guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/ask.h"
#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/guard_wire.h"

/* The guard does nothing that waits for a network; fsync on a busy disk is the longest.
 */
#define REPLY_TIMEOUT_MS 10000

struct guard {
	struct ask ask;
	pthread_mutex_t lock;
};

int guard_new(int fd, struct guard **ret, struct err *err)
{
	struct guard *guard = malloc(sizeof(*guard));

	if (!guard)
		return err_set(err, -ENOMEM, "out of memory");
	guard->ask = (struct ask){.fd = fd};
	pthread_mutex_init(&guard->lock, NULL);
	*ret = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	fd_close(&guard->ask.fd);
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

int guard_fd(const struct guard *guard)
{
	return guard->ask.fd;
}

static int fail_gone(struct err *err)
{
	return err_set(err, -EPIPE, "the guard process is gone");
}

/* Give up for good: callers that wait or poll learn of it at once, and the guard
 * restores as soon as it reads again. */
static int given_up(const struct guard *guard, struct err *err)
{
	shutdown(guard->ask.fd, SHUT_RDWR);
	return err_set(err, -EPIPE, "the guard process did not answer within %d s",
		       REPLY_TIMEOUT_MS / 1000);
}

static int exchange_request(struct guard *guard, struct guard_request *request,
			    struct guard_reply *reply, int *ret_fd, struct err *err)
{
	int r = ask_send(&guard->ask, request, sizeof(*request));

	if (r == 0)
		r = ask_await(&guard->ask, -1, clock_boot_ms() + REPLY_TIMEOUT_MS,
			      reply, sizeof(*reply), ret_fd);
	if (r == -ETIMEDOUT)
		return given_up(guard, err);
	return r < 0 ? fail_gone(err)
		     : err_set(err, reply->result, "%s", reply->err.text);
}

static const char *verb_name(enum guard_verb verb)
{
	static const char *const names[] = {
		[GUARD_FACTS] = "facts",
		[GUARD_SET] = "set",
		[GUARD_RENEW] = "renew",
		[GUARD_SETTLE] = "settle",
		[GUARD_COMMIT] = "commit",
		[GUARD_RESTORE] = "restore",
		[GUARD_END_PROBE] = "end probe",
		[GUARD_PROBE] = "probe",
		[GUARD_TAP] = "tap",
		[GUARD_RAW] = "raw socket",
		[GUARD_LISTEN] = "listen",
	};

	return names[verb];
}

static int call_for_fd(struct guard *guard, struct guard_request *request,
		       struct guard_reply *reply, int *ret_fd, struct err *err)
{
	struct err why = ERR_INIT;
	int64_t began_us = clock_boot_us();
	int r;

	pthread_mutex_lock(&guard->lock);
	r = exchange_request(guard, request, reply, ret_fd, &why);
	pthread_mutex_unlock(&guard->lock);
	debug_log("guard", "%s, MTU %d, lease %lld ms: %s (%.1f ms)",
		  verb_name(request->verb), request->change.mtu,
		  (long long)request->lease_ms, r < 0 ? why.text : "ok",
		  debug_ms_since(began_us));
	/* A success has a text, too. */
	return err_set(err, r, "%s", why.text);
}

static int call_guard(struct guard *guard, struct guard_request *request,
		      struct guard_reply *reply, struct err *err)
{
	return call_for_fd(guard, request, reply, NULL, err);
}

static int call_simple(struct guard *guard, enum guard_verb verb, struct err *err)
{
	struct guard_request request = {.verb = verb};
	struct guard_reply reply;

	return call_guard(guard, &request, &reply, err);
}

int guard_get_facts(struct guard *guard, const char *address, struct guard_facts *ret,
		    struct err *err)
{
	struct guard_request request = {.verb = GUARD_FACTS};
	struct guard_reply reply;
	int r;

	text_copy(request.change.address, sizeof(request.change.address), address);
	r = call_guard(guard, &request, &reply, err);
	if (r == 0)
		*ret = reply.facts;
	return r;
}

int guard_set(struct guard *guard, int mtu, int64_t lease_ms, struct err *err)
{
	return guard_set_for(guard, "", mtu, lease_ms, err);
}

int guard_set_for(struct guard *guard, const char *address, int mtu, int64_t lease_ms,
		  struct err *err)
{
	struct guard_request request = {
		.verb = GUARD_SET,
		.lease_ms = lease_ms,
		.change = {.mtu = mtu},
	};
	struct guard_reply reply;

	text_copy(request.change.address, sizeof(request.change.address), address);
	return call_guard(guard, &request, &reply, err);
}

int guard_probe(struct guard *guard, int mtu, const char *address, int port,
		int64_t lease_ms, struct err *err)
{
	struct guard_request request = {
		.verb = GUARD_PROBE,
		.lease_ms = lease_ms,
		.change = {.mtu = mtu, .port = port},
	};
	struct guard_reply reply;

	text_copy(request.change.address, sizeof(request.change.address), address);
	return call_guard(guard, &request, &reply, err);
}

static int take_fd(struct guard *guard, struct guard_request *request, int *ret_fd,
		   struct err *err)
{
	struct guard_reply reply;
	int fd = -1;
	int r = call_for_fd(guard, request, &reply, &fd, err);

	if (r == 0 && fd < 0)
		return err_set(err, -EMFILE,
			       "no room for the descriptor of outer packets");
	if (r < 0)
		fd_close(&fd);
	else
		*ret_fd = fd;
	return r;
}

int guard_tap(struct guard *guard, int *ret_fd, struct err *err)
{
	struct guard_request request = {.verb = GUARD_TAP};

	return take_fd(guard, &request, ret_fd, err);
}

int guard_raw(struct guard *guard, enum rawsock_kind kind, const char *address,
	      int *ret_fd, struct err *err)
{
	struct guard_request request = {.verb = GUARD_RAW, .raw = kind};

	text_copy(request.change.address, sizeof(request.change.address), address);
	return take_fd(guard, &request, ret_fd, err);
}

int guard_listen(struct guard *guard, const char *address, struct err *err)
{
	struct guard_request request = {.verb = GUARD_LISTEN};
	struct guard_reply reply;

	text_copy(request.change.address, sizeof(request.change.address), address);
	return call_guard(guard, &request, &reply, err);
}

int guard_renew(struct guard *guard, int64_t lease_ms, struct err *err)
{
	struct guard_request request = {.verb = GUARD_RENEW, .lease_ms = lease_ms};
	struct guard_reply reply;

	return call_guard(guard, &request, &reply, err);
}

int guard_settle(struct guard *guard, struct err *err)
{
	return call_simple(guard, GUARD_SETTLE, err);
}

int guard_commit(struct guard *guard, struct err *err)
{
	return call_simple(guard, GUARD_COMMIT, err);
}

int guard_restore(struct guard *guard, struct err *err)
{
	return call_simple(guard, GUARD_RESTORE, err);
}

int guard_end_probe(struct guard *guard, struct err *err)
{
	return call_simple(guard, GUARD_END_PROBE, err);
}
