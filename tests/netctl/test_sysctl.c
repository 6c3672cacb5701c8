/* SPDX-License-Identifier: MIT */
/* Kernel settings, in a namespace of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netctl/sysctl.h"
#include "netlab.h"

static void write_setting(const char *name, int value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "%d\n", value) > 0);
	assert_int_equal(fclose(file), 0);
}

static void test_read_int(void **state)
{
	struct err err = ERR_INIT;
	int value = 77;

	(void)state;
	write_setting("tcp_mtu_probing", 2);
	assert_int_equal(sysctl_read_int("net/ipv4/tcp_mtu_probing", &value, &err), 0);
	assert_int_equal(value, 2);
	write_setting("ip_default_ttl", 200);
	assert_int_equal(sysctl_read_int("net/ipv4/ip_default_ttl", &value, &err), 0);
	assert_int_equal(value, 200);
}

static void test_read_int_refuses(void **state)
{
	static const struct {
		const char *name;
		int code;
	} rows[] = {
		{"net/ipv4/no_such_setting", -ENOENT},
		{"net/ipv4/tcp_rmem", -EINVAL}, /* three numbers */
		{"net/ipv4/tcp_congestion_control", -EINVAL},
		{"net/ipv4", -EISDIR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = ERR_INIT;
		int value = 77;

		assert_int_equal(sysctl_read_int(rows[i].name, &value, &err),
				 rows[i].code);
		assert_int_equal(value, 77);
		assert_non_null(strstr(err.text, rows[i].name));
	}
}

static void test_warnings(void **state)
{
	static const struct {
		int mtu_probing;
		int no_ssthresh;
		int count;
		enum warning_kind first;
		int64_t value;
	} rows[] = {
		{0, 1, 0, WARNING_TEXT, 0},
		{1, 1, 1, WARNING_MTU_PROBING_LATE, 1},
		{2, 1, 1, WARNING_MTU_PROBING, 2},
		{0, 0, 1, WARNING_SSTHRESH_KEPT, 0},
		{2, 0, 2, WARNING_MTU_PROBING, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct warning first = {0};
		struct warning later;
		int count = 0;

		write_setting("tcp_mtu_probing", rows[i].mtu_probing);
		write_setting("tcp_no_ssthresh_metrics_save", rows[i].no_ssthresh);
		sysctl_warning(0, &first);
		while (count < 9 && sysctl_warning(count, &later))
			count++;
		assert_int_equal(count, rows[i].count);
		assert_int_equal(first.kind, rows[i].first);
		assert_int_equal(first.value, rows[i].value);
	}
}

static int enter(void **state)
{
	(void)state;
	netlab_enter();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_int),
		cmocka_unit_test(test_read_int_refuses),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
