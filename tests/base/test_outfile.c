/* SPDX-License-Identifier: MIT */
/* A file is written completely or not at all, whatever existed before. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/outfile.h"

static char folder[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/mtusweep-test-XXXXXX");
	umask(022);
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int entries(void)
{
	DIR *dir = opendir(folder);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.txt", "link", "dangling", "dir"};

	(void)state;
	umount2(folder, MNT_DETACH);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove(names[i]);
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const char *expected)
{
	cleanup_free char *text = NULL;
	cleanup_fd int fd = open(path, O_RDONLY);
	size_t size;

	assert_true(fd >= 0);
	assert_int_equal(io_read_file(fd, 1000, &text, &size), 0);
	assert_string_equal(text, expected);
}

static int write_file(const char *path, const char *text, bool commit)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;
	int r = outfile_open(&out, path, NULL);

	if (r < 0)
		return r;
	fputs(text, out.stream);
	return commit ? outfile_commit(&out, NULL) : 0;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void new_file(void **state)
{
	(void)state;
	assert_int_equal(write_file("a.txt", "new", true), 0);
	assert_content("a.txt", "new");
	assert_int_equal(mode_of("a.txt"), 0644);
	assert_int_equal(entries(), 1);
}

static void old_file_until_commit(void **state)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;

	(void)state;
	put("a.txt", "old");
	assert_int_equal(chmod("a.txt", 0600), 0);
	assert_int_equal(outfile_open(&out, "a.txt", NULL), 0);
	fputs("new", out.stream);
	fflush(out.stream);
	assert_content("a.txt", "old");
	assert_int_equal(outfile_commit(&out, NULL), 0);
	assert_content("a.txt", "new");
	assert_int_equal(mode_of("a.txt"), 0600);
	assert_int_equal(entries(), 1);
}

static void nothing_without_commit(void **state)
{
	(void)state;
	put("a.txt", "old");
	assert_int_equal(write_file("a.txt", "new", false), 0);
	assert_content("a.txt", "old");
	assert_int_equal(entries(), 1);
}

/* node_exporter's textfile collector reads every *.prom of its folder. */
static void temporary_is_nobodys(void **state)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;

	(void)state;
	assert_int_equal(outfile_open(&out, "a.txt", NULL), 0);
	assert_int_equal(strncmp(out.temporary, ".a.txt.", 7), 0);
	assert_null(strstr(out.temporary + 7, ".txt"));
}

static void links(void **state)
{
	(void)state;
	put("a.txt", "old");
	assert_int_equal(symlink("a.txt", "link"), 0);
	assert_int_equal(write_file("link", "new", true), 0);
	assert_content("a.txt", "new");
	assert_int_equal(mode_of("link"), 0777);
	assert_int_equal(entries(), 2);
}

static void devices(void **state)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(write_file("/dev/null", "new", true), 0);
	assert_int_equal(outfile_open(&out, "/dev/full", NULL), 0);
	fputs("new", out.stream);
	assert_int_equal(outfile_commit(&out, &err), -ENOSPC);
	assert_string_equal(
		err.text, "cannot write the file '/dev/full': No space left on device");
}

static void refused(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(mkdir("dir", 0755), 0);
	assert_int_equal(write_file("dir", "new", true), -EISDIR);
	assert_int_equal(write_file("no/a.txt", "new", true), -ENOENT);
	assert_int_equal(write_file("", "new", true), -ENOENT);
	assert_int_equal(write_file(name, "new", true), -ENAMETOOLONG);
	assert_int_equal(entries(), 1);
}

static void full_disk(void **state)
{
	char block[65536];
	int r;

	(void)state;
	assert_int_equal(mount("none", folder, "tmpfs", 0, "size=32k"), 0);
	assert_int_equal(chdir(folder), 0);
	put("a.txt", "old");
	memset(block, 'x', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\0';
	r = write_file("a.txt", block, true);
	assert_content("a.txt", "old");
	assert_int_equal(entries(), 1);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(umount(folder), 0);
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(r, -ENOSPC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_file),
		TEST(old_file_until_commit),
		TEST(nothing_without_commit),
		TEST(temporary_is_nobodys),
		TEST(links),
		TEST(devices),
		TEST(refused),
		TEST(full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
