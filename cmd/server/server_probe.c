/* SPDX-License-Identifier: MIT */
/* The server's part in probing the path. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/server/server_ops.h"

void server_end_probe(struct server *f)
{
	probe_answer_stop(f->probing);
	f->probing = NULL;
}

/* Two digits for each byte, as the checks of the message ensure. */
static void take_token(const char *hex, unsigned char ret[PROBEMSG_TOKEN])
{
	for (int i = 0; i < PROBEMSG_TOKEN; i++) {
		unsigned int byte = 0;

		sscanf(hex + (size_t)2 * (size_t)i, "%2x", &byte);
		ret[i] = (unsigned char)byte;
	}
}

int server_probe(void *ctx, const struct msg_probe *m, struct msg_probing *ret,
		 struct err *err)
{
	struct server *f = ctx;
	struct probehost_config config = {
		.guard = f->guard,
		.port = f->config->port,
		.range = f->config->host->guard.bounds.range,
		.reach = m->reach,
		.relayed = m->relayed,
		.lease_ms = atomic_load(&f->lease_ms),
		.stop_fd = -1,
	};
	struct probehost_facts facts;
	int r;

	runner_cancel(f->runner, NULL);
	server_end_probe(f);
	text_copy(config.interface, sizeof(config.interface),
		  f->config->options->interface);
	text_copy(config.local, sizeof(config.local), f->config->address);
	text_copy(config.remote, sizeof(config.remote), f->peer);
	take_token(m->token, config.token);
	r = probe_answer_start(&config, m->port, &f->probing, &facts, err);
	if (r < 0)
		return server_not_stale(r);
	server_tell_pair(
		f, &(struct msg_pair){.visits_left = NO_FIGURE, .left_ms = NO_FIGURE});
	server_tell(f, "probing the path");
	*ret = (struct msg_probing){
		.overhead = facts.overhead,
		.relayed = facts.relayed,
		.outer_mtu = facts.outer_mtu,
		.size_min = facts.size_min,
		.size_max = facts.size_max,
		.tap = facts.tap,
		.exact = facts.exact,
		.unseen = facts.unseen,
		.unit = facts.unit,
	};
	text_copy(ret->endpoint, sizeof(ret->endpoint), facts.endpoint);
	return 0;
}
