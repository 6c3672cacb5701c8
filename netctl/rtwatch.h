/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_RTWATCH_H
#define NETCTL_RTWATCH_H

#include <stdbool.h>

#include "base/err.h"

/*
 * A watch that detects whether a link went down or was removed since the last question:
 * it collects the kernel's link events (RTNLGRP_LINK) from its creation on. Needs no
 * privileges. Any thread, one at a time.
 */

struct rtwatch;

int rtwatch_new(const char *interface, struct rtwatch **ret, struct err *err);
/* NULL is allowed. */
void rtwatch_free(struct rtwatch *watch);

/* True once when there was such an event since the last call; also when events were
 * lost (ENOBUFS), because a lost event may have been one. */
bool rtwatch_was_down(struct rtwatch *watch);

#endif
