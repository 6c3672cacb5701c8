#ifndef NETCTL_HOSTCONF_H
#define NETCTL_HOSTCONF_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "netctl/journal.h"

/*
 * hoststate's part for the conf file. While it is rewritten, the original lies beside
 * it under JOURNAL_CONF_SUFFIX, and journal.conf_file names it. The file counts as ours
 * as long as it holds that original, as it is or with an MTU of ours in it; anything
 * else, a file that is not there any more too, is somebody else's change and is kept.
 */

/*
 * -EEXIST: an original from before lies beside `conf_file`, and it is not known which
 * of the two is right (a cut of power takes the journal along); the text says what to
 * do. One that is the same as the conf file is removed. For the start of a program,
 * behind hoststate_restore_journal(); the first hostconf_write() does it too.
 */
int hostconf_check(const char *conf_file, struct err *err);

/* What a conf file is at some moment, to tell whether somebody changed it since. */
struct hostconf_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

void hostconf_note(const char *conf_file, struct hostconf_stamp *ret);
bool hostconf_is_as_noted(const char *conf_file, const struct hostconf_stamp *noted);

/* The original with journal->mtu_set in it becomes the conf file; the first time, the
 * original is kept and the journal written. -EEXIST as above; -ESTALE: not ours. */
int hostconf_write(struct journal *journal, const char *conf_file, struct err *err);

/*
 * The original takes the conf file's place by rename(): it takes no space on the disk,
 * and mode, owner and attributes come with it. 0 also where it has taken it already.
 * -ESTALE: not ours; both are kept.
 */
int hostconf_restore(const struct journal *journal, struct err *err);

/*
 * The conf file stays as it is. The original is kept for the user as
 * "<conf file>.mtusweep-<date>" (UTC, "20261124T113059Z"; with "-2" and so on where there
 * is one), by rename(), so with its mode and owner; where both are the same it goes. The
 * text says where it is, or why it could not be renamed and is where it was.
 */
void hostconf_keep(const struct journal *journal, struct err *ret_text);

#endif
