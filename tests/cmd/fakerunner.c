/* SPDX-License-Identifier: MIT */
#include "fakerunner.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

void fakerunner_init(struct fakerunner *runner)
{
	memset(runner, 0, sizeof(*runner));
	runner->fd = -1;
}

void fakerunner_fill(struct dir_result *ret, int64_t rate_bps)
{
	dir_result_init(ret, TEST_OK, "%s", "");
	ret->sent_bps = rate_bps;
	ret->received_bps = rate_bps;
	ret->goodput_bps = rate_bps;
	ret->goodput_low_bps = rate_bps - rate_bps / 100;
	ret->goodput_high_bps = rate_bps + rate_bps / 100;
	ret->retransmits = 0;
	ret->rtt_us = 1000;
	ret->started_at_ms = clock_wall_ms();
	ret->duration_ms = 200;
}

static int find_fault(struct fakerunner *runner, enum runner_kind kind, struct err *err)
{
	if (!runner->fault.times || runner->fault.kind != kind)
		return 0;
	if (runner->fault.skip-- > 0)
		return 0;
	runner->fault.times--;
	return err_set(err, runner->fault.code, "the fake runner fails");
}

/* This end's view of the test it was armed for. */
static void fill_seen(struct fakerunner *runner, struct dir_result *ret)
{
	bool lost = runner->armed.kind == TEST_FULL_SIZE && runner->proofs_lost > 0;

	runner->proofs_lost -= lost;
	dir_result_init(ret, lost ? TEST_BLACKHOLE : TEST_OK, "%s", "");
}

/* False: there is no answer. */
static bool do_request(struct fakerunner *runner, const struct runner_request *request,
		       struct runner_reply *reply)
{
	switch (request->kind) {
	case RUNNER_ARM:
		runner->arms++;
		runner->armed = request->spec;
		return true;
	case RUNNER_MEASURE:
	case RUNNER_RELEASE:
		runner->measures++;
		reply->stalled_ms = runner->stalled_ms;
		return runner->measure(runner->ctx, &request->spec, &reply->result);
	case RUNNER_CANCEL:
		runner->cancels++;
		return true;
	case RUNNER_ASK:
		return true;
	case RUNNER_RESULT:
		fill_seen(runner, &reply->result);
		return true;
	}
	return false;
}

bool fakerunner_answer(struct fakerunner *runner)
{
	struct runner_request request;
	struct runner_reply reply = {0};
	ssize_t n = recv(runner->fd, &request, sizeof(request), MSG_DONTWAIT);

	if (n != sizeof(request))
		return n < 0 && errno == EAGAIN;
	reply.serial = request.serial;
	reply.code = find_fault(runner, request.kind, &reply.err);
	if (reply.code == 0 && !do_request(runner, &request, &reply))
		return true;
	return send(runner->fd, &reply, sizeof(reply), MSG_NOSIGNAL) == sizeof(reply);
}
