#ifndef NETCTL_SYSCTL_H
#define NETCTL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Kernel settings of this network namespace that change what a test shows. */

/* /proc/sys/<name with slashes>, a whole number. -ENOENT, -EINVAL. */
int sysctl_read_int(const char *name, int *ret, struct err *err);

/*
 * Settings that hide or distort what is measured: tcp_mtu_probing=2 hides a black hole,
 * tcp_no_ssthresh_metrics_save=0 carries one pair's slow start into the next. Writes
 * the i-th warning (from 0) as a sentence; returns false when there are no more.
 */
bool sysctl_warning(int i, char *ret, size_t size);

#endif
