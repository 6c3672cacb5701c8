/* SPDX-License-Identifier: MIT */
/* The headers of outer packets, and the kernel's counters for hosts without a tap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "netctl/outerpkt.h"
#include "netctl/reasm.h"

#define UDP       17
#define TCP       6
#define MORE      0x2000
#define FRAGMENTS 44

struct packet {
	unsigned char data[OUTERPKT_HEAD];
	size_t size;
};

static void put_u16(unsigned char *at, int value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

/* Ports 51820 and 7; `words` is the length of IPv4's header. */
static struct packet ipv4(int words, int protocol, int total, int offset, int udp_size)
{
	struct packet p = {.size = (size_t)words * 4 + 8};
	unsigned char *udp = p.data + (size_t)words * 4;

	p.data[0] = (unsigned char)(0x40 | words);
	put_u16(p.data + 2, total);
	put_u16(p.data + 6, offset);
	p.data[9] = (unsigned char)protocol;
	put_u16(udp, 51820);
	put_u16(udp + 2, 7);
	put_u16(udp + 4, udp_size);
	return p;
}

static struct packet ipv6(int next, int payload, int offset, int udp_size)
{
	struct packet p = {.size = 48};
	unsigned char *udp = p.data + 40;

	p.data[0] = 0x60;
	put_u16(p.data + 4, payload);
	p.data[6] = (unsigned char)next;
	if (next == FRAGMENTS) {
		p.data[40] = UDP;
		put_u16(p.data + 42, offset);
		udp += 8;
		p.size += 8;
	}
	put_u16(udp, 51820);
	put_u16(udp + 2, 7);
	put_u16(udp + 4, udp_size);
	return p;
}

static void assert_packet(struct packet p, bool fragment, int udp_size)
{
	struct outerpkt found = {0};

	assert_int_equal(outerpkt_parse(p.data, p.size, &found), 0);
	assert_int_equal(found.fragment, fragment);
	assert_int_equal(found.udp_size, udp_size);
	assert_int_equal(found.source_port, 51820);
	assert_int_equal(found.destination_port, 7);
}

static void assert_none(struct packet p)
{
	struct outerpkt found;

	assert_int_equal(outerpkt_parse(p.data, p.size, &found), -ENOENT);
}

static void test_ipv4(void **state)
{
	(void)state;
	assert_packet(ipv4(5, UDP, 1480, 0, 1460), false, 1460);
	/* With "do not fragment", and options in the header. */
	assert_packet(ipv4(5, UDP, 1480, 0x4000, 1460), false, 1460);
	assert_packet(ipv4(15, UDP, 1480, 0, 1420), false, 1420);
	/* The first fragment has the length of the whole datagram, wherever it was
	 * cut. */
	assert_packet(ipv4(5, UDP, 1500, MORE, 1541), true, 1541);
	assert_packet(ipv4(5, UDP, 68, MORE, 1541), true, 1541);
	assert_none(ipv4(5, UDP, 100, MORE | 185, 1541));
	assert_none(ipv4(5, UDP, 100, 185, 1541));
	assert_none(ipv4(5, TCP, 1480, 0, 1460));
	assert_none(ipv4(4, UDP, 1480, 0, 1460));
	assert_none(ipv4(5, UDP, 27, 0, 0));
	assert_none(ipv4(5, UDP, 1500, MORE, 7));
}

static void test_ipv6(void **state)
{
	(void)state;
	assert_packet(ipv6(UDP, 1440, 0, 1440), false, 1440);
	assert_packet(ipv6(FRAGMENTS, 1448, 1, 1541), true, 1541);
	assert_packet(ipv6(FRAGMENTS, 1448, 0, 1440), false, 1440);
	assert_none(ipv6(FRAGMENTS, 101, 1448, 1541));
	assert_none(ipv6(TCP, 1440, 0, 1440));
}

/* Every shorter beginning is no packet, and is not read beyond its end. */
static void test_cut_short(void **state)
{
	const struct packet all[] = {
		ipv4(5, UDP, 1480, 0, 1460),
		ipv6(UDP, 1440, 0, 1440),
		ipv6(FRAGMENTS, 1448, 1, 1541),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct packet p = all[i];

		while (p.size-- > 0)
			assert_none(p);
	}
}

static void test_counters(void **state)
{
	static const char snmp[] = "Ip: Forwarding DefaultTTL ReasmTimeout ReasmReqds "
				   "ReasmOKs ReasmFails\nIp: 2 64 1 9 4 5\nIcmp: X\n";
	static const char snmp6[] = "Ip6InReceives                   \t33\n"
				    "Ip6ReasmOKs                     \t12\n";
	uint64_t count = 0;

	(void)state;
	assert_int_equal(reasm_parse(4, snmp, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(reasm_parse(6, snmp6, &count), 0);
	assert_int_equal(count, 12);
	assert_int_equal(reasm_parse(4, snmp6, &count), -EBADMSG);
	assert_int_equal(reasm_parse(6, snmp, &count), -EBADMSG);
	assert_int_equal(reasm_parse(4, "Ip: ReasmOKs\nIp:\n", &count), -EBADMSG);
	assert_int_equal(reasm_parse(4, "Ip: A ReasmOKs\nIp: 1\n", &count), -EBADMSG);
	assert_int_equal(reasm_parse(4, "Ip: A ReasmOKs", &count), -EBADMSG);
	/* This host's own counters. */
	assert_int_equal(reasm_count(4, &count, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
