/* SPDX-License-Identifier: MIT */
/* report/ready.c: the exact lines that another system reads, for each format. */

#include "report/ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ready usual = {
	.run = 7,
	.end = "peer",
	.host = "laptop",
	.interface = "wg-home",
	.mtu = 1400,
	.far_mtu = 1380,
	.proof = "confirmed by tests",
};

/* Without the lines that are comments. The MSS is that of the smaller MTU, 1380. */
/* clang-format off */
static const char *const expected[READY_FORMAT_COUNT] = {
	[READY_WG_QUICK] = "[Interface]\nMTU = 1400\n",
	[READY_NETWORKD] = "[Link]\nMTUBytes=1400\n",
	[READY_NETWORKMANAGER] =
		"nmcli connection modify wg-home wireguard.mtu 1400\n"
		"nmcli connection up wg-home\n",
	[READY_NETPLAN] =
		"network:\n  version: 2\n  tunnels:\n    wg-home:\n      mtu: 1400\n",
	[READY_UCI] =
		"uci set network.wg-home.mtu='1400'\nuci commit network\nifup wg-home\n",
	[READY_ROUTEROS] = "/interface/wireguard/set wg-home mtu=1400\n",
	[READY_WINDOWS] = "[Interface]\nMTU = 1400\n",
	[READY_ANDROID_QR] = "[Interface]\nMTU = 1400\n",
	[READY_NFT] =
		"table inet mtusweep_mss\n"
		"delete table inet mtusweep_mss\n"
		"table inet mtusweep_mss {\n"
		"\tchain in {\n"
		"\t\ttype filter hook prerouting priority mangle;\n"
		"\t\tiifname \"wg-home\" meta nfproto ipv4 tcp flags syn "
		"tcp option maxseg size set 1340\n"
		"\t\tiifname \"wg-home\" meta nfproto ipv6 tcp flags syn "
		"tcp option maxseg size set 1320\n"
		"\t}\n"
		"\tchain out {\n"
		"\t\ttype filter hook postrouting priority mangle;\n"
		"\t\toifname \"wg-home\" meta nfproto ipv4 tcp flags syn "
		"tcp option maxseg size set 1340\n"
		"\t\toifname \"wg-home\" meta nfproto ipv6 tcp flags syn "
		"tcp option maxseg size set 1320\n"
		"\t}\n"
		"}\n",
	[READY_IPTABLES] =
		"iptables -t mangle -A PREROUTING -i wg-home -p tcp "
		"--tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1340\n"
		"iptables -t mangle -A POSTROUTING -o wg-home -p tcp "
		"--tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1340\n"
		"ip6tables -t mangle -A PREROUTING -i wg-home -p tcp "
		"--tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1320\n"
		"ip6tables -t mangle -A POSTROUTING -o wg-home -p tcp "
		"--tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1320\n",
};
/* clang-format on */

/* The whole text; the caller frees it. */
static char *print(enum ready_format format, const struct ready *ready)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	ready_print(out, format, ready);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Remove the lines that begin with '#' in place. */
static void drop_comments(char *text)
{
	char *to = text;

	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		size_t size;

		assert_non_null(end);
		size = (size_t)(end + 1 - line);
		if (*line != '#') {
			memmove(to, line, size);
			to += size;
		}
		line = end + 1;
	}
	*to = '\0';
}

static void test_every_format(void **state)
{
	(void)state;
	for (int i = 0; i < READY_FORMAT_COUNT; i++) {
		char *text = print((enum ready_format)i, &usual);

		assert_non_null(ready_names[i]);
		assert_non_null(expected[i]);
		assert_null(strchr(text, '@'));
		drop_comments(text);
		assert_string_equal(text, expected[i]);
		free(text);
	}
	assert_null(ready_names[READY_FORMAT_COUNT]);
}

static void assert_text(enum ready_format format, const struct ready *ready,
			const char *part, bool present)
{
	char *text = print(format, ready);

	if ((strstr(text, part) != NULL) != present)
		fail_msg("'%s' is %s:\n%s", part, present ? "missing" : "there", text);
	free(text);
}

static void test_head(void **state)
{
	struct ready ready = usual;

	(void)state;
	assert_text(
		READY_UCI, &ready,
		"# mtusweep run 7: MTU 1400 for the peer, host laptop; confirmed by "
		"tests\n",
		true);
	ready.host = ready.proof = "";
	assert_text(READY_UCI, &ready, "# mtusweep run 7: MTU 1400 for the peer\n",
		    true);
	/* A name from another host does not leave its comment. */
	ready.host = "a\nreboot";
	assert_text(READY_UCI, &ready, "host a?reboot\n", true);
	assert_text(READY_UCI, &ready, "\nreboot", false);
}

static void test_notes(void **state)
{
	struct ready ready = usual;

	(void)state;
	assert_text(READY_NETPLAN, &ready, "peers", false);
	assert_text(READY_NETPLAN, &ready, "1280", false);
	ready.peers = 3;
	assert_text(READY_NETPLAN, &ready, "# This interface has 3 WireGuard peers",
		    true);
	assert_text(READY_NFT, &ready, "# This interface has 3 WireGuard peers", true);
	ready.mtu = 1200;
	assert_text(READY_NETPLAN, &ready, "# Below 1280 an interface has no IPv6",
		    true);
	assert_text(READY_NFT, &ready, "# Below 1280", false);
}

/* The far end's MTU counts where it is the smaller one and known. */
static void test_clamp(void **state)
{
	struct ready ready = usual;

	(void)state;
	ready.far_mtu = 1500;
	assert_text(READY_NFT, &ready, "size set 1360\n", true);
	ready.far_mtu = 0;
	assert_text(READY_NFT, &ready, "size set 1360\n", true);
	assert_text(READY_NFT, &ready, "size set 1340\n", true);
	/* There is no IPv6 below 1280. */
	ready.far_mtu = 1279;
	assert_text(READY_NFT, &ready, "size set 1239\n", true);
	assert_text(READY_NFT, &ready, "ipv6", false);
	assert_text(READY_IPTABLES, &ready, "--set-mss 1239\n", true);
	assert_text(READY_IPTABLES, &ready, "ip6tables", false);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"",    "wg 0", "wg'0", "wg\"0",
		"wg+", "-wg",  ".wg",  "wg0\n",
		"w/g", "wg;0", "wg@0", "w123456789012345678901234567890123",
	};

	(void)state;
	assert_true(ready_takes_name(READY_NFT, "wg0"));
	assert_true(ready_takes_name(READY_NFT, "wg-home_2.x=y"));
	assert_true(ready_takes_name(READY_NFT, "w1234567890123456789012345678901"));
	assert_true(ready_takes_name(READY_UCI, "wg_home2"));
	assert_false(ready_takes_name(READY_UCI, "wg-home"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ready_takes_name(READY_NFT, bad[i]))
			fail_msg("'%s' was taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_format), cmocka_unit_test(test_head),
		cmocka_unit_test(test_notes),        cmocka_unit_test(test_clamp),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
