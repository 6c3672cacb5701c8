/* SPDX-License-Identifier: MIT */
/* Links, MTUs and addresses over real rtnetlink, in a namespace of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netctl/rtlink.h"
#include "netlab.h"

/* Each test has "here" and "there", two ends of a veth, without IPv6 addresses. */
static int add_links(void **state)
{
	(void)state;
	netlab_run("ip link add here type veth peer name there");
	/* Older kernels bring a link up before they apply the mode. */
	netlab_run("ip link set here addrgenmode none");
	netlab_run("ip link set there addrgenmode none");
	netlab_run("ip link set here up");
	netlab_run("ip link set there up");
	return 0;
}

static int delete_links(void **state)
{
	(void)state;
	netlab_run("ip link del here");
	return 0;
}

static struct rtlink get(const char *name)
{
	struct rtlink link;
	struct err err = ERR_INIT;

	if (rtlink_get(name, &link, &err) < 0)
		fail_msg("%s", err.text);
	return link;
}

static void test_get(void **state)
{
	struct rtlink link = get("here");

	(void)state;
	assert_string_equal(link.name, "here");
	assert_string_equal(link.kind, "veth");
	assert_int_equal(link.index, if_nametoindex("here"));
	assert_int_equal(link.mtu, 1500);
	assert_int_equal(link.min_mtu, 68);
	assert_int_equal(link.max_mtu, 65535);
	assert_true(link.up);
	assert_false(link.has_ipv6);
	netlab_run("ip link set here down");
	assert_false(get("here").up);
	link = get("lo");
	assert_string_equal(link.kind, "");
	assert_int_equal(link.max_mtu, 0);
}

static int ethernet_mtu(int except)
{
	struct err err = ERR_INIT;
	int mtu = -1;

	if (rtlink_get_ethernet_mtu(except, &mtu, &err) < 0)
		fail_msg("%s", err.text);
	return mtu;
}

/* "lo", whose MTU is 65536, is no Ethernet link. */
static void test_ethernet_mtu(void **state)
{
	(void)state;
	assert_int_equal(ethernet_mtu(0), 1500);
	netlab_run("ip link set here mtu 9000");
	assert_int_equal(ethernet_mtu(0), 9000);
	assert_int_equal(ethernet_mtu((int)if_nametoindex("here")), 1500);
	netlab_run("ip link set here down");
	assert_int_equal(ethernet_mtu(0), 1500);
	netlab_run("ip link set there down");
	assert_int_equal(ethernet_mtu(0), 0);
}

static void test_get_missing(void **state)
{
	static const char *const names[] = {"nosuch", "", "sixteen-letters-", "here/..",
					    "a-name-of-far-more-than-sixteen-letters"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct rtlink link = {.index = 77};
		struct err err = ERR_INIT;

		assert_int_equal(rtlink_get(names[i], &link, &err), -ENODEV);
		assert_int_equal(link.index, 77);
		assert_non_null(strstr(err.text, "no such interface"));
		assert_non_null(strstr(err.text, names[i]));
	}
}

static void test_set_mtu(void **state)
{
	static const int mtus[] = {68, 576, 1280, 1420, 9000, 65535, 1500};
	int index = get("here").index;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		assert_int_equal(rtlink_set_mtu(index, mtus[i], &err), 0);
		assert_int_equal(get("here").mtu, mtus[i]);
		assert_int_equal(get("there").mtu, 1500);
		assert_string_equal(err.text, "");
	}
}

static void test_set_mtu_refused(void **state)
{
	static const struct {
		int mtu;
		const char *kernel;
	} rows[] = {
		{67, "mtu less than device minimum"},
		{0, "mtu less than device minimum"},
		{-1, "mtu less than device minimum"},
		{65536, "mtu greater than device maximum"},
	};
	int index = get("here").index;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(rtlink_set_mtu(index, rows[i].mtu, &err), -EINVAL);
		if (!strstr(err.text, rows[i].kernel))
			fail_msg("'%s'", err.text);
		assert_non_null(strstr(err.text, "interface 'here' to"));
		assert_int_equal(get("here").mtu, 1500);
	}
}

static void test_set_mtu_missing(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(rtlink_set_mtu(4242, 1400, &err), -ENODEV);
	assert_non_null(strstr(err.text, "with index 4242"));
}

static int set_as_nobody(void *ctx)
{
	const int *index = ctx;
	struct rtlink link;
	struct err err = ERR_INIT;

	CHILD_CHECK(netlab_drop_root() == 0);
	CHILD_CHECK(rtlink_set_mtu(*index, 1400, &err) == -EPERM);
	CHILD_CHECK(strstr(err.text, "Operation not permitted"));
	CHILD_CHECK(rtlink_get("here", &link, &err) == 0);
	CHILD_CHECK(link.mtu == 1500);
	return 0;
}

static void test_set_mtu_without_capability(void **state)
{
	int index = get("here").index;

	(void)state;
	assert_int_equal(netlab_child(set_as_nobody, &index), 0);
}

