/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_SOCKFILTER_H
#define NETCTL_SOCKFILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

/* Which packets a socket lets in, by a program of the kernel's packet filter. */

/* `lock`: nobody can remove it again. 0 or -errno. */
int sockfilter_attach(int fd, struct sock_filter *code, size_t count, bool lock);

/* Discard what has come, for instance before the filter, and return how many packets that
 * were: no more than the receive buffer has room for, so that a flood holds nobody. */
int sockfilter_discard(int fd);

#endif
