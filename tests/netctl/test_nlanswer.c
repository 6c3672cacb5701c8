/* SPDX-License-Identifier: MIT */
/* Netlink answers, made here: their ends, errors and texts, and invalid ones. */
#include "netctl/nlanswer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <string.h>

#include "netctl/rtparse.h"

#define DATA_TYPE NLMSG_MIN_TYPE
#define WORDS     "too large for this device"

static _Alignas(struct nlmsghdr) char datagram[1024];
static size_t used;

static struct nlmsghdr *put(uint16_t type, uint16_t flags, const void *data,
			    size_t size)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(datagram + used);

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	memcpy(mnl_nlmsg_put_extra_header(message, size), data, size);
	return message;
}

static void end(const struct nlmsghdr *message)
{
	used += MNL_ALIGN(message->nlmsg_len);
}

/* `echoed`: bytes of the request that follow its header in the answer. */
static void put_error(int code, uint16_t flags, uint32_t echoed, const char *words)
{
	char payload[sizeof(struct nlmsgerr) + 64] = {0};
	struct nlmsgerr error = {.error = code};
	struct nlmsghdr *message;

	error.msg.nlmsg_len = (uint32_t)sizeof(error.msg) + echoed;
	memcpy(payload, &error, sizeof(error));
	message = put(NLMSG_ERROR, flags, payload, sizeof(error) + echoed);
	if (words)
		mnl_attr_put(message, NLMSGERR_ATTR_MSG, strlen(words), words);
	end(message);
}

static void put_done(int code, uint16_t flags, const char *words)
{
	struct nlmsghdr *message =
		put(NLMSG_DONE, NLM_F_MULTI | flags, &code, sizeof(code));

	if (words)
		mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, words);
	end(message);
}

static void put_data(uint16_t flags)
{
	end(put(DATA_TYPE, flags, "data", 4));
}

static int count(const struct nlmsghdr *message, void *ctx)
{
	int *counted = ctx;

	assert_int_equal(message->nlmsg_type, DATA_TYPE);
	if (++*counted < 3)
		return MNL_CB_OK;
	errno = EOVERFLOW;
	return MNL_CB_ERROR;
}

static int take(struct nlanswer *answer)
{
	int rc = nlanswer_take(answer, datagram, used);

	used = 0;
	return rc;
}

static void errors_and_their_words(void **state)
{
	static const struct {
		const char *what;
		int code;
		uint16_t flags;
		uint32_t echoed;
		const char *words;
		int rc;
		const char *text;
	} cases[] = {
		{"an acknowledgement", 0, NLM_F_CAPPED, 0, NULL, 0, ""},
		{"no words", -EPERM, NLM_F_CAPPED, 0, NULL, -EPERM, ""},
		{"words after the header", -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0,
		 WORDS, -EINVAL, WORDS},
		{"words after the request", -EINVAL, NLM_F_ACK_TLVS, 32, WORDS, -EINVAL,
		 WORDS},
		{"words that nobody announced", -EINVAL, NLM_F_CAPPED, 0, WORDS,
		 -EINVAL, ""},
		{"words with an acknowledgement", 0, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0,
		 WORDS, 0, WORDS},
		{"a positive code", EPERM, NLM_F_CAPPED, 0, NULL, -EBADMSG, ""},
		{"no errno", -5000, NLM_F_CAPPED, 0, NULL, -EBADMSG, ""},
		{"the least code", INT_MIN, NLM_F_CAPPED, 0, NULL, -EBADMSG, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nlanswer answer = {.on_message = NULL};

		print_message("%s\n", cases[i].what);
		put_error(cases[i].code, cases[i].flags, cases[i].echoed,
			  cases[i].words);
		assert_int_equal(take(&answer), cases[i].rc);
		assert_string_equal(answer.text, cases[i].text);
	}
}

static void words_are_cut(void **state)
{
	struct nlanswer answer = {.on_message = NULL};
	char words[400];

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	put_error(-EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0, words);
	assert_int_equal(take(&answer), -EINVAL);
	assert_int_equal(strlen(answer.text), sizeof(answer.text) - 1);
}

static void dumps(void **state)
{
	int counted = 0;
	struct nlanswer answer = {.on_message = count, .ctx = &counted};

	(void)state;
	put_data(NLM_F_MULTI);
	assert_int_equal(take(&answer), 1);
	put_data(NLM_F_MULTI | NLM_F_DUMP_INTR);
	put_done(0, 0, NULL);
	assert_int_equal(take(&answer), 0);
	assert_int_equal(counted, 2);
	assert_true(answer.changed);
	put_data(NLM_F_MULTI);
	assert_int_equal(take(&answer), -EOVERFLOW);
	answer.on_message = NULL;
	put_data(NLM_F_MULTI);
	put_done(-ENODEV, NLM_F_ACK_TLVS, WORDS);
	assert_int_equal(take(&answer), -ENODEV);
	assert_string_equal(answer.text, WORDS);
}

/* Wrong lengths of the second of two messages. */
static void lengths_that_lie(void **state)
{
	static const uint32_t lengths[] = {0,          15,         21,
					   0x80000000, 0x80000014, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int counted = 0;
		struct nlanswer answer = {.on_message = count, .ctx = &counted};
		struct nlmsghdr *second;

		put_data(0);
		second = put(DATA_TYPE, 0, "data", 4);
		end(second);
		second->nlmsg_len = lengths[i];
		assert_int_equal(take(&answer), -EBADMSG);
		assert_int_equal(counted, 0);
	}
}

static void too_short(void **state)
{
	struct rtparse_search search = {.index = 1, .family = AF_INET};
	struct rtparse_fall fall = {.interface = "wg0"};
	struct rtparse_route route = {.family = AF_INET};
	struct rtparse_clones clones = {0};
	struct rtlink link = {.index = 7};
	const struct {
		uint16_t type;
		mnl_cb_t parse;
		void *ctx;
	} cases[] = {
		{RTM_NEWLINK, rtparse_link, &link},
		{RTM_NEWADDR, rtparse_address, &search},
		{RTM_NEWROUTE, rtparse_route, &route},
		{RTM_NEWROUTE, rtparse_clone, &clones},
		{RTM_DELLINK, rtparse_fall, &fall},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nlanswer answer = {.on_message = cases[i].parse,
					  .ctx = cases[i].ctx};

		end(put(cases[i].type, 0, "none", 4));
		assert_int_equal(take(&answer), 1);
	}
	put_error(0, NLM_F_CAPPED, 0, NULL);
	((struct nlmsghdr *)datagram)->nlmsg_len = sizeof(struct nlmsghdr) + 4;
	used = sizeof(struct nlmsghdr) + 4;
	assert_int_equal(take(&(struct nlanswer){.on_message = NULL}), -EBADMSG);
	assert_int_equal(link.index, 7);
	assert_false(search.found || fall.down || route.type || clones.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_and_their_words),
		cmocka_unit_test(words_are_cut),
		cmocka_unit_test(dumps),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(too_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
