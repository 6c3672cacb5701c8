/* SPDX-License-Identifier: MIT */
/* The search for an address's WireGuard peer in a userspace daemon's answers, in every
 * split, and the bytes that the search keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgmatch_cases.h"

static void print_peer(FILE *out, const struct peer *peer)
{
	bool ipv6 = peer->endpoint && strchr(peer->endpoint, ':');

	fprintf(out, "public_key=");
	for (int i = 0; i < KEY_BYTES; i++)
		fprintf(out, "%02x", peer->key);
	fprintf(out, "\npreshared_key=00\nprotocol_version=1\n");
	if (peer->endpoint)
		fprintf(out, "endpoint=%s%s%s:%d\n", ipv6 ? "[" : "", peer->endpoint,
			ipv6 ? "]" : "", PORT);
	fprintf(out, "last_handshake_time_sec=1\ntx_bytes=2\n");
	for (int i = 0; i < ALLOWED_MAX && peer->allowed[i]; i++)
		fprintf(out, "allowed_ip=%s\n", peer->allowed[i]);
}

static char *print_answer(const struct peer *peers, int code)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fprintf(out, "private_key=00ff\nlisten_port=7\nfwmark=%d\n", FWMARK);
	for (int i = 0; i < PEERS_MAX && peers[i].key; i++)
		print_peer(out, &peers[i]);
	fprintf(out, "errno=%d\n\n", code);
	fclose(out);
	return text;
}

static void feed_case(const struct match_case *c, size_t piece)
{
	char *text = print_answer(c->peers, 0);
	size_t size = strlen(text);
	struct wgmatch match;

	assert_int_equal(wgmatch_init(&match, c->address, NULL), 0);
	for (size_t at = 0; at < size; at += piece) {
		assert_false(match.complete);
		assert_int_equal(
			wgmatch_feed_text(&match, text + at,
					  size - at < piece ? size - at : piece),
			0);
	}
	assert_true(match.complete);
	assert_int_equal(match.code, 0);
	check(&match, c);
	free(text);
}

static void test_userspace(void **state)
{
	static const size_t pieces[] = {1, 2, 7, 64, 4096};

	(void)state;
	for (size_t c = 0; c < CASES; c++) {
		print_message("  %s\n", cases[c].name);
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
			feed_case(&cases[c], pieces[i]);
	}
}

static void test_userspace_errors(void **state)
{
	static const struct {
		const char *text;
		int rc;
		bool complete;
		int code;
	} rows[] = {
		{"errno=0\n\n", 0, true, 0},
		{"errno=13\n\n", 0, true, 13},
		{"errno=-13\n\n", 0, true, 13},
		{"errno=0\n", 0, false, 0},
		{"", 0, false, 0},
		{"future_key=whatever\nerrno=0\n\n", 0, true, 0},
		{"endpoint=[fe80::1%eth0]:51820\nallowed_ip=10.0.0.2/32\n\n", 0, true,
		 0},
		{"hello\n", -EBADMSG, false, 0},
		{"errno=many\n\n", -EBADMSG, false, 0},
		{"fwmark=4294967296\n", -EBADMSG, false, 0},
		{"endpoint=nowhere\n\n", 0, true, 0},
		{"public_key=00\n", -EBADMSG, false, 0},
		{"public_key=zz\n", -EBADMSG, false, 0},
		{"allowed_ip=10.0.0.2\n", -EBADMSG, false, 0},
		{"allowed_ip=10.0.0/8\n", -EBADMSG, false, 0},
		{"allowed_ip=10.0.0.0/129\n", -EBADMSG, false, 0},
		{"allowed_ip=10.0.0.0/8x\n", -EBADMSG, false, 0},
	};
	struct wginfo_peer peer;
	struct wgmatch match;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(wgmatch_init(&match, "10.0.0.2", NULL), 0);
		assert_int_equal(
			wgmatch_feed_text(&match, rows[i].text, strlen(rows[i].text)),
			rows[i].rc);
		assert_int_equal(match.complete, rows[i].complete);
		assert_int_equal(match.code, rows[i].code);
		assert_false(wgmatch_finish(&match, &peer));
	}
}

static void test_userspace_long_line(void **state)
{
	char long_line[WGMATCH_LINE_SIZE + 1];
	struct wgmatch match;

	(void)state;
	memset(long_line, 'x', sizeof(long_line));
	assert_int_equal(wgmatch_init(&match, "10.0.0.2", NULL), 0);
	assert_int_equal(wgmatch_feed_text(&match, long_line, sizeof(long_line)),
			 -EBADMSG);
}

static bool holds(const void *memory, size_t size, const char *text)
{
	return memmem(memory, size, text, strlen(text)) != NULL;
}

/* No key is in the line buffer, and nothing at all after the end. */
static void test_no_key_is_kept(void **state)
{
	static const char text[] = "private_key=5ec4e75ec4e75ec4e7\nlisten_port=1\nx=";
	struct wgmatch match;

	(void)state;
	assert_int_equal(wgmatch_init(&match, "10.0.0.2", NULL), 0);
	assert_int_equal(wgmatch_feed_text(&match, text, sizeof(text) - 1), 0);
	assert_true(holds(&match, sizeof(match), "x="));
	assert_false(holds(&match, sizeof(match), "5ec4e7"));
	feed_case(&cases[0], 64);
	memset(match.key, 'k', sizeof(match.key));
	wgmatch_wipe(&match);
	for (size_t i = 0; i < sizeof(match); i++)
		assert_int_equal(((const char *)&match)[i], 0);
}

/* Bob's of RFC 7748, section 6.1; the others as `wg pubkey` has them. */
static void test_own_key(void **state)
{
	static const struct {
		const char *line;
		const char *expected; /* NULL: no key */
	} rows[] = {
		{"private_key=5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27"
		 "ff88e0eb\n",
		 "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="},
		{"private_key=ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		 "ffffffff\n",
		 "hHwNLDdSNPNl5mCVUYejc1oPdhPRYJ06ak2MU66qWiI="},
		{"private_key=01000000000000000000000000000000000000000000000000000000"
		 "00000000\n",
		 "L+V9o0fNYkMVKNqsX7spBzD/9oSvxM/C7ZCZX1jLO3Q="},
		{"private_key=00000000000000000000000000000000000000000000000000000000"
		 "00000000\n",
		 NULL},
		{"private_key=5dab08\n", NULL},
		{"listen_port=1\n", NULL},
	};
	struct wgmatch match;
	char key[KEY_SIZE] = "as it was";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *line = rows[i].line;

		assert_int_equal(wgmatch_init(&match, "10.0.0.2", NULL), 0);
		assert_int_equal(wgmatch_feed_text(&match, line, strlen(line)), 0);
		strcpy(key, "as it was");
		assert_int_equal(wgmatch_own_key(&match, key),
				 rows[i].expected != NULL);
		assert_string_equal(key,
				    rows[i].expected ? rows[i].expected : "as it was");
		wgmatch_wipe(&match);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_userspace),
		cmocka_unit_test(test_userspace_errors),
		cmocka_unit_test(test_userspace_long_line),
		cmocka_unit_test(test_no_key_is_kept),
		cmocka_unit_test(test_own_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
