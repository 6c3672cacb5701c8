/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_APPLY_H
#define CMD_ALONE_ALONE_APPLY_H

#include "cmd/alone/alone.h"

/*
 * Apply the MTU that --alone found, in link and conf file. It is set with a lease, and made
 * permanent once a packet of this size is answered, of the kind that the search was
 * answered with. -ETIMEDOUT: none is, within the lease; -EINTR; else the guard's errors.
 * After each of them the MTU of before is restored, by the guard at the latest when the
 * lease expires.
 */
int alone_apply(const struct alone *alone, struct err *err);

/* The MTU that it applies. It was found: alone->result.own_mtu is not 0. */
int alone_apply_mtu(const struct alone *alone);

/* Send packets of this size, and again, until one is answered: 1; 0: none is before the
 * deadline (clock_boot_ms()); -EINTR. */
int alone_apply_prove(struct echo *echo, int size, int64_t deadline_ms);

#endif
