/* SPDX-License-Identifier: MIT */
#include "store/runcopy.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/random.h"
#include "store/row.h"
#include "store/secrets.h"

#define FREE_MAX (INT64_C(64) << 20)

int runcopy_check_room(const struct db *db, struct err *err)
{
	struct statvfs fs;
	int64_t size, left;

	if (statvfs(db->path, &fs) < 0)
		return err_sys(err, errno, "cannot look at the disk of '%s'", db->path);
	size = (int64_t)fs.f_blocks * (int64_t)fs.f_frsize;
	left = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	if (left >= FREE_MAX || left >= size / 20)
		return 0;
	return err_set(err, -ENOSPC,
		       "nothing more is written into database '%s': its disk has only "
		       "%lld MiB left; free some space to go on",
		       db->path, (long long)(left >> 20));
}

int runcopy_is_record(struct db *db, int64_t run, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM run WHERE id = ? AND role = 'peer'";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &stmt, err);

	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_int(&row, run);
	return row_step(&row, db, err);
}

static bool column_is(sqlite3_stmt *stmt, int column, const char *text)
{
	const unsigned char *value = sqlite3_column_text(stmt, column);

	return value && strcmp((const char *)value, text) == 0;
}

/* The kind, where the run is this address'. */
static int find_run(struct db *db, const struct run_info *info, struct err *err)
{
	static const char sql[] = "SELECT role, peer_address FROM run WHERE uuid = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &stmt, err);

	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_text(&row, info->uuid);
	r = row_step(&row, db, err);
	if (r < 0)
		return r;
	if (r == 0)
		return RUNCOPY_NEW;
	if (!column_is(stmt, 1, info->peer.address))
		return err_set(err, -EACCES, "not permitted: run %s is another peer's",
			       info->uuid);
	return column_is(stmt, 0, "server") ? RUNCOPY_KNOWN : RUNCOPY_RECORD;
}

/* A known run without a secret could be opened by anybody, so nobody opens it. */
static int check_secret(const struct db *db, const char *uuid, const char *secret,
			bool known, int64_t deadline_ms, struct err *err)
{
	char kept[TOKEN_SIZE];
	struct err why = ERR_INIT;
	int r = secrets_get(db->path, uuid, clock_left_ms(deadline_ms), kept, &why);

	if (r == -ENOENT && !known)
		return secrets_put(db->path, uuid, secret, clock_left_ms(deadline_ms),
				   err);
	if (r == -ENOENT)
		return err_set(
			err, -EACCES,
			"run %s cannot be resumed at the server: %.250s; start a "
			"new run",
			uuid, why.text);
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	if (token_same(kept, secret))
		return 0;
	return err_set(err, -EACCES,
		       "not permitted: run %s is opened with its own secret only",
		       uuid);
}

int runcopy_admit(struct db *db, const struct run_info *info, const char *secret,
		  int64_t deadline_ms, struct err *err)
{
	int kind = find_run(db, info, err);
	int r;

	if (kind < 0)
		return kind;
	r = check_secret(db, info->uuid, secret, kind != RUNCOPY_NEW, deadline_ms, err);
	return r < 0 ? r : kind;
}
