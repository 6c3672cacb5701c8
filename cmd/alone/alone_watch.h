/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_WATCH_H
#define CMD_ALONE_ALONE_WATCH_H

#include "cmd/alone/alone.h"

/* --watch with --alone: probe this end's path again and again (cmd/watch/watch.h). `alone`
 * has guard and config. Returns watch_run()'s result. */
int alone_watch(const struct alone *alone, struct err *err);

#endif
