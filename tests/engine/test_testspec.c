/* SPDX-License-Identifier: MIT */
/* Deadlines, and the values that a test's description may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "engine/testspec.h"

static void test_deadlines(void **state)
{
	static const struct {
		int64_t duration_ms, rtt_us;
		int64_t silence_ms, stall_ms, deadline_ms;
	} table[] = {
		{5000, 0, 1500, 5000, 15000},
		{5000, 1, 1500, 5000, 15001},
		{5000, 20000, 1500, 5000, 15200},
		{300, 187500, 1500, 5000, 12175},
		{300, 187501, 1501, 5000, 12176},
		{1000, 600000, 4800, 5000, 17000},
		{5000, 1250001, 10001, 5001, 27501},
		{5000, 6000000, 48000, 24000, 75000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct test_spec spec = {
			.duration_ms = table[i].duration_ms,
			.rtt_us = table[i].rtt_us,
		};

		assert_int_equal(testspec_blackhole_ms(&spec), table[i].silence_ms);
		assert_int_equal(testspec_connect_ms(&spec), table[i].silence_ms);
		assert_int_equal(testspec_stall_ms(&spec), table[i].stall_ms);
		assert_int_equal(testspec_deadline_ms(&spec), table[i].deadline_ms);
		assert_int_equal(testspec_refused_ms(&spec),
				 table[i].deadline_ms - 5000);
		assert_int_equal(testspec_reach_ms(&spec), table[i].silence_ms);
		spec.first = true;
		assert_int_equal(testspec_refused_ms(&spec), testspec_reach_ms(&spec));
		assert_true(testspec_reach_ms(&spec) <= table[i].silence_ms);
		assert_true(testspec_reach_ms(&spec) > 1000);
		assert_int_equal(testspec_deadline_ms(&spec), table[i].deadline_ms);
	}
}

/* Where the probes have shown the loss already, a third of the wait is enough. */
static void test_an_expected_blackhole(void **state)
{
	static const int64_t table[][2] = {
		{0, 500}, {20000, 500}, {125000, 500}, {125001, 501}, {600000, 2400}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct test_spec spec = {
			.duration_ms = 2000,
			.rtt_us = table[i][0],
			.lost = true,
		};

		assert_int_equal(testspec_blackhole_ms(&spec), table[i][1]);
		assert_true(testspec_connect_ms(&spec) >= 1500);
	}
}

static struct test_spec sound(void)
{
	return (struct test_spec){
		.role = ROLE_CLIENT,
		.interface = "wg0",
		.local = "10.0.0.2",
		.remote = "10.0.0.1",
		.port = 5201,
		.duration_ms = 5000,
		.rtt_us = 20000,
	};
}

static void check(const struct test_spec *spec, int code, const char *word)
{
	struct err err = ERR_INIT;

	assert_int_equal(testspec_check(spec, &err), code);
	if (code == 0)
		assert_string_equal(err.text, "");
	else
		assert_non_null(strstr(err.text, word));
}

static void test_addresses(void **state)
{
	static const struct {
		enum test_role role;
		int code;
		const char *local, *remote;
		const char *word;
	} table[] = {
		{ROLE_CLIENT, 0, "10.0.0.2", "10.0.0.1", ""},
		{ROLE_CLIENT, 0, "", "10.0.0.1", ""},
		{ROLE_SERVER, 0, "10.0.0.2", "10.0.0.1", ""},
		{ROLE_SERVER, -EINVAL, "", "10.0.0.1", "''"},
		{ROLE_CLIENT, 0, "fd00::2", "fd00::1", ""},
		{ROLE_CLIENT, 0, "fe80::2%lo", "fe80::1%lo", ""},
		{ROLE_CLIENT, -EINVAL, "", "fe80::1%nosuch0", "'fe80::1%nosuch0'"},
		{ROLE_CLIENT, -EINVAL, "", "", "''"},
		{ROLE_CLIENT, -EINVAL, "", "example.org", "'example.org'"},
		{ROLE_CLIENT, -EINVAL, "", "10.0.0", "'10.0.0'"},
		{ROLE_CLIENT, -EINVAL, "", "10.0.0.1 ", "'10.0.0.1 '"},
		{ROLE_CLIENT, -EINVAL, "--help", "10.0.0.1", "'--help'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct test_spec spec = sound();

		spec.role = table[i].role;
		text_copy(spec.local, sizeof(spec.local), table[i].local);
		text_copy(spec.remote, sizeof(spec.remote), table[i].remote);
		check(&spec, table[i].code, table[i].word);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		int port;
		int code;
		int64_t duration_ms, rtt_us;
		const char *word;
	} table[] = {
		{1, 0, 100, 0, ""},
		{65535, 0, 3600000, 60000000, ""},
		{0, -EINVAL, 5000, 0, "invalid port '0'"},
		{-1, -EINVAL, 5000, 0, "port"},
		{65536, -EINVAL, 5000, 0, "port"},
		{5201, -EINVAL, 99, 0, "'99' ms"},
		{5201, -EINVAL, 3600001, 0, "'3600001' ms"},
		{5201, -EINVAL, INT64_MIN, 0, "ms"},
		{5201, -EINVAL, 5000, -1, "'-1' us"},
		{5201, -EINVAL, 5000, 60000001, "us"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct test_spec spec = sound();

		spec.port = table[i].port;
		spec.duration_ms = table[i].duration_ms;
		spec.rtt_us = table[i].rtt_us;
		check(&spec, table[i].code, table[i].word);
	}
}

static void test_damage(void **state)
{
	struct test_spec spec = sound();

	(void)state;
	spec.role = (enum test_role)7;
	check(&spec, -EINVAL, "role '7'");
	spec = sound();
	spec.kind = (enum test_kind)2;
	check(&spec, -EINVAL, "kind '2'");
	spec.kind = TEST_FULL_SIZE;
	check(&spec, -EINVAL, "full size '0'");
	spec.packet_size = MTU_MIN;
	check(&spec, spec.role == ROLE_CLIENT ? -EINVAL : 0, "");
	spec.their_size = MTU_MAX;
	check(&spec, 0, "");
	spec.packet_size = MTU_MAX + 1;
	check(&spec, -EINVAL, "full size '65536'");
	spec = sound();
	spec.dir = DIR_COUNT;
	check(&spec, -EINVAL, "direction");
	spec = sound();
	memset(spec.interface, 'x', sizeof(spec.interface));
	check(&spec, -EINVAL, "damaged");
	spec = sound();
	memset(spec.local, '1', sizeof(spec.local));
	check(&spec, -EINVAL, "damaged");
	spec = sound();
	memset(spec.remote, '1', sizeof(spec.remote));
	check(&spec, -EINVAL, "damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_an_expected_blackhole),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
