/* SPDX-License-Identifier: MIT */
/* The journal: the state to restore, on disk, and the locks beside it. */

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "guardlab.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/lockfile.h"
#include "netctl/rundir.h"
#include "netlab.h"

static void test_journal(void **state)
{
	struct journal out = {
		.netns_cookie = UINT64_MAX,
		.boot = "b1",
		.ifindex = 7,
		.changes.link = {.original = 1420,
				 .before = 1280,
				 .set = 1300,
				 .ipv6 = 3},
		.changes.conf = {.file = "/etc/wireguard/a conf.conf",
				 .folder_device = UINT64_MAX - 1,
				 .folder_inode = UINT64_MAX - 2,
				 .original_inode = UINT64_MAX},
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
	text_copy(out.changes.way.address, ADDRESS_SIZE, "fd00::2");
	out.changes.way.port = 4500;
	out.committed = true;
	assert_int_equal(journal_write(&out, &err), 0);
	assert_int_equal(journal_read(LINK, &in, &err), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(journal_remove(LINK, &err), 0);
	assert_int_equal(journal_remove(LINK, &err), 0);
	assert_int_equal(journal_lock(LINK, &lock, &err), 0);
	assert_int_equal(journal_lock(LINK, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another mtusweep runs on interface 'mtg0'"));
	/* The state that a killed process leaves. */
	fd_close(&lock);
	assert_int_equal(journal_lock(LINK, &second, &err), 0);
	lockfile_release(&second);
	assert_int_equal(second, -1);
	lockfile_release(&second);
}

/* The keeper is gone, and its guard holds the lock for a while yet. */
static void test_lock_of_ending_run(void **state)
{
	struct err err = ERR_INIT;
	int tell[2];
	int lock;
	pid_t keeper;
	char ready;

	(void)state;
	assert_int_equal(pipe(tell), 0);
	keeper = fork();
	assert_true(keeper >= 0);
	if (keeper == 0) {
		if (journal_lock(LINK, &lock, &err) < 0)
			_exit(1);
		if (fork() == 0) {
			clock_pause_us(300000);
			_exit(0);
		}
		_exit(write(tell[1], "+", 1) == 1 ? 0 : 1);
	}
	assert_int_equal(read(tell[0], &ready, 1), 1);
	assert_int_equal(waitpid(keeper, NULL, 0), keeper);
	assert_int_equal(journal_lock(LINK, &lock, &err), 0);
	lockfile_release(&lock);
	close(tell[0]);
	close(tell[1]);
}

static void journal_file(char ret[64])
{
	struct stat ns;

	assert_int_equal(stat("/proc/self/ns/net", &ns), 0);
	snprintf(ret, 64, "/run/mtusweep/%lu-" LINK, (unsigned long)ns.st_ino);
}

/* In the order of versions before. */
static void test_older_journal(void **state)
{
	struct journal journal;
	char path[64];

	(void)state;
	journal_file(path);
	write_file(path, "mtusweep journal 3\nnetns 1\nboot b\nindex 7\noriginal 1420\n"
			 "before 1280\nset 1300\nipv6 0\nconf /a\nfolder-device 1\n"
			 "folder-inode 2\ninode 3\nprobe-port 4500\nprobe fd00::2\n"
			 "committed\nend\n");
	assert_int_equal(journal_read(LINK, &journal, NULL), 0);
	assert_int_equal(journal.ifindex, 7);
	assert_int_equal(journal.changes.link.original, 1420);
	assert_int_equal(journal.changes.link.before, 1280);
	assert_int_equal(journal.changes.link.set, 1300);
	assert_string_equal(journal.changes.conf.file, "/a");
	assert_int_equal(journal.changes.conf.original_inode, 3);
	assert_int_equal(journal.changes.way.port, 4500);
	assert_string_equal(journal.changes.way.address, "fd00::2");
	assert_true(journal.committed);
	unlink(path);
}

static void test_damaged_journal(void **state)
{
#define START   "mtusweep journal 3\nnetns 1\nboot b\n"
#define LINES   "original 1\nbefore 1\nset 1\nipv6 0\n"
#define FIGURES LINES "conf \nfolder-device 1\nfolder-inode 1\n"
	static const char *const texts[] = {
		"",
		"x",
		"mtusweep journal 3\nnetns 1\nindex 1\n" FIGURES "inode 1\nend\n",
		START "index 1\n",
		START "index 1\n" FIGURES "inode 1\n",
		START "index x\n" FIGURES "inode 1\nend\n",
		START "index 1\n" FIGURES "inode 1\nprobe-port 1\nend\n",
		START "index 1\n" LINES "end\n",
		START "index 1\n" LINES "another 1\nend\n",
		START "index 1\nconf \nfolder-device 1\nfolder-inode 1\ninode 1\nend\n",
		START "index 1\n" FIGURES "inode -1\nend\n",
		START "index 1\n" FIGURES "inode 18446744073709551616\nend\n",
		"mtusweep journal 2\nnetns 1\nboot b\nindex 1\n" FIGURES
		"inode 1\nend\n",
	};
#undef FIGURES
#undef LINES
#undef START
	struct err err = ERR_INIT;
	char path[64];

	(void)state;
	journal_file(path);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(path, texts[i]);
		assert_int_equal(hoststate_restore_journal(LINK, &err), -EBADMSG);
		assert_int_equal(mtu_now(), ORIGINAL);
	}
	unlink(path);
}

static void test_lock_conf(void **state)
{
	char other_way[256];
	char other_file[128];
	char pid[32];
	struct conffile file;
	struct err err = ERR_INIT;
	int first = -1;
	int second = -1;
	int third = -1;

	(void)state;
	snprintf(other_way, sizeof(other_way), "%s/../%s/wg0.conf", t.folder,
		 t.folder + strlen("/tmp/"));
	snprintf(other_file, sizeof(other_file), "%s/wg1.conf", t.folder);
	snprintf(pid, sizeof(pid), "process %d,", (int)getpid());
	assert_int_equal(hostconf_lock(t.conf, "wg7", &first, &err), 0);
	assert_true(first > 2);
	assert_int_equal(hostconf_lock(t.conf, "wg8", &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, t.conf));
	assert_non_null(strstr(err.text, pid));
	assert_non_null(strstr(err.text, "'wg7'"));
	assert_int_equal(hostconf_lock(other_way, "wg8", &second, &err), -EBUSY);
	/* The lock belongs to the name: each rewrite makes another file. */
	assert_int_equal(conffile_open(t.conf, &file, &err), 0);
	assert_int_equal(conffile_replace(&file, CONF, strlen(CONF), &err), 0);
	conffile_close(&file);
	netlab_enter();
	assert_int_equal(hostconf_lock(t.conf, "wg7", &second, &err), -EBUSY);
	assert_int_equal(second, -1);
	assert_int_equal(hostconf_lock(other_file, "wg8", &third, &err), 0);
	lockfile_release(&first);
	assert_int_equal(hostconf_lock(t.conf, "wg8", &second, &err), 0);
	lockfile_release(&second);
	lockfile_release(&third);
	assert_int_equal(hostconf_lock("/nowhere/at/all.conf", "wg8", &first, &err),
			 -ENOENT);
}

/* --- files that stay in the folder --- */

#define LOCKERS 4
#define ROUNDS  2000

struct race {
	_Atomic int holders;
	_Atomic int met;
};

static int take_and_release(void *ctx)
{
	struct race *race = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		struct lockfile_holder holder = {"me"};
		int fd = -1;
		int r = lockfile_take("race.lock", &holder, &fd, NULL);

		if (r == -EBUSY)
			continue;
		CHILD_CHECK(r == 0);
		if (atomic_fetch_add(&race->holders, 1) > 0)
			race->met++;
		sched_yield();
		atomic_fetch_sub(&race->holders, 1);
		lockfile_release(&fd);
	}
	return 0;
}

/* A process that opened the file before its holder removed it must not take that for a
 * lock. */
static void test_lockers_never_meet(void **state)
{
	struct race *race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[LOCKERS];

	(void)state;
	assert_true(race != MAP_FAILED);
	for (int i = 0; i < LOCKERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(take_and_release(race));
	}
	for (int i = 0; i < LOCKERS; i++)
		assert_int_equal(netlab_wait(pids[i]), 0);
	assert_int_equal(race->met, 0);
	assert_int_equal(access(RUNDIR_PATH "/race.lock", F_OK), -1);
	munmap(race, sizeof(*race));
}

/* Another program has made it again meanwhile; no program of ours does that. */
static void test_release_of_what_is_gone(void **state)
{
	static const char path[] = RUNDIR_PATH "/gone.lock";
	struct lockfile_holder holder = {"me"};
	int fd = -1;

	(void)state;
	assert_int_equal(lockfile_take("gone.lock", &holder, &fd, NULL), 0);
	assert_int_equal(unlink(path), 0);
	write_file(path, "another's");
	lockfile_release(&fd);
	assert_int_equal(unlink(path), 0);
}

struct leftover {
	const char *what;
	const char *conf; /* NULL: cut short */
	bool own_inode;
	bool here; /* has our namespace's cookie */
	bool this_boot;
	const char *suffix;
	bool stays;
};

static const struct leftover leftovers[] = {
	{"of another boot", "", false, false, false, "", false},
	{"of our namespace, another boot", "", true, true, false, "", false},
	{"of a namespace that had our inode", "", true, false, true, "", false},
	{"half of one", NULL, false, false, true, ".new", false},
	{"a whole one, unfinished, of another boot", "", false, false, false, ".new",
	 false},
	{"ours", "", true, true, true, "", true},
	{"of another namespace", "", false, false, true, "", true},
	{"of another boot, with a conf file", "/a", false, false, false, "", true},
	{"damaged", NULL, false, false, true, "", true},
	{"damaged, and no such interface here", NULL, true, false, true, "", true},
	{"a whole one, unfinished", "", false, false, true, ".new", true},
};

static const char *base_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void leave(const struct leftover *l, int i, char path[128], char lock[128])
{
	struct journal here;
	struct stat ns;
	char text[512];
	char name[64];

	journal_note_place(&here);
	assert_int_equal(stat("/proc/self/ns/net", &ns), 0);
	/* The kernel's numbers begin far above. */
	snprintf(name, sizeof(name), "%ju-j%d-%d",
		 l->own_inode ? (uintmax_t)ns.st_ino : 1, (int)getpid(), i);
	snprintf(path, 128, "/run/mtusweep/%s%s", name, l->suffix);
	snprintf(lock, 128, "/run/mtusweep/%s.lock", name);
	snprintf(text, sizeof(text),
		 "mtusweep journal 3\nnetns %" PRIu64 "\nboot %s\nindex 1\noriginal 1\n"
		 "before 1\nset 1\nipv6 0\nconf %s\nfolder-device 1\nfolder-inode 1\n"
		 "inode 0\nend\n",
		 l->here ? here.netns_cookie : here.netns_cookie + 1000000,
		 l->this_boot ? here.boot : "00000000-0000-0000-0000-000000000000",
		 l->conf ? l->conf : "");
	if (!l->conf)
		text[13] = '\0';
	write_file(path, text);
}

static void test_useless_journals_go(void **state)
{
	char path[128];
	char lock[128];

	(void)state;
	for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
		struct lockfile_holder holder = {"me"};
		int fd = -1;

		print_message("%s\n", leftovers[i].what);
		leave(&leftovers[i], (int)i, path, lock);
		/* The holder of the lock may be about to use it. */
		assert_int_equal(lockfile_take(base_of(lock), &holder, &fd, NULL), 0);
		journal_remove_useless();
		assert_int_equal(access(path, F_OK), 0);
		lockfile_release(&fd);
		journal_remove_useless();
		assert_int_equal(access(path, F_OK), leftovers[i].stays ? 0 : -1);
		assert_int_equal(access(lock, F_OK), -1);
		unlink(path);
	}
}

static void assert_listed(const struct leftover *l, int i, bool listed)
{
	char list[160];
	char name[32];

	journal_list_left(list, sizeof(list));
	snprintf(name, sizeof(name), "'j%d-%d'", (int)getpid(), i);
	if (!!strstr(list, name) != listed)
		fail_msg("%s: the list is \"%s\"", l->what, list);
}

/* List the files in the folder that belong to this namespace and boot, and to no
 * process. */
static void test_what_is_left_is_listed(void **state)
{
	char path[128];
	char lock[128];

	(void)state;
	for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
		const struct leftover *l = &leftovers[i];
		struct lockfile_holder holder = {"me"};
		int fd = -1;

		leave(l, (int)i, path, lock);
		assert_int_equal(lockfile_take(base_of(lock), &holder, &fd, NULL), 0);
		assert_listed(l, (int)i, false);
		lockfile_release(&fd);
		assert_listed(l, (int)i, strcmp(l->what, "ours") == 0);
		unlink(path);
	}
}

