/* SPDX-License-Identifier: MIT */
/* Raw sockets for probes that a plain host answers. */
#include "netctl/rawsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* It uses struct timespec, which it does not include. */
#include <linux/errqueue.h>

#include "base/address.h"
#include "base/io.h"
#include "netctl/sockfilter.h"

#define BUFFER (1 << 20)
/* Where TCP's header has its checksum. */
#define TCP_CHECKSUM 16
/* The source address in the IP header. */
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8
#define ANY_LENGTH  0x40000

/* Accept packets from this address alone. Offsets are from the IP header, since the data of
 * an IPv6 raw socket begin behind it. */
static int filter_source(int fd, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)from;
	bool is_ipv6 = from->ss_family == AF_INET6;
	unsigned int at =
		(unsigned int)SKF_NET_OFF + (is_ipv6 ? IPV6_SOURCE : IPV4_SOURCE);
	unsigned short words = is_ipv6 ? 4 : 1;
	struct sock_filter code[4 * 2 + 2];
	unsigned short n = 0;

	for (unsigned short i = 0; i < words; i++) {
		uint32_t word = is_ipv6 ? ((const uint32_t *)&ipv6->sin6_addr)[i]
					: ipv4->sin_addr.s_addr;

		code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							 at + 4u * i);
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0,
			(unsigned char)(2 * (words - i) - 1));
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ANY_LENGTH);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return sockfilter_attach(fd, code, n, true);
}

static int set_number(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int set_ipv6_options(int fd, enum rawsock_kind kind)
{
	int r = set_number(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);

	if (r == 0)
		r = set_number(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
	if (r == 0 && kind == RAWSOCK_OUTER)
		r = set_number(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	/* The kernel computes ICMPv6's checksum by itself. */
	if (r == 0 && kind == RAWSOCK_TCP)
		r = set_number(fd, IPPROTO_IPV6, IPV6_CHECKSUM, TCP_CHECKSUM);
	return r;
}

static int set_options(int fd, const struct rawsock_target *target, bool ipv6)
{
	int r = set_number(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);

	if (r == 0)
		r = set_number(fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
	if (r == 0 && target->kind != RAWSOCK_OUTER &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, target->interface,
		       (socklen_t)strlen(target->interface) + 1) < 0)
		r = -errno;
	if (r == 0 && target->mark)
		r = set_number(fd, SOL_SOCKET, SO_MARK, (int)target->mark);
	if (r < 0)
		return r;
	if (ipv6)
		return set_ipv6_options(fd, target->kind);
	r = set_number(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	if (r == 0 && target->kind == RAWSOCK_OUTER)
		r = set_number(fd, IPPROTO_IP, IP_RECVERR, 1);
	return r;
}

static int protocol_of(enum rawsock_kind kind, bool ipv6)
{
	if (kind == RAWSOCK_TCP)
		return IPPROTO_TCP;
	return ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

int rawsock_open(const struct rawsock_target *target, int *ret, struct err *err)
{
	struct sockaddr_storage to;
	cleanup_fd int fd = -1;
	bool ipv6;
	int r = address_parse_on(target->address, 0, target->interface, &to);

	if (r < 0)
		return err_set(err, r, "not an IP address: '%s'", target->address);
	ipv6 = to.ss_family == AF_INET6;
	fd = socket(to.ss_family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    protocol_of(target->kind, ipv6));
	if (fd < 0)
		return err_sys(err, errno, "cannot open a raw socket for probes");
	r = filter_source(fd, &to);
	if (r == 0)
		r = set_options(fd, target, ipv6);
	if (r == 0 && connect(fd, (const struct sockaddr *)&to, address_size(&to)) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, -r, "cannot send probes to %s", target->address);
	/* Packets of others came before the filter was there. */
	sockfilter_discard(fd);
	*ret = fd;
	fd = -1;
	return 0;
}
