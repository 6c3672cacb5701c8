/* SPDX-License-Identifier: MIT */
/* Restore and commit, with a guard on a veth to make the changes. */

#include <errno.h>
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

#include "guardlab.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"

/* --- commit --- */

/* A text ends in "... '<path>'": that file equals the old conf file, with its mode.
 * Return the path. */
static char *check_kept(const struct err *err, const char *content)
{
	const char *at = strstr(err->text, "the conf file from before the run is '");
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

static void test_commit(void **state)
{
	struct err err = ERR_INIT;
	char *kept;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_int_equal(guard_set(t.guard, 1380, 1000, &err), 0);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	kept = check_kept(&err, CONF);
	wait_ms(1200);
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

/* The kept file is the user's; several of one second have different names. */
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
	/* The same MTU again: no copy is needed. */
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(end_guard(), 0);
	unlink(first);
	unlink(second);
	free(first);
	free(second);
}

/* A command that sets the MTU at each start wins over the MTU line: the answer says so. */
static void test_commit_beside_a_hook(void **state)
{
	static const char hook[] = "PostUp = ip link set mtu 1300 dev %i\n";
	static const char said[] =
		"at the tunnel's next start PostUp in line 2 of the conf "
		"file sets another MTU";
	struct err err = ERR_INIT;
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), "[Interface]\n%sMTU = 1420\n", hook);
	write_file(t.conf, text);
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1420, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_memory_equal(err.text, said, strlen(said));
	/* The same MTU in both places. */
	snprintf(text, sizeof(text), "[Interface]\n%sMTU = 1300\n", hook);
	write_file(t.conf, text);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(end_guard(), 0);
}

