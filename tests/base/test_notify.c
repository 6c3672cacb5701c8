/* SPDX-License-Identifier: MIT */
/* The service manager's socket and its watchdog. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notify.h"

/* A manager's socket by this name, '@' for an abstract one. */
static int listen_as(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, name, size);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
		0);
	return fd;
}

static void check_heard(int fd, const char *expected)
{
	char heard[64] = "";
	ssize_t size = recv(fd, heard, sizeof(heard) - 1, 0);

	assert_int_equal(size < 0 ? 0 : size, strlen(expected));
	assert_string_equal(heard, expected);
}

static void the_named_socket_hears(void **state)
{
	char names[2][64];

	(void)state;
	snprintf(names[0], sizeof(names[0]), "/tmp/test_notify.%d", getpid());
	snprintf(names[1], sizeof(names[1]), "@mtusweep.test_notify.%d", getpid());
	for (int i = 0; i < 2; i++) {
		int fd = listen_as(names[i]);

		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_send("READY=1\nSTATUS=waiting");
		check_heard(fd, "READY=1\nSTATUS=waiting");
		/* No second message. */
		check_heard(fd, "");
		close(fd);
	}
	unlink(names[0]);
	unsetenv("NOTIFY_SOCKET");
}

/* Nobody listens, or the name is none: the message is lost, and nothing else happens. */
static void no_manager_is_no_error(void **state)
{
	char longest[200];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	for (const char *const *name =
		     (const char *const[]){"", "/", "relative", "/nobody/here",
					   "@nobody.here", longest, NULL};
	     *name; name++) {
		setenv("NOTIFY_SOCKET", *name, 1);
		notify_send("READY=1");
	}
	unsetenv("NOTIFY_SOCKET");
}

static void the_watchdog_is_told_twice_in_its_time(void **state)
{
	static const struct {
		const char *usec;
		int pid_of; /* 0: no WATCHDOG_PID, 1: this, 2: the parent, 3: no process */
		int ms;
	} table[] = {
		{"30000000", 0, 15000},
		{"30000000", 1, 15000},
		{"30000000", 2, 15000},
		{"30000000", 3, -1},
		{NULL, 0, -1},
		{"", 0, -1},
		{"0", 0, -1},
		{"-5", 0, -1},
		{"soon", 0, -1},
		{"2000", 0, 1},
		{"9000000000000000000", 0, 2147483647},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const int pids[] = {0, getpid(), getppid(), 999999999};
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", pids[table[i].pid_of]);
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (table[i].usec)
			setenv("WATCHDOG_USEC", table[i].usec, 1);
		if (table[i].pid_of)
			setenv("WATCHDOG_PID", pid, 1);
		assert_int_equal(notify_watchdog_ms(), table[i].ms);
	}
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_named_socket_hears),
		cmocka_unit_test(no_manager_is_no_error),
		cmocka_unit_test(the_watchdog_is_told_twice_in_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
