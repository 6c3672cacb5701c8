/* SPDX-License-Identifier: MIT */
/*
 * An armed test and its callers, with the real libiperf: other hosts do not reach it,
 * and callers on the peer's own host destroy at most one test process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "runner_lab.h"

#define SHORT_MS 300
/* A limit for an answer that comes at once when a processor is free. */
#define WAIT_S 10
/* An address behind lo, too. */
#define STRANGER "127.0.0.3"
#define COOKIE   "abcdefghijklmnopqrstuvwxyz0123456789"

static int setup(void **state)
{
	static struct lab lab;

	lab_setup(&lab, LAB_LOOPBACK, SHORT_MS);
	*state = &lab;
	return 0;
}

static int teardown(void **state)
{
	lab_teardown(*state);
	return 0;
}

/* Return a connection to the test's port, or -1 and errno, also when no answer comes in
 * time. */
static int connect_from(const char *from, const char *to)
{
	struct timeval limit = {.tv_sec = WAIT_S};
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(LAB_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	assert_int_equal(inet_pton(AF_INET, from, &own.sin_addr), 1);
	assert_int_equal(inet_pton(AF_INET, to, &name.sin_addr), 1);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void arm(struct lab *lab)
{
	struct err err = ERR_INIT;

	if (runner_arm(lab->server.runner, &lab->arm, &err) < 0)
		fail_msg("arming failed: %s", err.text);
}

static struct dir_result call(struct lab *lab)
{
	struct dir_result result;
	struct err err = ERR_INIT;

	if (runner_measure(lab->peer.runner, &lab->call, -1, &result, &err) < 0)
		fail_msg("no result: %s", err.text);
	return result;
}

static void measure(struct lab *lab, enum test_status status)
{
	struct dir_result result = call(lab);

	if (result.status != status)
		fail_msg("status '%s' (%s) instead of '%s'",
			 test_status_name(result.status), result.text,
			 test_status_name(status));
}

static void assert_undisturbed(struct lab *lab)
{
	struct err err = ERR_INIT;

	if (runner_disturbed(lab->server.runner, &err) < 0)
		fail_msg("disturbed: %s", err.text);
}

/* --- strangers --- */

/* The reset may arrive before connect() has checked its socket: then connect() reports
 * it. */
static void assert_is_reset(const struct lab *lab, const char *from)
{
	char byte;
	int fd = connect_from(from, lab->arm.local);

	if (fd >= 0) {
		assert_int_equal(recv(fd, &byte, 1, 0), -1);
		close(fd);
	}
	assert_int_equal(errno, ECONNRESET);
}

static void test_strangers_are_reset(void **state)
{
	struct lab *lab = *state;
	pid_t child;

	arm(lab);
	child = lab_await_child(&lab->server);
	for (int i = 0; i < 3; i++)
		assert_is_reset(lab, STRANGER);
	assert_int_equal(lab_await_child(&lab->server), child);
	measure(lab, TEST_OK);
	assert_undisturbed(lab);
}

/* The stranger is a correct client. */
static void test_a_strangers_test_is_not_run(void **state)
{
	struct lab *lab = *state;
	char own[ADDRESS_SIZE];

	text_copy(own, sizeof(own), lab->call.local);
	text_copy(lab->call.local, sizeof(lab->call.local), STRANGER);
	arm(lab);
	measure(lab, TEST_ERROR);
	assert_undisturbed(lab);
	text_copy(lab->call.local, sizeof(lab->call.local), own);
	measure(lab, TEST_OK);
}

struct hammer {
	struct lab *lab;
	_Atomic bool stop;
	_Atomic int tries;
	pthread_t thread;
};

/* Connect as fast as possible: before the peer, between its two connections, during its
 * test. On lo a non-blocking connect completes at once. */
static void *hammer_main(void *arg)
{
	struct hammer *hammer = arg;
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(LAB_PORT)};

	inet_pton(AF_INET, STRANGER, &own.sin_addr);
	inet_pton(AF_INET, hammer->lab->arm.local, &name.sin_addr);
	while (!hammer->stop) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		bind(fd, (struct sockaddr *)&own, sizeof(own));
		connect(fd, (struct sockaddr *)&name, sizeof(name));
		hammer->tries++;
		close(fd);
	}
	return NULL;
}

static void test_strangers_in_a_hurry(void **state)
{
	struct lab *lab = *state;
	static struct hammer hammer;

	hammer.lab = lab;
	lab->call.duration_ms = lab->arm.duration_ms = 100;
	assert_int_equal(pthread_create(&hammer.thread, NULL, hammer_main, &hammer), 0);
	for (int i = 0; i < 10; i++) {
		lab->call.dir = (enum direction)(i % DIR_COUNT);
		arm(lab);
		measure(lab, TEST_OK);
		assert_undisturbed(lab);
	}
	hammer.stop = true;
	pthread_join(hammer.thread, NULL);
	print_message("beside %d connects\n", hammer.tries);
}

