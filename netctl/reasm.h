/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_REASM_H
#define NETCTL_REASM_H

#include <stdint.h>

#include "base/err.h"

/*
 * The number of packets that this network namespace has reassembled from fragments: the
 * kernel's ReasmOKs in /proc/net/snmp and snmp6. Without a tap it reveals fragmented
 * probes, if no other fragmented packet arrives at that time.
 */

/* `family`: 4 or 6. -EOPNOTSUPP if connection tracking reassembles IPv6 packets before
 * they are counted. */
int reasm_count(int family, uint64_t *ret, struct err *err);

/* The number of fragments that it has made: FragCreates. `family`: 4 or 6. */
int reasm_fragments(int family, uint64_t *ret, struct err *err);

/* Parse the counter from the file's text. Pure. -EBADMSG: it is missing. */
int reasm_parse(int family, const char *text, uint64_t *ret);

#endif
