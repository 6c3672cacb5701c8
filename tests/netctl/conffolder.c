/* SPDX-License-Identifier: MIT */
/* A folder with conf files for the tests that need real ones. */
#include "conffolder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netctl/conffile.h"
#include "netlab.h"

char folder[PATH_MAX];

int enter_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_conffile_XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 && chmod(folder, 0755) == 0 ? 0
										 : -1;
}

int leave_folder(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	if (chdir("/") < 0)
		return -1;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	netlab_run(command);
	return 0;
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

int entries(void)
{
	DIR *dir = opendir(folder);
	int count = 0;

	if (!dir)
		return -1;
	for (const struct dirent *entry; (entry = readdir(dir));)
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return count;
}

int read_conf(const char *path, char **ret, size_t *ret_size, struct err *err)
{
	cleanup_conffile struct conffile file;
	int r = conffile_open(path, &file, err);

	return r < 0 ? r : conffile_read(&file, "", ret, ret_size, err);
}

int replace_conf(const char *path, const char *data, size_t size, struct err *err)
{
	cleanup_conffile struct conffile file;
	int r = conffile_open(path, &file, err);

	return r < 0 ? r : conffile_replace(&file, data, size, err);
}

bool content_is(const char *path, const char *expected)
{
	char *data;
	size_t size;
	bool same;

	if (read_conf(path, &data, &size, NULL) < 0)
		return false;
	same = size == strlen(expected) && memcmp(data, expected, size) == 0;
	conffile_wipe(data, size);
	return same;
}
