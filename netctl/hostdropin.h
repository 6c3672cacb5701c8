/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HOSTDROPIN_H
#define NETCTL_HOSTDROPIN_H

#include "base/err.h"

/*
 * A kind of change (hostchange.h): a drop-in of ours for systemd-networkd, "MTUBytes=N" in
 * [Link] (systemd.network(5)). Its text follows from the MTU alone, so there is no copy of
 * the one from before: the journal has its MTU. While a run is under way with --persist
 * each, the text names that MTU too. So the next start can restore the drop-in after a cut
 * of power, which takes the journal along.
 *
 * The journal says what will be changed before the folder is made, which networkd does not
 * have by default. A restore removes the folder if it was not there before, unless
 * somebody else has put a file into it. A drop-in of any other text is somebody else's:
 * it is never changed. networkd reads drop-ins at its start, and with "networkctl reload".
 */

/*
 * For the start of a program, behind hoststate_restore_journal(), with hostconf_lock() of
 * the drop-in's folder. *ret_path is the real path (PATH_MAX bytes), the text says what was
 * restored, or is "". -EEXIST: a file of another text has this name; the text says what to
 * do. -ENOENT: the folder that drop-in folders lie in does not exist.
 */
int hostdropin_check(const char *path, char *ret_path, struct err *err);

/* The folder of the drop-in, for hostconf_lock(): it may not exist. PATH_MAX bytes. */
void hostdropin_folder(const char *path, char *ret);

#endif
