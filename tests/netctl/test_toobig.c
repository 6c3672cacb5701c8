/* SPDX-License-Identifier: MIT */
/* The count of ICMP messages that a packet was too big, on forged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/text.h"
#include "netctl/toobig.h"
#include "netlab.h"

#define IPV4 "127.0.0.1"
#define IPV6 "::1"

static int set_up(void **state)
{
	(void)state;
	netlab_enter();
	return 0;
}

/* A router's message about a packet to `to`, or about nothing: forged on lo. */
struct message {
	int type;
	int code;
	const char *to;
	int protocol;
	int port;
};

static size_t quote(const struct message *m, unsigned char packet[64])
{
	bool ipv6 = strchr(m->to, ':');
	unsigned char *quoted = packet + 8;
	size_t head = ipv6 ? 40 : 20;

	memset(packet, 0, 64);
	packet[0] = (unsigned char)m->type;
	packet[1] = (unsigned char)m->code;
	quoted[0] = ipv6 ? 0x60 : 0x45;
	quoted[ipv6 ? 6 : 9] = (unsigned char)m->protocol;
	inet_pton(ipv6 ? AF_INET6 : AF_INET, m->to, quoted + (ipv6 ? 24 : 16));
	quoted[head + 2] = (unsigned char)(m->port >> 8);
	quoted[head + 3] = (unsigned char)m->port;
	return 8 + head + 8;
}

static void forge(const struct message *m)
{
	bool ipv6 = strchr(m->to, ':');
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC,
			ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	struct sockaddr_storage here;
	unsigned char packet[64];
	size_t size = quote(m, packet);
	unsigned int sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (unsigned int)packet[i] << 8 | packet[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	packet[2] = (unsigned char)(sum >> 8);
	packet[3] = (unsigned char)sum;
	assert_int_equal(address_parse(ipv6 ? IPV6 : IPV4, 0, &here), 0);
	assert_int_equal(sendto(fd, packet, size, 0, (struct sockaddr *)&here,
				address_size(&here)),
			 size);
	close(fd);
}

/* The messages about packets to the endpoint, and nothing else. */
static void test_messages(void **state)
{
	static const struct {
		struct message message;
		int seen;
	} cases[] = {
		{{3, 4, "192.0.2.7", IPPROTO_UDP, 51820}, 1},
		{{3, 3, "192.0.2.7", IPPROTO_UDP, 51820}, 0},
		{{11, 4, "192.0.2.7", IPPROTO_UDP, 51820}, 0},
		{{3, 4, "192.0.2.7", IPPROTO_TCP, 51820}, 0},
		{{3, 4, "192.0.2.7", IPPROTO_UDP, 51821}, 0},
		{{3, 4, "192.0.2.8", IPPROTO_UDP, 51820}, 0},
		{{2, 0, "2001:db8::7", IPPROTO_UDP, 51820}, 1},
		{{1, 4, "2001:db8::7", IPPROTO_UDP, 51820}, 0},
		{{2, 0, "2001:db8::8", IPPROTO_UDP, 51820}, 0},
		{{2, 0, "2001:db8:1::7", IPPROTO_UDP, 51820}, 0},
	};

	struct toobig toobig = TOOBIG_CLOSED;

	(void)state;
	assert_int_equal(toobig_count(&toobig), NO_FIGURE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool ipv6 = strchr(cases[i].message.to, ':');
		struct probetap_target endpoint = {.port = 51820};

		text_copy(endpoint.address, sizeof(endpoint.address),
			  ipv6 ? "2001:db8::7" : "192.0.2.7");
		assert_int_equal(toobig_begin(&toobig, &endpoint, NULL), 0);
		assert_int_equal(toobig_count(&toobig), 0);
		/* lo delivers before sendto() returns. */
		for (int n = 1; n <= 3; n++) {
			forge(&cases[i].message);
			if (toobig_count(&toobig) != n * cases[i].seen)
				fail_msg("message %zu: not %d seen", i,
					 n * cases[i].seen);
		}
	}
	toobig_end(&toobig);
	assert_int_equal(toobig_count(&toobig), NO_FIGURE);
}

static void test_no_address(void **state)
{
	struct probetap_target endpoint = {.address = "x", .port = 51820};
	struct toobig toobig = TOOBIG_CLOSED;

	(void)state;
	assert_int_equal(toobig_begin(&toobig, &endpoint, NULL), -EINVAL);
	assert_int_equal(toobig_count(&toobig), NO_FIGURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_no_address),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
