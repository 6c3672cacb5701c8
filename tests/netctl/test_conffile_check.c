/* SPDX-License-Identifier: MIT */
/* The conf file on disk: what is refused before any change, and reading it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conffolder.h"
#include "netctl/conffile.h"
#include "netlab.h"

/* --- conffile_check() --- */

static void check_gives(const char *path, int code, const char *text)
{
	char real[PATH_MAX] = "untouched";
	struct err err = ERR_INIT;

	assert_int_equal(conffile_check(path, real, &err), code);
	if (!strstr(err.text, text))
		fail_msg("'%s' is not in '%s'", text, err.text);
	if (code < 0)
		assert_string_equal(real, "untouched");
}

static void test_check_good(void **state)
{
	char real[PATH_MAX];
	char expected[PATH_MAX + 16];

	(void)state;
	write_file("wg0.conf", GOOD);
	assert_int_equal(conffile_check("wg0.conf", real, NULL), 0);
	snprintf(expected, sizeof(expected), "%s/wg0.conf", folder);
	assert_string_equal(real, expected);
	assert_int_equal(entries(), 1);
	assert_true(content_is("wg0.conf", GOOD));
}

static void test_check_refuses(void **state)
{
	char long_path[PATH_MAX + 10];

	(void)state;
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	write_file("peers.conf", "[Peer]\nMTU = 1400\n");
	write_file("empty.conf", "");
	assert_int_equal(mkdir("folder.conf", 0755), 0);
	assert_int_equal(mkfifo("fifo.conf", 0644), 0);
	assert_int_equal(symlink("nowhere.conf", "dangling.conf"), 0);
	assert_int_equal(symlink("loop.conf", "loop.conf"), 0);
	check_gives("missing.conf", -ENOENT, "'missing.conf'");
	check_gives("nofolder/wg0.conf", -ENOENT, "'nofolder/wg0.conf'");
	check_gives("peers.conf/wg0.conf", -ENOTDIR, "'peers.conf/wg0.conf'");
	check_gives("peers.conf", -ENOENT, "no [Interface]: 'peers.conf'");
	check_gives("empty.conf", -ENOENT, "no [Interface]");
	check_gives("folder.conf", -EISDIR, "folder");
	check_gives("fifo.conf", -EINVAL, "not a regular file");
	check_gives("dangling.conf", -ENOENT, "'dangling.conf'");
	check_gives("loop.conf", -ELOOP, "'loop.conf'");
	check_gives(long_path, -ENAMETOOLONG, "too long");
	check_gives("", -ENOENT, "cannot open");
}

static void test_check_links(void **state)
{
	char real[PATH_MAX];
	char expected[PATH_MAX + 16];

	(void)state;
	assert_int_equal(mkdir("etc", 0755), 0);
	assert_int_equal(mkdir("vault", 0755), 0);
	write_file("etc/home.conf", GOOD);
	write_file("vault/home.conf", GOOD);
	assert_int_equal(symlink("home.conf", "etc/wg0.conf"), 0);
	assert_int_equal(symlink("wg0.conf", "etc/wg1.conf"), 0);
	assert_int_equal(symlink("../vault/home.conf", "etc/out.conf"), 0);
	assert_int_equal(symlink("out.conf", "etc/out2.conf"), 0);
	assert_int_equal(symlink("etc", "etc2"), 0);
	snprintf(expected, sizeof(expected), "%s/etc/home.conf", folder);
	assert_int_equal(conffile_check("etc/wg0.conf", real, NULL), 0);
	assert_string_equal(real, expected);
	assert_int_equal(conffile_check("etc/wg1.conf", real, NULL), 0);
	assert_string_equal(real, expected);
	assert_int_equal(conffile_check("etc2/wg0.conf", real, NULL), 0);
	assert_string_equal(real, expected);
	check_gives("etc/out.conf", -ELOOP, "vault/home.conf");
	check_gives("etc/out2.conf", -ELOOP, "link to another folder");
}

