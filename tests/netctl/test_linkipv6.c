/* SPDX-License-Identifier: MIT */
/* IPv6 settings of a veth over an MTU below 1280. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "netctl/linkipv6.h"
#include "netctl/sysctl.h"
#include "netlab.h"

static int add_links(void **state)
{
	(void)state;
	netlab_run("ip link add here type veth peer name there");
	netlab_run("ip link set here addrgenmode none");
	netlab_run("ip link set here up");
	netlab_run("ip link set there up");
	return 0;
}

static int remove_links(void **state)
{
	(void)state;
	netlab_run("ip link del here");
	return 0;
}

static struct rtlink get(void)
{
	struct rtlink link;

	assert_int_equal(rtlink_get("here", &link, NULL), 0);
	return link;
}

static void fall_and_rise(void)
{
	assert_int_equal(rtlink_set_mtu(get().index, 1220, NULL), 0);
	assert_int_equal(linkipv6_note(&(struct rtlink){.name = "here", .mtu = 1220}),
			 LINKIPV6_NOTHING);
	assert_int_equal(rtlink_set_mtu(get().index, 1420, NULL), 0);
}

static int setting(const char *name)
{
	char path[80];
	int value = -1;

	snprintf(path, sizeof(path), "net/ipv6/conf/here/%s", name);
	assert_int_equal(sysctl_read_int(path, &value, NULL), 0);
	return value;
}

static int is_off(void)
{
	return setting("disable_ipv6");
}

/* As WireGuard's own interfaces have it. */
static void no_address_comes(void **state)
{
	struct rtlink link = get();
	int note = linkipv6_note(&link);

	(void)state;
	assert_true(linkipv6_may_fall(&link));
	assert_int_not_equal(note, LINKIPV6_NOTHING);
	fall_and_rise();
	/* The kernel's default. */
	assert_true(get().has_ipv6);
	assert_int_equal(linkipv6_restore("here", note, NULL), 0);
	link = get();
	assert_false(link.has_ipv6);
	assert_int_equal(is_off(), 0);
	assert_int_equal(linkipv6_note(&link), note);
	/* Once more, as after a crash. */
	assert_int_equal(linkipv6_restore("here", note, NULL), 0);
	assert_int_equal(linkipv6_note(&link), note);
}

static void off_stays_off(void **state)
{
	struct rtlink link;
	int note;

	(void)state;
	netlab_run("sysctl -qw net.ipv6.conf.here.disable_ipv6=1");
	link = get();
	note = linkipv6_note(&link);
	assert_true(linkipv6_may_fall(&link));
	fall_and_rise();
	assert_int_equal(is_off(), 0);
	assert_int_equal(linkipv6_restore("here", note, NULL), 0);
	assert_int_equal(is_off(), 1);
	/* As add_links() set it. */
	assert_int_equal(setting("addr_gen_mode"), 1);
	assert_false(get().has_ipv6);
}

/* Every other setting is lost as well, so it has to be the default. */
static void only_defaults_may_fall(void **state)
{
	struct rtlink link = get();

	(void)state;
	assert_true(linkipv6_may_fall(&link));
	netlab_run("sysctl -qw net.ipv6.conf.here.forwarding=1");
	assert_false(linkipv6_may_fall(&link));
	netlab_run("sysctl -qw net.ipv6.conf.default.forwarding=1");
	assert_true(linkipv6_may_fall(&link));
	netlab_run("sysctl -qw net.ipv6.conf.default.forwarding=0");
	netlab_run("sysctl -qw net.ipv6.conf.here.forwarding=0");
	assert_true(linkipv6_may_fall(&link));
}

static void others_address_stays(void **state)
{
	struct err err = ERR_INIT;
	struct rtlink link;
	int note;

	(void)state;
	netlab_run("sysctl -qw net.ipv6.conf.here.disable_ipv6=1");
	link = get();
	note = linkipv6_note(&link);
	fall_and_rise();
	netlab_run("ip addr add 2001:db8::1/64 dev here nodad");
	assert_int_equal(linkipv6_restore("here", note, &err), -ESTALE);
	assert_non_null(strstr(err.text, "'here' an IPv6 address"));
	assert_int_equal(is_off(), 0);
	netlab_run("ip addr del 2001:db8::1/64 dev here");
}

static void what_is_in_use_stays(void **state)
{
	struct rtlink link;

	(void)state;
	netlab_run("ip -6 route add 2001:db8:1::/48 dev here");
	link = get();
	assert_false(linkipv6_may_fall(&link));
	netlab_run("ip -6 route del 2001:db8:1::/48 dev here");
	assert_true(linkipv6_may_fall(&link));
	netlab_run("ip addr add 2001:db8::1/64 dev here nodad");
	link = get();
	assert_false(linkipv6_may_fall(&link));
	assert_int_equal(linkipv6_note(&link), LINKIPV6_NOTHING);
	netlab_run("ip addr del 2001:db8::1/64 dev here");
	/* With addresses to come, somebody's removal of them could not be told. */
	netlab_run("ip link set here addrgenmode eui64");
	netlab_run("ip addr flush dev here");
	link = get();
	assert_false(linkipv6_may_fall(&link));
}

#define with_links(test) cmocka_unit_test_setup_teardown(test, add_links, remove_links)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_links(no_address_comes),       with_links(off_stays_off),
		with_links(only_defaults_may_fall), with_links(others_address_stays),
		with_links(what_is_in_use_stays),
	};

	netlab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
