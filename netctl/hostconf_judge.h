/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HOSTCONF_JUDGE_H
#define NETCTL_HOSTCONF_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "netctl/conffile.h"
#include "netctl/journal.h"

/* The conf file is still ours, or somebody else changed it. For hostconf.c. */

struct hostconf_content {
	char *data;
	size_t size;
};

void hostconf_content_release(struct hostconf_content *content);
#define cleanup_hostconf_content __attribute__((cleanup(hostconf_content_release)))

/* conffile_read() of the file with that suffix. */
int hostconf_read(const struct conffile *file, const char *suffix,
		  struct hostconf_content *ret, struct err *err);
bool hostconf_same(const struct hostconf_content *a, const struct hostconf_content *b);

/* True where this is the folder that the run began with, wherever it is now. */
bool hostconf_is_noted_folder(const struct conffile *file,
			      const struct journal *journal);
/* True where this is the folder at the path, and the one that the run began with. */
bool hostconf_is_the_folder(const struct conffile *file, const struct journal *journal);
/* -EIO with its sentence. */
int hostconf_another_folder(const struct journal *journal, struct err *err);

/* The original with an MTU of ours: of the link, or of the routes to one peer.
 * -EOPNOTSUPP: a keyfile has no routes to one peer. Else as conffile_edit(). */
int hostconf_edit(const struct journal *journal,
		  const struct hostconf_content *original, int mtu,
		  struct hostconf_content *ret, struct err *err);

/* The original, if the conf file is still one of ours. -ESTALE: it is not; -EIO: the folder
 * is another one, which proves nothing. */
int hostconf_load_original(const struct conffile *file, const struct journal *journal,
			   struct hostconf_content *ret, struct err *err);

#endif
