/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_CONFFILE_H
#define NETCTL_CONFFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "netctl/heldfolder.h"

/*
 * The conf file, which keeps the interface's MTU and private key: it is never logged, and
 * buffers are wiped by conffile_wipe(). Its name says which form it has.
 */

enum conffile_form {
	/* wg-quick's (wg-quick(8)): "MTU = N" in [Interface]. Names are matched without
	 * regard to case, "#" begins a comment. */
	CONFFILE_WG_QUICK,
	/* NetworkManager's, "*.nmconnection" (nm-settings-keyfile(5)): "mtu=N" in
	 * [wireguard]. Names are matched with their case, and a line that begins with "#"
	 * is a comment. */
	CONFFILE_KEYFILE,
	/* systemd-networkd's, a "*.conf" in "*.network.d" (systemd.network(5)):
	 * "MTUBytes=N" in [Link]. It has no key, and may not exist: hostdropin.h. */
	CONFFILE_DROPIN,
};

/* Pure. */
enum conffile_form conffile_form(const char *path);

/* The largest file that is taken for a conf file. */
#define CONFFILE_LIMIT (1024 * 1024)

/*
 * Pure: `data` with the MTU of its section set to `mtu`, into a fresh buffer. The value
 * of an existing MTU line is replaced (the last one, which is the one that counts; an
 * earlier one stays); without one, a line is added after the last line of the section
 * that is neither blank nor a comment, with that section's line ends. Every other byte
 * stays: comments, CRLF, order, a missing newline at the end, a byte order mark.
 * -ENOENT: no such section. -EINVAL: a NUL byte. -ENOMEM.
 */
int conffile_edit(enum conffile_form form, const char *data, size_t size, int mtu,
		  char **ret, size_t *ret_size, struct err *err);

/* A line that gives the routes to a prefix an MTU when the tunnel comes up. */
struct conffile_route {
	const char *address;
	int length;         /* of the prefix */
	int table;          /* 0: the main one */
	const char *source; /* "": none */
	int mtu;
};

/*
 * Pure, for wg-quick's form: `data` with one line a route after the last line of
 * [Interface] that is neither blank nor a comment:
 *
 *	PostUp = ip -4 route replace 10.0.0.2/32 dev %i proto 77 mtu 1340 \
 *		# mtusweep 10.0.0.2 (one line)
 *
 * The comment names `peer`, the tunnel address of the peer that they are for. Lines of that
 * form with this comment, or for one of these prefixes, are removed. "wg-quick save" drops
 * comments, so the protocol number marks a line too. All else as conffile_edit().
 */
int conffile_edit_routes(const char *data, size_t size, const char *peer,
			 const struct conffile_route *routes, int count, char **ret,
			 size_t *ret_size, struct err *err);

struct conffile_facts {
	int mtu; /* 0 where there is no MTU line, -1 where its value is no number */
	bool save_config; /* SaveConfig = true: wg-quick writes the live MTU back on
			     down */
};

/* Pure. -ENOENT: no such section. */
int conffile_facts(enum conffile_form form, const char *data, size_t size,
		   struct conffile_facts *ret, struct err *err);
/* Pure: facts.mtu; 0 also without the section. */
int conffile_mtu(enum conffile_form form, const char *data, size_t size);

/* A command of the conf file that sets the MTU of the interface each time wg-quick brings
 * it up, whatever the MTU line says. */
struct conffile_hook {
	int line;    /* of the file, from 1; 0: there is no such command */
	char key[8]; /* "PreUp", "PostUp" */
	int mtu;     /* 0: not a number, such as a variable of the shell */
};

/*
 * Pure: the last such command in [Interface], for `interface` or "%i":
 * "ip link set mtu 1300 dev %i", "ifconfig wg0 mtu 1300",
 * "echo 1300 > /sys/class/net/%i/mtu". MTUs of routes do not count. A script that the
 * file only names is not looked into.
 */
struct conffile_hook conffile_find_hook(const char *data, size_t size,
					const char *interface);

