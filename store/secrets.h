#ifndef STORE_SECRETS_H
#define STORE_SECRETS_H

#include "base/err.h"
#include "base/uuid.h"

/*
 * The secrets of a database's runs, in a file beside it that only its owner may read
 * (mode 0600): whoever has the secret of a run may open it at the server. The database
 * itself is readable for all, and people hand it on. The file is an SQLite database as
 * well, opened for the time of a call.
 */

#define SECRETS_SUFFIX ".secrets"

/* Keep the secret of a run; one that is there already stays. The errors of store_open();
 * -EPERM: the file belongs to another user, or others may read it. */
int secrets_put(const char *db_path, const char *uuid, const char *secret,
		struct err *err);

/* -ENOENT, with a sentence: there is none for this run. */
int secrets_get(const char *db_path, const char *uuid, char ret[TOKEN_SIZE],
		struct err *err);

#endif
