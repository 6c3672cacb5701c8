/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as an answer to probes of one end: a byte for the kind, one for the IP version
 * and for what the bytes are, then a packet, or an ICMP error as the kernel notes it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "netctl/echoanswer.h"

#define ID   0x1234
#define PORT 443

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Fields that an answer must repeat are such that a corpus can have them. */
static struct echo make_echo(const uint8_t *head)
{
	struct echo echo = {.fd = -1, .id = ID, .port = PORT, .ports = ECHO_PORTS};

	echo.kind = (enum echo_kind)(head[0] % ECHO_KINDS);
	echo.ipv6 = head[1] & 1;
	for (int i = 0; i < ECHO_PORTS; i++)
		echo.from[i].port = 40000 + i;
	return echo;
}

/* An answer to the same packets of somebody else is none. */
static void check_packet(struct echo echo, const uint8_t *data, size_t size)
{
	uint16_t number = 0;
	uint16_t other = 7;

	if (!echoanswer_read(&echo, data, size, &number))
		return;
	echo.id ^= 1;
	echo.from[number % ECHO_PORTS].port ^= 0x4000;
	if (echoanswer_read(&echo, data, size, &other) || other != 7)
		abort();
}

static void check_error(struct echo echo, const uint8_t *data, size_t size)
{
	struct sock_extended_err why;
	uint16_t number;
	bool answer;

	if (size < sizeof(why))
		return;
	memcpy(&why, data, sizeof(why));
	echo.too_big = 1300;
	answer = echoanswer_read_error(&echo, &why, data + sizeof(why),
				       size - sizeof(why), &number);
	if (answer && echo.kind != ECHO_UDP)
		abort();
	if (echo.too_big > 1300 || echo.too_big < (echo.ipv6 ? MTU_MIN_IPV6 : 68))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct echo echo;

	if (size < 2)
		return 0;
	echo = make_echo(data);
	if (data[1] & 2)
		check_error(echo, data + 2, size - 2);
	else
		check_packet(echo, data + 2, size - 2);
	return 0;
}
