/* SPDX-License-Identifier: MIT */
/* The search for an address's WireGuard peer in the kernel's answers, made here with
 * libmnl, whole and with peers split over messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgmatch_cases.h"

static struct nlmsghdr *begin_message(char *buffer)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic =
		mnl_nlmsg_put_extra_header(message, sizeof(*generic));
	static const char secret[WG_KEY_LEN] = "a private key of the interface";

	generic->cmd = WG_CMD_GET_DEVICE;
	mnl_attr_put_u32(message, WGDEVICE_A_IFINDEX, 7);
	mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, "wg0");
	mnl_attr_put(message, WGDEVICE_A_PRIVATE_KEY, sizeof(secret), secret);
	mnl_attr_put_u16(message, WGDEVICE_A_LISTEN_PORT, 7);
	mnl_attr_put_u32(message, WGDEVICE_A_FWMARK, FWMARK);
	return message;
}

static void put_endpoint(struct nlmsghdr *message, const char *text)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};

	if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		mnl_attr_put(message, WGPEER_A_ENDPOINT, sizeof(ipv4), &ipv4);
	else if (inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1)
		mnl_attr_put(message, WGPEER_A_ENDPOINT, sizeof(ipv6), &ipv6);
	else
		fail_msg("'%s' is no address", text);
}

static void put_allowed(struct nlmsghdr *message, const char *text)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	unsigned char address[16];
	char copy[64];
	char *slash;
	struct nlattr *nest;

	strcpy(copy, text);
	slash = strchr(copy, '/');
	*slash = '\0';
	assert_int_equal(inet_pton(family, copy, address), 1);
	nest = mnl_attr_nest_start(message, 0);
	mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, (uint8_t)atoi(slash + 1));
	mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, (uint16_t)family);
	mnl_attr_put(message, WGALLOWEDIP_A_IPADDR, family == AF_INET ? 4 : 16,
		     address);
	mnl_attr_nest_end(message, nest);
}

static void put_peer(struct nlmsghdr *message, const struct peer *peer)
{
	struct nlattr *nest = mnl_attr_nest_start(message, 0);
	struct nlattr *allowed;
	char key[WG_KEY_LEN];

	memset(key, peer->key, sizeof(key));
	mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, sizeof(key), key);
	mnl_attr_put(message, WGPEER_A_PRESHARED_KEY, sizeof(key), key);
	/* The kernel puts the endpoint first; the order must not matter. */
	allowed = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
	for (int i = 0; i < ALLOWED_MAX && peer->allowed[i]; i++)
		put_allowed(message, peer->allowed[i]);
	mnl_attr_nest_end(message, allowed);
	if (peer->endpoint)
		put_endpoint(message, peer->endpoint);
	mnl_attr_nest_end(message, nest);
}

/* One message with the peers from *i up to the next that begins one of its own. */
static struct nlmsghdr *make_message(char *buffer, const struct peer *peers, int *i)
{
	struct nlmsghdr *message = begin_message(buffer);
	struct nlattr *nest = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);

	do
		put_peer(message, &peers[(*i)++]);
	while (*i < PEERS_MAX && peers[*i].key && !peers[*i].next_message);
	mnl_attr_nest_end(message, nest);
	return message;
}

static void test_kernel(void **state)
{
	(void)state;
	for (size_t c = 0; c < CASES; c++) {
		char buffer[4096];
		struct wgmatch match;
		int i = 0;

		print_message("  %s\n", cases[c].name);
		assert_int_equal(wgmatch_init(&match, cases[c].address, NULL), 0);
		if (!cases[c].peers[0].key)
			assert_int_equal(
				wgmatch_on_message(begin_message(buffer), &match),
				MNL_CB_OK);
		while (i < PEERS_MAX && cases[c].peers[i].key)
			assert_int_equal(
				wgmatch_on_message(
					make_message(buffer, cases[c].peers, &i),
					&match),
				MNL_CB_OK);
		check(&match, &cases[c]);
	}
}

