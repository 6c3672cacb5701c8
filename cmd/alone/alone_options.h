/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_OPTIONS_H
#define CMD_ALONE_ALONE_OPTIONS_H

#include "cmd/alone/alone.h"

/* The checks of --alone that both programs make. */

/* The words of the options. -EINVAL: one is no address, or an option does not go with
 * another. */
int alone_options_check(const struct alone_config *config, struct err *err);

/* Find the addresses to ask, and complete config and `host`. Privileged. Errors are
 * alone_targets_find()'s. */
int alone_options_ready(struct alone_config *config, struct host *host,
			struct err *err);

#endif
