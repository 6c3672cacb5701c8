/* Privileges, each in a child process whose /proc/self/status is then read. */

#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/priv.h"

#define NET_ADMIN        (1ULL << 12)
#define DAC_CHOWN_FOWNER ((1ULL << 1) | (1ULL << 0) | (1ULL << 3))
#define KILL             (1ULL << 5)
#define SYS_RESOURCE     (1ULL << 24)

static unsigned long long status_field(const char *name)
{
	cleanup_file FILE *file = fopen("/proc/self/status", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0)
			return strtoull(line + strlen(name) + 1, NULL,
					strncmp(name, "Cap", 3) == 0 ? 16 : 10);
	}
	return ~0ULL;
}

static bool caps_are(unsigned long long caps)
{
	return status_field("CapEff") == caps && status_field("CapPrm") == caps &&
	       status_field("CapInh") == 0 && status_field("CapBnd") == caps &&
	       status_field("NoNewPrivs") == 1;
}

/* Exit status of `child` run in a process of its own. */
static int in_child(int (*child)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int drop_to_nobody(void)
{
	struct priv_user user;

	if (priv_find_user("nobody", "x.db", &user, NULL) < 0 ||
	    priv_drop(&user, NULL) < 0)
		return 1;
	if (getuid() != user.uid || geteuid() != user.uid || getgroups(0, NULL) != 0)
		return 2;
	if (setuid(0) == 0)
		return 3;
	return caps_are(0) ? 0 : 4;
}

static int drop_as_root(void)
{
	struct priv_user user = {.uid = 0, .gid = 0};

	if (priv_drop(&user, NULL) < 0)
		return 1;
	return caps_are(0) ? 0 : 2;
}

static int keep_net_admin(void)
{
	const gid_t group = 65534;

	if (setgroups(1, &group) < 0 || priv_keep(0, NULL) < 0)
		return 1;
	return caps_are(NET_ADMIN) && getuid() == 0 && getgroups(0, NULL) == 0 ? 0 : 2;
}

static int keep_all(void)
{
	return priv_keep(PRIV_KEEP_CONF_FILE | PRIV_KEEP_KILL, NULL) == 0 &&
			       caps_are(NET_ADMIN | DAC_CHOWN_FOWNER | KILL)
		       ? 0
		       : 1;
}

static int oom_score(void)
{
	cleanup_file FILE *file = fopen("/proc/self/oom_score_adj", "r");
	int score = 1001;

	return file && fscanf(file, "%d", &score) == 1 ? score : 1001;
}

/* Where it may not be lowered, it is at least what it is for everybody. */
static int spare_from_oom(void)
{
	bool may = status_field("CapEff") & SYS_RESOURCE;
	FILE *file = fopen("/proc/self/oom_score_adj", "w");

	if (!file || fputs("500", file) < 0 || fclose(file) != 0)
		return 1;
	priv_spare_from_oom();
	if (oom_score() != (may ? PRIV_SPARED_SCORE : 0))
		return 2;
	priv_spare_from_oom();
	return oom_score() == (may ? PRIV_SPARED_SCORE : 0) ? 0 : 3;
}

static int forbid_exec(void)
{
	char *argv[] = {(char *)"true", NULL};

	if (priv_forbid_exec(NULL) < 0)
		return 1;
	if (execv("/bin/true", argv) == 0 || errno != EPERM)
		return 2;
	/* In a child of a child, too. */
	if (fork() == 0) {
		execv("/bin/true", argv);
		_exit(errno == EPERM ? 0 : 3);
	}
	int status;

	wait(&status);
	return WEXITSTATUS(status);
}

static int dead_parent(void)
{
	priv_die_with_parent(SIGTERM, getppid() + 100000);
	return 7;
}

static void test_processes(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_to_nobody), 0);
	assert_int_equal(in_child(drop_as_root), 0);
	assert_int_equal(in_child(keep_net_admin), 0);
	assert_int_equal(in_child(keep_all), 0);
	assert_int_equal(in_child(spare_from_oom), 0);
	assert_int_equal(in_child(forbid_exec), 0);
	assert_int_equal(in_child(dead_parent), 1);
	assert_true(priv_have_net_admin());
}

static void test_find_user(void **state)
{
	char folder[] = "/tmp/mtusweep-priv-XXXXXX";
	char path[64];
	struct priv_user user;
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.db", folder);
	unsetenv("SUDO_UID");
	assert_int_equal(chown(folder, 65534, 65534), 0);
	assert_int_equal(priv_find_user(NULL, path, &user, &err), 0);
	assert_int_equal(user.uid, 65534);
	setenv("SUDO_UID", "1234", 1);
	setenv("SUDO_GID", "1235", 1);
	assert_int_equal(priv_find_user(NULL, path, &user, &err), 0);
	assert_int_equal(user.uid, 1234);
	assert_int_equal(user.gid, 1235);
	assert_int_equal(priv_find_user("no-such-user", path, &user, &err), -ENOENT);
	assert_string_equal(err.text,
			    "no such user 'no-such-user'; --user takes a user's name");
	unsetenv("SUDO_UID");
	rmdir(folder);
	assert_int_equal(priv_find_user(NULL, path, &user, &err), -ENOENT);
	assert_non_null(strstr(err.text, folder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_find_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