/* --- the folder itself --- */

static void assert_refused(int code, const char *words)
{
	struct journal journal = {.ifindex = 1};
	struct err err = ERR_INIT;
	int fd = -1;

	text_copy(journal.interface, sizeof(journal.interface), LINK);
	assert_int_equal(journal_lock(LINK, &fd, &err), code);
	assert_non_null(strstr(err.text, words));
	assert_non_null(strstr(err.text, "remove it"));
	assert_int_equal(hostconf_lock(t.conf, LINK, &fd, &err), code);
	assert_int_equal(journal_write(&journal, &err), code);
	assert_int_equal(journal_read(LINK, &journal, &err), code);
	assert_int_equal(journal_remove(LINK, &err), code);
	assert_int_equal(hoststate_restore_journal(LINK, &err), code);
	assert_int_equal(fd, -1);
}

static void test_folder_of_others(void **state)
{
	static const mode_t modes[] = {0755, 0770, 0707, 01777, 02700, 0500};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(RUNDIR_PATH, modes[i]), 0);
		assert_refused(-EPERM, "must belong to root with mode 0700");
	}
	assert_int_equal(chmod(RUNDIR_PATH, 0700), 0);
	assert_int_equal(chown(RUNDIR_PATH, 65534, 0), 0);
	assert_refused(-EPERM, "belongs to user 65534");
	assert_int_equal(chown(RUNDIR_PATH, 0, 0), 0);
}

