/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_ADVICE_H
#define CMD_PEER_PEER_ADVICE_H

#include "cmd/peer/peer_parts.h"

/* The last lines of a run, for somebody who reads no others: the recommended pair, what
 * the current one does to packets, and the commands for all that comes next. */

/* Print them for a run that is stored and has ended. `any_ok`: a pair of it was ok. */
void peer_advice_print(const struct peer *peer, bool any_ok);

#endif
