/* SPDX-License-Identifier: MIT */
#include "store/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "store/db.h"
#include "store/row.h"

#define MODE 0600

static const char schema[] = "PRAGMA synchronous = FULL;"
			     "CREATE TABLE IF NOT EXISTS secret ("
			     "uuid TEXT PRIMARY KEY, secret TEXT NOT NULL)";

static int refuse_file(const char *path, const char *what, const char *remedy,
		       struct err *err)
{
	return err_set(
		err, -EPERM,
		"'%.150s', the file of the runs' secrets, %s: %s (then no run of "
		"before can be resumed)",
		path, what, remedy);
}

/* By its name, without a descriptor: to close one would drop the locks that another
 * connection of this process holds on the file (POSIX). */
static int check_private(const char *path, struct err *err)
{
	char what[96];
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
			       ? -ENOENT
			       : err_sys(err, errno, "cannot look at '%s'", path);
	if (S_ISLNK(st.st_mode))
		return refuse_file(path, "is a symbolic link", "remove it", err);
	if (!S_ISREG(st.st_mode))
		return refuse_file(path,
				   S_ISDIR(st.st_mode) ? "is a folder"
						       : "is no regular file",
				   "remove it", err);
	if (st.st_uid != geteuid()) {
		snprintf(what, sizeof(what),
			 "belongs to uid %ld, and this program runs as uid %ld",
			 (long)st.st_uid, (long)geteuid());
		return refuse_file(path, what, "give it back with chown, or remove it",
				   err);
	}
	if (st.st_mode & 077)
		return refuse_file(path, "is open to others",
				   "run chmod 0600, or remove it", err);
	return 0;
}

/* SQLite gives a journal the mode of its database, so the mode is set before SQLite sees
 * the file. */
static int make_private(const char *path, struct err *err)
{
	int r = check_private(path, err);
	cleanup_fd int fd = -1;

	if (r != -ENOENT)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (fd >= 0)
		return 0;
	/* Another program was quicker. */
	return errno == EEXIST ? check_private(path, err)
			       : err_sys(err, errno, "cannot open '%s'", path);
}

/* Replace SQLite's error about the content by a sentence about the secrets' file. */
static int name_content(int r, const char *path, struct err *err)
{
	if (r == -EMEDIUMTYPE || r == -EUCLEAN)
		return refuse_file(path, "is not one, or is damaged", "remove it", err);
	return r;
}

static int open_secrets(struct db *db, const char *path, int patience_ms,
			struct err *err)
{
	int r = db_open(db, path, DB_UPDATE, err);

	if (r == 0)
		sqlite3_busy_timeout(db->sql, patience_ms);
	return r;
}

static char *path_beside(const char *db_path, struct err *err)
{
	char *path;

	if (asprintf(&path, "%s" SECRETS_SUFFIX, db_path) >= 0)
		return path;
	err_set(err, -ENOMEM, "out of memory");
	return NULL;
}

/* A task in the file. */
struct wish {
	const char *uuid;
	const char *secret; /* to store */
	char *ret;          /* to find, of TOKEN_SIZE */
};

/* Do `work` in the file at `path`, after `prepare` has checked or made it: its result. */
static int use_file(const char *path, int (*prepare)(const char *path, struct err *err),
		    int patience_ms,
		    int (*work)(struct db *db, const struct wish *wish,
				struct err *err),
		    const struct wish *wish, struct err *err)
{
	struct db db;
	int r;

	db_init(&db);
	r = prepare(path, err);
	if (r == 0)
		r = open_secrets(&db, path, patience_ms, err);
	if (r == 0)
		r = work(&db, wish, err);
	db_release(&db);
	return name_content(r, path, err);
}

static int insert_secret(struct db *db, const struct wish *wish, struct err *err)
{
	static const char sql[] = "INSERT INTO secret VALUES (?, ?)"
				  " ON CONFLICT (uuid) DO NOTHING";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	int r = db_exec(db, schema, err);

	if (r == 0)
		r = db_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_text(&row, wish->uuid);
	row_bind_text(&row, wish->secret);
	return row_step(&row, db, err);
}

int secrets_put(const char *db_path, const char *uuid, const char *secret,
		int patience_ms, struct err *err)
{
	const struct wish wish = {.uuid = uuid, .secret = secret};
	cleanup_free char *path = path_beside(db_path, err);

	if (!path)
		return -ENOMEM;
	return use_file(path, make_private, patience_ms, insert_secret, &wish, err);
}

/* A program that was killed before it made the table has left a file without one. */
static int has_table(struct db *db, const struct wish *wish, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM sqlite_master WHERE name = 'secret'";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, sql, &stmt, err);

	(void)wish;
	return r < 0 ? r : db_step(db, stmt, err);
}

/* 1: found, 0: there is none. */
static int find_secret(struct db *db, const struct wish *wish, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	int r = has_table(db, wish, err);

	if (r <= 0)
		return r;
	r = db_prepare(db, "SELECT secret FROM secret WHERE uuid = ?", &stmt, err);
	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_text(&row, wish->uuid);
	r = row_step(&row, db, err);
	if (r > 0) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);

		text_copy(wish->ret, TOKEN_SIZE, text ? (const char *)text : "");
	}
	return r;
}

int secrets_get(const char *db_path, const char *uuid, int patience_ms,
		char ret[TOKEN_SIZE], struct err *err)
{
	const struct wish wish = {.uuid = uuid, .ret = ret};
	cleanup_free char *path = path_beside(db_path, err);
	int r;

	if (!path)
		return -ENOMEM;
	r = use_file(path, check_private, patience_ms, find_secret, &wish, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r <= 0 || !token_valid(ret))
		return err_set(err, -ENOENT, "'%s' has no secret of run %s", path,
			       uuid);
	return 0;
}

int secrets_check(const char *db_path, int patience_ms, struct err *err)
{
	cleanup_free char *path = path_beside(db_path, err);
	int r;

	if (!path)
		return -ENOMEM;
	r = use_file(path, check_private, patience_ms, has_table, NULL, err);
	return r < 0 && r != -ENOENT ? r : 0;
}
