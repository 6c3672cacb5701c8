/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_beside.h"

#include "base/text.h"

#define STATEMENT_TIMEOUT_MS 2000

static void heard_beside(void *ctx, int64_t sent_at_ms)
{
	peer_session_heard(ctx, sent_at_ms);
}

void peer_beside_start(struct peer_session *session)
{
	struct beside_config config = {
		.timeout_ms = peer_session_timeout_ms(session, STATEMENT_TIMEOUT_MS),
		.heard = heard_beside,
		.ctx = session,
	};

	peer_session_client_config(session, &config.client);
	text_copy(config.run, sizeof(config.run), session->run->uuid);
	beside_start(&config, &session->beside, NULL);
}