/* Use a separate /run, which shows that the state was restored. */
static void test_folder_is_none(void **state)
{
	struct stat made;
	int fd = -1;

	(void)state;
	assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	assert_int_equal(mkdir("/run/elsewhere", 0700), 0);
	assert_int_equal(symlink("/run/elsewhere", RUNDIR_PATH), 0);
	assert_refused(-ENOTDIR, "symbolic link");
	assert_int_equal(rmdir("/run/elsewhere"), 0);
	assert_int_equal(unlink(RUNDIR_PATH), 0);
	write_file(RUNDIR_PATH, "");
	assert_refused(-ENOTDIR, "not a folder");
	assert_int_equal(unlink(RUNDIR_PATH), 0);
	assert_int_equal(journal_lock(LINK, &fd, NULL), 0);
	assert_int_equal(stat(RUNDIR_PATH, &made), 0);
	assert_int_equal(made.st_mode & 07777, 0700);
	lockfile_release(&fd);
	assert_int_equal(umount2("/run", MNT_DETACH), 0);
}

/* A folder from a time when other users could write there. */
static void test_files_of_others(void **state)
{
	struct lockfile_holder holder = {"me"};
	struct journal journal;
	struct err err = ERR_INIT;
	char path[JOURNAL_PATH_SIZE];
	int fd = -1;

	(void)state;
	assert_int_equal(journal_path(LINK, path, NULL), 0);
	write_file(path, "mtusweep journal 2\n");
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_int_equal(journal_read(LINK, &journal, &err), -EPERM);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "does not belong to root"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(t.conf, path), 0);
	assert_int_equal(journal_read(LINK, &journal, &err), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(journal_read(LINK, &journal, &err), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(t.conf, RUNDIR_PATH "/x.lock"), 0);
	assert_int_equal(lockfile_take("x.lock", &holder, &fd, &err), -ELOOP);
	assert_file(t.conf, CONF);
	assert_int_equal(unlink(RUNDIR_PATH "/x.lock"), 0);
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
		GUARD_TEST(test_older_journal),
		GUARD_TEST(test_damaged_journal),
		GUARD_TEST(test_lock_of_ending_run),
		GUARD_TEST(test_lock_conf),
		GUARD_TEST(test_lockers_never_meet),
		GUARD_TEST(test_release_of_what_is_gone),
		GUARD_TEST(test_useless_journals_go),
		GUARD_TEST(test_what_is_left_is_listed),
		GUARD_TEST(test_folder_of_others),
		GUARD_TEST(test_folder_is_none),
		GUARD_TEST(test_files_of_others),
		GUARD_TEST(test_interface_names),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
