/* SPDX-License-Identifier: MIT */
/* The options of mtusweep-server. */

#include "cmd/server/server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "netctl/rtlink.h"

static struct server_options fresh;

static int setup(void **state)
{
	(void)state;
	server_options = fresh;
	return 0;
}

static struct host loopback(void)
{
	struct host host = {0};

	assert_int_equal(rtlink_get("lo", &host.link, NULL), 0);
	return host;
}

static void test_ports_differ(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(server_options_check(&err), 0);
	server_options.config.iperf_port = server_options.config.port;
	assert_int_equal(server_options_check(&err), -EINVAL);
	assert_non_null(strstr(err.text, "--iperf-port are both 5000"));
}

static void test_address(void **state)
{
	struct host host = loopback();
	struct err err = ERR_INIT;

	(void)state;
	server_options.server_ip = "hub";
	assert_int_equal(server_options_check(&err), -EINVAL);
	server_options.server_ip = "127.0.0.1";
	assert_int_equal(server_options_check(&err), 0);
	assert_int_equal(server_options_ready(&host, &err), 0);
	assert_string_equal(server_options.config.address, "127.0.0.1");
	assert_ptr_equal(server_options.config.options, &host_options);
	assert_ptr_equal(server_options.config.host, &host);
	server_options.server_ip = "0:0::1%wg0";
	assert_int_equal(server_options_check(&err), 0);
	assert_int_equal(server_options_ready(&host, &err), 0);
	assert_string_equal(server_options.config.address, "::1");
	server_options.server_ip = "192.0.2.7";
	assert_int_equal(server_options_check(&err), 0);
	assert_int_equal(server_options_ready(&host, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "192.0.2.7 is no address of 'lo'"));
}

static void test_address_of_the_interface(void **state)
{
	struct host host = loopback();

	(void)state;
	assert_int_equal(server_options_ready(&host, NULL), 0);
	assert_string_equal(server_options.config.address, "127.0.0.1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_ports_differ),
		TEST(test_address),
		TEST(test_address_of_the_interface),
	};

	fresh = server_options;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
