/* SPDX-License-Identifier: MIT */
/* The check of privileges, each case in a process that lacks some. */

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../child_check.h"
#include "base/io.h"
#include "base/privcheck.h"

static const struct priv_user nobody = {65534, 65534, "nobody"};
static const struct priv_user root = {0, 0, "root"};

static void drop_one(unsigned int capability)
{
	capng_get_caps_process();
	capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, capability);
	capng_apply(CAPNG_SELECT_CAPS);
}

static int write_map(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0
										 : -1;
}

/* As 'unshare --map-root-user' does. */
static int enter_single_user(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	return write_map("/proc/self/setgroups", "deny") < 0 ||
			       write_map("/proc/self/uid_map", "0 0 1") < 0 ||
			       write_map("/proc/self/gid_map", "0 0 1") < 0
		       ? -1
		       : 0;
}

/* True if the text has all words but `absent`. */
static int expect(int r, const struct err *err, const char *word, const char *absent)
{
	if (r != -EPERM || !strstr(err->text, word) || strstr(err->text, absent)) {
		fprintf(stderr, "%d: %s\n", r, err->text);
		return 1;
	}
	return 0;
}

static int complete(void)
{
	return privcheck_net_admin(NULL) < 0 ||
	       privcheck_rest(&nobody, PRIV_KEEP_KILL | PRIV_KEEP_CONF_FILE, NULL) < 0;
}

static int no_net_admin(void)
{
	struct err err = ERR_INIT;

	drop_one(CAP_NET_ADMIN);
	return expect(privcheck_net_admin(&err), &err, "NET_ADMIN here", "sudo");
}

static int no_root(void)
{
	struct err err = ERR_INIT;

	return setuid(65534) < 0 ||
	       expect(privcheck_net_admin(&err), &err, "use sudo", "NET_ADMIN");
}

static int no_groups(void)
{
	struct err err = ERR_INIT;

	drop_one(CAP_SETGID);
	drop_one(CAP_FOWNER);
	return expect(privcheck_rest(&nobody, 0, &err), &err, "SETGID", "FOWNER") ||
	       expect(privcheck_rest(&nobody, PRIV_KEEP_CONF_FILE, &err), &err,
		      "SETGID, FOWNER", "KILL");
}

/* Nobody becomes root by a change of ids. */
static int root_stays(void)
{
	struct err err = ERR_INIT;

	drop_one(CAP_SETUID);
	return privcheck_rest(&root, 0, NULL) < 0 ||
	       expect(privcheck_rest(&nobody, 0, &err), &err, "SETUID", "SETGID");
}

static int single_user(void)
{
	struct err err = ERR_INIT;

	return enter_single_user() < 0 ||
	       expect(privcheck_rest(&root, PRIV_KEEP_KILL, &err), &err,
		      "user namespace", "sudo");
}

static void test_privileges(void **state)
{
	(void)state;
	assert_int_equal(child_status(complete), 0);
	assert_int_equal(child_status(no_net_admin), 0);
	assert_int_equal(child_status(no_root), 0);
	assert_int_equal(child_status(no_groups), 0);
	assert_int_equal(child_status(root_stays), 0);
	assert_int_equal(child_status(single_user), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_privileges)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
