/*
 * The way back on disk: conf file, its original, journal and locks, with a guard on a
 * veth to make the changes.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/text.h"
#include "guardlab.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"

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

/* "... '<path>'" at the end of a text: the file is what the conf file was, with its mode;
 * the path is returned. */
static char *check_kept(const struct err *err, const char *content)
{
	const char *at = strstr(err->text, "the conf file from before is '");
	char *path;
	struct stat st;

	assert_non_null(at);
	path = strdup(strchr(at, '\'') + 1);
	assert_non_null(path);
	*strrchr(path, '\'') = '\0';
	assert_memory_equal(path, t.conf, strlen(t.conf));
	assert_memory_equal(path + strlen(t.conf), ".mtusweep-2", 11);
	assert_file(path, content);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	return path;
}

/* What was kept is the user's; several of one second have names of their own. */
static void test_commit_keeps_the_old_conf(void **state)
{
	struct err err = ERR_INIT;
	char *first;
	char *second;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	first = check_kept(&err, CONF);
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	second = check_kept(&err, CONF_WITH("1380"));
	assert_string_not_equal(first, second);
	assert_file(first, CONF);
	/* The same MTU again: nothing to keep. */
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(end_guard(), 0);
	unlink(first);
	unlink(second);
	free(first);
	free(second);
}

static void test_commit(void **state)
{
	struct err err = ERR_INIT;
	char *kept;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_int_equal(guard_set(t.guard, 1380, 300, &err), 0);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	kept = check_kept(&err, CONF);
	wait_ms(400);
	assert_int_equal(mtu_now(), 1380);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(end_guard(), 0);
	assert_int_equal(mtu_now(), 1380);
	assert_file(t.conf, CONF_WITH("1380"));
	assert_int_equal(access(t.beside, F_OK), -1);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "");
	unlink(kept);
	free(kept);
}

/* Their lines stay, and are spoken of; a session before it is none of its business. */
static void test_commit_beside_foreign_lines(void **state)
{
	struct err err = ERR_INIT;
	char *first;
	char *second;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	write_file(t.conf, "# theirs\n" CONF);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_non_null(strstr(err.text, "their lines stay"));
	first = check_kept(&err, "# theirs\n" CONF);
	assert_file(t.conf, "# theirs\n" CONF_WITH("1380"));
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_null(strstr(err.text, "their lines stay"));
	second = check_kept(&err, "# theirs\n" CONF_WITH("1380"));
	assert_file(t.conf, "# theirs\n" CONF_WITH("1340"));
	unlink(first);
	unlink(second);
	free(first);
	free(second);
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

static void test_guard_killed(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(guard_set(t.guard, 1360, 5000, &err), 0);
	kill_guard();
	assert_int_equal(mtu_now(), 1360);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "'mtg0' has its MTU 1420 back");
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(access(t.beside, F_OK), -1);
}

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

/* --- commit, again --- */

static void test_commit_again(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_int_equal(mtu_now(), 1380);
	/* Not with another MTU than the committed one. */
	netlab_run("ip link set " LINK " mtu 1420");
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	netlab_run("ip link set " LINK " mtu 1380");
	assert_int_equal(guard_commit(t.guard, &err), 0);
	/* Nor with a restore between, though there was nothing to put back. */
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_string_equal(err.text, "no MTU is set on 'mtg0'");
}

static void test_commit_after_lease(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_int_equal(guard_set(t.guard, 1360, 100, &err), 0);
	assert_mtu_within(1380, 1000);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	/* Also with the very MTU that was committed. */
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_int_equal(guard_set(t.guard, 1380, 100, &err), 0);
	assert_said_within(2, 1000);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_file(t.conf, CONF_WITH("1380"));
}

/* --- the conf file and its original --- */

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
	/* One that is the same says nothing. */
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
	assert_int_equal(mount("tmpfs", t.folder, "tmpfs", 0, "size=64k"), 0);
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

