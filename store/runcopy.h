/* SPDX-License-Identifier: MIT */
#ifndef STORE_RUNCOPY_H
#define STORE_RUNCOPY_H

#include "base/types.h"
#include "store/db.h"

/*
 * The rules for the server's copies of runs: which run a peer may open, what a copy may
 * change, and how much of the disk it may take. For store.c.
 */

enum runcopy_kind {
	RUNCOPY_NEW,   /* the run is not in the database yet */
	RUNCOPY_KNOWN, /* it is there, as a copy */
	RUNCOPY_RECORD, /* it is there as the peer's own record: both ends share a file */
};

/* Check that the peer of `info->peer.address` may open this run, and keep the secret of a
 * new one. Within a transaction: the secrets' file is waited for until `deadline_ms`
 * (clock_boot_ms()), then -EBUSY. The kind; -EACCES: another address has the run, or the
 * secret differs from the run's. */
int runcopy_admit(struct db *db, const struct run_info *info, const char *secret,
		  int64_t deadline_ms, struct err *err);

/* 1: the run is a peer's own record; 0: it is not. */
int runcopy_is_record(struct db *db, int64_t run, struct err *err);

/* -ENOSPC: the disk is nearly full. A peer must not be able to fill it, so a copy leaves
 * the last twentieth of it free, or 64 MiB where that is less. */
int runcopy_check_room(const struct db *db, struct err *err);

#endif
