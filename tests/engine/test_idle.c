/* SPDX-License-Identifier: MIT */
/* The round trip of the idle path, over UDP on lo. Others answer the echoes here, so that
 * it is certain which answers are late or missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/text.h"
#include "engine/idle.h"

#define LO         "127.0.0.1"
#define ECHO_BYTES 16

/* The last echoes that are answered at once, and how many of those before are answered only
 * with the last one, or never. */
struct far_end {
	int fd;
	int late;
	int lost;
	bool altered;
	pthread_t thread;
};

struct echo_seen {
	unsigned char bytes[ECHO_BYTES];
	struct sockaddr_in from;
};

static void answer(const struct far_end *end, const struct echo_seen *echo)
{
	sendto(end->fd, echo->bytes, ECHO_BYTES, 0,
	       (const struct sockaddr *)&echo->from, sizeof(echo->from));
}

static void *far_end_main(void *ctx)
{
	const struct far_end *end = ctx;
	struct echo_seen seen[IDLE_ECHOES];

	for (int i = 0; i < IDLE_ECHOES; i++) {
		socklen_t size = sizeof(seen[i].from);
		ssize_t got = recvfrom(end->fd, seen[i].bytes, ECHO_BYTES, 0,
				       (struct sockaddr *)&seen[i].from, &size);

		if (got != ECHO_BYTES)
			return NULL;
		if (end->altered)
			seen[i].bytes[5] ^= 1;
		if (i >= end->late + end->lost)
			answer(end, &seen[i]);
	}
	for (int i = 0; i < end->late; i++)
		answer(end, &seen[i]);
	return NULL;
}

static void ask(struct far_end *end, struct idle_figures *ret)
{
	struct test_spec spec = {.id = 7, .role = ROLE_CLIENT, .rtt_us = 500000};
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(own);

	text_copy(spec.remote, sizeof(spec.remote), LO);
	end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(end->fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(getsockname(end->fd, (struct sockaddr *)&own, &size), 0);
	spec.echo_port = ntohs(own.sin_port);
	/* The time that it takes shows if an answer is awaited. */
	if (end->lost || end->altered)
		spec.rtt_us = 1000;
	assert_int_equal(pthread_create(&end->thread, NULL, far_end_main, end), 0);
	idle_ask(&spec, ret);
	assert_int_equal(pthread_join(end->thread, NULL), 0);
	close(end->fd);
}

/* The last echo leaves 18 gaps after the second. */
static void test_two_late(void **state)
{
	struct far_end end = {.late = 2};
	struct idle_figures idle;

	(void)state;
	ask(&end, &idle);
	assert_in_range(idle.p95_us, 18 * IDLE_GAP_US, 2000000);
	assert_in_range(idle.median_us, 1, idle.p95_us - 1);
}

/* One of twenty is beyond the 95th percentile. */
static void test_one_late(void **state)
{
	struct far_end late = {.late = 1};
	struct idle_figures idle;

	(void)state;
	for (int i = 0; i < 5; i++) {
		ask(&late, &idle);
		if (idle.p95_us < 19 * IDLE_GAP_US)
			return;
	}
	fail_msg("the one late answer is the 95th percentile in five measurements");
}

static void test_half_lost(void **state)
{
	struct far_end end = {.lost = IDLE_ECHOES / 2};
	struct idle_figures idle;

	(void)state;
	ask(&end, &idle);
	assert_in_range(idle.median_us, 1, 1000000);
	assert_in_range(idle.p95_us, idle.median_us, 1000000);
}

static void test_too_many_lost(void **state)
{
	struct far_end end = {.lost = IDLE_ECHOES / 2 + 1};
	struct idle_figures idle;

	(void)state;
	ask(&end, &idle);
	assert_int_equal(idle.median_us, NO_FIGURE);
	assert_int_equal(idle.p95_us, NO_FIGURE);
}

/* Answers of another test. */
static void test_others(void **state)
{
	struct far_end end = {.altered = true};
	struct idle_figures idle;

	(void)state;
	ask(&end, &idle);
	assert_int_equal(idle.median_us, NO_FIGURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_late),  cmocka_unit_test(test_one_late),
		cmocka_unit_test(test_half_lost), cmocka_unit_test(test_too_many_lost),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
