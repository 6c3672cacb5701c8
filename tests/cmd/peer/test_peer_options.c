/* SPDX-License-Identifier: MIT */
/* The options of mtusweep-peer: what a strategy makes of them, and which exclude one
 * another. */

#include "cmd/peer/peer_options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GIVEN(option, flag)                                        \
	{                                                          \
		.name = option, .seen = &peer_options.flag##_given \
	}

/* The rows of cmd/peer.c that a strategy may not use. */
static const struct option_spec rows[] = {
	GIVEN("no-probe", no_probe),
	GIVEN("check", check),
	GIVEN("passes", passes),
	GIVEN("order", order),
	{.name = "seed", .seen = &peer_options.config.seed_given},
	GIVEN("margin", margin),
	GIVEN("budget", budget),
	GIVEN("duration", duration),
	GIVEN("precision", precision),
	GIVEN("congestion", congestion),
	GIVEN("peer-skip-errors", skip_errors),
	{.name = NULL},
};

static struct peer_options fresh_peer;
static struct host_options fresh_host;

static int setup(void **state)
{
	(void)state;
	peer_options = fresh_peer;
	host_options = fresh_host;
	peer_options.rows = rows;
	peer_options.config.server_ip = "10.0.0.1";
	return 0;
}

static struct peer_config *config(void)
{
	return &peer_options.config;
}

static void assert_fine(void)
{
	struct err err = ERR_INIT;

	if (peer_options_check(&err) < 0)
		fail_msg("%s", err.text);
}

static void assert_usage(const char *option)
{
	struct err err = ERR_INIT;

	assert_int_equal(peer_options_check(&err), -EINVAL);
	if (!strstr(err.text, option))
		fail_msg("'%s' is not in '%s'", option, err.text);
}

/* --- strategies --- */

static void test_smart_is_the_default(void **state)
{
	(void)state;
	assert_fine();
	assert_ptr_equal(config()->strategy, &strategies[STRATEGY_smart]);
	assert_int_equal(config()->duration_ms, 2000);
	assert_true(config()->duration_by_path);
	assert_int_equal(config()->precision, 3);
	assert_int_equal(host_options.range.step, 1);
	assert_true(config()->prefer_bbr);
}

static void test_a_range_asks_for_a_grid(void **state)
{
	bool *const given[] = {&host_options.min_given, &host_options.max_given,
			       &host_options.step_given};

	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
		setup(state);
		*given[i] = true;
		assert_fine();
		assert_ptr_equal(config()->strategy, &strategies[STRATEGY_grid]);
		assert_int_equal(config()->duration_ms, 5000);
		assert_int_equal(config()->precision, 0);
		assert_int_equal(host_options.range.step, 20);
		assert_false(config()->prefer_bbr);
	}
}

static void test_what_is_given_counts(void **state)
{
	(void)state;
	peer_options.strategy = STRATEGY_smart;
	peer_options.strategy_given = true;
	peer_options.duration_given = peer_options.precision_given = true;
	config()->duration_ms = 700;
	config()->precision = 0;
	host_options.step_given = true;
	host_options.range.step = 8;
	assert_fine();
	assert_ptr_equal(config()->strategy, &strategies[STRATEGY_smart]);
	assert_int_equal(config()->duration_ms, 700);
	assert_false(config()->duration_by_path);
	assert_int_equal(config()->precision, 0);
	assert_int_equal(host_options.range.step, 8);
}

/* Without a precision, nothing but the time ends a test. */
static void test_no_precision_no_duration_by_path(void **state)
{
	(void)state;
	peer_options.precision_given = true;
	config()->precision = 0;
	assert_fine();
	assert_int_equal(config()->duration_ms, 2000);
	assert_false(config()->duration_by_path);
}

static void test_strategies_have_names(void **state)
{
	static const char *const names[] = {"grid", "smart", "probe", NULL};

	(void)state;
	for (int i = 0; i <= STRATEGY_COUNT; i++) {
		if (!names[i])
			assert_null(strategy_names[i]);
		else
			assert_string_equal(strategy_name(&strategies[i]), names[i]);
	}
}

static void test_passes_and_order_are_for_a_grid(void **state)
{
	(void)state;
	peer_options.passes_given = true;
	assert_usage("--passes is for --strategy grid, this is smart, the default");
	peer_options.strategy = STRATEGY_smart;
	peer_options.strategy_given = true;
	assert_usage("--passes is for --strategy grid, this is smart");
	peer_options.passes_given = false;
	peer_options.order_given = true;
	assert_usage("--order");
	peer_options.strategy = STRATEGY_grid;
	assert_fine();
}

