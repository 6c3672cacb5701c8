/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_ASK_H
#define CMD_ALONE_ALONE_ASK_H

#include "cmd/alone/alone.h"
#include "engine/idle.h"

/* Find who answers, and what: the sockets of --alone. */

/* Find the first target that answers an echo; *ret is open for it, and alone->target,
 * ->rtt_us and ->echoes are set. Where none does, find one that answers something else:
 * then *ret is that, with small answers. -ETIMEDOUT: none answers anything; -EINTR; else
 * guard_raw()'s. */
int alone_ask_any(struct alone *alone, struct echo *ret, struct err *err);

/* Open packets of this kind for the target. */
int alone_ask_open(const struct alone *alone, enum echo_kind kind, struct echo *ret,
		   struct err *err);

/* Open what the target answers with small packets. -ENOENT: nothing. */
int alone_ask_small(struct alone *alone, struct echo *ret, struct err *err);

/* Open echoes to the WireGuard endpoint. -ENOENT: it answers none. */
int alone_ask_endpoint(struct alone *alone, struct echo *ret, struct err *err);

/* Measure the round trip of the idle path to the target with echoes. Unknown where it
 * answers none. */
void alone_ask_idle(const struct alone *alone, const struct alone_target *target,
		    struct idle_figures *ret);

#endif
