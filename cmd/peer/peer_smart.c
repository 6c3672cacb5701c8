/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_smart.h"

#include "cmd/peer/peer_parts.h"
#include "engine/plan_smart.h"

/* 0 where an end's MTU cannot be set, since it is no multiple of what has to be. */
static int settable(int mtu, int unit)
{
	return unit > 1 && mtu % unit ? 0 : mtu;
}

static struct mtu_pair current_pair(const struct peer *peer)
{
	const struct peer_session *session = &peer->session;

	return (struct mtu_pair){
		settable(peer->run.info.server.link_mtu, session->hello.mtu_unit),
		settable(peer->run.info.peer.link_mtu, session->config->host->unit),
	};
}

int peer_smart_plan(const struct peer *peer, struct plan **ret, struct err *err)
{
	struct plan_smart_options options = {
		.path = peer->findings.survey.path,
		.server = peer->run.info.server_range,
		.peer = peer->run.info.peer_range,
		.current = current_pair(peer),
		.margin = peer->config->margin / 100.0,
		.short_tests = peer->short_tests.duration_ms > 0,
		.seed = peer->run.info.seed,
	};

	return plan_smart_new(&options, ret, err);
}
