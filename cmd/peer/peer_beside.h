/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_BESIDE_H
#define CMD_PEER_PEER_BESIDE_H

#include "cmd/peer/peer_session.h"

/* Make session->beside for the session that was just opened. Without it, which a shortage
 * may cause, the same requests are waited for. peer_session_stop_lease() ends it. */
void peer_beside_start(struct peer_session *session);

#endif
