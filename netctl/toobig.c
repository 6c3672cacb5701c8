/* SPDX-License-Identifier: MIT */
#include "netctl/toobig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/io.h"
#include "netctl/sockfilter.h"

/* Where the quoted packet begins: behind the headers of ICMP and ICMPv6. */
#define QUOTED 8
/* The bytes of a message that arrive: it is counted, no more. */
#define TOO_BIG_SEEN 1

#define LOAD8(at)      BPF_STMT(BPF_LD | BPF_B | BPF_IND, (at))
#define LOAD16(at)     BPF_STMT(BPF_LD | BPF_H | BPF_IND, (at))
#define LOAD32(at)     BPF_STMT(BPF_LD | BPF_W | BPF_IND, (at))
#define NEED(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))

/* X: where ICMP's header is. WireGuard's IPv4 packets have no options. */
static int filter_ipv4(int fd, uint32_t endpoint, uint32_t port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		LOAD8(0),
		NEED(ICMP_DEST_UNREACH, 9),
		LOAD8(1),
		NEED(ICMP_FRAG_NEEDED, 7),
		LOAD8(QUOTED + 9),
		NEED(IPPROTO_UDP, 5),
		LOAD32(QUOTED + 16),
		NEED(endpoint, 3),
		LOAD16(QUOTED + 20 + 2),
		NEED(port, 1),
		BPF_STMT(BPF_RET | BPF_K, TOO_BIG_SEEN),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return sockfilter_attach(fd, code, sizeof(code) / sizeof(code[0]), true);
}

/* An IPv6 raw socket's data begin with ICMPv6's header. A quoted fragment has its UDP
 * header elsewhere, or none. */
static int filter_ipv6(int fd, const struct in6_addr *endpoint)
{
	uint32_t words[4];
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
		LOAD8(0),
		NEED(ICMPV6_PKT_TOOBIG, 9),
		LOAD32(QUOTED + 24),
		NEED(0, 7),
		LOAD32(QUOTED + 28),
		NEED(0, 5),
		LOAD32(QUOTED + 32),
		NEED(0, 3),
		LOAD32(QUOTED + 36),
		NEED(0, 1),
		BPF_STMT(BPF_RET | BPF_K, TOO_BIG_SEEN),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(words, endpoint, sizeof(words));
	for (size_t i = 0; i < 4; i++)
		code[4 + 2 * i].k = ntohl(words[i]);
	return sockfilter_attach(fd, code, sizeof(code) / sizeof(code[0]), true);
}

static int filter_endpoint(int fd, const struct sockaddr_storage *endpoint, int port)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)endpoint;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)endpoint;

	if (endpoint->ss_family == AF_INET6)
		return filter_ipv6(fd, &ipv6->sin6_addr);
	return filter_ipv4(fd, ntohl(ipv4->sin_addr.s_addr), (uint32_t)port);
}

int toobig_begin(struct toobig *toobig, const struct probetap_target *endpoint,
		 struct err *err)
{
	struct sockaddr_storage to;
	cleanup_fd int fd = -1;
	int r = address_parse(endpoint->address, 0, &to);

	toobig_end(toobig);
	if (r < 0)
		return err_set(err, r, "not an IP address: '%s'", endpoint->address);
	fd = socket(to.ss_family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    to.ss_family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0)
		return err_sys(err, errno, "cannot open a raw socket for ICMP");
	r = filter_endpoint(fd, &to, endpoint->port);
	if (r < 0)
		return err_sys(err, -r, "cannot filter ICMP messages");
	/* Packets came before the filter. */
	sockfilter_discard(fd);
	toobig->fd = fd;
	fd = -1;
	return 0;
}

int64_t toobig_count(struct toobig *toobig)
{
	if (toobig->fd < 0)
		return NO_FIGURE;
	toobig->count += sockfilter_discard(toobig->fd);
	return toobig->count;
}

void toobig_end(struct toobig *toobig)
{
	fd_close(&toobig->fd);
	toobig->count = 0;
}
