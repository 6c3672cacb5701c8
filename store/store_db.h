/* SPDX-License-Identifier: MIT */
#ifndef STORE_STORE_DB_H
#define STORE_STORE_DB_H

#include "store/db.h"
#include "store/row.h"
#include "store/store.h"

/* The shared part of store.h's files: a store's connection, and writing one row. */

struct store {
	struct db db;
	int patience_ms;
	bool copying; /* store_begin_copy() was called */
};

/* Run a statement with bound values to its end and release it. */
int store_finish_row(struct db *db, const struct row *row, struct err *err);

/* A fact of a run may be written: 1; 0: it is the peer's own record, which has it; else
 * -errno. */
int store_may_write(struct store *store, int64_t run, struct err *err);

#endif