/*
 * A conf file on disk, in its folder, which is held open: conffile_open() reaches the
 * folder once, safely (heldfolder.h), and each step up to conffile_close() acts in that
 * folder. A file beside the conf file is named by a suffix to the conf file's name; "" is
 * the conf file itself. Beside a keyfile a "~" follows the suffix: NetworkManager takes
 * any other file there for one more connection. Where a user other than root can exchange
 * the folder, only files of that user are read, and what root writes belongs to that user.
 * No function here returns -ESTALE: the kernel's is -EIO.
 */
struct conffile {
	struct heldfolder folder;
	char name[NAME_MAX + 1];
};

/* Beside the conf file while it or a copy of it is written, and always the same: what a
 * killed process left is found and removed. */
#define CONFFILE_TEMPORARY ".mtusweep-new"

/* The longest suffix of a file that is made beside the conf file. */
#define CONFFILE_SUFFIX_MAX 32

/* -EISDIR: the path names a folder. Else as heldfolder_open(). */
int conffile_open(const char *path, struct conffile *ret, struct err *err);
void conffile_close(struct conffile *file);
#define cleanup_conffile __attribute__((cleanup(conffile_close)))

/* "~" or "", behind a suffix to this path. */
const char *conffile_ending(const char *path);

/* The path of the file with that suffix; for messages. */
struct conffile_path {
	char text[PATH_MAX + NAME_MAX + CONFFILE_SUFFIX_MAX];
};
struct conffile_path conffile_path(const struct conffile *file, const char *suffix);

/*
 * Before anything is changed: the path is a regular file, or a symbolic link to one in
 * the same folder; it has the section of its form; only its owner and root can write to it
 * and exchange it or its folder; a file can be made beside it. *ret_path is the real path,
 * to be used from then on (PATH_MAX bytes). -ELOOP: link out of its folder. -EPERM: others
 * can write to it or exchange it.
 */
int conffile_check(const char *path, char *ret_path, struct err *err);

/* The whole file; the caller passes the buffer to conffile_wipe(). -ELOOP, -EISDIR,
 * -EINVAL, -EFBIG: a link, a folder, no regular file, too large. -EPERM: the file is
 * not the user's who can exchange its folder. */
int conffile_read(const struct conffile *file, const char *suffix, char **ret,
		  size_t *ret_size, struct err *err);
/* True for conffile_read()'s errors that tell of another file than ours: a link, a folder,
 * something huge, another user's. */
bool conffile_is_another(int r);

/* If a command of the file on disk sets another MTU than `mtu` at the next start of the
 * interface, say so in front of *text. */
void conffile_name_hook(const struct conffile *file, const char *interface, int mtu,
			struct err *text);

/* fsync(2) of its folder. 0 or -errno. */
int conffile_sync_folder(const struct conffile *file);

/* lstat(2) of it. 0 or -errno. */
int conffile_stat(const struct conffile *file, const char *suffix, struct stat *ret);

/*
 * Replace the conf file's content, as one step that a crash cannot split: a temporary
 * file beside it with the same mode and owner (and extended attributes where there are
 * any), fsync, rename, fsync of the folder.
 */
int conffile_replace(const struct conffile *file, const char *data, size_t size,
		     struct err *err);

/* The same for a file that may not exist, with this mode, and of the folder's user. */
int conffile_make(const struct conffile *file, const char *data, size_t size,
		  mode_t mode, struct err *err);

/* Copy the conf file to the one with that suffix, in the same way. -EEXIST: there is
 * one, which stays. */
int conffile_copy(const struct conffile *file, const char *suffix, struct err *err);

/* The one with that suffix takes the conf file's place, with all its attributes. It
 * takes no space, and a crash cannot split it. */
int conffile_restore(const struct conffile *file, const char *suffix, struct err *err);

/* Rename one beside the conf file, never over another (-EEXIST). 0 or -errno. */
int conffile_rename(const struct conffile *file, const char *from, const char *to);

/* Remove one beside the conf file. 0 also where there is none. */
int conffile_remove(const struct conffile *file, const char *suffix, struct err *err);

/* Wipe and free. NULL is allowed. */
void conffile_wipe(char *data, size_t size);

#endif
