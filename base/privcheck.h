/* SPDX-License-Identifier: MIT */
#ifndef BASE_PRIVCHECK_H
#define BASE_PRIVCHECK_H

#include "base/err.h"
#include "base/priv.h"

/*
 * Check, before anything is forked, that this process has the privileges which the program
 * needs, so that a container without one of them gets a sentence and not an errno. Both
 * functions only read.
 */

/* -EPERM: this process cannot change MTUs. The text says what is missing: root, or
 * CAP_NET_ADMIN and how a container gets it. */
int privcheck_net_admin(struct err *err);

/* -EPERM: priv_drop() to `user`, or priv_keep() of `keep` (enum priv_keep), would fail,
 * because a capability is missing or the user namespace lacks ids. The text names what is
 * missing, and how a container gets it. */
int privcheck_rest(const struct priv_user *user, unsigned int keep, struct err *err);

#endif