/* The kernel tells the interface's public key. */
static void test_kernel_own_key(void **state)
{
	unsigned char bytes[WG_KEY_LEN] = {0};
	char buffer[4096];
	struct nlmsghdr *message = begin_message(buffer);
	struct wgmatch match;
	char key[KEY_SIZE];

	(void)state;
	mnl_attr_put(message, WGDEVICE_A_PUBLIC_KEY, WG_KEY_LEN - 1, bytes);
	assert_int_equal(wgmatch_init(&match, "10.0.0.2", NULL), 0);
	assert_int_equal(wgmatch_on_message(message, &match), MNL_CB_OK);
	assert_false(wgmatch_own_key(&match, key));
	bytes[31] = 4;
	mnl_attr_put(message, WGDEVICE_A_PUBLIC_KEY, WG_KEY_LEN, bytes);
	assert_int_equal(wgmatch_on_message(message, &match), MNL_CB_OK);
	assert_true(wgmatch_own_key(&match, key));
	assert_string_equal(key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ=");
}

/* Attributes that are shorter than their type, and one out of range. */
static void test_kernel_malformed(void **state)
{
	static const char bytes[WG_KEY_LEN];
	char buffer[4096];
	struct nlmsghdr *message = begin_message(buffer);
	struct nlattr *peers = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
	struct nlattr *peer, *allowed, *entry;
	struct wginfo_peer found;
	struct wgmatch match;

	(void)state;
	for (uint16_t size = 0; size <= WG_KEY_LEN; size++) {
		peer = mnl_attr_nest_start(message, 0);
		mnl_attr_put(message, WGPEER_A_PUBLIC_KEY, size, bytes);
		mnl_attr_put(message, WGPEER_A_ENDPOINT, size % 20, bytes);
		allowed = mnl_attr_nest_start(message, WGPEER_A_ALLOWEDIPS);
		entry = mnl_attr_nest_start(message, 0);
		mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, AF_INET);
		mnl_attr_put(message, WGALLOWEDIP_A_IPADDR, size % 4, bytes);
		mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, 0);
		mnl_attr_nest_end(message, entry);
		entry = mnl_attr_nest_start(message, 0);
		mnl_attr_put_u16(message, WGALLOWEDIP_A_FAMILY, AF_INET);
		mnl_attr_put_u32(message, WGALLOWEDIP_A_IPADDR, htonl(0x0a000002));
		mnl_attr_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, 33);
		mnl_attr_nest_end(message, entry);
		mnl_attr_nest_end(message, allowed);
		mnl_attr_nest_end(message, peer);
	}
	mnl_attr_nest_end(message, peers);
	assert_int_equal(wgmatch_init(&match, "10.0.0.2", NULL), 0);
	assert_int_equal(wgmatch_on_message(message, &match), MNL_CB_OK);
	assert_false(wgmatch_finish(&match, &found));
}

/* Any byte may be wrong: the parser never reads outside the message (see the
 * sanitizers). */
static void test_kernel_random(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char buffer[4096];
		struct wgmatch match;
		struct wginfo_peer peer;
		int i = 0;
		const struct match_case *c = &cases[(size_t)rand_r(&seed) % CASES];
		struct nlmsghdr *message = make_message(buffer, c->peers, &i);
		uint32_t length = message->nlmsg_len;
		char *copy = malloc(length);

		assert_non_null(copy);
		memcpy(copy, buffer, length);
		for (int n = 0; n < 4; n++)
			copy[sizeof(*message) +
			     (size_t)rand_r(&seed) % (length - sizeof(*message))] =
				(char)rand_r(&seed);
		assert_int_equal(wgmatch_init(&match, c->address, NULL), 0);
		wgmatch_on_message((struct nlmsghdr *)copy, &match);
		wgmatch_finish(&match, &peer);
		free(copy);
	}
}

static void test_init_refuses(void **state)
{
	static const char *const texts[] = {"", "10.0.0", "10.0.0.2/32", "fd00::x",
					    "wg0"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;
		struct wgmatch match;

		assert_int_equal(wgmatch_init(&match, texts[i], &err), -EINVAL);
		assert_non_null(strstr(err.text, texts[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_kernel_own_key),
		cmocka_unit_test(test_kernel_malformed),
		cmocka_unit_test(test_kernel_random),
		cmocka_unit_test(test_init_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
