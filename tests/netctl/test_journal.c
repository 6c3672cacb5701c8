/* What must be put back, on disk, and the locks beside it. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/text.h"
#include "guardlab.h"
#include "netctl/conffile.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netlab.h"

static void test_journal(void **state)
{
	struct journal out = {
		.netns_cookie = UINT64_MAX,
		.boot = "b1",
		.ifindex = 7,
		.mtu_original = 1420,
		.mtu_before = 1280,
		.mtu_set = 1300,
		.conf_file = "/etc/wireguard/a conf.conf",
		.original_inode = UINT64_MAX,
	};
	struct journal in;
	struct err err = ERR_INIT;
	int lock = -1;
	int second = -1;

	(void)state;
	text_copy(out.interface, sizeof(out.interface), LINK);
	assert_int_equal(journal_read(LINK, &in, &err), -ENOENT);
	assert_int_equal(journal_write(&out, &err), 0);
	assert_int_equal(journal_read(LINK, &in, &err), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	text_copy(out.probe_address, sizeof(out.probe_address), "fd00::2");
	out.probe_port = 4500;
	assert_int_equal(journal_write(&out, &err), 0);
	assert_int_equal(journal_read(LINK, &in, &err), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(journal_remove(LINK, &err), 0);
	assert_int_equal(journal_remove(LINK, &err), 0);
	assert_int_equal(journal_lock(LINK, &lock, &err), 0);
	assert_int_equal(journal_lock(LINK, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another mtusweep runs on interface 'mtg0'"));
	fd_close(&lock);
	assert_int_equal(journal_lock(LINK, &second, &err), 0);
	fd_close(&second);
}

static void test_damaged_journal(void **state)
{
#define START   "mtusweep journal 2\nnetns 1\nboot b\n"
#define FIGURES "original 1\nbefore 1\nset 1\nconf \n"
	static const char *const texts[] = {
		"",
		"x",
		"mtusweep journal 2\nnetns 1\nindex 1\n" FIGURES "inode 1\nend\n",
		START "index 1\n",
		START "index 1\n" FIGURES "inode 1\n",
		START "index x\n" FIGURES "inode 1\nend\n",
		START "index 1\n" FIGURES "inode 1\nprobe-port 1\nend\n",
		START "index 1\n" FIGURES "inode -1\nend\n",
		START "index 1\n" FIGURES "inode 18446744073709551616\nend\n",
		"mtusweep journal 1\nnetns 1\nboot b\nindex 1\n" FIGURES
		"inode 1\nend\n",
	};
#undef FIGURES
#undef START
	struct err err = ERR_INIT;
	struct stat ns;
	char path[64];

	(void)state;
	assert_int_equal(stat("/proc/self/ns/net", &ns), 0);
	snprintf(path, sizeof(path), "/run/mtusweep/%lu-" LINK,
		 (unsigned long)ns.st_ino);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(path, texts[i]);
		assert_int_equal(hoststate_restore_journal(LINK, &err), -EBADMSG);
		assert_int_equal(mtu_now(), ORIGINAL);
	}
	unlink(path);
}

static void remove_lock(const char *name)
{
	struct stat st;
	char path[128];

	assert_int_equal(stat(t.folder, &st), 0);
	snprintf(path, sizeof(path), "/run/mtusweep/conf-%jx-%ju-%s.lock",
		 (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, name);
	assert_int_equal(unlink(path), 0);
}

static void test_lock_conf(void **state)
{
	char other_way[256];
	char other_file[128];
	char pid[32];
	struct err err = ERR_INIT;
	int first = -1;
	int second = -1;
	int third = -1;

	(void)state;
	snprintf(other_way, sizeof(other_way), "%s/../%s/wg0.conf", t.folder,
		 t.folder + strlen("/tmp/"));
	snprintf(other_file, sizeof(other_file), "%s/wg1.conf", t.folder);
	snprintf(pid, sizeof(pid), "process %d,", (int)getpid());
	assert_int_equal(journal_lock_conf(t.conf, "wg7", &first, &err), 0);
	assert_true(first > 2);
	assert_int_equal(journal_lock_conf(t.conf, "wg8", &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, t.conf));
	assert_non_null(strstr(err.text, pid));
	assert_non_null(strstr(err.text, "'wg7'"));
	assert_int_equal(journal_lock_conf(other_way, "wg8", &second, &err), -EBUSY);
	/* It is the name that is locked: each rewrite makes another file of it. */
	assert_int_equal(conffile_replace(t.conf, CONF, strlen(CONF), &err), 0);
	netlab_enter();
	assert_int_equal(journal_lock_conf(t.conf, "wg7", &second, &err), -EBUSY);
	assert_int_equal(second, -1);
	assert_int_equal(journal_lock_conf(other_file, "wg8", &third, &err), 0);
	fd_close(&first);
	assert_int_equal(journal_lock_conf(t.conf, "wg8", &second, &err), 0);
	fd_close(&second);
	fd_close(&third);
	remove_lock("wg0.conf");
	remove_lock("wg1.conf");
	assert_int_equal(journal_lock_conf("/nowhere/at/all.conf", "wg8", &first, &err),
			 -ENOENT);
}

static void test_interface_names(void **state)
{
	static const char *const names[] = {"", "../../etc/x", "a/b",
					    "longer-than-a-name"};
	struct journal journal;
	int fd = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(journal_read(names[i], &journal, NULL), -EINVAL);
		assert_int_equal(journal_lock(names[i], &fd, NULL), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(test_journal),
		GUARD_TEST(test_damaged_journal),
		GUARD_TEST(test_lock_conf),
		GUARD_TEST(test_interface_names),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
