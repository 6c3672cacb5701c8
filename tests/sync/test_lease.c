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
	char text[384];
};

static void renewed(void *ctx, int64_t sent_at_ms, int result, const struct err *err)
{
	struct told *told = ctx;

	assert_true(sent_at_ms <= clock_boot_ms());
	pthread_mutex_lock(&told->lock);
	if (told->count < TRIES) {
		told->results[told->count] = result;
		told->at_ms[told->count] = clock_boot_ms();
		told->count++;
	}
	snprintf(told->text, sizeof(told->text), "%s", err->text);
	pthread_mutex_unlock(&told->lock);
}

static struct lease *start(struct told *told, const char *session, int64_t lease_ms)
{
	struct lease_config config = {
		.client = {.interface = "lo", .address = ADDRESS, .port = PORT},
		.lease_ms = lease_ms,
		.renewed = renewed,
		.ctx = told,
	};
	struct lease *lease = NULL;

	memset(told, 0, sizeof(*told));
	pthread_mutex_init(&told->lock, NULL);
	snprintf(config.session, sizeof(config.session), "%s", session);
	assert_int_equal(lease_start(&config, &lease, NULL), 0);
	return lease;
}

/* Wait until there are `count` reports, `limit_ms` at most. */
static void wait_told(struct told *told, int count, int limit_ms)
{
	int64_t end_ms = clock_boot_ms() + limit_ms;
	int now = 0;

	while (now < count && clock_left_ms(end_ms) > 0) {
		usleep(2000);
		pthread_mutex_lock(&told->lock);
		now = told->count;
		pthread_mutex_unlock(&told->lock);
	}
	assert_true(now >= count);
}

static void start_endpoint(struct support_ops *ops, struct endpoint **ret)
{
	struct endpoint_config config = {
		.address = ADDRESS,
		.port = PORT,
		.lease_max_ms = 60000,
		.ops = &support_endpoint_ops,
		.ctx = ops,
	};

	support_ops_init(ops);
	assert_int_equal(endpoint_new(&config, ret, NULL), 0);
}

static void open_session(struct msg_opened *opened)
{
	struct client_config config = {
		.interface = "lo", .address = ADDRESS, .port = PORT, .stop_fd = -1};
	struct msg_open m = support_open(SUPPORT_RUN, 1000);
	struct client *client = NULL;

	assert_int_equal(client_new(&config, &client, NULL), 0);
	assert_int_equal(client_open(client, &m, 1000, opened, NULL), 0);
	client_free(client);
}

static void every_third_of_its_length(void **state)
{
	struct support_ops ops;
	struct endpoint *endpoint;
	struct msg_opened opened;
	struct told told;
	struct lease *lease;
	int64_t started_ms;

	(void)state;
	start_endpoint(&ops, &endpoint);
	open_session(&opened);
	started_ms = clock_boot_ms();
	lease = start(&told, opened.session, opened.lease_ms);
	wait_told(&told, 5, 3000);
	lease_stop(lease);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(told.results[i], 0);
		assert_in_range(told.at_ms[i] - started_ms, (i + 1) * 333 - 5,
				(i + 1) * 333 + 150);
	}
	/* Longer than the lease, and the session still exists. */
	assert_in_range(endpoint_tick(endpoint), 1, 1000);
	assert_int_equal(ops.expired, 0);
	endpoint_free(endpoint);
}

static void tries_again_when_nobody_answers(void **state)
{
	struct told told;
	struct lease *lease = start(&told, SUPPORT_RUN, 1000);

	(void)state;
	wait_told(&told, 6, 3000);
	lease_stop(lease);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(told.results[i], -ECONNREFUSED);
		if (i > 0)
			assert_in_range(told.at_ms[i] - told.at_ms[i - 1], 98, 250);
	}
	assert_non_null(strstr(told.text, "'" ADDRESS ":5000'"));
}

/* A failed attempt leaves time for another before the lease expires. */
static void tries_more_than_once_in_a_lease(void **state)
{
	int listener = support_listen(ADDRESS, PORT, 16);
	struct told told;
	int64_t started_ms = clock_boot_ms();
	struct lease *lease = start(&told, SUPPORT_RUN, 1500);

	(void)state;
	wait_told(&told, 2, 3000);
	assert_int_equal(told.results[0], -ETIMEDOUT);
	assert_int_equal(told.results[1], -ETIMEDOUT);
	assert_in_range(told.at_ms[1] - started_ms, 0, 1500);
	lease_stop(lease);
	close(listener);
}

/* After the end of the session there is no hurry. */
static void a_session_that_is_gone_is_not_hammered(void **state)
{
	struct support_ops ops;
	struct endpoint *endpoint;
	struct told told;
	struct lease *lease;

	(void)state;
	start_endpoint(&ops, &endpoint);
	lease = start(&told, "0123456789abcdef0123456789abcdef", 1000);
	wait_told(&told, 2, 3000);
	lease_stop(lease);
	assert_int_equal(told.results[0], -ESTALE);
	assert_in_range(told.at_ms[1] - told.at_ms[0], 300, 500);
	endpoint_free(endpoint);
}

