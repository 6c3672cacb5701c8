/* SPDX-License-Identifier: MIT */
/* Packets that a plain host answers. */
#include "netctl/echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* It uses struct timespec, which it does not include. */
#include <linux/errqueue.h>

#include "base/address.h"
#include "base/io.h"
#include "base/random.h"
#include "base/text.h"
#include "netctl/echoanswer.h"
#include "netctl/hostchange.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER  8
#define ICMP_HEADER 8
#define TCP_HEADER  20
/* ICMP's timestamp message without padding */
#define STAMP_SIZE 20
/* Packets that are no answers, read at once. */
#define TAKEN_MAX 1000

const char *echo_kind_name(enum echo_kind kind)
{
	static const char *const names[ECHO_KINDS] = {
		[ECHO_PLAIN] = "echoes",
		[ECHO_TCP] = "TCP segments",
		[ECHO_STAMP] = "ICMP timestamp requests",
		[ECHO_UDP] = "UDP datagrams to a closed port",
		[ECHO_OUTER] = "echoes with DF to the endpoint",
	};

	return names[kind];
}

/* --- the socket --- */

static void note_addresses(struct echo *echo, const struct sockaddr_storage *local,
			   const struct sockaddr_storage *remote)
{
	if (echo->ipv6)
		return;
	echo->local = ((const struct sockaddr_in *)local)->sin_addr.s_addr;
	echo->remote = ((const struct sockaddr_in *)remote)->sin_addr.s_addr;
}

static int port_of(int fd)
{
	struct sockaddr_storage local = {0};
	socklen_t size = sizeof(local);

	if (getsockname(fd, (struct sockaddr *)&local, &size) < 0)
		return 0;
	return ntohs(local.ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)&local)->sin6_port
			     : ((const struct sockaddr_in *)&local)->sin_port);
}

