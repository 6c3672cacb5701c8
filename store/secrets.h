/* SPDX-License-Identifier: MIT */
#ifndef STORE_SECRETS_H
#define STORE_SECRETS_H

#include "base/err.h"
#include "base/random.h"

/*
 * The secrets of a database's runs, in a file beside it that only its owner may read
 * (mode 0600): the secret of a run authorises its holder to open the run at the
 * server. The database itself is readable for all, and people hand it on. The file is
 * an SQLite database as well, opened for the time of a call. A call waits `patience_ms`
 * for another program's lock on it, then fails with -EBUSY. No call closes a descriptor
 * of its own on a file that existed before, so that the locks of other connections of
 * this process last.
 */

#define SECRETS_SUFFIX ".secrets"

/* Keep the secret of a run; one that is there already stays. The errors of store_open();
 * -EPERM: the file belongs to another user, or others may read it. */
int secrets_put(const char *db_path, const char *uuid, const char *secret,
		int patience_ms, struct err *err);

/* Check that secrets of runs can be stored and read. 0 also if there is no file yet.
 * -EPERM: it is a link, another user's, open to others, or no regular file; the
 * sentence says what to do. Else the errors of store_open(). */
int secrets_check(const char *db_path, int patience_ms, struct err *err);

/* -ENOENT, with a sentence: there is none for this run; the file is not made. */
int secrets_get(const char *db_path, const char *uuid, int patience_ms,
		char ret[TOKEN_SIZE], struct err *err);

#endif
