/* SPDX-License-Identifier: MIT */
/* Statements beside a run: all of them arrives in its order, the owner waits for none of
 * it, and the first failure ends it. */

#include "sync/beside.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "support.h"
#include "sync/endpoint.h"

#define ADDRESS "127.0.0.2"
#define PORT    5000
#define LIMIT   5000

static struct {
	struct support_ops ops;
	struct endpoint *endpoint;
	struct msg_opened opened;
	struct beside *beside;
	int listener;
	_Atomic int heard;
} s;

static void heard(void *ctx, int64_t sent_at_ms)
{
	(void)ctx;
	(void)sent_at_ms;
	s.heard++;
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
	struct client_config to = {
		.interface = "lo", .address = ADDRESS, .port = PORT, .stop_fd = -1};
	struct msg_open m = support_open(SUPPORT_RUN, 60000);
	struct client *client = NULL;

	support_ops_init(&s.ops);
	assert_int_equal(endpoint_new(&config, &s.endpoint, NULL), 0);
	assert_int_equal(client_new(&to, &client, NULL), 0);
	assert_int_equal(client_open(client, &m, LIMIT, &s.opened, NULL), 0);
	client_free(client);
}

static void start_beside(void)
{
	struct beside_config config = {
		.client = {.interface = "lo", .address = ADDRESS, .port = PORT},
		.run = SUPPORT_RUN,
		.timeout_ms = LIMIT,
		.heard = heard,
	};

	assert_int_equal(beside_start(&config, &s.beside, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	s.listener = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	beside_stop(s.beside);
	endpoint_free(s.endpoint);
	fd_close(&s.listener);
	return 0;
}

static struct msg_row row_of(uint32_t seq)
{
	struct msg_row row = {.row = support_row(seq)};

	text_copy(row.session, sizeof(row.session), s.opened.session);
	return row;
}

static bool wait_all(void)
{
	return beside_wait(s.beside, clock_boot_ms() + LIMIT);
}

static void all_of_it_arrives(void **state)
{
	struct msg_path path = {.overhead = 60, .probes = 3};
	struct msg_recommendation recommendation = {.mtu = {1420, 1400}};
	struct msg_row row;

	(void)state;
	start_endpoint();
	start_beside();
	text_copy(path.session, sizeof(path.session), s.opened.session);
	text_copy(path.bands, sizeof(path.bands), "1500:whole,65535:lost");
	text_copy(recommendation.session, sizeof(path.session), s.opened.session);
	assert_int_equal(beside_row_given(s.beside), 0);
	assert_true(beside_path(s.beside, &path));
	assert_true(beside_recommendation(s.beside, &recommendation));
	for (uint32_t seq = 1; seq <= 2; seq++) {
		row = row_of(seq);
		assert_true(beside_row(s.beside, &row));
	}
	assert_int_equal(beside_row_given(s.beside), 2);
	assert_true(wait_all());
	assert_int_equal(beside_row_arrived(s.beside), 2);
	assert_int_equal(s.heard, 4);
	assert_int_equal(s.ops.path.overhead, 60);
	assert_int_equal(s.ops.recommendation.mtu.server, 1420);
	assert_int_equal(s.ops.rows, 2);
	assert_int_equal(s.ops.row.seq, 2);
}

/* The owner then sends what did not arrive, and learns why. */
static void a_failure_ends_it(void **state)
{
	struct msg_row row;

	(void)state;
	start_endpoint();
	start_beside();
	row = row_of(1);
	assert_true(beside_row(s.beside, &row));
	assert_true(wait_all());
	s.ops.fail = ENOSPC;
	row = row_of(2);
	assert_true(beside_row(s.beside, &row));
	assert_false(wait_all());
	assert_int_equal(beside_row_arrived(s.beside), 1);
	s.ops.fail = 0;
	assert_false(beside_row(s.beside, &row));
	assert_int_equal(s.heard, 1);
}

/* Nobody answers: neither the owner's calls nor the end wait for that. */
static void it_waits_for_nobody(void **state)
{
	int64_t began_ms = clock_boot_ms();
	struct msg_row row;

	(void)state;
	s.listener = support_listen(ADDRESS, PORT, 16);
	start_beside();
	text_copy(s.opened.session, sizeof(s.opened.session), SUPPORT_SECRET);
	for (uint32_t seq = 1; seq <= BESIDE_MAX; seq++) {
		row = row_of(seq);
		assert_true(beside_row(s.beside, &row));
	}
	assert_false(beside_row(s.beside, &row));
	assert_int_equal(beside_row_given(s.beside), BESIDE_MAX);
	assert_false(beside_wait(s.beside, clock_boot_ms() + 10));
	beside_stop(s.beside);
	s.beside = NULL;
	assert_true(clock_boot_ms() - began_ms < LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_it_arrives, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failure_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(it_waits_for_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}
