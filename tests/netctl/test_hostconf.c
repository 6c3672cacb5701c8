/* SPDX-License-Identifier: MIT */
/*
 * The conf file and its original beside it, with a guard on a veth to make the changes.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guardlab.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"

static void test_persist_each(void **state)
{
	struct stat before;
	struct stat after;

	(void)state;
	assert_int_equal(stat(t.conf, &before), 0);
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, NULL), 0);
	assert_file(t.conf, CONF_WITH("1300"));
	assert_file(t.beside, CONF);
	assert_int_equal(stat(t.beside, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(guard_set(t.guard, 1320, 5000, NULL), 0);
	assert_int_equal(guard_restore(t.guard, NULL), 0);
	assert_file(t.conf, CONF);
	assert_int_equal(stat(t.conf, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(access(t.beside, F_OK), -1);
}

static void test_foreign_conf(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	write_file(t.conf, "[Interface]\nMTU = 1234\n");
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ESTALE);
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_non_null(strstr(err.text, "was changed by somebody else"));
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, "[Interface]\nMTU = 1234\n");
	assert_file(t.beside, CONF);
}

/* Their edit of what the sweep wrote: the text says whose the MTU in it is, and what it
 * was. */
static void test_theirs_has_our_mtu(void **state)
{
	static const char theirs[] = CONF_WITH("1300") "# theirs\n";
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	write_file(t.conf, theirs);
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "its line MTU = 1300 comes from the sweep: "));
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_non_null(strstr(err.text, t.conf));
	assert_non_null(strstr(err.text, "its line MTU = 1300 comes from the sweep: "));
	assert_non_null(strstr(err.text, "before the run"));
	assert_non_null(strstr(err.text, t.beside));
	assert_file(t.conf, theirs);
	assert_file(t.beside, CONF);
}

static void test_half_set(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	block_conf();
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -EBUSY);
	unblock_conf();
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), -ESTALE);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
}

static void test_original_is_kept(void **state)
{
	static const char theirs[] = "[Interface]\nMTU = 1234\n";
	struct err err = ERR_INIT;

	(void)state;
	write_file(t.beside, theirs);
	assert_int_equal(hostconf_check(t.conf, &err), -EEXIST);
	assert_non_null(strstr(err.text, t.beside));
	assert_non_null(strstr(err.text, "move it over the conf file"));
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), -EEXIST);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.beside, theirs);
	assert_file(t.conf, CONF);
	/* An equal file gives no message. */
	write_file(t.beside, CONF);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	write_file(t.beside, CONF);
	assert_int_equal(hostconf_check(t.conf, &err), 0);
	assert_int_equal(access(t.beside, F_OK), -1);
	assert_int_equal(hostconf_check(t.conf, &err), 0);
}

static void fill_folder(void)
{
	char path[64];
	char block[4096] = {1};
	int fd;

	snprintf(path, sizeof(path), "%s/filler", t.folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void test_disk_full(void **state)
{
	struct err err = ERR_INIT;
	struct stat before;
	struct stat after;

	(void)state;
	unlink(t.conf);
	assert_int_equal(mount("tmpfs", t.folder, "tmpfs", 0, "size=64k,mode=0755"), 0);
	write_file(t.conf, CONF);
	chmod(t.conf, 0604);
	assert_int_equal(stat(t.conf, &before), 0);
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	fill_folder();
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_file(t.conf, CONF);
	assert_int_equal(stat(t.conf, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(access(t.beside, F_OK), -1);
}

static void remove_original(void)
{
	unlink(t.beside);
}

static void remove_conf(void)
{
	unlink(t.conf);
}

static void replace_conf_by_link(void)
{
	unlink(t.conf);
	assert_int_equal(symlink("elsewhere", t.conf), 0);
}

/* A file that cannot be restored any more must not lock the interface for ever. */
static void test_files_removed(void **state)
{
	static const struct {
		void (*remove)(void);
		const char *text;
	} rows[] = {
		{remove_original, "no longer exists; correct its MTU by hand"},
		{remove_conf, "was removed by somebody else"},
		{replace_conf_by_link, "was changed by somebody else"},
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unlink(t.conf);
		unlink(t.beside);
		write_file(t.conf, CONF);
		start_guard(PERSIST_EACH);
		assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
		kill_guard();
		rows[i].remove();
		assert_int_equal(hoststate_restore_journal(LINK, &err), -ESTALE);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_non_null(strstr(err.text, t.beside));
		assert_int_equal(mtu_now(), ORIGINAL);
		assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
		assert_string_equal(err.text, "");
	}
}

/* A copy that a killed process was writing is removed by the next process. */
static void test_half_copy_is_removed(void **state)
{
	char half[96];
	struct err err = ERR_INIT;

	(void)state;
	snprintf(half, sizeof(half), "%s" CONFFILE_TEMPORARY, t.conf);
	write_file(half, "[Interface]\nPriva");
	assert_int_equal(hostconf_check(t.conf, &err), 0);
	assert_int_equal(access(half, F_OK), -1);
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	write_file(half, "[Interface]\nPriva");
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(access(half, F_OK), -1);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	kill_guard();
	write_file(half, "[Interface]\nPriva");
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_int_equal(access(half, F_OK), -1);
	assert_file(t.conf, CONF);
}

/* The guard dies after the conf file is restored, before the journal is rewritten. */
static void test_killed_putting_back(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	kill_guard();
	assert_int_equal(rename(t.beside, t.conf), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_both_back("", err.text);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(test_persist_each),
		GUARD_TEST(test_foreign_conf),
		GUARD_TEST(test_theirs_has_our_mtu),
		GUARD_TEST(test_half_set),
		GUARD_TEST(test_original_is_kept),
		GUARD_TEST(test_disk_full),
		GUARD_TEST(test_files_removed),
		GUARD_TEST(test_half_copy_is_removed),
		GUARD_TEST(test_killed_putting_back),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
