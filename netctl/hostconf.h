/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HOSTCONF_H
#define NETCTL_HOSTCONF_H

#include "base/err.h"

/*
 * A kind of change (hostchange.h): the MTU in the conf file. While it is rewritten, the
 * original lies beside it under HOSTCONF_SUFFIX, and the journal names the conf file. The
 * journal says so before any copy is made, so that a killed process's copies are found and
 * removed. The file counts as ours as long as it holds that original, as it is or with an
 * MTU of ours in it; anything else, a file that is not there any more too, is somebody
 * else's change and is kept.
 *
 * The path counts: wg-quick reads what is there. Each step opens the folder at the path
 * once and acts in that one. Only what is seen in the folder that the run began with
 * proves a change by somebody else. A folder that is missing, that cannot be read, or
 * that is another one without the original in it (moved away, its file system not
 * mounted) gives -EIO, and the caller tries again. So does a folder that was moved away
 * while the conf file was written.
 *
 * A commit leaves the conf file as it is, and keeps the original for the user as
 * "<conf file>.mtusweep-<date>" (UTC, "20261124T113059Z"; with "-2" and so on where there
 * is one), by rename(), so with its mode and owner.
 */

/* The original conf file is kept beside it under this name while it is rewritten. */
#define HOSTCONF_SUFFIX ".mtusweep-original"

/*
 * Take the lock of a conf file, named by its real path (conffile_check()), as
 * journal_lock() does an interface's, whatever the interface and its namespace: two must
 * not rewrite one file. The lock is conf-<device>-<inode of the folder>-<name>.lock: the
 * file's own inode changes with each rewrite. *ret_fd is above 2, so it fits guard_config's
 * conf_lock_fd. -EBUSY: the text has the other's pid and interface.
 */
int hostconf_lock(const char *conf_file, const char *interface, int *ret_fd,
		  struct err *err);

/*
 * -EEXIST: an original from before lies beside `conf_file`, and it is not known which
 * of the two is right (a cut of power takes the journal along); the text says what to
 * do. One that is the same as the conf file is removed, and so is CONFFILE_TEMPORARY. For
 * the start of a program, behind hoststate_restore_journal(); the first change does it
 * too.
 */
int hostconf_check(const char *conf_file, struct err *err);

#endif