/* Once while it waits, and once in the middle of an unanswered request. */
static void ends_at_once(void **state)
{
	int listener = support_listen(ADDRESS, PORT, 16);
	struct told told;
	struct lease *lease = start(&told, SUPPORT_RUN, 600000);
	int64_t started_ms = clock_boot_ms();

	(void)state;
	lease_stop(lease);
	assert_in_range(clock_boot_ms() - started_ms, 0, 100);
	assert_int_equal(told.count, 0);

	lease = start(&told, SUPPORT_RUN, 3000);
	assert_int_equal(io_wait(listener, -1, clock_boot_ms() + 3000), 1);
	started_ms = clock_boot_ms();
	lease_stop(lease);
	assert_in_range(clock_boot_ms() - started_ms, 0, 100);
	assert_int_equal(told.count, 0);
	close(listener);
	lease_stop(NULL);
}

static struct lease *start_beating(struct support_ops *ops, struct endpoint **endpoint,
				   struct told *told)
{
	struct msg_opened opened;
	struct lease *lease;

	start_endpoint(ops, endpoint);
	open_session(&opened);
	lease = start(told, opened.session, 60000);
	lease_beat_begin(lease);
	wait_told(told, 2, 1000);
	return lease;
}

/* Four round trips a second during a test, then none for a third of a lease. */
static void beats_beside_a_test(void **state)
{
	struct support_ops ops;
	struct endpoint *endpoint;
	struct lease_gaps gaps;
	struct told told;
	struct lease *lease = start_beating(&ops, &endpoint, &told);
	int count;

	(void)state;
	wait_told(&told, 5, 1500);
	lease_beat_end(lease, &gaps);
	assert_in_range(gaps.silent_ms, LEASE_BEAT_MS - 10, LEASE_BEAT_MS + 150);
	assert_in_range(gaps.lost_ms, LEASE_BEAT_MS - 60, LEASE_BEAT_MS + 150);
	/* The next one was already due. */
	usleep((LEASE_BEAT_MS + 50) * 1000);
	count = told.count;
	usleep(2 * LEASE_BEAT_MS * 1000);
	assert_int_equal(told.count, count);
	for (int i = 0; i < count; i++)
		assert_int_equal(told.results[i], 0);
	lease_stop(lease);
	endpoint_free(endpoint);
}

/* The round trip is slow, but nothing was lost. */
static void a_slow_round_trip_is_no_loss(void **state)
{
	struct support_ops ops;
	struct endpoint *endpoint;
	struct lease_gaps gaps;
	struct told told;
	struct lease *lease = start_beating(&ops, &endpoint, &told);
	int count = told.count;

	(void)state;
	ops.renew_ms = 700;
	wait_told(&told, count + 2, 3000);
	ops.renew_ms = 0;
	lease_beat_end(lease, &gaps);
	assert_in_range(gaps.silent_ms, 700, 1200);
	assert_in_range(gaps.lost_ms, 0, 450);
	assert_in_range(gaps.trip_ms, 0, 100);
	assert_in_range(lease_slowest_ms(lease), 700, 900);
	lease_stop(lease);
	endpoint_free(endpoint);
}

/* An outage of half a second makes a longer gap; a gap that has not ended counts. */
static void an_outage_is_a_gap(void **state)
{
	struct support_ops ops;
	struct endpoint *endpoint;
	struct lease_gaps gaps;
	struct told told;
	struct lease *lease = start_beating(&ops, &endpoint, &told);
	int count;

	(void)state;
	assert_int_equal(support_cut(true), 0);
	usleep(500000);
	assert_int_equal(support_cut(false), 0);
	count = told.count;
	wait_told(&told, count + 2, 15000);
	lease_beat_end(lease, &gaps);
	assert_in_range(gaps.silent_ms, 500, 3500);
	assert_in_range(gaps.lost_ms, 500, 3500);
	assert_in_range(lease_slowest_ms(lease), 0, 200);

	lease_beat_begin(lease);
	wait_told(&told, told.count + 1, 5000);
	assert_int_equal(support_cut(true), 0);
	usleep(600000);
	lease_beat_end(lease, &gaps);
	assert_int_equal(support_cut(false), 0);
	assert_in_range(gaps.silent_ms, 600, 1100);
	assert_in_range(gaps.lost_ms, 500, 1100);
	lease_stop(lease);
	endpoint_free(endpoint);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_third_of_its_length),
		cmocka_unit_test(tries_again_when_nobody_answers),
		cmocka_unit_test(tries_more_than_once_in_a_lease),
		cmocka_unit_test(a_session_that_is_gone_is_not_hammered),
		cmocka_unit_test(ends_at_once),
		cmocka_unit_test(beats_beside_a_test),
		cmocka_unit_test(a_slow_round_trip_is_no_loss),
		cmocka_unit_test(an_outage_is_a_gap),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}
