/* SPDX-License-Identifier: MIT */
#ifndef CMD_HOST_HOST_CONF_H
#define CMD_HOST_HOST_CONF_H

#include "base/err.h"
#include "cmd/host/host.h"

/*
 * Find the file that keeps the interface's MTU, for a run with --persist: the one of
 * --conf-file, else by netctl/confhome.h. Say which it is. Check and lock it, and fill
 * host->home, guard.bounds.conf_file and guard.conf_lock_fd. Without a file to write to
 * conf_file stays "": an MTU is applied to the host alone. A failure is the file's.
 */
int host_conf_check(const struct host_options *options, struct host *host,
		    struct err *err);

/* True where an MTU is applied to the host alone. */
bool host_is_live_only(const struct host *host);

/* "link and conf file", "the link alone", ... Static. */
const char *host_kept_in(bool by_route, bool live_only);

/* Where an MTU is applied to the host alone, the system whose lines make it last, as
 * `best --as` has it; else NULL. */
const char *host_conf_system(const struct host *host);

#endif