/* The kernel resets what an answer to these would open. */
static int reserve_ports(struct echo *echo, const struct sockaddr_storage *local)
{
	while (echo->ports < ECHO_PORTS) {
		int fd = socket(local->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		echo->from[echo->ports++].fd = fd;
		if (bind(fd, (const struct sockaddr *)local, address_size(local)) < 0)
			return -errno;
		echo->from[echo->ports - 1].port = port_of(fd);
	}
	return 0;
}

static int open_udp(struct echo *echo, const struct sockaddr_storage *local,
		    const struct sockaddr_storage *remote)
{
	int level = echo->ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int probe = echo->ipv6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
	int on = 1;

	echo->fd =
		socket(local->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (echo->fd < 0 ||
	    setsockopt(echo->fd, level,
		       echo->ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &probe,
		       sizeof(probe)) < 0 ||
	    setsockopt(echo->fd, level, echo->ipv6 ? IPV6_RECVERR : IP_RECVERR, &on,
		       sizeof(on)) < 0 ||
	    bind(echo->fd, (const struct sockaddr *)local, address_size(local)) < 0 ||
	    connect(echo->fd, (const struct sockaddr *)remote, address_size(remote)) <
		    0)
		return -errno;
	return 0;
}

/* The address that the connected socket sends from, and any port. */
static int find_local(int fd, struct sockaddr_storage *ret)
{
	socklen_t size = sizeof(*ret);

	if (getsockname(fd, (struct sockaddr *)ret, &size) < 0)
		return -errno;
	if (ret->ss_family == AF_INET6)
		((struct sockaddr_in6 *)ret)->sin6_port = 0;
	else
		((struct sockaddr_in *)ret)->sin_port = 0;
	return 0;
}

int echo_open(struct echo *ret, enum echo_kind kind, int fd,
	      const struct echo_target *target, struct err *err)
{
	struct sockaddr_storage local = {0};
	struct sockaddr_storage remote;
	int r = address_parse_on(target->remote, target->port, target->interface,
				 &remote);

	*ret = ECHO_CLOSED;
	ret->fd = fd;
	ret->kind = kind;
	ret->port = target->port;
	ret->id = (uint16_t)random_u64();
	if (r == 0 && kind == ECHO_UDP)
		r = address_parse_on(target->local, 0, target->interface, &local);
	if (r < 0)
		return err_set(err, r, "not an IP address: '%s'", target->remote);
	ret->ipv6 = remote.ss_family == AF_INET6;
	/* The source that the kernel has chosen is part of the checksum. */
	if (kind == ECHO_TCP)
		r = find_local(fd, &local);
	note_addresses(ret, &local, &remote);
	if (kind == ECHO_STAMP && ret->ipv6)
		r = -EAFNOSUPPORT;
	if (r == 0 && kind == ECHO_TCP)
		r = reserve_ports(ret, &local);
	if (kind == ECHO_UDP)
		r = open_udp(ret, &local, &remote);
	if (r == 0)
		return 0;
	echo_close(ret);
	return err_sys(err, -r, "cannot send %s to %s", echo_kind_name(kind),
		       target->remote);
}

void echo_close(struct echo *echo)
{
	fd_close(&echo->fd);
	while (echo->ports > 0)
		fd_close(&echo->from[--echo->ports].fd);
}

static int ip_header(const struct echo *echo)
{
	return echo->ipv6 ? IPV6_HEADER : IPV4_HEADER;
}

int echo_least(const struct echo *echo)
{
	static const int headers[ECHO_KINDS] = {
		[ECHO_PLAIN] = ICMP_HEADER, [ECHO_TCP] = TCP_HEADER,
		[ECHO_STAMP] = STAMP_SIZE,  [ECHO_UDP] = UDP_HEADER + 2,
		[ECHO_OUTER] = ICMP_HEADER,
	};

	return ip_header(echo) + headers[echo->kind];
}

int echo_allow_pieces(struct echo *echo, bool allowed)
{
	int level = echo->ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int whole = echo->ipv6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
	int pieces = echo->ipv6 ? IPV6_PMTUDISC_DONT : IP_PMTUDISC_DONT;
	int value = allowed ? pieces : whole;
	int keep = !allowed;

	if (setsockopt(echo->fd, level,
		       echo->ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &value,
		       sizeof(value)) < 0 ||
	    (echo->ipv6 &&
	     setsockopt(echo->fd, level, IPV6_DONTFRAG, &keep, sizeof(keep)) < 0))
		return -errno;
	return 0;
}

/* --- sending --- */

static void put_u16(unsigned char *at, unsigned int value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static void put_u32(unsigned char *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value & 0xffff);
}

/* RFC 1071 */
static uint32_t add_words(uint32_t sum, const unsigned char *data, int size)
{
	for (int i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (size % 2)
		sum += (uint32_t)data[size - 1] << 8;
	return sum;
}

static unsigned int fold_sum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void fill_icmp(const struct echo *echo, unsigned char *data, int size,
		      uint16_t number)
{
	data[0] = echo->kind == ECHO_STAMP ? ICMP_TIMESTAMP : ICMP_ECHO;
	if (echo->ipv6)
		data[0] = ICMP6_ECHO_REQUEST;
	put_u16(data + 4, echo->id);
	put_u16(data + 6, number);
	/* The kernel writes ICMPv6's. */
	if (!echo->ipv6)
		put_u16(data + 2, fold_sum(add_words(0, data, size)));
}

/* RFC 9293: a SYN; the data behind it are discarded. */
static void fill_tcp(const struct echo *echo, unsigned char *data, int size,
		     uint16_t number)
{
	unsigned char pseudo[12];

	put_u16(data, (unsigned int)echo->from[number % ECHO_PORTS].port);
	put_u16(data + 2, (unsigned int)echo->port);
	put_u32(data + 4, (uint32_t)number << ECHOANSWER_SEQUENCE_SHIFT);
	data[12] = TCP_HEADER / 4 << 4;
	data[13] = TH_SYN;
	put_u16(data + 14, 1024);
	if (echo->ipv6)
		return;
	memcpy(pseudo, &echo->local, 4);
	memcpy(pseudo + 4, &echo->remote, 4);
	put_u16(pseudo + 8, IPPROTO_TCP);
	put_u16(pseudo + 10, (unsigned int)size);
	put_u16(data + 16,
		fold_sum(add_words(add_words(0, pseudo, sizeof(pseudo)), data, size)));
}

static int send_data(const struct echo *echo, const void *data, int size)
{
	struct pollfd polled = {.fd = echo->fd, .events = POLLOUT};
	int r = 0;

	/* An error that an answer to an earlier packet brought is told once, and may be
	 * EMSGSIZE too; that this packet is above the link's MTU, each time. */
	for (int tries = 0; tries < 4; tries++) {
		if (send(echo->fd, data, (size_t)size, MSG_NOSIGNAL) >= 0)
			return 0;
		r = -errno;
		if (r == -EAGAIN || r == -ENOBUFS)
			poll(&polled, 1, 10);
	}
	return r;
}

int echo_send(struct echo *echo, int size, uint16_t number)
{
	/* The padding is zeros. */
	unsigned char data[HOSTCHANGE_PROBE_MTU_MAX] = {0};
	int payload = size - ip_header(echo);

	if (size < echo_least(echo) || payload > (int)sizeof(data))
		return -EMSGSIZE;
	if (echo->kind == ECHO_UDP) {
		put_u16(data, number);
		return send_data(echo, data, payload - UDP_HEADER);
	}
	if (echo->kind == ECHO_TCP)
		fill_tcp(echo, data, payload, number);
	else
		fill_icmp(echo, data, payload, number);
	return send_data(echo, data, payload);
}

/* --- receiving --- */

/* The kernel's note of an ICMP error about a packet of ours, of which it shows the
 * beginning. */
static bool read_error(struct echo *echo, const struct msghdr *message, ssize_t size,
		       const unsigned char *data, uint16_t *ret)
{
	const struct sock_extended_err *why = NULL;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
	     c = CMSG_NXTHDR((struct msghdr *)message, c)) {
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			why = (const struct sock_extended_err *)CMSG_DATA(c);
	}
	return why && echoanswer_read_error(echo, why, data, (size_t)size, ret);
}

/* 1 an answer, 0 something else, -EAGAIN nothing. */
static int take_error(struct echo *echo, uint16_t *ret)
{
	unsigned char data[64];
	char control[512];
	struct iovec part = {data, sizeof(data)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(echo->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return -EAGAIN;
	return read_error(echo, &message, n, data, ret);
}

int echo_receive(struct echo *echo, uint16_t *ret_number)
{
	unsigned char data[128];
	bool has_errors = echo->kind == ECHO_UDP || echo->kind == ECHO_OUTER;

	for (int tries = 0; tries < TAKEN_MAX; tries++) {
		int error = has_errors ? take_error(echo, ret_number) : -EAGAIN;
		ssize_t n;

		if (error == 1)
			return 1;
		n = recv(echo->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EBADF) && error == -EAGAIN)
			return 0;
		if (n > 0 && echo->kind != ECHO_UDP &&
		    echoanswer_read(echo, data, (size_t)n, ret_number))
			return 1;
	}
	return 0;
}
