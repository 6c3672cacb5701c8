/*
 * The guard on a veth: leases, deaths, conf files, other people's changes,
 * and the journal when it was killed. The guard is a process of its own, as in the
 * programs.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/guard.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"

#define LINK     "mtg0"
#define ORIGINAL 1420
#define CONF     "[Interface]\r\nPrivateKey = abc=\r\n# MTU = 1\r\nMTU = 1420\r\n[Peer]\r\n"

static struct {
	struct guard *guard;
	pid_t pid;
	int keeper_fd;
	char folder[32];
	char conf[64];
	char beside[96];
} t;

static int mtu_now(void)
{
	struct rtlink link;

	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	return link.mtu;
}

static void assert_mtu_within(int mtu, int ms)
{
	int64_t deadline = clock_boot_ms() + ms;

	while (mtu_now() != mtu && clock_boot_ms() < deadline)
		io_wait(-1, -1, clock_boot_ms() + 5);
	assert_int_equal(mtu_now(), mtu);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void assert_file(const char *path, const char *text)
{
	cleanup_file FILE *file = fopen(path, "r");
	char data[512] = "";

	assert_non_null(file);
	assert_true(fread(data, 1, sizeof(data) - 1, file) > 0);
	assert_string_equal(data, text);
}

static void no_say(const char *text)
{
	(void)text;
}

static void start_guard(enum persist persist)
{
	struct guard_config config = {
		.range = {.min = 1280, .max = 1500, .step = 20},
		.persist = persist,
		.lock_fd = -1,
		.say = no_say,
	};
	int main_pair[2];
	int keeper_pair[2];

	text_copy(config.interface, sizeof(config.interface), LINK);
	if (persist != PERSIST_NONE)
		text_copy(config.conf_file, sizeof(config.conf_file), t.conf);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, main_pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, keeper_pair), 0);
	t.pid = fork();
	if (t.pid == 0) {
		close(main_pair[1]);
		close(keeper_pair[1]);
		_exit(guard_serve(&config, main_pair[0], keeper_pair[0]));
	}
	close(main_pair[0]);
	close(keeper_pair[0]);
	t.keeper_fd = keeper_pair[1];
	assert_int_equal(guard_new(main_pair[1], &t.guard, NULL), 0);
}

/* As when main exits: the guard's exit status. */
static int end_guard(void)
{
	int status;

	guard_free(t.guard);
	t.guard = NULL;
	fd_close(&t.keeper_fd);
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	t.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int set_up(void **state)
{
	(void)state;
	netlab_enter();
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1420 up");
	text_copy(t.folder, sizeof(t.folder), "/tmp/mtusweep-guard-XXXXXX");
	assert_non_null(mkdtemp(t.folder));
	snprintf(t.conf, sizeof(t.conf), "%s/wg0.conf", t.folder);
	snprintf(t.beside, sizeof(t.beside), "%s%s", t.conf, JOURNAL_CONF_SUFFIX);
	write_file(t.conf, CONF);
	chmod(t.conf, 0640);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (t.guard)
		end_guard();
	journal_remove(LINK, NULL);
	unlink(t.conf);
	unlink(t.beside);
	rmdir(t.folder);
	return 0;
}

static void test_set_and_restore(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(mtu_now(), 1300);
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_int_equal(mtu_now(), 1340);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_string_equal(err.text, "'mtg0' has its MTU 1420 back");
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_string_equal(err.text, "");
	assert_file(t.conf, CONF);
}

static void test_refuses(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1279, 5000, &err), -ERANGE);
	assert_int_equal(guard_set(t.guard, 1501, 5000, &err), -ERANGE);
	assert_int_equal(guard_set(t.guard, 1400, 0, &err), -ERANGE);
	assert_int_equal(guard_set(t.guard, 1400, -1, &err), -ERANGE);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(guard_set(t.guard, 1400, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), -EACCES);
	netlab_run("ip link set " LINK " down");
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), -ENETDOWN);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

static void test_lease(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 200, &err), 0);
	for (int i = 0; i < 4; i++) {
		io_wait(-1, -1, clock_boot_ms() + 100);
		assert_int_equal(guard_renew(t.guard, 200, &err), 0);
	}
	assert_int_equal(mtu_now(), 1300);
	assert_mtu_within(ORIGINAL, 1000);
	assert_int_equal(guard_renew(t.guard, 200, &err), -ESTALE);
	assert_int_equal(guard_renew(t.guard, 200, &err), 0);
	/* And again, from a fresh start. */
	assert_int_equal(guard_set(t.guard, 1320, 100, &err), 0);
	assert_mtu_within(ORIGINAL, 1000);
}

