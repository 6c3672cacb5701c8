/* SPDX-License-Identifier: MIT */
/* The lease's thread: it renews in time, retries after a failure, and ends at once. */

#include "sync/lease.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "support.h"
#include "sync/endpoint.h"

#define ADDRESS "127.0.0.2"
#define PORT    5000
#define TRIES   64

/* The thread's reports and their times. */
struct told {
	pthread_mutex_t lock;
	int count;
	int results[TRIES];
	int64_t at_ms[TRIES];
	bool ahead; /* one was sent later than it was told */
	char text[384];
};

/* The running parts of a test. The teardown ends them, after failures too. */
static struct {
	struct support_ops ops;
	struct endpoint *endpoint;
	struct told told;
	struct lease *lease;
	int listener;
	bool cut;
} s;

static int setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	s.listener = -1;
	return 0;
}

static void stop(void)
{
	lease_stop(s.lease);
	s.lease = NULL;
}

static int teardown(void **state)
{
	(void)state;
	if (s.cut)
		support_cut(false);
	stop();
	endpoint_free(s.endpoint);
	fd_close(&s.listener);
	return 0;
}

static void renewed(void *ctx, int64_t sent_at_ms, int result, const struct err *err)
{
	struct told *told = ctx;

	/* Not an assertion: that would leave this thread for the test's. */
	pthread_mutex_lock(&told->lock);
	told->ahead |= sent_at_ms > clock_boot_ms();
	if (told->count < TRIES) {
		told->results[told->count] = result;
		told->at_ms[told->count] = clock_boot_ms();
		told->count++;
	}
	snprintf(told->text, sizeof(told->text), "%s", err->text);
	pthread_mutex_unlock(&told->lock);
}

static void start(const char *session, int64_t lease_ms)
{
	struct lease_config config = {
		.client = {.interface = "lo", .address = ADDRESS, .port = PORT},
		.lease_ms = lease_ms,
		.renewed = renewed,
		.ctx = &s.told,
	};

	memset(&s.told, 0, sizeof(s.told));
	pthread_mutex_init(&s.told.lock, NULL);
	snprintf(config.session, sizeof(config.session), "%s", session);
	assert_int_equal(lease_start(&config, &s.lease, NULL), 0);
}

/* Wait until there are `count` reports, `limit_ms` at most. */
static void wait_told(int count, int limit_ms)
{
	int64_t end_ms = clock_boot_ms() + limit_ms;
	bool ahead = false;
	int now = 0;

	while (now < count && clock_left_ms(end_ms) > 0) {
		usleep(2000);
		pthread_mutex_lock(&s.told.lock);
		now = s.told.count;
		ahead = s.told.ahead;
		pthread_mutex_unlock(&s.told.lock);
	}
	assert_true(now >= count);
	assert_false(ahead);
}

static void start_endpoint(void)
{
	struct endpoint_config config = {
		.address = ADDRESS,
		.interface = "",
		.port = PORT,
		.lease_max_ms = 60000,
		.ops = &support_endpoint_ops,
		.ctx = &s.ops,
	};

	support_ops_init(&s.ops);
	assert_int_equal(endpoint_new(&config, &s.endpoint, NULL), 0);
}

static void open_session(int64_t lease_ms, struct msg_opened *opened)
{
	struct client_config config = {
		.interface = "lo", .address = ADDRESS, .port = PORT, .stop_fd = -1};
	struct msg_open m = support_open(SUPPORT_RUN, lease_ms);
	struct client *client = NULL;

	assert_int_equal(client_new(&config, &client, NULL), 0);
	assert_int_equal(client_open(client, &m, 1000, opened, NULL), 0);
	client_free(client);
}

static void every_third_of_its_length(void **state)
{
	struct msg_opened opened;
	int64_t started_ms;

	(void)state;
	start_endpoint();
	open_session(1000, &opened);
	started_ms = clock_boot_ms();
	start(opened.session, opened.lease_ms);
	wait_told(5, 3000);
	stop();
	for (int i = 0; i < 5; i++) {
		assert_int_equal(s.told.results[i], 0);
		assert_in_range(s.told.at_ms[i] - started_ms, (i + 1) * 333 - 5,
				(i + 1) * 333 + 150);
	}
	/* Longer than the lease, and the session still exists. */
	assert_in_range(endpoint_tick(s.endpoint), 1, 1000);
	assert_int_equal(s.ops.expired, 0);
}

static void tries_again_when_nobody_answers(void **state)
{
	(void)state;
	start(SUPPORT_RUN, 1000);
	wait_told(6, 3000);
	stop();
	for (int i = 0; i < 6; i++) {
		assert_int_equal(s.told.results[i], -ECONNREFUSED);
		if (i > 0)
			assert_in_range(s.told.at_ms[i] - s.told.at_ms[i - 1], 98, 250);
	}
	assert_non_null(strstr(s.told.text, "'" ADDRESS ":5000'"));
}

