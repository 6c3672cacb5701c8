/* SPDX-License-Identifier: MIT */
/* Requests and replies over a socket pair: which reply counts, and what fails how. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ask.h"
#include "base/clock.h"
#include "base/io.h"

struct message {
	uint32_t serial;
	int value;
};

static struct ask asker;
static int other;

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
			 0);
	asker = (struct ask){.fd = pair[0]};
	other = pair[1];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fd_close(&asker.fd);
	fd_close(&other);
	return 0;
}

/* The other end's reply, with a descriptor where it is not negative. */
static void reply(uint32_t serial, int value, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct message message = {.serial = serial, .value = value};
	struct iovec data = {&message, sizeof(message)};
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};

	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(other, &header, 0), sizeof(message));
}

static uint32_t send_one(void)
{
	struct message request = {.value = 7};
	struct message seen;

	assert_int_equal(ask_send(&asker, &request, sizeof(request)), 0);
	assert_int_equal(recv(other, &seen, sizeof(seen), 0), sizeof(seen));
	assert_int_equal(seen.value, 7);
	assert_int_equal(seen.serial, request.serial);
	return seen.serial;
}

static int await(int stop_fd, int ms, struct message *ret, int *ret_fd)
{
	return ask_await(&asker, stop_fd, clock_boot_ms() + ms, ret, sizeof(*ret),
			 ret_fd);
}

/* True where the other end of the pipe is open nowhere. */
static bool is_closed(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

static void test_only_its_reply_counts(void **state)
{
	struct message seen;
	uint32_t serial;
	int late[2];
	int own[2];
	int fd = -1;

	(void)state;
	assert_int_equal(pipe2(late, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(own, O_CLOEXEC | O_NONBLOCK), 0);
	send_one();
	serial = send_one();
	reply(serial - 1, 1, late[1]);
	reply(serial, 2, own[1]);
	fd_close(&late[1]);
	fd_close(&own[1]);
	assert_int_equal(await(-1, 2000, &seen, &fd), 0);
	assert_int_equal(seen.value, 2);
	/* The late one's descriptor is closed, this one's is ours. */
	assert_true(is_closed(late[0]));
	assert_false(is_closed(own[0]));
	fd_close(&fd);
	assert_true(is_closed(own[0]));
	fd_close(&late[0]);
	fd_close(&own[0]);
}

static void test_unwanted_descriptor(void **state)
{
	struct message seen;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	reply(send_one(), 3, ends[1]);
	fd_close(&ends[1]);
	assert_int_equal(await(-1, 2000, &seen, NULL), 0);
	assert_true(is_closed(ends[0]));
	fd_close(&ends[0]);
}

static void test_no_reply(void **state)
{
	struct message seen = {0};
	char byte = 0;
	int stop[2];

	(void)state;
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	reply(send_one() - 1, 1, -1);
	assert_int_equal(await(stop[0], 1, &seen, NULL), -ETIMEDOUT);
	assert_int_equal(write(stop[1], &byte, 1), 1);
	assert_int_equal(await(stop[0], 2000, &seen, NULL), -EINTR);
	assert_int_equal(send(other, &seen, sizeof(seen) - 1, 0), sizeof(seen) - 1);
	assert_int_equal(await(-1, 2000, &seen, NULL), -EBADMSG);
	fd_close(&other);
	assert_int_equal(await(-1, 2000, &seen, NULL), -EPIPE);
	assert_int_equal(ask_send(&asker, &seen, sizeof(seen)), -EPIPE);
	fd_close(&stop[0]);
	fd_close(&stop[1]);
}

/* One that reads no more must not stop its asker. */
static void test_no_room(void **state)
{
	struct message request = {0};
	int r;

	(void)state;
	do {
		r = ask_send(&asker, &request, sizeof(request));
	} while (r == 0);
	assert_int_equal(r, -EAGAIN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_its_reply_counts),
		TEST(test_unwanted_descriptor),
		TEST(test_no_reply),
		TEST(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