/* --- from the peer's own address --- */

/* The peer's test announces its port: an earlier connection of another program on its
 * host does not take its place. */
static void test_the_expected_port_is_preferred(void **state)
{
	struct lab *lab = *state;
	int port = runner_reserve(lab->peer.runner, lab->call.local, "");
	char byte;
	int fd;

	assert_in_range(port, 1, 65535);
	lab->arm.client_port = lab->call.client_port = port;
	for (int i = 0; i < 3; i++) {
		arm(lab);
		fd = connect_from(lab->call.local, lab->arm.local);
		assert_true(fd >= 0);
		measure(lab, TEST_OK);
		assert_undisturbed(lab);
		assert_int_equal(recv(fd, &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(fd);
	}
	/* If it comes from another port anyway, it is accepted. */
	lab->call.client_port = 0;
	arm(lab);
	measure(lab, TEST_OK);
	assert_undisturbed(lab);
}

static void test_reserved_ports(void **state)
{
	struct lab *lab = *state;
	int first = runner_reserve(lab->peer.runner, lab->call.local, "");
	int other = runner_reserve(lab->server.runner, lab->call.local, "");

	assert_in_range(first, 1, 65535);
	assert_in_range(other, 1, 65535);
	assert_int_not_equal(first, other);
	assert_int_equal(runner_reserve(lab->peer.runner, "10.9.9.9", ""), 0);
}

struct assault {
	const char *what;
	/* JSON of the parameters; NULL: the caller stops before them */
	const char *json;
	bool cookie;
	bool hang_up;
};

static const struct assault assaults[] = {
	{"a title that is a number", "{\"tcp\":true,\"title\":5}", true, false},
	{"100,000 streams",
	 "{\"tcp\":true,\"omit\":0,\"time\":10,\"parallel\":100000,\"len\":131072}",
	 true, false},
	{"no JSON", "not json at all", true, false},
	{"hangs up after its cookie", NULL, true, true},
	{"hangs up at once", NULL, false, true},
	{"says nothing", NULL, false, false},
	{"opens no data connection",
	 "{\"tcp\":true,\"omit\":0,\"time\":10,\"parallel\":1,\"len\":131072}", true,
	 false},
};

static void send_assault(int fd, const struct assault *assault)
{
	uint32_t size;
	char byte;

	if (assault->cookie)
		send(fd, COOKIE, sizeof(COOKIE), MSG_NOSIGNAL);
	if (!assault->json)
		return;
	/* The server's next request. */
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
	size = htonl((uint32_t)strlen(assault->json));
	send(fd, &size, sizeof(size), MSG_NOSIGNAL);
	send(fd, assault->json, strlen(assault->json), MSG_NOSIGNAL);
}

static void await_disturbed(struct lab *lab)
{
	int64_t deadline_ms = clock_boot_ms() + 4000;
	struct err err = ERR_INIT;

	while (runner_disturbed(lab->server.runner, &err) == 0) {
		if (clock_left_ms(deadline_ms) == 0)
			fail_msg("the runner did not notice");
		lab_sleep_ms(5);
	}
	print_message("    %s\n", err.text);
}

static void test_what_crashes_libiperf_costs_one_child(void **state)
{
	struct lab *lab = *state;

	/* The deadline of the armed test leaves time for disturbances. */
	for (size_t i = 0; i < sizeof(assaults) / sizeof(assaults[0]); i++) {
		const struct assault *assault = &assaults[i];
		int fd;

		print_message("%s\n", assault->what);
		arm(lab);
		assert_undisturbed(lab);
		fd = connect_from(lab->call.local, lab->arm.local);
		assert_true(fd >= 0);
		send_assault(fd, assault);
		if (assault->hang_up)
			close(fd);
		await_disturbed(lab);
		/* The test is armed again without a message: after the end of the first
		 * process, which may still come. */
		if (call(lab).status != TEST_OK)
			measure(lab, TEST_OK);
		if (!assault->hang_up)
			close(fd);
	}
	assert_int_equal(runner_cancel(lab->server.runner, NULL), 0);
	assert_int_equal(lab_count_children(&lab->server), 0);
}

#define ON_LAB(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LAB(test_strangers_are_reset),
		ON_LAB(test_a_strangers_test_is_not_run),
		ON_LAB(test_strangers_in_a_hurry),
		ON_LAB(test_the_expected_port_is_preferred),
		ON_LAB(test_reserved_ports),
		ON_LAB(test_what_crashes_libiperf_costs_one_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
