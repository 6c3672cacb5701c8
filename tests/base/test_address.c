/* SPDX-License-Identifier: MIT */
#include "base/address.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct spelling {
	const char *given;
	const char *interface;
	int code;
	const char *normal;
	const char *on; /* of address_text_on() for the normal form */
};

static const struct spelling spellings[] = {
	{"10.0.0.1", "lo", 0, "10.0.0.1", "10.0.0.1"},
	{"FD00:0:0::1", "lo", 0, "fd00::1", "fd00::1"},
	{"fd00::1%lo", "lo", 0, "fd00::1", "fd00::1"},
	{"fe80::1", "lo", 0, "fe80::1", "fe80::1%lo"},
	{"FE80::1%lo", "lo", 0, "fe80::1", "fe80::1%lo"},
	{"fe80::1", "", 0, "fe80::1", "fe80::1"},
	{"fe80::1%lo", "wg0", -EXDEV, NULL, NULL},
	{"fe80::1%", "lo", -EXDEV, NULL, NULL},
	{"10.0.0.1%lo", "lo", -EINVAL, NULL, NULL},
	{"%lo", "lo", -EINVAL, NULL, NULL},
	{"", "lo", -EINVAL, NULL, NULL},
	{"10.0.0", "lo", -EINVAL, NULL, NULL},
	{"fe80::1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16", "lo", -EINVAL, NULL, NULL},
};

static void addresses_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		const struct spelling *s = &spellings[i];
		char normal[ADDRESS_SIZE] = "untouched";
		char on[ADDRESS_ON_SIZE];

		assert_int_equal(address_normalize(s->given, s->interface, normal),
				 s->code);
		assert_string_equal(normal, s->normal ? s->normal : "untouched");
		if (!s->normal)
			continue;
		address_text_on(normal, s->interface, on);
		assert_string_equal(on, s->on);
	}
}

static unsigned scope_of(const char *text, const char *interface)
{
	struct sockaddr_storage name;

	assert_int_equal(address_parse_on(text, 5000, interface, &name), 0);
	return ((struct sockaddr_in6 *)&name)->sin6_scope_id;
}

static void a_link_local_address_gets_its_link(void **state)
{
	unsigned lo = if_nametoindex("lo");
	struct sockaddr_storage name;

	(void)state;
	assert_true(lo > 0);
	assert_int_equal(scope_of("fe80::1", "lo"), lo);
	assert_int_equal(scope_of("fe80::1%lo", ""), lo);
	assert_int_equal(scope_of("fe80::1", ""), 0);
	assert_int_equal(scope_of("fd00::1", "lo"), 0);
	assert_int_equal(address_parse_on("10.0.0.1", 5000, "lo", &name), 0);
	assert_int_equal(name.ss_family, AF_INET);
	assert_int_equal(address_parse_on("fe80::1", 5000, "mtusweep-none", &name),
			 -ENODEV);
	assert_int_equal(address_parse_on("x", 5000, "lo", &name), -EINVAL);
	assert_true(address_is_link_local("fe80::1"));
	assert_true(address_is_link_local("febf::1"));
	assert_false(address_is_link_local("fec0::1"));
	assert_false(address_is_link_local("169.254.0.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_form),
		cmocka_unit_test(a_link_local_address_gets_its_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
