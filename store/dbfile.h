/* SPDX-License-Identifier: MIT */
#ifndef STORE_DBFILE_H
#define STORE_DBFILE_H

#include <stdint.h>

#include "base/err.h"

/*
 * The files of a database, before SQLite opens them: its own, and those beside it, which
 * SQLite finds by the database's real path and their suffixes. They may come from anybody.
 */

/* Return the absolute path of a database's file, without links, whether the file exists
 * or not. A path that leads nowhere is returned as it is. The caller frees it; NULL: out
 * of memory. */
char *dbfile_resolve(const char *path);

/* The paths below are dbfile_resolve()'s. */

/* -EMEDIUMTYPE: a file beside it is not a regular one. Opening a FIFO waits. */
int dbfile_check_beside(const char *path, struct err *err);

/* -EUCLEAN: its rollback journal ends in the name of another file, for transactions over
 * several databases. SQLite, which restores from it, then removes that file; our databases
 * have no such transactions. */
int dbfile_check_journal(const char *path, struct err *err);

/* Bytes that the file and its write-ahead log take on the disk, 2 TiB at most. */
int64_t dbfile_size(const char *path);

#endif
