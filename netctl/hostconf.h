#ifndef NETCTL_HOSTCONF_H
#define NETCTL_HOSTCONF_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "netctl/journal.h"

/*
 * hoststate's part for the conf file. While it is rewritten, the original lies beside
 * it under JOURNAL_CONF_SUFFIX, and journal.conf_file names it. The journal says so
 * before any copy is made, so that a killed process's copies are found and removed. The
 * file counts as ours as long as it holds that original, as it is or with an MTU of ours
 * in it; anything else, a file that is not there any more too, is somebody else's change
 * and is kept.
 *
 * The path counts: wg-quick reads what is there. Each function opens the folder at the
 * path once and acts in that one. Only what is seen in the folder that the run began with
 * proves a change by somebody else. A folder that is missing, that cannot be read, or
 * that is another one without the original in it (moved away, its file system not
 * mounted) gives -EIO, and the caller tries again.
 */

/*
 * -EEXIST: an original from before lies beside `conf_file`, and it is not known which
 * of the two is right (a cut of power takes the journal along); the text says what to
 * do. One that is the same as the conf file is removed, and so is CONFFILE_TEMPORARY. For
 * the start of a program, behind hoststate_restore_journal(); the first hostconf_write()
 * does it too.
 */
int hostconf_check(const char *conf_file, struct err *err);

/* A conf file at some moment, to tell whether somebody changed it since. */
struct hostconf_stamp {
	bool known; /* false: it could not be looked at */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

void hostconf_note(const char *conf_file, struct hostconf_stamp *ret);
/* True also where either cannot be looked at. */
bool hostconf_is_as_noted(const char *conf_file, const struct hostconf_stamp *noted);

/* The original with journal->mtu_set in it becomes the conf file; the first time, the
 * original is kept and the journal written. -EEXIST as above; -ESTALE: not ours; -EIO as
 * above, also where the folder was moved away meanwhile. */
int hostconf_write(struct journal *journal, const char *conf_file, struct err *err);

/*
 * The original takes the conf file's place by rename(): it takes no space on the disk,
 * and mode, owner and attributes come with it. 0 also where it has taken it already, or
 * the conf file was not touched. Afterwards no copy is left. -ESTALE: not ours; both are
 * kept. With the 0 err's text says, if it is not "", that the folder at the path is not
 * the one that the run began with.
 */
int hostconf_restore(const struct journal *journal, struct err *err);

/*
 * The conf file stays as it is. The original is kept for the user as
 * "<conf file>.mtusweep-<date>" (UTC, "20261124T113059Z"; with "-2" and so on where there
 * is one), by rename(), so with its mode and owner; where both are the same it goes. The
 * text says where it is, or is "". A failure leaves it where it was, for another try.
 */
int hostconf_keep(const struct journal *journal, struct err *err);

#endif