static void test_main_dies(void **state)
{
	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 60000, NULL), 0);
	assert_int_equal(end_guard(), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
}

static void test_keeper_dies(void **state)
{
	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 60000, NULL), 0);
	fd_close(&t.keeper_fd);
	assert_mtu_within(ORIGINAL, 1000);
}

static void test_persist_each(void **state)
{
	struct stat before;
	struct stat after;

	(void)state;
	assert_int_equal(stat(t.conf, &before), 0);
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, NULL), 0);
	assert_file(t.conf, "[Interface]\r\nPrivateKey = abc=\r\n# MTU = 1\r\nMTU = "
			    "1300\r\n[Peer]\r\n");
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

static void test_commit(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_int_equal(guard_set(t.guard, 1380, 300, &err), 0);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	io_wait(-1, -1, clock_boot_ms() + 400);
	assert_int_equal(mtu_now(), 1380);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(end_guard(), 0);
	assert_int_equal(mtu_now(), 1380);
	assert_file(t.conf, "[Interface]\r\nPrivateKey = abc=\r\n# MTU = 1\r\nMTU = "
			    "1380\r\n[Peer]\r\n");
	assert_int_equal(access(t.beside, F_OK), -1);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "");
}

static void test_foreign_mtu(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	netlab_run("ip link set " LINK " mtu 1333");
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "changed to 1333 by somebody else"));
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_int_equal(mtu_now(), 1333);
	assert_int_equal(guard_restore(t.guard, &err), 0);
}

static void test_foreign_interface(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	netlab_run("ip link del " LINK);
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ENODEV);
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1444 up");
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ESTALE);
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_int_equal(mtu_now(), 1444);
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
	kill(t.pid, SIGKILL);
	assert_int_equal(end_guard(), 128 + SIGKILL);
	assert_int_equal(mtu_now(), 1360);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "'mtg0' has its MTU 1420 back");
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(access(t.beside, F_OK), -1);
}

static void test_guard_gone(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	kill(t.pid, SIGKILL);
	assert_int_equal(io_wait(guard_fd(t.guard), -1, clock_boot_ms() + 2000), 1);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), -EPIPE);
	assert_string_equal(err.text, "the guard process is gone");
}

static void test_facts(void **state)
{
	struct guard_facts facts = {0};

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_get_facts(t.guard, "10.0.0.1", &facts, NULL), 0);
	assert_true(facts.exists);
	assert_true(facts.up);
	assert_int_equal(facts.mtu, ORIGINAL);
	assert_int_equal(facts.backend, BACKEND_NONE);
	assert_int_equal(facts.conf_mtu, 1420);
	netlab_run("ip link del " LINK);
	assert_int_equal(guard_get_facts(t.guard, "", &facts, NULL), 0);
	assert_false(facts.exists);
	assert_int_equal(guard_settle(t.guard, NULL), 0);
}

static void test_journal(void **state)
{
	struct journal out = {
		.ifindex = 7,
		.mtu_original = 1420,
		.mtu_before = 1280,
		.mtu_set = 1300,
		.conf_file = "/etc/wireguard/a conf.conf",
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
	static const char *const texts[] = {
		"",
		"x",
		"mtusweep journal 1\nindex 1\n",
		"mtusweep journal 1\nindex 1\noriginal 1\nbefore 1\nset 1\nconf \n",
		"mtusweep journal 1\nindex x\noriginal 1\nbefore 1\nset 1\nconf "
		"\nend\n",
		"mtusweep journal 2\nindex 1\noriginal 1\nbefore 1\nset 1\nconf "
		"\nend\n",
	};
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

#define GUARD_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(test_set_and_restore),
		GUARD_TEST(test_refuses),
		GUARD_TEST(test_lease),
		GUARD_TEST(test_main_dies),
		GUARD_TEST(test_keeper_dies),
		GUARD_TEST(test_persist_each),
		GUARD_TEST(test_commit),
		GUARD_TEST(test_foreign_mtu),
		GUARD_TEST(test_foreign_interface),
		GUARD_TEST(test_foreign_conf),
		GUARD_TEST(test_guard_killed),
		GUARD_TEST(test_guard_gone),
		GUARD_TEST(test_facts),
		GUARD_TEST(test_journal),
		GUARD_TEST(test_damaged_journal),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
