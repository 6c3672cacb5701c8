/* SPDX-License-Identifier: MIT */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/evidence.h"
#include "base/path.h"
#include "base/path_probe.h"
#include "base/random.h"
#include "base/types.h"

/*
 * Writing runs into the SQLite database of docs/schema.md. A store belongs to one
 * thread at a time; it is opened after privileges were dropped, since SQLite makes
 * files beside it. WAL with synchronous=FULL while it is open; each row is committed by
 * itself, so a crash loses at most the pair under way; store_close() goes back to
 * journal_mode=DELETE, so that any user who may read the file can read it. Files are
 * made readable for all (mode 0644, less the umask).
 */

struct store;

/*
 * Open for writing, made when it does not exist, brought up to date when it is older.
 * -EACCES, -EROFS not writable; -ENOTDIR, -ENOENT no such folder; -EISDIR it is one;
 * -EMEDIUMTYPE not an SQLite database or not ours (application_id); -EOVERFLOW newer
 * than this program; -ENOSPC; -EUCLEAN damaged; -EBUSY another process holds it (after
 * 5 s); -EINVAL a name that is none.
 */
int store_open(const char *path, struct store **ret, struct err *err);

/* Orderly end. The store is freed in any case; NULL is allowed. -EBUSY: another program
 * has the file open, so that it stays in WAL mode; nothing is lost. */
int store_close(struct store *store, struct err *err);

/* How long a lock of another program, on the database or its secrets, is waited for from
 * now on; STORE_PATIENCE_MS unless it is said. For a caller that must answer in time. */
#define STORE_PATIENCE_MS 5000
void store_set_patience(struct store *store, int ms);

/* Begin the record of a run, at the end that measures. `options` is the command line's
 * options as a JSON object, or NULL. The same UUID again continues that run (outcome back
 * to running). *ret_run is its id here. */
int store_begin_record(struct store *store, const struct run_info *info,
		       const char *options, int64_t *ret_run, struct err *err);

/*
 * Begin, or continue, the copy of a run at the server. *ret_known: the database has this
 * run already. From now on what this store writes is a copy's: it leaves the record of the
 * run alone, where the peer writes into the same file, and takes no row while the disk is
 * nearly full (-ENOSPC). -EACCES: the run is there, of another address, with another
 * secret, or without any.
 */
int store_begin_copy(struct store *store, const struct run_info *info,
		     const char *secret, int64_t *ret_run, bool *ret_known,
		     struct err *err);

/* The secret of a run, kept beside the database for its owner's eyes (store/secrets.h). */
int store_keep_secret(struct store *store, const char *uuid, const char *secret,
		      struct err *err);
/* Check before a run that its secret can be stored: secrets_check(). */
int store_check_secrets(struct store *store, struct err *err);
/* -ENOENT: there is none. */
int store_find_secret(struct store *store, const char *uuid, char ret[TOKEN_SIZE],
		      struct err *err);

/* Idempotent on (run, seq): the same row again changes nothing. -EINVAL the run or the row
 * cannot be, or another row has its number; -ENOSPC; -ESTALE the file was moved or
 * removed. */
int store_record(struct store *store, int64_t run, const struct measurement *m,
		 struct err *err);
/* Check that exactly this row is stored: 0, or -EINVAL. */
int store_check_row(struct store *store, int64_t run, const struct measurement *m,
		    struct err *err);

/* The other end has it: the row need not be sent again. */
int store_acknowledge(struct store *store, int64_t run, uint32_t seq, struct err *err);

/* The first row from `seq` on that was not acknowledged yet. -ENOENT: none. */
int store_next_unacknowledged(struct store *store, int64_t run, uint32_t seq,
			      struct measurement *ret, struct err *err);

/* Store a warning about the run; the same facts once. */
int store_warn(struct store *store, int64_t run, const struct warning *w,
	       struct err *err);

/* Store the path of the run, in place of an earlier one. */
int store_put_path(struct store *store, int64_t run, const struct path_survey *survey,
		   struct err *err);

/* Store the recommendation in place of an earlier one. The probes are store_put_path()'s
 * to store, the current pair store_begin_record()'s. */
int store_recommend(struct store *store, int64_t run, const struct evidence *evidence,
		    struct err *err);
/* Store what one end alone found, in place of earlier facts. Its MTU is store_recommend()'s
 * to store, the interface store_begin_record()'s. */
int store_put_one_end(struct store *store, int64_t run, const struct one_end *facts,
		      struct err *err);
/* Remove the recommendation, if there is one: none is right any more. */
int store_withdraw(struct store *store, int64_t run, struct err *err);

/* Store a probe of a watch, whose number no other probe of this run may have. */
int store_put_probe(struct store *store, int64_t run, const struct path_probe *probe,
		    struct err *err);

/* `text` says why it ended, or "". */
int store_end_run(struct store *store, int64_t run, enum run_outcome outcome,
		  const char *text, struct err *err);

/* The same, of a run that ended in the past. */
int store_end_run_at(struct store *store, int64_t run, int64_t ended_at_ms,
		     enum run_outcome outcome, const char *text, struct err *err);

/* Commit all that `work` writes with the functions above and return its result, or, where
 * that is below 0, undo it. */
int store_transact(struct store *store, int (*work)(void *ctx, struct err *err),
		   void *ctx, struct err *err);

/* "3.40.1". Static. */
const char *store_library_version(void);

#endif
