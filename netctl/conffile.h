#ifndef NETCTL_CONFFILE_H
#define NETCTL_CONFFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * wg-quick's conf file (wg-quick(8)): "MTU = N" in the section [Interface]. Names are
 * matched without regard to case, "#" begins a comment, as wg-quick has it. The file
 * holds private keys: it is never logged, and buffers are wiped by conffile_wipe().
 */

/* The largest file that is taken for a conf file. */
#define CONFFILE_LIMIT (1024 * 1024)

/*
 * Pure: `data` with the MTU of [Interface] set to `mtu`, into a fresh buffer. The value
 * of an existing MTU line is replaced (the last one, which is the one wg-quick obeys;
 * an earlier one stays); without one, "MTU = N" is added after the last line of
 * [Interface] that is neither blank nor a comment, with that section's line ends. Every
 * other byte stays: comments, CRLF, order, a missing newline at the end, a byte order
 * mark. -ENOENT: no [Interface]. -EINVAL: a NUL byte. -ENOMEM.
 */
int conffile_edit(const char *data, size_t size, int mtu, char **ret, size_t *ret_size,
		  struct err *err);

struct conffile_facts {
	int mtu; /* 0 where there is no MTU line, -1 where its value is no number */
	bool save_config; /* SaveConfig = true: wg-quick writes the live MTU back on
			     down */
};

/* Pure. -ENOENT: no [Interface]. */
int conffile_facts(const char *data, size_t size, struct conffile_facts *ret,
		   struct err *err);

/*
 * Before anything is changed: the path is a regular file, or a symbolic link to one in
 * the same folder; it has an [Interface]; a file can be made beside it. *ret_path is
 * the real path, to be used from then on (PATH_MAX bytes). -ELOOP: link out of its
 * folder.
 */
int conffile_check(const char *path, char *ret_path, struct err *err);

/* The whole file; the caller passes the buffer to conffile_wipe(). */
int conffile_read(const char *path, char **ret, size_t *ret_size, struct err *err);

/*
 * Replace the file's content, as one step that a crash cannot split: a temporary file
 * beside it with the same mode and owner (and extended attributes where there are any),
 * fsync, rename, fsync of the folder.
 */
int conffile_replace(const char *path, const char *data, size_t size, struct err *err);

/* Make `to` in the same folder, with `data` as its content and the mode and owner of
 * `from`: for keeping an original beside the file. -EEXIST: there is one, it is kept.
 */
int conffile_copy(const char *from, const char *to, const char *data, size_t size,
		  struct err *err);

/* `original`, in the same folder, takes the file's place, with all its attributes. It
 * takes no space, and a crash cannot split it. */
int conffile_put_back(const char *original, const char *path, struct err *err);

/* Wipe and free. NULL is allowed. */
void conffile_wipe(char *data, size_t size);

#endif
