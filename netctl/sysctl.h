/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_SYSCTL_H
#define NETCTL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Kernel settings of this network namespace that distort a test's result. */

/* Read /proc/sys/<name with slashes>, a whole number. -ENOENT, -EINVAL. */
int sysctl_read_int(const char *name, int *ret, struct err *err);

/*
 * Write the i-th warning (from 0) as a sentence; return false when there are no more.
 * The warnings name settings that hide or distort a result: tcp_mtu_probing=2 hides a
 * black hole, tcp_no_ssthresh_metrics_save=0 makes one pair's slow start affect the
 * next.
 */
bool sysctl_warning(int i, char *ret, size_t size);

#endif
