/* SPDX-License-Identifier: MIT */
#include "fakeguard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

void fakeguard_init(struct fakeguard *guard, int mtu)
{
	memset(guard, 0, sizeof(*guard));
	guard->fd = -1;
	guard->restored_mtu = mtu;
	guard->facts = (struct guard_facts){
		.mtu = mtu,
		.up = true,
		.exists = true,
		.backend = BACKEND_KERNEL,
		.endpoint_family = 4,
	};
}

void fakeguard_fail(struct fakeguard *guard, enum guard_verb verb, int skip, int times,
		    int result, const char *text)
{
	for (int i = 0; i < FAKEGUARD_FAULTS_MAX; i++) {
		if (guard->faults[i].times)
			continue;
		guard->faults[i].verb = verb;
		guard->faults[i].skip = skip;
		guard->faults[i].times = times;
		guard->faults[i].result = result;
		guard->faults[i].text = text;
		return;
	}
	fail_msg("the fake guard has no room for another fault");
}

/* 0 or what this request is to fail with. */
static int find_fault(struct fakeguard *guard, enum guard_verb verb, struct err *err)
{
	for (int i = 0; i < FAKEGUARD_FAULTS_MAX; i++) {
		if (!guard->faults[i].times || guard->faults[i].verb != verb)
			continue;
		if (guard->faults[i].skip-- > 0)
			continue;
		guard->faults[i].times--;
		return err_set(err, guard->faults[i].result, "%s",
			       guard->faults[i].text);
	}
	return 0;
}

static int do_request(struct fakeguard *guard, const struct guard_request *request,
		      struct guard_reply *reply)
{
	switch (request->verb) {
	case GUARD_FACTS:
		reply->facts = guard->facts;
		return 0;
	case GUARD_SET:
		guard->facts.mtu = request->change.mtu;
		return 0;
	case GUARD_COMMIT:
		guard->committed_mtu = guard->facts.mtu;
		guard->restored_mtu = guard->facts.mtu;
		return 0;
	case GUARD_RESTORE:
	case GUARD_END_PROBE:
		guard->facts.mtu = guard->restored_mtu;
		return 0;
	case GUARD_PROBE:
		if (!guard->probes)
			return err_set(&reply->err, -EOPNOTSUPP,
				       "a fake guard has no probes");
		guard->facts.mtu = request->change.mtu;
		return 0;
	case GUARD_TAP:
	case GUARD_RAW:
	case GUARD_LISTEN:
		return err_set(&reply->err, -EOPNOTSUPP, "a fake guard has no probes");
	case GUARD_RENEW:
	case GUARD_SETTLE:
		return 0;
	}
	return -EINVAL;
}

bool fakeguard_answer(struct fakeguard *guard)
{
	struct guard_request request;
	struct guard_reply reply = {0};
	ssize_t n = recv(guard->fd, &request, sizeof(request), MSG_DONTWAIT);

	if (n != sizeof(request))
		return n < 0 && errno == EAGAIN;
	assert_true(guard->count < FAKEGUARD_REQUESTS_MAX);
	guard->requests[guard->count++] = request;
	if (guard->before)
		guard->before(guard->ctx, request.verb);
	reply.serial = request.serial;
	reply.result = find_fault(guard, request.verb, &reply.err);
	if (reply.result == 0)
		reply.result = do_request(guard, &request, &reply);
	return send(guard->fd, &reply, sizeof(reply), MSG_NOSIGNAL) == sizeof(reply);
}

int fakeguard_count(const struct fakeguard *guard, enum guard_verb verb)
{
	int count = 0;

	for (int i = 0; i < guard->count; i++)
		count += guard->requests[i].verb == verb;
	return count;
}

const struct guard_request *fakeguard_last(const struct fakeguard *guard,
					   enum guard_verb verb)
{
	for (int i = guard->count - 1; i >= 0; i--) {
		if (guard->requests[i].verb == verb)
			return &guard->requests[i];
	}
	return NULL;
}
