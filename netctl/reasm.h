#ifndef NETCTL_REASM_H
#define NETCTL_REASM_H

#include <stdint.h>

#include "base/err.h"

/*
 * How many packets this network namespace has put together from fragments: the
 * kernel's ReasmOKs in /proc/net/snmp and snmp6. Where outer packets cannot be looked at,
 * it tells fragmented ones, if nothing else that is fragmented arrives at that time.
 */

/* `family`: 4 or 6. -EOPNOTSUPP where connection tracking puts IPv6's together before
 * they are counted. */
int reasm_count(int family, uint64_t *ret, struct err *err);

/* The counter in the file's text. Pure. -EBADMSG: it is not there. */
int reasm_parse(int family, const char *text, uint64_t *ret);

#endif