/* A failed attempt leaves time for another before the lease expires. */
static void tries_more_than_once_in_a_lease(void **state)
{
	int64_t started_ms;

	(void)state;
	s.listener = support_listen(ADDRESS, PORT, 16);
	start(SUPPORT_RUN, 1500);
	started_ms = clock_boot_ms();
	wait_told(2, 3000);
	assert_int_equal(s.told.results[0], -ETIMEDOUT);
	assert_int_equal(s.told.results[1], -ETIMEDOUT);
	assert_in_range(s.told.at_ms[1] - started_ms, 0, 1500);
	stop();
}

/* After the end of the session there is no hurry. */
static void a_session_that_is_gone_is_not_hammered(void **state)
{
	(void)state;
	start_endpoint();
	start("0123456789abcdef0123456789abcdef", 1000);
	wait_told(2, 3000);
	stop();
	assert_int_equal(s.told.results[0], -ESTALE);
	assert_in_range(s.told.at_ms[1] - s.told.at_ms[0], 300, 500);
}

/* Once while it waits, and once in the middle of an unanswered request. */
static void ends_at_once(void **state)
{
	int64_t started_ms;

	(void)state;
	s.listener = support_listen(ADDRESS, PORT, 16);
	start(SUPPORT_RUN, 600000);
	started_ms = clock_boot_ms();
	stop();
	assert_in_range(clock_boot_ms() - started_ms, 0, 100);
	assert_int_equal(s.told.count, 0);

	start(SUPPORT_RUN, 3000);
	assert_int_equal(io_wait(s.listener, -1, clock_boot_ms() + 3000), 1);
	started_ms = clock_boot_ms();
	stop();
	assert_in_range(clock_boot_ms() - started_ms, 0, 100);
	assert_int_equal(s.told.count, 0);
	lease_stop(NULL);
}

static void start_beating(void)
{
	struct msg_opened opened;

	start_endpoint();
	/* The session outlives an outage, however busy the machine is. */
	open_session(60000, &opened);
	start(opened.session, opened.lease_ms);
	lease_beat_begin(s.lease);
	wait_told(2, 1000);
}

/* Four round trips a second during a test, then none for a third of a lease. */
static void beats_beside_a_test(void **state)
{
	struct lease_gaps gaps;
	int count;

	(void)state;
	start_beating();
	wait_told(5, 1500);
	lease_beat_end(s.lease, &gaps);
	assert_in_range(gaps.silent_ms, LEASE_BEAT_MS - 10, LEASE_BEAT_MS + 150);
	assert_in_range(gaps.lost_ms, LEASE_BEAT_MS - 60, LEASE_BEAT_MS + 150);
	/* The next one was already due. */
	usleep((LEASE_BEAT_MS + 50) * 1000);
	count = s.told.count;
	usleep(2 * LEASE_BEAT_MS * 1000);
	assert_int_equal(s.told.count, count);
	for (int i = 0; i < count; i++)
		assert_int_equal(s.told.results[i], 0);
	stop();
}

/* The round trip is slow, but nothing was lost. */
static void a_slow_round_trip_is_no_loss(void **state)
{
	struct lease_gaps gaps;
	int count;

	(void)state;
	start_beating();
	count = s.told.count;
	s.ops.renew_ms = 700;
	wait_told(count + 2, 3000);
	s.ops.renew_ms = 0;
	lease_beat_end(s.lease, &gaps);
	assert_in_range(gaps.silent_ms, 700, 1200);
	assert_in_range(gaps.lost_ms, 0, 450);
	assert_in_range(gaps.trip_ms, 0, 100);
	assert_in_range(lease_slowest_ms(s.lease), 700, 900);
	stop();
}

/* An outage of half a second makes a longer gap; a gap that has not ended counts. */
static void an_outage_is_a_gap(void **state)
{
	struct lease_gaps gaps;
	int count;

	(void)state;
	start_beating();
	s.cut = true;
	assert_int_equal(support_cut(true), 0);
	usleep(500000);
	assert_int_equal(support_cut(false), 0);
	s.cut = false;
	count = s.told.count;
	wait_told(count + 2, 15000);
	lease_beat_end(s.lease, &gaps);
	assert_in_range(gaps.silent_ms, 500, 3500);
	assert_in_range(gaps.lost_ms, 500, 3500);
	assert_in_range(lease_slowest_ms(s.lease), 0, 200);

	lease_beat_begin(s.lease);
	wait_told(s.told.count + 1, 5000);
	s.cut = true;
	assert_int_equal(support_cut(true), 0);
	usleep(600000);
	lease_beat_end(s.lease, &gaps);
	assert_int_equal(support_cut(false), 0);
	s.cut = false;
	assert_in_range(gaps.silent_ms, 600, 1100);
	assert_in_range(gaps.lost_ms, 500, 1100);
	stop();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_third_of_its_length),
		TEST(tries_again_when_nobody_answers),
		TEST(tries_more_than_once_in_a_lease),
		TEST(a_session_that_is_gone_is_not_hammered),
		TEST(ends_at_once),
		TEST(beats_beside_a_test),
		TEST(a_slow_round_trip_is_no_loss),
		TEST(an_outage_is_a_gap),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}
