#ifndef NETCTL_RTWATCH_H
#define NETCTL_RTWATCH_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Whether a link went down, or away, since one last asked: the kernel's link events
 * (RTNLGRP_LINK), collected from the moment the watch was made. Needs no privileges.
 * Any thread, one at a time.
 */

struct rtwatch;

int rtwatch_new(const char *interface, struct rtwatch **ret, struct err *err);
/* NULL is allowed. */
void rtwatch_free(struct rtwatch *watch);

/* True once when there was such an event since the last call; also when events were
 * lost (ENOBUFS), since nobody knows then. */
bool rtwatch_was_down(struct rtwatch *watch);

#endif