/* What cannot be put back any more must not lock the interface out for ever. */
static void test_files_removed(void **state)
{
	static const struct {
		void (*remove)(void);
		const char *text;
	} rows[] = {
		{remove_original, "is not there any more"},
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

/* The guard dies with the conf file put back, and the journal not yet rewritten. */
static void test_killed_putting_back(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	kill_guard();
	assert_int_equal(rename(t.beside, t.conf), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "'mtg0' has its MTU 1420 back");
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "");
}

static void another_namespace(struct journal *journal)
{
	assert_int_not_equal(journal->netns_cookie, 0);
	journal->netns_cookie++;
}

static void another_boot(struct journal *journal)
{
	assert_int_equal(strlen(journal->boot), 36);
	journal->boot[0] ^= 1;
}

static void unknown_place(struct journal *journal)
{
	journal->netns_cookie = 0;
	journal->boot[0] = '\0';
}

/* The inode, the interface's name and its index may be another's by now. The conf file is
 * the same one in any namespace. */
static void test_journal_from_elsewhere(void **state)
{
	static const struct {
		void (*change)(struct journal *journal);
		int code;
		int mtu;
		const char *text;
	} rows[] = {
		{another_namespace, -ESTALE, 1300, "'mtg0' of the run before is gone"},
		{another_boot, -ESTALE, 1300, "'mtg0' of the run before is gone"},
		{unknown_place, 0, ORIGINAL, "has its MTU 1420 back"},
	};
	struct journal journal;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		netlab_run("ip link set " LINK " mtu 1420");
		start_guard(PERSIST_EACH);
		assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
		kill_guard();
		assert_int_equal(journal_read(LINK, &journal, &err), 0);
		rows[i].change(&journal);
		assert_int_equal(journal_write(&journal, &err), 0);
		assert_int_equal(hoststate_restore_journal(LINK, &err), rows[i].code);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_int_equal(mtu_now(), rows[i].mtu);
		assert_file(t.conf, CONF);
		assert_int_equal(journal_read(LINK, &journal, &err), -ENOENT);
	}
}

static void test_journal_fails(void **state)
{
	char path[JOURNAL_PATH_SIZE];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(journal_path(LINK, path, &err), 0);
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	kill_guard();
	block_conf();
	assert_int_equal(hoststate_restore_journal(LINK, &err), -EBUSY);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(mtu_now(), ORIGINAL);
	unblock_conf();
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_file(t.conf, CONF);
}

/* The conf file is back and its original gone before the link is: the next try must not
 * take that for somebody's doing. */
static void test_link_fails_after_conf(void **state)
{
	struct journal journal;
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	kill_guard();
	assert_int_equal(journal_read(LINK, &journal, &err), 0);
	/* An MTU no veth takes. */
	journal.mtu_original = 70000;
	assert_int_equal(journal_write(&journal, &err), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), -EINVAL);
	assert_file(t.conf, CONF);
	assert_int_equal(journal_read(LINK, &journal, &err), 0);
	assert_string_equal(journal.conf_file, "");
	journal.mtu_original = ORIGINAL;
	assert_int_equal(journal_write(&journal, &err), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

/* In a process of its own, where the kernel refuses to be asked for a link's addresses: of
 * all that is sent to it, this alone has this size. */
static int restore_without_addresses(void *ctx)
{
	size_t size = NLMSG_LENGTH(sizeof(struct ifaddrmsg));
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	(void)ctx;
	NETLAB_CHECK(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOBUFS), SCMP_SYS(sendto),
				      1, SCMP_A2(SCMP_CMP_EQ, size)) == 0);
	NETLAB_CHECK(seccomp_load(filter) == 0);
	seccomp_release(filter);
	NETLAB_CHECK(hoststate_restore_journal(LINK, NULL) == -ENOBUFS);
	return 0;
}

/* A failure that passes is none of "gone": who renamed the interface left our MTU on
 * it. */
static void test_renamed_and_not_read(void **state)
{
	struct rtlink link;
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	kill_guard();
	netlab_run("ip link set " LINK " down");
	netlab_run("ip link set " LINK " name other0");
	assert_int_equal(netlab_child(restore_without_addresses, NULL), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "'mtg0' has its MTU 1420 back");
	assert_int_equal(rtlink_get("other0", &link, &err), 0);
	assert_int_equal(link.mtu, ORIGINAL);
}

/* --- locks --- */

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
		GUARD_TEST(test_persist_each),
		GUARD_TEST(test_commit),
		GUARD_TEST(test_commit_keeps_the_old_conf),
		GUARD_TEST(test_commit_beside_foreign_lines),
		GUARD_TEST(test_foreign_conf),
		GUARD_TEST(test_guard_killed),
		GUARD_TEST(test_journal),
		GUARD_TEST(test_damaged_journal),
		GUARD_TEST(test_commit_again),
		GUARD_TEST(test_commit_after_lease),
		GUARD_TEST(test_half_set),
		GUARD_TEST(test_original_is_kept),
		GUARD_TEST(test_disk_full),
		GUARD_TEST(test_files_removed),
		GUARD_TEST(test_killed_putting_back),
		GUARD_TEST(test_journal_from_elsewhere),
		GUARD_TEST(test_journal_fails),
		GUARD_TEST(test_link_fails_after_conf),
		GUARD_TEST(test_renamed_and_not_read),
		GUARD_TEST(test_lock_conf),
		GUARD_TEST(test_interface_names),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