static void test_probe_keeps_nothing(void **state)
{
	peer_options.strategy = STRATEGY_probe;
	peer_options.strategy_given = true;
	assert_fine();
	config()->resume = true;
	assert_usage("--strategy probe");
	setup(state);
	peer_options.strategy = STRATEGY_probe;
	peer_options.strategy_given = true;
	host_options.persist = PERSIST_EACH;
	assert_usage("--strategy probe");
}

static void test_a_line_or_a_document(void **state)
{
	(void)state;
	peer_options.strategy = STRATEGY_probe;
	peer_options.strategy_given = true;
	config()->json = true;
	assert_fine();
	config()->check = true;
	assert_usage("--json");
}

/* --- --apply and --resume --- */

static void test_apply(void **state)
{
	(void)state;
	config()->apply = true;
	config()->pair = (struct mtu_pair){1420, 1380};
	assert_fine();
	assert_ptr_equal(config()->strategy, &strategies[STRATEGY_grid]);
	assert_int_equal(host_options.persist, PERSIST_BEST);
}

static void test_apply_excludes(void **state)
{
	config()->apply = true;
	config()->resume = true;
	assert_usage("--resume");
	setup(state);
	config()->apply = true;
	peer_options.strategy_given = true;
	assert_usage("--strategy");
	setup(state);
	config()->apply = true;
	host_options.persist_given = true;
	host_options.persist = PERSIST_EACH;
	assert_usage("--persist each");
	setup(state);
	config()->apply_run = "7";
	assert_usage("--apply");
	setup(state);
	config()->pair = (struct mtu_pair){1420, 1380};
	assert_usage("--apply");
	setup(state);
	config()->repeat_failed = true;
	assert_usage("--resume");
	config()->resume = true;
	assert_fine();
}

static void test_server_ip(void **state)
{
	(void)state;
	config()->server_ip = NULL;
	assert_usage("--server-ip");
	config()->server_ip = "hub.example";
	assert_usage("hub.example");
	config()->server_ip = "fd00::1";
	assert_fine();
	/* Restoring asks nobody. */
	config()->server_ip = NULL;
	host_options.restore = true;
	assert_fine();
}

/* --- the host --- */

static struct host host_of(const char *interface, int index)
{
	struct host host = {.guard.bounds.range = {576, 9000, 1},
			    .usual_min = 1280,
			    .link.index = index};

	strcpy(host.link.name, interface);
	return host;
}

static void test_the_server_is_another_host(void **state)
{
	struct host host = host_of("lo", 1);
	struct err err = ERR_INIT;

	(void)state;
	config()->server_ip = "127.0.0.1";
	assert_fine();
	assert_int_equal(peer_options_ready(&host, &err), -EINVAL);
	assert_non_null(strstr(err.text, "127.0.0.1 is an address of this host"));
	/* The guard knows the only other end from the start. */
	assert_string_equal(host.guard.bounds.remote, "127.0.0.1");
	/* Without a grid all that the host allows may be chosen, in a drawn order. */
	assert_int_equal(host_options.range.max, 9000);
	assert_ptr_equal(config()->options, &host_options);
	assert_ptr_equal(config()->host, &host);
	assert_int_not_equal(config()->seed, 0);
}

static void test_ranges_and_seed_that_are_given_stay(void **state)
{
	struct host host = host_of("lo", 1);

	(void)state;
	config()->server_ip = "127.0.0.1";
	config()->seed = 42;
	config()->seed_given = true;
	host_options.max_given = true;
	host_options.range.max = 1400;
	peer_options.order = GRID_SHUFFLED;
	assert_fine();
	peer_options_ready(&host, NULL);
	assert_int_equal(host_options.range.max, 1400);
	assert_int_equal(config()->seed, 42);
	assert_int_equal(config()->order, GRID_SHUFFLED);
	assert_string_equal(peer_order_names[config()->order], "shuffled");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_smart_is_the_default),
		TEST(test_a_range_asks_for_a_grid),
		TEST(test_what_is_given_counts),
		TEST(test_no_precision_no_duration_by_path),
		TEST(test_strategies_have_names),
		TEST(test_passes_and_order_are_for_a_grid),
		TEST(test_probe_keeps_nothing),
		TEST(test_a_line_or_a_document),
		TEST(test_apply),
		TEST(test_apply_excludes),
		TEST(test_server_ip),
		TEST(test_the_server_is_another_host),
		TEST(test_ranges_and_seed_that_are_given_stay),
	};

	fresh_peer = peer_options;
	fresh_host = host_options;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