static void test_has_ipv6(void **state)
{
	(void)state;
	netlab_run("ip addr add 10.1.0.1/24 dev here");
	assert_false(get("here").has_ipv6);
	netlab_run("ip addr add fe80::7/64 dev here nodad");
	assert_true(get("here").has_ipv6);
	assert_false(get("there").has_ipv6);
	netlab_run("ip addr del fe80::7/64 dev here");
	assert_false(get("here").has_ipv6);
	netlab_run("ip addr add 2001:db8::1/64 dev here nodad");
	assert_true(get("here").has_ipv6);
	/* The flag's purpose: the address does not come back with the MTU. */
	assert_int_equal(rtlink_set_mtu(get("here").index, 1279, NULL), 0);
	assert_false(get("here").has_ipv6);
	assert_int_equal(rtlink_set_mtu(get("here").index, 1420, NULL), 0);
	assert_int_equal(rtlink_has_address(get("here").index, "2001:db8::1", NULL), 0);
}

static void expect_address(int index, const char *expected)
{
	char text[ADDRESS_SIZE] = "untouched";
	struct err err = ERR_INIT;
	int rc = rtlink_get_address(index, text, &err);

	if (expected) {
		assert_int_equal(rc, 0);
		assert_string_equal(text, expected);
		assert_int_equal(rtlink_has_address(index, expected, &err), 1);
	} else {
		assert_int_equal(rc, -EADDRNOTAVAIL);
		assert_string_equal(text, "untouched");
		assert_non_null(strstr(err.text, "'here' has no IP address"));
	}
}

static void test_addresses(void **state)
{
	int index = get("here").index;

	(void)state;
	netlab_run("ip addr add 10.9.9.9/24 dev there");
	expect_address(index, NULL);
	netlab_run("ip addr add fe80::7/64 dev here nodad");
	expect_address(index, "fe80::7");
	netlab_run("ip addr add 2001:db8::1/64 dev here nodad");
	expect_address(index, "2001:db8::1");
	netlab_run("ip addr add 10.1.0.1 peer 10.1.0.2/32 dev here");
	netlab_run("ip addr add 10.2.0.1/24 dev here");
	expect_address(index, "10.1.0.1");
	/* Addresses of the other end, of another link, and of nobody. */
	assert_int_equal(rtlink_has_address(index, "10.1.0.2", NULL), 0);
	assert_int_equal(rtlink_has_address(index, "10.9.9.9", NULL), 0);
	assert_int_equal(rtlink_has_address(index, "2001:db8::2", NULL), 0);
	assert_int_equal(rtlink_has_address(index, "fe80::7", NULL), 1);
	assert_int_equal(rtlink_has_address(index, "2001:0DB8:0::1", NULL), 1);
	assert_int_equal(rtlink_has_address(index, "10.2.0.1", NULL), 1);
}

static void test_address_errors(void **state)
{
	static const char *const texts[] = {"",     "10.1",   "10.1.0.1/24",
					    "host", "::1%lo", "2001:db8::g"};
	int index = get("here").index;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(rtlink_has_address(index, texts[i], &err), -EINVAL);
		assert_non_null(strstr(err.text, "not an IP address"));
	}
	assert_true(rtlink_has_address(4242, "10.1.0.1", &err) <= 0);
}

/* --- dumps of several messages --- */

static int start_batch(char *path, const char *first, const char *second, int rounds)
{
	char command[64];
	int fd = mkstemp(path);
	FILE *file;

	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	for (int i = 0; i < rounds; i++)
		fprintf(file,
			"addr %s:%x/128 dev here nodad\naddr %s:%x/128 dev here "
			"nodad\n",
			first, i, second, i);
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command), "ip -batch %s", path);
	return netlab_start(command);
}

static bool still_runs(int pid)
{
	siginfo_t info = {0};

	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid == 0;
}

/* Far more addresses than one message holds: the dump is read to its end. */
static void add_many(int index)
{
	char path[] = "/tmp/test_rtlink_XXXXXX";
	int child = start_batch(path, "add fd07:", "add fd08:", 300);

	child = netlab_wait(child);
	unlink(path);
	assert_int_equal(child, 0);
	assert_int_equal(rtlink_has_address(index, "fd07::0", NULL), 1);
	assert_int_equal(rtlink_has_address(index, "fd08::12b", NULL), 1);
	assert_int_equal(rtlink_has_address(index, "fd08::12c", NULL), 0);
}

/* One dump may miss an address while others before it come and go. The kernel marks
 * that, and then the dump is repeated. */
static void test_many_addresses(void **state)
{
	char path[] = "/tmp/test_rtlink_XXXXXX";
	int index = get("here").index;
	struct err err = ERR_INIT;
	int rounds = 0, rc = 1;
	int child;

	(void)state;
	add_many(index);
	child = start_batch(path, "add fd09:", "del fd09:", 1000);
	for (; rc == 1 && still_runs(child); rounds++)
		rc = rtlink_has_address(index, "fd07::0", &err);
	netlab_stop(child);
	unlink(path);
	if (rc != 1)
		fail_msg("round %d: %d: %s", rounds, rc, err.text);
	assert_true(rounds > 0);
}

static int enter(void **state)
{
	(void)state;
	netlab_enter();
	return 0;
}

#define with_links(test) cmocka_unit_test_setup_teardown(test, add_links, delete_links)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_links(test_get),
		with_links(test_get_missing),
		with_links(test_ethernet_mtu),
		with_links(test_set_mtu),
		with_links(test_set_mtu_refused),
		with_links(test_set_mtu_missing),
		with_links(test_set_mtu_without_capability),
		with_links(test_has_ipv6),
		with_links(test_addresses),
		with_links(test_address_errors),
		with_links(test_many_addresses),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
