/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_JOURNAL_H
#define NETCTL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/process.h"
#include "base/types.h"
#include "netctl/hostchange.h"

/*
 * The changes to restore, kept on disk in case every process is killed at once:
 * /run/mtusweep/<network namespace inode>-<interface>, readable by root only. It is
 * written and fsynced before the first change, and removed after restore or commit.
 * A run holds a lock on <...>.lock there (lockfile.h), so that two runs never use one
 * interface. Functions that open the folder fail as rundir_open().
 */

struct journal {
	char interface[IF_NAME_SIZE];
	/* Where the interface is; 0 and "" where the kernel does not say. */
	uint64_t netns_cookie;
	char boot[PROCESS_BOOT_SIZE];
	int ifindex;
	struct hostchange_records changes;
	/* The pair is committed: nothing remains to restore, but the commit's files may
	 * still have to be removed. */
	bool committed;
};

/* Take the interface's lock for this process and those it forks, until
 * lockfile_release(). Where the holder's keeper is gone, its guard gets
 * JOURNAL_LOCK_WAIT_MS to restore and end. -EBUSY: another mtusweep runs on this
 * interface; the text has its pid. */
#define JOURNAL_LOCK_WAIT_MS 3000
int journal_lock(const char *interface, int *ret_fd, struct err *err);

/* Where the journal of `interface` is. -EINVAL: no interface's name. */
#define JOURNAL_PATH_SIZE 128
int journal_path(const char *interface, char ret[JOURNAL_PATH_SIZE], struct err *err);

/*
 * Note this boot and network namespace; whether they are the ones that were noted (true
 * also where that cannot be told). An inode is used again once its namespace is gone, and
 * an interface there may have the same name and index.
 */
void journal_note_place(struct journal *journal);
bool journal_is_from_here(const struct journal *journal);

/* Write it, in one step. */
int journal_write(const struct journal *journal, struct err *err);
/* -ENOENT: there is none. -EBADMSG: not one of ours, or cut short. */
int journal_read(const char *interface, struct journal *ret, struct err *err);
/*
 * For the lines of a kind of change: the value of the line at *at, which has to begin with
 * `key` and a space; *at moves to the next line. NULL, false: another line, or a bad value.
 */
const char *journal_take_line(char **at, const char *key);
bool journal_take_int(char **at, const char *key, int *ret);
bool journal_take_u64(char **at, const char *key, uint64_t *ret);

/* Remove the journal: nothing remains to restore. 0 also if there is none. */
int journal_remove(const char *interface, struct err *err);

/*
 * Remove what is of use to nobody in the folder, whatever the interface: journals of a
 * boot that is over, or of a namespace that is known to be gone, unless a change in them
 * outlives those (struct hostchange_kind); and the halves of such that a killed process
 * was writing. Those of a namespace that may be hidden somewhere stay.
 */
void journal_remove_useless(void);

/* The interfaces of this network namespace that have a journal whose mtusweep runs no
 * more, as "'wg0', 'wg1'"; "" for none. Names that do not fit into `size` are left out. */
void journal_list_left(char *ret, size_t size);

#endif
