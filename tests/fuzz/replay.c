/* SPDX-License-Identifier: MIT */
/* replay FOLDER: runs each file of a corpus through the fuzz target that this is linked
 * with, for compilers without libFuzzer. A missing or empty folder is a failure. */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
	fprintf(stderr, "replay: '%s': %s\n", what, strerror(errno));
	exit(1);
}

/* Put the input in memory of exactly its size: the sanitizer detects a read beyond
 * it. */
static void replay(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	FILE *file = fopen(path, "rb");

	if (!data || !file || fread(data, 1, size, file) != size)
		fail(path);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int main(int argc, char **argv)
{
	const struct dirent *entry;
	char path[4096];
	struct stat st;
	int count = 0;
	DIR *folder;

	folder = opendir(argc == 2 ? argv[1] : "");
	if (!folder)
		fail(argc == 2 ? argv[1] : "usage: replay FOLDER");
	while ((entry = readdir(folder))) {
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (stat(path, &st) < 0)
			fail(path);
		if (!S_ISREG(st.st_mode))
			continue;
		replay(path, (size_t)st.st_size);
		count++;
	}
	closedir(folder);
	printf("%d files of '%s' replayed\n", count, argv[1]);
	return count ? 0 : 1;
}
