/* SPDX-License-Identifier: MIT */
/* The conf file on disk: replacing it in one step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "conffolder.h"
#include "netctl/conffile.h"
#include "netlab.h"

/* --- conffile_replace() --- */

static void test_replace_keeps_mode_and_owner(void **state)
{
	static const mode_t modes[] = {0600, 0640, 0644, 0400, 0, 0777};
	struct stat before, after;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_file("wg0.conf", GOOD);
		assert_int_equal(chown("wg0.conf", 12345, 54321), 0);
		assert_int_equal(chmod("wg0.conf", modes[i]), 0);
		assert_int_equal(stat("wg0.conf", &before), 0);
		umask(0077);
		assert_int_equal(replace_conf("wg0.conf", "new\n", 4, NULL), 0);
		umask(0022);
		assert_int_equal(stat("wg0.conf", &after), 0);
		assert_int_equal(after.st_mode, before.st_mode);
		assert_int_equal(after.st_uid, 12345);
		assert_int_equal(after.st_gid, 54321);
		assert_int_not_equal(after.st_ino, before.st_ino);
		assert_true(content_is("wg0.conf", "new\n"));
		assert_int_equal(entries(), 1);
	}
}

static void test_replace_keeps_attributes(void **state)
{
	char value[16] = "";

	(void)state;
	write_file("wg0.conf", GOOD);
	if (setxattr("wg0.conf", "user.note", "kept", 4, 0) < 0) {
		/* This file system has no user attributes; then no other attribute may
		 * disturb. */
		assert_int_equal(errno, EOPNOTSUPP);
		assert_int_equal(replace_conf("wg0.conf", "x", 1, NULL), 0);
		return;
	}
	assert_int_equal(replace_conf("wg0.conf", "x", 1, NULL), 0);
	assert_int_equal(getxattr("wg0.conf", "user.note", value, sizeof(value)), 4);
	assert_memory_equal(value, "kept", 4);
}

/* A process that has the file open still reads the old one: the file is replaced. */
static void test_replace_leaves_the_old_file(void **state)
{
	char text[64] = "";
	FILE *old;

	(void)state;
	write_file("wg0.conf", GOOD);
	old = fopen("wg0.conf", "r");
	assert_non_null(old);
	assert_int_equal(replace_conf("wg0.conf", "x", 1, NULL), 0);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, old), strlen(GOOD));
	assert_string_equal(text, GOOD);
	fclose(old);
}

static void test_replace_over_leftovers(void **state)
{
	(void)state;
	write_file("wg0.conf", GOOD);
	write_file("wg0.conf.mtusweep-new", "half of a fi");
	assert_int_equal(replace_conf("wg0.conf", "x", 1, NULL), 0);
	assert_true(content_is("wg0.conf", "x"));
	assert_int_equal(entries(), 1);
	/* A link at the temporary name is not followed. */
	write_file("victim", "safe");
	assert_int_equal(symlink("victim", "wg0.conf.mtusweep-new"), 0);
	assert_int_equal(replace_conf("wg0.conf", "y", 1, NULL), 0);
	assert_true(content_is("wg0.conf", "y"));
	assert_true(content_is("victim", "safe"));
	assert_int_equal(entries(), 2);
}