static void test_check_huge(void **state)
{
	(void)state;
	write_file("wg0.conf", GOOD);
	assert_int_equal(truncate("wg0.conf", CONFFILE_LIMIT + 1), 0);
	check_gives("wg0.conf", -EFBIG, "too large");
	assert_int_equal(truncate("wg0.conf", CONFFILE_LIMIT), 0);
	check_gives("wg0.conf", -EINVAL, "NUL");
}

static int check_as_nobody(void *ctx)
{
	char real[PATH_MAX];
	struct err err = ERR_INIT;

	(void)ctx;
	CHILD_CHECK(netlab_drop_root() == 0);
	CHILD_CHECK(conffile_check("secret.conf", real, &err) == -EACCES);
	CHILD_CHECK(strstr(err.text, "'secret.conf'") ||
		    strstr(err.text, "/secret.conf'"));
	CHILD_CHECK(conffile_check("public.conf", real, &err) == -EACCES);
	CHILD_CHECK(strstr(err.text, "cannot make a file beside"));
	return 0;
}

static void test_check_without_rights(void **state)
{
	(void)state;
	write_file("secret.conf", GOOD);
	write_file("public.conf", GOOD);
	assert_int_equal(chmod("secret.conf", 0600), 0);
	assert_int_equal(chmod("public.conf", 0644), 0);
	/* The file has no owner in any case if this test is not root. */
	assert_int_equal(chmod(folder, 0555), 0);
	if (geteuid() != 0)
		assert_int_equal(chmod("secret.conf", 0), 0);
	assert_int_equal(netlab_child(check_as_nobody, NULL), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(entries(), 2);
}

static int check_mounts(void *ctx)
{
	char real[PATH_MAX];
	struct err err = ERR_INIT;

	(void)ctx;
	netlab_private_mounts();
	CHILD_CHECK(mount("wg0.conf", "wg0.conf", NULL, MS_BIND, NULL) == 0);
	CHILD_CHECK(conffile_check("wg0.conf", real, &err) == -EBUSY);
	CHILD_CHECK(strstr(err.text, "mount point"));
	CHILD_CHECK(umount("wg0.conf") == 0);
	CHILD_CHECK(mount(folder, folder, NULL, MS_BIND, NULL) == 0);
	CHILD_CHECK(mount(NULL, folder, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) ==
		    0);
	CHILD_CHECK(chdir(folder) == 0);
	CHILD_CHECK(conffile_check("wg0.conf", real, &err) == -EROFS);
	CHILD_CHECK(replace_conf("wg0.conf", "x", 1, &err) == -EROFS);
	return 0;
}

static void test_check_mounts(void **state)
{
	(void)state;
	write_file("wg0.conf", GOOD);
	assert_int_equal(netlab_child(check_mounts, NULL), 0);
	assert_true(content_is("wg0.conf", GOOD));
	assert_int_equal(entries(), 1);
}

/* --- conffile_read() --- */

static void test_read(void **state)
{
	char *data = NULL;
	size_t size = 0;

	(void)state;
	write_file("wg0.conf", GOOD);
	assert_int_equal(read_conf("wg0.conf", &data, &size, NULL), 0);
	assert_int_equal(size, strlen(GOOD));
	assert_string_equal(data, GOOD);
	conffile_wipe(data, size);
	conffile_wipe(NULL, 0);
	/* After the check a link could lead to another file than the checked one. */
	assert_int_equal(symlink("wg0.conf", "link.conf"), 0);
	data = NULL;
	assert_int_equal(read_conf("link.conf", &data, &size, NULL), -ELOOP);
	assert_null(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(test_check_good),
		in_folder(test_check_refuses),
		in_folder(test_check_links),
		in_folder(test_check_huge),
		in_folder(test_check_without_rights),
		in_folder(test_check_mounts),
		in_folder(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
