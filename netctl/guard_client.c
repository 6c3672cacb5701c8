#include "netctl/guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/guard_wire.h"

/* The guard does nothing that waits for a network; fsync on a busy disk is the longest.
 */
#define REPLY_TIMEOUT_MS 10000

struct guard {
	int fd;
	uint32_t serial; /* of the last request */
	pthread_mutex_t lock;
};

int guard_new(int fd, struct guard **ret, struct err *err)
{
	struct guard *guard = malloc(sizeof(*guard));

	if (!guard)
		return err_set(err, -ENOMEM, "out of memory");
	guard->fd = fd;
	guard->serial = 0;
	pthread_mutex_init(&guard->lock, NULL);
	*ret = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	fd_close(&guard->fd);
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

int guard_fd(const struct guard *guard)
{
	return guard->fd;
}

static int gone(struct err *err)
{
	return err_set(err, -EPIPE, "the guard process is gone");
}

/* For good: whoever waits behind this call, or polls, learns of it at once, and the
 * guard restores when it comes round. */
static int given_up(const struct guard *guard, struct err *err)
{
	shutdown(guard->fd, SHUT_RDWR);
	return err_set(err, -EPIPE, "the guard process did not answer within %d s",
		       REPLY_TIMEOUT_MS / 1000);
}

/* A descriptor that comes along is *ret_fd's, or closed. */
static bool receive(const struct guard *guard, struct guard_reply *reply, int *ret_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec data = {reply, sizeof(*reply)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(guard->fd, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
	cleanup_fd int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	if (n != sizeof(*reply))
		return false;
	if (ret_fd && reply->serial == guard->serial) {
		*ret_fd = fd;
		fd = -1;
	}
	return true;
}

static int await_reply(const struct guard *guard, struct guard_reply *reply,
		       int *ret_fd, struct err *err)
{
	int64_t deadline = clock_boot_ms() + REPLY_TIMEOUT_MS;

	do {
		int r = io_wait(guard->fd, -1, deadline);

		if (r == 0)
			return given_up(guard, err);
		if (r < 0 || !receive(guard, reply, ret_fd))
			return gone(err);
	} while (reply->serial != guard->serial);
	return 0;
}

static int exchange(struct guard *guard, struct guard_request *request,
		    struct guard_reply *reply, int *ret_fd, struct err *err)
{
	int r;

	request->serial = ++guard->serial;
	/* A guard that reads no more is as good as gone: no waiting for room. */
	if (send(guard->fd, request, sizeof(*request), MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    sizeof(*request))
		return gone(err);
	r = await_reply(guard, reply, ret_fd, err);
	return r < 0 ? r : err_set(err, reply->result, "%s", reply->err.text);
}

static const char *verb_name(enum guard_verb verb)
{
	static const char *const names[] = {
		[GUARD_FACTS] = "facts",   [GUARD_SET] = "set",
		[GUARD_RENEW] = "renew",   [GUARD_SETTLE] = "settle",
		[GUARD_COMMIT] = "commit", [GUARD_RESTORE] = "restore",
		[GUARD_PROBE] = "probe",   [GUARD_TAP] = "tap",
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
	r = exchange(guard, request, reply, ret_fd, &why);
	pthread_mutex_unlock(&guard->lock);
	debug_log("guard", "%s, MTU %d, lease %lld ms: %s (%.1f ms)",
		  verb_name(request->verb), request->mtu, (long long)request->lease_ms,
		  r < 0 ? why.text : "ok", debug_ms_since(began_us));
	/* A yes has a text, too. */
	return err_set(err, r, "%s", why.text);
}

static int call(struct guard *guard, struct guard_request *request,
		struct guard_reply *reply, struct err *err)
{
	return call_for_fd(guard, request, reply, NULL, err);
}

static int call_simple(struct guard *guard, enum guard_verb verb, struct err *err)
{
	struct guard_request request = {.verb = verb};
	struct guard_reply reply;

	return call(guard, &request, &reply, err);
}

int guard_get_facts(struct guard *guard, const char *address, struct guard_facts *ret,
		    struct err *err)
{
	struct guard_request request = {.verb = GUARD_FACTS};
	struct guard_reply reply;
	int r;

	text_copy(request.address, sizeof(request.address), address);
	r = call(guard, &request, &reply, err);
	if (r == 0)
		*ret = reply.facts;
	return r;
}

int guard_set(struct guard *guard, int mtu, int64_t lease_ms, struct err *err)
{
	struct guard_request request = {
		.verb = GUARD_SET,
		.mtu = mtu,
		.lease_ms = lease_ms,
	};
	struct guard_reply reply;

	return call(guard, &request, &reply, err);
}

int guard_probe(struct guard *guard, int mtu, const char *address, int port,
		int64_t lease_ms, struct err *err)
{
	struct guard_request request = {
		.verb = GUARD_PROBE,
		.mtu = mtu,
		.port = port,
		.lease_ms = lease_ms,
	};
	struct guard_reply reply;

	text_copy(request.address, sizeof(request.address), address);
	return call(guard, &request, &reply, err);
}

int guard_tap(struct guard *guard, int *ret_fd, struct err *err)
{
	struct guard_request request = {.verb = GUARD_TAP};
	struct guard_reply reply;
	int fd = -1;
	int r = call_for_fd(guard, &request, &reply, &fd, err);
	if (r == 0 && fd < 0)
		return err_set(err, -EMFILE,
			       "no room for the descriptor of outer packets");
	if (r < 0)
		fd_close(&fd);
	else
		*ret_fd = fd;
	return r;
}

int guard_renew(struct guard *guard, int64_t lease_ms, struct err *err)
{
	struct guard_request request = {.verb = GUARD_RENEW, .lease_ms = lease_ms};
	struct guard_reply reply;

	return call(guard, &request, &reply, err);
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
