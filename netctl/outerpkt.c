/* SPDX-License-Identifier: MIT */
/* The headers of an outer packet. */
#include "netctl/outerpkt.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>

#define IPV6_HEADER     40
#define FRAGMENT_HEADER 8
#define UDP_HEADER      8

struct bytes {
	const unsigned char *data;
	size_t size;
};

static int get_u16(const struct bytes *b, size_t at)
{
	return b->data[at] << 8 | b->data[at + 1];
}

/* `rest`: bytes after the IP headers of a whole packet, by the IP header. */
static int parse_udp(const struct bytes *b, size_t at, int rest, struct outerpkt *ret)
{
	if (b->size < at + UDP_HEADER)
		return -ENOENT;
	ret->source_port = get_u16(b, at);
	ret->destination_port = get_u16(b, at + 2);
	/* Take a whole packet's length from IP: the kernel merges and splits datagrams
	 * of one flow, and shows us the result as one packet. */
	ret->udp_size = ret->fragment ? get_u16(b, at + 4) : rest;
	return ret->udp_size < UDP_HEADER ? -ENOENT : 0;
}

/* RFC 791 */
static int parse_ipv4(const struct bytes *b, struct outerpkt *ret)
{
	size_t header = (size_t)(b->data[0] & 0x0f) * 4;
	int offset;

	if (b->size < 20 || header < 20 || b->data[9] != IPPROTO_UDP)
		return -ENOENT;
	offset = get_u16(b, 6);
	if (offset & 0x1fff)
		return -ENOENT;
	ret->fragment = offset & 0x2000;
	return parse_udp(b, header, get_u16(b, 2) - (int)header, ret);
}

/* RFC 8200. No tunnel puts other extension headers before its UDP header. */
static int parse_ipv6(const struct bytes *b, struct outerpkt *ret)
{
	int rest;
	int offset;

	if (b->size < IPV6_HEADER)
		return -ENOENT;
	rest = get_u16(b, 4);
	ret->fragment = false;
	if (b->data[6] == IPPROTO_UDP)
		return parse_udp(b, IPV6_HEADER, rest, ret);
	if (b->data[6] != IPPROTO_FRAGMENT || b->size < IPV6_HEADER + FRAGMENT_HEADER ||
	    b->data[IPV6_HEADER] != IPPROTO_UDP)
		return -ENOENT;
	offset = get_u16(b, IPV6_HEADER + 2);
	if (offset & 0xfff8)
		return -ENOENT;
	/* A fragment at offset 0 without successors is a whole packet but for the
	 * header (RFC 6946). */
	ret->fragment = offset & 1;
	return parse_udp(b, IPV6_HEADER + FRAGMENT_HEADER, rest - FRAGMENT_HEADER, ret);
}

int outerpkt_parse(const void *data, size_t size, struct outerpkt *ret)
{
	struct bytes b = {data, size};
	struct outerpkt packet = {0};
	int r = -ENOENT;

	if (size > 0 && b.data[0] >> 4 == 4)
		r = parse_ipv4(&b, &packet);
	if (size > 0 && b.data[0] >> 4 == 6)
		r = parse_ipv6(&b, &packet);
	if (r == 0)
		*ret = packet;
	return r;
}
