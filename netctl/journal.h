#ifndef NETCTL_JOURNAL_H
#define NETCTL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/types.h"

/*
 * What must be put back, on disk, for the case that every process is killed at once:
 * /run/mtusweep/<network namespace inode>-<interface>, readable by root only. It is
 * written and fsynced before the first change, and removed after restore or commit.
 * Whoever runs on an interface holds a lock on <...>.lock there (lockfile.h), so that two
 * never meet; whoever may rewrite a conf file holds one for it too, whatever the interface
 * and its namespace. All that opens the folder fails as rundir_open().
 */

#define JOURNAL_BOOT_SIZE 40

struct journal {
	char interface[IF_NAME_SIZE];
	/* Where the interface is; 0 and "" where the kernel does not tell. */
	uint64_t netns_cookie;
	char boot[JOURNAL_BOOT_SIZE];
	int ifindex;
	int mtu_original;
	int mtu_before; /* what the link had before the last change of ours */
	int mtu_set;    /* what we last set, or are about to set */
	/* "" while the conf file is as it was, and no copy of it lies beside it */
	char conf_file[4096];
	/* Its folder: another one at that path is not where the original lies. */
	uint64_t folder_device;
	uint64_t folder_inode;
	/* The inode of the original beside it: a conf file with this one was restored. 0: the
	 * original is being made, and the conf file was not touched. */
	uint64_t original_inode;
	char probe_address[ADDRESS_SIZE]; /* proberoute's; "" while there is none */
	int probe_port;
	/* What is set is kept: nothing is to be put back any more, but a commit may have
	 * left its work half done. */
	bool committed;
};

/* The original conf file is kept beside it under this name while it is rewritten. */
#define JOURNAL_CONF_SUFFIX ".mtusweep-original"

/* Take the interface's lock for this process and those it forks, until
 * lockfile_release(). -EBUSY: another mtusweep runs on this interface; the text has its pid. */
int journal_lock(const char *interface, int *ret_fd, struct err *err);

/*
 * The same for a conf file, named by its real path (conffile_check()): two interfaces,
 * or two namespaces' interfaces of one name, must not rewrite one file. The lock is
 * conf-<device>-<inode of the folder>-<name>.lock: the file's own inode changes with
 * each rewrite. *ret_fd is above 2, so it fits guard_config's conf_lock_fd. -EBUSY: the
 * text has the other's pid and interface.
 */
int journal_lock_conf(const char *conf_file, const char *interface, int *ret_fd,
		      struct err *err);

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
/* Nothing to put back any more. 0 also when there is none. */
int journal_remove(const char *interface, struct err *err);

/*
 * Remove what is of use to nobody in the folder, whatever the interface: journals of a boot
 * that is over, or of a namespace that is known to be gone, which name no conf file; and
 * the halves of such that a killed process was writing. Of a namespace that may be hidden
 * somewhere they stay.
 */
void journal_remove_useless(void);

/* The interfaces of this network namespace that have a journal whose mtusweep runs no
 * more, as "'wg0', 'wg1'"; "" for none. Names that do not fit into `size` are left out. */
void journal_list_left(char *ret, size_t size);

#endif
