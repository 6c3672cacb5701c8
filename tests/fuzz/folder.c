/* SPDX-License-Identifier: MIT */
/* A folder for the files of a fuzz target. */

#include "folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *where)
{
	(void)st;
	(void)kind;
	if (where->level > 0)
		(void)remove(path);
	return 0;
}

void folder_empty(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_folder(void)
{
	folder_empty();
	rmdir(folder);
}

const char *folder_make(void)
{
	if (folder[0])
		return folder;
	text_copy(folder, sizeof(folder),
		  access("/dev/shm", W_OK) == 0 ? "/dev/shm/mtusweep-fuzz-XXXXXX"
						: "/tmp/mtusweep-fuzz-XXXXXX");
	if (!mkdtemp(folder)) {
		perror("cannot make a folder");
		abort();
	}
	atexit(remove_folder);
	return folder;
}

void folder_write(const char *name, const void *data, size_t size)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *at = strchr(path + strlen(folder) + 1, '/'); at;
	     at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file) == EOF) {
		perror(path);
		abort();
	}
}