/* An edit before the probes that prove a pair is still somebody else's. */
static void test_edit_before_a_probe(void **state)
{
	static const char theirs[] = CONF "# theirs\n";
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	write_file(t.conf, theirs);
	assert_int_equal(guard_probe(t.guard, 1400, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(guard_end_probe(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, theirs);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_non_null(strstr(err.text, "was changed by somebody else"));
	assert_file(t.conf, CONF_WITH("1380") "# theirs\n");
	assert_int_equal(end_guard(), 0);
}

/* A conf file that follows each set is as before the run while probes are under way. */
static void test_probe_after_a_set(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_file(t.conf, CONF_WITH("1380"));
	assert_int_equal(guard_probe(t.guard, 1400, "10.9.0.2", 4500, 5000, &err), 0);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_probe(t.guard, 1440, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(guard_set(t.guard, 1360, 5000, &err), 0);
	assert_file(t.conf, CONF_WITH("1360"));
	assert_int_equal(guard_probe(t.guard, 1400, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(guard_probe(t.guard, 1440, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(guard_end_probe(t.guard, &err), 0);
	assert_int_equal(end_guard(), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(access(t.beside, F_OK), -1);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "");
}

static void test_probe_after_an_edit_of_each(void **state)
{
	static const char theirs[] = CONF "# theirs\n";
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	write_file(t.conf, theirs);
	assert_int_equal(guard_probe(t.guard, 1400, "10.9.0.2", 4500, 5000, &err),
			 -ESTALE);
	assert_non_null(strstr(err.text, "was changed by somebody else"));
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_int_equal(end_guard(), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, theirs);
	unlink(t.beside);
}

/* Their lines stay, and the message names them; a change before the session does not
 * count. */
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
	assert_non_null(strstr(err.text, "it keeps their changes"));
	first = check_kept(&err, "# theirs\n" CONF);
	assert_file(t.conf, "# theirs\n" CONF_WITH("1380"));
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_null(strstr(err.text, "it keeps their changes"));
	second = check_kept(&err, "# theirs\n" CONF_WITH("1380"));
	assert_file(t.conf, "# theirs\n" CONF_WITH("1340"));
	unlink(first);
	unlink(second);
	free(first);
	free(second);
}

static void test_commit_again(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_int_equal(mtu_now(), 1380);
	/* Another MTU than the committed one is refused. */
	netlab_run("ip link set " LINK " mtu 1420");
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	netlab_run("ip link set " LINK " mtu 1380");
	assert_int_equal(guard_commit(t.guard, &err), 0);
	/* So is a commit after a restore, even one without changes. */
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
	assert_int_equal(guard_set(t.guard, 1360, 1000, &err), 0);
	assert_mtu_within(1380, 2000);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	/* The very MTU that was committed is refused, too. */
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_int_equal(guard_set(t.guard, 1380, 1000, &err), 0);
	assert_said_within(2, 2000);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_file(t.conf, CONF_WITH("1380"));
}

/* --- restoring from the journal --- */

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
	assert_both_back("", err.text);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(access(t.beside, F_OK), -1);
}

static void test_guard_killed_in_a_probe(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(guard_probe(t.guard, 1500, "", 0, 5000, &err), 0);
	kill_guard();
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(netlab_try("ip rule del pref 1"), 2);
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

/* The inode, the interface's name and its index may be another's by now. The conf file
 * is the same in any namespace. */
static void test_journal_from_elsewhere(void **state)
{
	static const struct {
		void (*change)(struct journal *journal);
		int code;
		int mtu;
		const char *text;
	} rows[] = {
		{another_namespace, -ESTALE, 1300,
		 "'mtg0' of the earlier run no longer exists"},
		{another_boot, -ESTALE, 1300,
		 "'mtg0' of the earlier run no longer exists"},
		{unknown_place, 0, ORIGINAL, "is restored to MTU 1420"},
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

/* The conf file is restored and its original removed before the link is: the next
 * attempt must not take that for another program's change. */
static void test_link_fails_after_conf(void **state)
{
	struct journal journal;
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	kill_guard();
	assert_int_equal(journal_read(LINK, &journal, &err), 0);
	/* An MTU that no veth accepts. */
	journal.changes.link.original = 70000;
	assert_int_equal(journal_write(&journal, &err), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), -EINVAL);
	assert_file(t.conf, CONF);
	assert_int_equal(journal_read(LINK, &journal, &err), 0);
	assert_string_equal(journal.changes.conf.file, "");
	journal.changes.link.original = ORIGINAL;
	assert_int_equal(journal_write(&journal, &err), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

/* Restore in a separate process in which the kernel refuses requests for a link's
 * addresses: only this request has this size. */
static int restore_without_addresses(void *ctx)
{
	size_t size = NLMSG_LENGTH(sizeof(struct ifaddrmsg));
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	(void)ctx;
	CHILD_CHECK(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOBUFS), SCMP_SYS(sendto),
				     1, SCMP_A2(SCMP_CMP_EQ, size)) == 0);
	CHILD_CHECK(seccomp_load(filter) == 0);
	seccomp_release(filter);
	CHILD_CHECK(hoststate_restore_journal(LINK, NULL) == -ENOBUFS);
	return 0;
}

/* A temporary failure does not mean "gone": whoever renamed the interface left our MTU
 * on it. */
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
	assert_string_equal(err.text, "'mtg0' is restored to MTU 1420");
	assert_int_equal(rtlink_get("other0", &link, &err), 0);
	assert_int_equal(link.mtu, ORIGINAL);
}

/* --- a journal that cannot be removed --- */

static void cover_with(const char *mode)
{
	assert_int_equal(mount("tmpfs", "/run/mtusweep", "tmpfs", 0, mode), 0);
}

/* A folder that nobody obeys covers that of the journals. */
static void cover_journals(void)
{
	cover_with("mode=0755");
}

static void uncover_journals(void)
{
	assert_int_equal(umount2("/run/mtusweep", MNT_DETACH), 0);
}

static bool has_journal(void)
{
	char path[JOURNAL_PATH_SIZE];

	assert_int_equal(journal_path(LINK, path, NULL), 0);
	return access(path, F_OK) == 0;
}

static void test_journal_goes_later(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1380, 60000, &err), 0);
	cover_journals();
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_non_null(strstr(err.text, "; the next start removes it"));
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	uncover_journals();
	assert_true(has_journal());
	assert_int_equal(end_guard(), 0);
	assert_false(has_journal());
}

static void test_journal_goes_with_the_next_start(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1380, 60000, &err), 0);
	cover_journals();
	assert_int_equal(end_guard(), 0);
	assert_non_null(strstr(t.said->last, "; the next start removes it"));
	uncover_journals();
	assert_true(has_journal());
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_false(has_journal());
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
}

/* A commit there would leave the first journal, which takes the link's MTU back. */
static void test_another_folder_of_journals(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1380, 60000, &err), 0);
	cover_with("mode=0700");
	assert_int_equal(guard_set(t.guard, 1340, 60000, &err), -EIO);
	assert_non_null(strstr(err.text, "is not the one from the start"));
	assert_int_equal(guard_commit(t.guard, &err), -EIO);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	uncover_journals();
	assert_int_equal(end_guard(), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_false(has_journal());
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(test_commit),
		GUARD_TEST(test_commit_keeps_the_old_conf),
		GUARD_TEST(test_commit_beside_a_hook),
		GUARD_TEST(test_edit_before_a_probe),
		GUARD_TEST(test_probe_after_a_set),
		GUARD_TEST(test_probe_after_an_edit_of_each),
		GUARD_TEST(test_commit_beside_foreign_lines),
		GUARD_TEST(test_commit_again),
		GUARD_TEST(test_commit_after_lease),
		GUARD_TEST(test_guard_killed),
		GUARD_TEST(test_guard_killed_in_a_probe),
		GUARD_TEST(test_journal_from_elsewhere),
		GUARD_TEST(test_journal_fails),
		GUARD_TEST(test_journal_goes_later),
		GUARD_TEST(test_journal_goes_with_the_next_start),
		GUARD_TEST(test_another_folder_of_journals),
		GUARD_TEST(test_link_fails_after_conf),
		GUARD_TEST(test_renamed_and_not_read),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
