/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_SYSCTL_H
#define NETCTL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/warning.h"

/* Kernel settings of this network namespace, and those that distort a test's result. */

#define SYSCTL_SIZE 32

/* Read /proc/sys/<name with slashes>: its first line, cut to that size. -ENOENT. */
int sysctl_read(const char *name, char ret[SYSCTL_SIZE], struct err *err);
/* The same, a whole number. -ENOENT, -EINVAL. */
int sysctl_read_int(const char *name, int *ret, struct err *err);

/* Write it. -ENOENT, -EROFS, -EACCES. */
int sysctl_write_int(const char *name, int value, struct err *err);

/*
 * Fill in the i-th warning (from 0), without its end; return false when there are no more.
 * The warnings name settings that hide or distort a result: tcp_mtu_probing=2 hides a
 * black hole, tcp_no_ssthresh_metrics_save=0 makes one pair's slow start affect the
 * next.
 */
bool sysctl_warning(int i, struct warning *ret);

#endif
