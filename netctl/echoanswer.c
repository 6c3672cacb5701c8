/* SPDX-License-Identifier: MIT */
/* Answers of a plain host. */
#include "netctl/echoanswer.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>

#define ICMP_HEADER 8
#define TCP_HEADER  20
/* The smallest MTU that a link may have: RFC 791, RFC 8200. */
#define IPV4_LEAST 68
#define IPV6_LEAST 1280

static unsigned int get_u16(const unsigned char *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static uint32_t get_u32(const unsigned char *at)
{
	return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

static bool read_icmp(const struct echo *echo, const unsigned char *data, size_t size,
		      uint16_t *ret)
{
	int type = echo->kind == ECHO_STAMP ? ICMP_TIMESTAMPREPLY : ICMP_ECHOREPLY;

	if (echo->ipv6)
		type = ICMP6_ECHO_REPLY;
	if (size < ICMP_HEADER || data[0] != type || get_u16(data + 4) != echo->id)
		return false;
	*ret = (uint16_t)get_u16(data + 6);
	return true;
}

/* The answer acknowledges the SYN, and a reset its data too. */
static bool read_tcp(const struct echo *echo, const unsigned char *data, size_t size,
		     uint16_t *ret)
{
	uint16_t number;

	if (size < TCP_HEADER || (int)get_u16(data) != echo->port ||
	    !(data[13] & TH_ACK))
		return false;
	number = (uint16_t)(get_u32(data + 8) >> ECHOANSWER_SEQUENCE_SHIFT);
	if ((int)get_u16(data + 2) != echo->from[number % ECHO_PORTS].port)
		return false;
	*ret = number;
	return true;
}

bool echoanswer_read(const struct echo *echo, const unsigned char *data, size_t size,
		     uint16_t *ret_number)
{
	size_t header = 0;

	if (!echo->ipv6 && size > 0)
		header = (data[0] & 0x0f) * (size_t)4;
	if (size <= header)
		return false;
	if (echo->kind == ECHO_TCP)
		return read_tcp(echo, data + header, size - header, ret_number);
	return read_icmp(echo, data + header, size - header, ret_number);
}

/* A router may name 0, or in ICMPv6's 32 bits whatever it likes. */
static void note_too_big(struct echo *echo, const struct sock_extended_err *why)
{
	uint32_t least = echo->ipv6 ? IPV6_LEAST : IPV4_LEAST;

	if (why->ee_errno != EMSGSIZE || why->ee_origin == SO_EE_ORIGIN_LOCAL ||
	    why->ee_info < least || why->ee_info > MTU_MAX)
		return;
	if (!echo->too_big || (int)why->ee_info < echo->too_big)
		echo->too_big = (int)why->ee_info;
}

bool echoanswer_read_error(struct echo *echo, const struct sock_extended_err *why,
			   const unsigned char *data, size_t size, uint16_t *ret_number)
{
	note_too_big(echo, why);
	if (echo->kind != ECHO_UDP || why->ee_errno != ECONNREFUSED || size < 2)
		return false;
	*ret_number = (uint16_t)get_u16(data);
	return true;
}