static void test_replace_refuses(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	write_file("real.conf", GOOD);
	assert_int_equal(symlink("real.conf", "link.conf"), 0);
	assert_int_equal(mkdir("folder.conf", 0755), 0);
	assert_int_equal(replace_conf("gone.conf", "x", 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/gone.conf'"));
	assert_int_equal(replace_conf("link.conf", "x", 1, &err), -ELOOP);
	assert_int_equal(replace_conf("folder.conf", "x", 1, &err), -EISDIR);
	assert_true(content_is("real.conf", GOOD));
	assert_int_equal(entries(), 3);
}

static int replace_without_space(void *ctx)
{
	struct rlimit limit = {100, 100};
	char large[4096];
	struct err err = ERR_INIT;

	(void)ctx;
	memset(large, '#', sizeof(large));
	signal(SIGXFSZ, SIG_IGN);
	CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHILD_CHECK(replace_conf("wg0.conf", large, sizeof(large), &err) == -EFBIG);
	CHILD_CHECK(strstr(err.text, "/wg0.conf'"));
	return 0;
}

static void test_replace_disk_full(void **state)
{
	(void)state;
	write_file("wg0.conf", GOOD);
	assert_int_equal(netlab_child(replace_without_space, NULL), 0);
	assert_true(content_is("wg0.conf", GOOD));
	assert_int_equal(entries(), 1);
}

/* At any moment a reader sees one of the two files, complete. */
static int replace_many(void *ctx)
{
	const char *const *texts = ctx;

	for (int i = 0; i < 300; i++)
		CHILD_CHECK(replace_conf("wg0.conf", texts[i % 2], strlen(texts[i % 2]),
					 NULL) == 0);
	return 0;
}

static int read_many(void *ctx)
{
	const char *const *texts = ctx;
	int seen[2] = {0};

	while (access("done", F_OK) < 0) {
		char *data = NULL;
		size_t size = 0;
		int which;

		CHILD_CHECK(read_conf("wg0.conf", &data, &size, NULL) == 0);
		which = size == strlen(texts[1]);
		CHILD_CHECK(size == strlen(texts[which]));
		CHILD_CHECK(memcmp(data, texts[which], size) == 0);
		conffile_wipe(data, size);
		seen[which]++;
	}
	CHILD_CHECK(seen[0] && seen[1]);
	return 0;
}

static void test_replace_is_atomic(void **state)
{
	static char large[200000];
	const char *texts[2] = {GOOD, large};
	int reader, status;

	(void)state;
	memset(large, '#', sizeof(large) - 1);
	write_file("wg0.conf", GOOD);
	reader = fork();
	assert_true(reader >= 0);
	if (reader == 0)
		_exit(read_many(texts));
	status = netlab_child(replace_many, texts);
	write_file("done", "");
	assert_int_equal(status, 0);
	assert_int_equal(netlab_wait(reader), 0);
}

/* --- conffile_copy() --- */

static void test_copy(void **state)
{
	cleanup_conffile struct conffile file;
	struct stat st;

	(void)state;
	write_file("wg0.conf", GOOD);
	assert_int_equal(chown("wg0.conf", 12345, 54321), 0);
	assert_int_equal(chmod("wg0.conf", 0640), 0);
	assert_int_equal(conffile_open("wg0.conf", &file, NULL), 0);
	assert_int_equal(conffile_copy(&file, ".kept", NULL), 0);
	assert_int_equal(stat("wg0.conf.kept", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, 12345);
	assert_true(content_is("wg0.conf.kept", GOOD));
	/* A copy never replaces another file. */
	write_file("wg0.conf", "other\n");
	assert_int_equal(conffile_copy(&file, ".kept", NULL), -EEXIST);
	assert_int_equal(symlink("nowhere", "wg0.conf.link"), 0);
	assert_int_equal(conffile_copy(&file, ".link", NULL), -EEXIST);
	assert_true(content_is("wg0.conf.kept", GOOD));
	assert_true(content_is("wg0.conf", "other\n"));
	assert_int_equal(entries(), 3);
}

static void test_restored(void **state)
{
	cleanup_conffile struct conffile file;
	struct stat st;

	(void)state;
	write_file("wg0.conf", "changed\n");
	write_file("wg0.conf.kept", GOOD);
	assert_int_equal(chown("wg0.conf.kept", 12345, 54321), 0);
	assert_int_equal(chmod("wg0.conf.kept", 0640), 0);
	assert_int_equal(conffile_open("wg0.conf", &file, NULL), 0);
	assert_int_equal(conffile_restore(&file, ".kept", NULL), 0);
	assert_int_equal(stat("wg0.conf", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, 12345);
	assert_true(content_is("wg0.conf", GOOD));
	assert_int_equal(entries(), 1);
	assert_int_equal(conffile_restore(&file, ".kept", NULL), -ENOENT);
	assert_true(content_is("wg0.conf", GOOD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(test_replace_keeps_mode_and_owner),
		in_folder(test_replace_keeps_attributes),
		in_folder(test_replace_leaves_the_old_file),
		in_folder(test_replace_over_leftovers),
		in_folder(test_replace_refuses),
		in_folder(test_replace_disk_full),
		in_folder(test_replace_is_atomic),
		in_folder(test_copy),
		in_folder(test_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
