/* SPDX-License-Identifier: MIT */
#ifndef BASE_PAIR_H
#define BASE_PAIR_H

#include "base/err.h"
#include "base/types.h"

/* "1420,1400" as --pair takes it: the server's MTU and the peer's. -EINVAL. */
int pair_parse(const char *text, struct mtu_pair *ret, struct err *err);

#endif
