/* SPDX-License-Identifier: MIT */
/* Keys as text, the identity of a tunnel, and its names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/tunnel.h"

/* Output of `wg pubkey` for RFC 7748's two private keys (section 6.1). */
#define ALICE "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define BOB   "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="

static void test_key_text(void **state)
{
	static const unsigned char alice[KEY_BYTES] = {
		0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
		0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
		0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
	static const unsigned char ones[KEY_BYTES] = {[0 ... KEY_BYTES - 1] = 0xff};
	char text[KEY_SIZE];

	(void)state;
	key_text(alice, text);
	assert_string_equal(text, ALICE);
	key_text(ones, text);
	assert_string_equal(text, "//////////////////////////////////////////8=");
}

static void test_key_valid(void **state)
{
	static const char *const wrong[] = {
		"",
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo",   /* without = */
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo==", /* too long */
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTm==",  /* too short */
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmp=",  /* 257 bits */
		"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo=",  /* base64url */
	};

	(void)state;
	assert_true(key_valid(ALICE));
	assert_true(key_valid(BOB));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(key_valid(wrong[i]));
}

static void test_identity(void **state)
{
	struct run_info info = {.server.key = ALICE, .peer.key = BOB};
	struct tunnel one, other;
	char id[TUNNEL_ID_SIZE];

	(void)state;
	assert_true(tunnel_of_run(&info, &one));
	assert_true(tunnel_of(BOB, ALICE, &other));
	assert_true(tunnel_same(&one, &other));
	assert_string_equal(tunnel_id(&other, id), "3p7bfXt9-hSDwCYkw");
	assert_string_equal(tunnel_id_of_run(&info, id), "3p7bfXt9-hSDwCYkw");
	assert_true(tunnel_of(ALICE, ALICE, &other));
	assert_false(tunnel_same(&one, &other));
	info.peer.key[0] = '\0';
	assert_false(tunnel_of_run(&info, &one));
	assert_string_equal(tunnel_id_of_run(&info, id), "");
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool is;
	} rows[] = {
		{"3p7bfXt9-hSDwCYkw", true},
		{"3p7bfXt9-", true},
		{"3p7b", true},
		{"3p7", false},
		{"", false},
		{"hSDw", true},
		{ALICE, true},
		{BOB, true},
		{"hSDwCYkw-3p7bfXt9", false},
		{"3p7bfXt9-hSDwCYkwp", false},
		{"hsdw", false},
	};
	struct tunnel tunnel;

	(void)state;
	assert_true(tunnel_of(ALICE, BOB, &tunnel));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(tunnel_has_name(&tunnel, rows[i].name), rows[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_text),
		cmocka_unit_test(test_key_valid),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
