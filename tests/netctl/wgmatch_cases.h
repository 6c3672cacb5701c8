/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_WGMATCH_CASES_H
#define TESTS_NETCTL_WGMATCH_CASES_H

/* Peers, an address, and its expected peer: the same cases for both backends. */

#include "netctl/wgmatch.h"

#define PORT        51820 /* family of every endpoint */
#define FWMARK      0xca6c
#define PEERS_MAX   4
#define ALLOWED_MAX 4

struct peer {
	char key;             /* its public key is 32 of these; 0 ends the list */
	bool next_message;    /* it begins another message */
	const char *endpoint; /* NULL: no endpoint */
	const char *allowed[ALLOWED_MAX];
};

struct match_case {
	const char *name;
	struct peer peers[PEERS_MAX];
	const char *address;
	const char *expected; /* NULL: no peer */
	int family;
};

static const struct match_case cases[] = {
	{"one peer",
	 {{'a', 0, "192.0.2.1", {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 4},
	{"IPv6 outside",
	 {{'a', 0, "2001:db8::1", {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 6},
	{"IPv6 inside",
	 {{'a', 0, "192.0.2.1", {"fd00::2/128"}}},
	 "fd00::2",
	 "fd00::2/128",
	 4},
	{"IPv4 in IPv6's clothes",
	 {{'a', 0, "::ffff:192.0.2.1", {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 4},
	{"no endpoint yet",
	 {{'a', 0, NULL, {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 0},
	{"no peer", {{0}}, "10.0.0.2", NULL, 0},
	{"not that one", {{'a', 0, "192.0.2.1", {"10.0.0.2/32"}}}, "10.0.0.3", NULL, 0},
	{"no AllowedIPs", {{'a', 0, "192.0.2.1", {NULL}}}, "10.0.0.2", NULL, 0},
	{"the other family", {{'a', 0, "192.0.2.1", {"::/0"}}}, "10.0.0.2", NULL, 0},
	{"everything",
	 {{'a', 0, "192.0.2.1", {"::/0", "0.0.0.0/0"}}},
	 "10.0.0.2",
	 "0.0.0.0/0",
	 4},
	{"longest prefix, last",
	 {{'a', 0, "192.0.2.1", {"10.0.0.0/8"}},
	  {'b', 0, "2001:db8::1", {"10.0.0.0/24"}}},
	 "10.0.0.2",
	 "10.0.0.0/24",
	 6},
	{"longest prefix, first",
	 {{'b', 0, "2001:db8::1", {"10.0.0.0/24"}},
	  {'a', 0, "192.0.2.1", {"10.0.0.0/8"}}},
	 "10.0.0.2",
	 "10.0.0.0/24",
	 6},
	{"longest prefix of one peer",
	 {{'a', 0, "192.0.2.1", {"10.0.0.0/8", "10.0.0.0/30", "10.0.0.0/16"}}},
	 "10.0.0.2",
	 "10.0.0.0/30",
	 4},
	{"odd prefixes",
	 {{'a', 0, "192.0.2.1", {"10.0.0.128/25", "10.0.0.64/26", "10.0.0.96/27"}}},
	 "10.0.0.127",
	 "10.0.0.96/27",
	 4},
	{"odd IPv6 prefixes",
	 {{'a', 0, "192.0.2.1", {"fd00:0:0:1::/63", "fd00::/65", "fd00:0:0:2::/64"}}},
	 "fd00::8000:0:0:1",
	 "fd00:0:0:1::/63",
	 4},
	{"the peer before keeps its endpoint to itself",
	 {{'a', 0, "192.0.2.1", {"10.0.0.1/32"}}, {'b', 0, NULL, {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 0},
	{"a peer that goes on in the next message",
	 {{'a', 0, "2001:db8::1", {"10.0.0.1/32"}}, {'a', true, NULL, {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 6},
	{"... and in the one after",
	 {{'a', 0, "2001:db8::1", {"10.0.0.1/32"}},
	  {'a', true, NULL, {"10.0.0.2/32"}},
	  {'a', true, NULL, {"10.0.0.3/32"}}},
	 "10.0.0.3",
	 "10.0.0.3/32",
	 6},
	{"... matched in its first part",
	 {{'a', 0, "192.0.2.1", {"10.0.0.2/32"}}, {'a', true, NULL, {"10.0.0.3/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 4},
	{"... another begins behind it",
	 {{'a', 0, "192.0.2.1", {"10.0.0.1/32"}},
	  {'a', true, NULL, {"10.0.0.0/24"}},
	  {'b', 0, NULL, {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 0},
	{"the next message begins with another",
	 {{'a', 0, "192.0.2.1", {"10.0.0.1/32"}}, {'b', true, NULL, {"10.0.0.2/32"}}},
	 "10.0.0.2",
	 "10.0.0.2/32",
	 0},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* The key of the case's peer that has the expected entry. */
static void check_key(const struct wginfo_peer *peer, const struct match_case *c)
{
	unsigned char key[KEY_BYTES];
	char text[KEY_SIZE];

	for (int p = 0; p < PEERS_MAX; p++) {
		for (int i = 0; i < ALLOWED_MAX && c->peers[p].allowed[i]; i++) {
			if (strcmp(c->peers[p].allowed[i], c->expected) != 0)
				continue;
			memset(key, c->peers[p].key, sizeof(key));
			key_text(key, text);
			assert_string_equal(peer->key, text);
			return;
		}
	}
	fail_msg("no peer of the case has '%s'", c->expected);
}

static void check(struct wgmatch *match, const struct match_case *c)
{
	struct wginfo_peer peer = {.endpoint_family = 77};

	assert_int_equal(wgmatch_finish(match, &peer), c->expected != NULL);
	if (c->expected) {
		assert_string_equal(peer.allowed, c->expected);
		check_key(&peer, c);
		assert_int_equal(peer.endpoint_family, c->family);
		assert_int_equal(peer.endpoint_port, c->family ? PORT : 0);
		assert_int_equal(peer.endpoint[0] != '\0', c->family != 0);
		assert_int_equal(strchr(peer.endpoint, ':') != NULL, c->family == 6);
		assert_int_equal(peer.fwmark, FWMARK);
	} else {
		assert_int_equal(peer.endpoint_family, 77);
	}
	wgmatch_wipe(match);
}

#endif
