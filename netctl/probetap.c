/* A filtered look at a WireGuard peer's outer packets. */
#include "netctl/probetap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "netctl/outerpkt.h"

/* A busy tunnel's packets wait here while main does something else: each counts with
 * about 2.3 KB. */
#define RECEIVE_BUFFER (8 << 20)
#define UDP_SIZE_MAX   65535

/* --- the filter: offsets are from the IP header --- */

#define LOAD8(at)  BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (at))
#define LOAD16(at) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (at))
#define LOAD32(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define AND(mask)  BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask))
#define ACCEPT     BPF_STMT(BPF_RET | BPF_K, OUTERPKT_HEAD)
#define REFUSE     BPF_STMT(BPF_RET | BPF_K, 0)
/* Go on with the next one, or leave so many out. */
#define UNLESS_SKIP(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define IF_SKIP(value, skip)     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (skip), 0)

static int attach(int fd, struct sock_filter *code, size_t count)
{
	struct sock_fprog program = {.len = (unsigned short)count, .filter = code};
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) <
		    0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

/* UDP from or to it, whole or a first fragment. */
static int filter_ipv4(int fd, const struct in_addr *endpoint)
{
	uint32_t address = ntohl(endpoint->s_addr);
	struct sock_filter code[] = {
		LOAD8(0),
		AND(0xf0),
		UNLESS_SKIP(0x40, 10),
		LOAD8(9),
		UNLESS_SKIP(IPPROTO_UDP, 8),
		LOAD16(6),
		AND(0x1fff),
		UNLESS_SKIP(0, 5),
		LOAD32(12),
		IF_SKIP(address, 2),
		LOAD32(16),
		UNLESS_SKIP(address, 1),
		ACCEPT,
		REFUSE,
	};

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

static uint32_t word_of(const struct in6_addr *address, int i)
{
	uint32_t word;

	memcpy(&word, &address->s6_addr[(size_t)i * 4], sizeof(word));
	return ntohl(word);
}

static int filter_ipv6(int fd, const struct in6_addr *endpoint)
{
	uint32_t w[4] = {word_of(endpoint, 0), word_of(endpoint, 1),
			 word_of(endpoint, 2), word_of(endpoint, 3)};
	struct sock_filter code[] = {
		LOAD8(0),
		AND(0xf0),
		UNLESS_SKIP(0x60, 23),
		LOAD8(6),
		IF_SKIP(IPPROTO_UDP, 4),
		UNLESS_SKIP(IPPROTO_FRAGMENT, 20),
		LOAD16(42),
		AND(0xfff8),
		UNLESS_SKIP(0, 17),
		/* from it */
		LOAD32(8),
		UNLESS_SKIP(w[0], 6),
		LOAD32(12),
		UNLESS_SKIP(w[1], 4),
		LOAD32(16),
		UNLESS_SKIP(w[2], 2),
		LOAD32(20),
		IF_SKIP(w[3], 8),
		/* to it */
		LOAD32(24),
		UNLESS_SKIP(w[0], 7),
		LOAD32(28),
		UNLESS_SKIP(w[1], 5),
		LOAD32(32),
		UNLESS_SKIP(w[2], 3),
		LOAD32(36),
		UNLESS_SKIP(w[3], 1),
		ACCEPT,
		REFUSE,
	};

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

static int filter(int fd, const char *endpoint)
{
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, endpoint, &ipv4) == 1)
		return filter_ipv4(fd, &ipv4);
	if (inet_pton(AF_INET6, endpoint, &ipv6) == 1)
		return filter_ipv6(fd, &ipv6);
	return -EINVAL;
}

int probetap_open(const char *endpoint, int *ret, struct err *err)
{
	/* Of no protocol, so that nothing comes in before the filter is there. */
	cleanup_fd int fd =
		socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_ll any = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};
	int size = RECEIVE_BUFFER;
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot look at outer packets");
	r = filter(fd, endpoint);
	if (r < 0)
		return err_sys(err, -r, "cannot look at the outer packets of '%s'",
			       endpoint);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
		return err_sys(err, errno, "cannot look at outer packets");
	*ret = fd;
	fd = -1;
	return 0;
}

/* --- what is seen --- */

#define SEEN_WHOLE(way)      (1 << (2 * (way)))
#define SEEN_FRAGMENTED(way) (2 << (2 * (way)))

struct probetap {
	int fd;
	int port;
	unsigned char seen[UDP_SIZE_MAX + 1]; /* by UDP size */
};

int probetap_new(int fd, int port, struct probetap **ret, struct err *err)
{
	struct probetap *tap = calloc(1, sizeof(*tap));

	if (!tap) {
		fd_close(&fd);
		return err_set(err, -ENOMEM, "out of memory");
	}
	tap->fd = fd;
	tap->port = port;
	*ret = tap;
	return 0;
}

void probetap_free(struct probetap *tap)
{
	if (!tap)
		return;
	fd_close(&tap->fd);
	free(tap);
}

int probetap_fd(const struct probetap *tap)
{
	return tap->fd;
}

static void note(struct probetap *tap, enum probetap_way way,
		 const struct outerpkt *packet)
{
	int port = way == PROBETAP_IN ? packet->source_port : packet->destination_port;

	if (port != tap->port)
		return;
	tap->seen[packet->udp_size] |= (unsigned char)(packet->fragment
							       ? SEEN_FRAGMENTED(way)
							       : SEEN_WHOLE(way));
}

void probetap_read(struct probetap *tap)
{
	unsigned char head[OUTERPKT_HEAD];
	struct sockaddr_ll from;
	struct outerpkt packet;
	socklen_t length;
	ssize_t n;

	for (;;) {
		length = sizeof(from);
		n = recvfrom(tap->fd, head, sizeof(head), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &length);
		/* An interface that went down is said once, as an error. */
		if (n < 0 && (errno == EINTR || errno == ENETDOWN))
			continue;
		if (n < 0)
			return;
		if (outerpkt_parse(head, (size_t)n, &packet) == 0)
			note(tap,
			     from.sll_pkttype == PACKET_OUTGOING ? PROBETAP_OUT
								 : PROBETAP_IN,
			     &packet);
	}
}

void probetap_forget(struct probetap *tap, enum probetap_way way)
{
	for (int i = 0; i <= UDP_SIZE_MAX; i++)
		tap->seen[i] &=
			(unsigned char)~(SEEN_WHOLE(way) | SEEN_FRAGMENTED(way));
}

struct probetap_seen probetap_look(const struct probetap *tap, enum probetap_way way,
				   int udp_size)
{
	struct probetap_seen seen = {0};

	if (udp_size < 0 || udp_size > UDP_SIZE_MAX)
		return seen;
	seen.whole = tap->seen[udp_size] & SEEN_WHOLE(way);
	seen.fragmented = tap->seen[udp_size] & SEEN_FRAGMENTED(way);
	return seen;
}
