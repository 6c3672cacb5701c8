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

#define MODE 0600

static const char schema[] = "PRAGMA synchronous = FULL;"
			     "CREATE TABLE IF NOT EXISTS secret ("
			     "uuid TEXT PRIMARY KEY, secret TEXT NOT NULL)";

static int check_owner(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return err_set(
			err, -EPERM,
			"'%s' holds the secrets of runs, but is not a regular "
			"file of mode 0600 of uid %ld: give it back, or remove it "
			"(then no run of before can be resumed)",
			path, (long)geteuid());
	return 0;
}

/* SQLite gives a journal the mode of its database, so the mode is set before SQLite sees
 * the file. */
static int make_private(const char *path, struct err *err)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	return check_owner(fd, path, err);
}

static int open_secrets(struct db *db, const char *db_path, struct err *err)
{
	cleanup_free char *path = NULL;
	int r;

	db_init(db);
	if (asprintf(&path, "%s" SECRETS_SUFFIX, db_path) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	r = make_private(path, err);
	if (r == 0)
		r = db_open(db, path, DB_WRITE, err);
	if (r == 0)
		r = db_exec(db, schema, err);
	if (r < 0)
		db_release(db);
	return r;
}

int secrets_put(const char *db_path, const char *uuid, const char *secret,
		struct err *err)
{
	static const char sql[] = "INSERT INTO secret VALUES (?, ?)"
				  " ON CONFLICT (uuid) DO NOTHING";
	sqlite3_stmt *stmt;
	struct db db;
	int r = open_secrets(&db, db_path, err);

	if (r < 0)
		return r;
	r = db_prepare(&db, sql, &stmt, err);
	if (r == 0) {
		sqlite3_bind_text(stmt, 1, uuid, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, secret, -1, SQLITE_STATIC);
		r = db_step(&db, stmt, err);
		sqlite3_finalize(stmt);
	}
	db_release(&db);
	return r;
}

/* 1: found, 0: there is none. */
static int find_secret(struct db *db, const char *uuid, char ret[TOKEN_SIZE],
		       struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, "SELECT secret FROM secret WHERE uuid = ?", &stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, uuid, -1, SQLITE_STATIC);
	r = db_step(db, stmt, err);
	if (r > 0) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);

		text_copy(ret, TOKEN_SIZE, text ? (const char *)text : "");
	}
	return r;
}

int secrets_get(const char *db_path, const char *uuid, char ret[TOKEN_SIZE],
		struct err *err)
{
	struct db db;
	int r = open_secrets(&db, db_path, err);

	if (r < 0)
		return r;
	r = find_secret(&db, uuid, ret, err);
	db_release(&db);
	if (r < 0)
		return r;
	if (r == 0 || !token_valid(ret))
		return err_set(err, -ENOENT,
			       "'%s" SECRETS_SUFFIX "' has no secret of run %s",
			       db_path, uuid);
	return 0;
}
