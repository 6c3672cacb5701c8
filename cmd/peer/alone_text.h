/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_ALONE_TEXT_H
#define CMD_PEER_ALONE_TEXT_H

#include "cmd/peer/peer_alone.h"

/* Write the answer of --alone: the MTU for this end, at most which one the far end should
 * have, the MSS clamp, and of each direction what was proved and what cannot be. *ret is
 * the caller's. -ENOMEM. */
int alone_text(const struct alone *alone, char **ret, struct err *err);

#endif
