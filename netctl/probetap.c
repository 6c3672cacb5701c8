/* SPDX-License-Identifier: MIT */
/* The tap: a packet socket filtered to a WireGuard peer's outer packets, and its
 * process. */
#include "netctl/probetap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/priv.h"
#include "netctl/outerpkt.h"
#include "netctl/probetap_wire.h"
#include "netctl/sockfilter.h"

/* A busy tunnel's packets wait here while other processes run: each takes about 2.3
 * KB. */
#define RECEIVE_BUFFER (8 << 20)

/* --- the filter: offsets are from the IP header --- */

#define LOAD8(at)           BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (at))
#define LOAD16(at)          BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (at))
#define LOAD32(at)          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define AND(mask)           BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask))
#define ACCEPT              BPF_STMT(BPF_RET | BPF_K, OUTERPKT_HEAD)
#define REFUSE              BPF_STMT(BPF_RET | BPF_K, 0)
#define IPV4_HEADER_TO_X    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0)
#define X_IS(offset)        BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, (offset))
#define LOAD16_BEHIND_X(at) BPF_STMT(BPF_LD | BPF_H | BPF_IND, (at))
#define GO_ON_AFTER(skip)   BPF_STMT(BPF_JMP | BPF_JA, (skip))
/* Continue with the next instruction, or skip this many. */
#define UNLESS_SKIP(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define IF_SKIP(value, skip)     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (skip), 0)

/* Accept UDP from or to the endpoint, whole packets and first fragments. */
static int filter_ipv4(int fd, const struct in_addr *endpoint, uint32_t port, bool lock)
{
	uint32_t address = ntohl(endpoint->s_addr);
	struct sock_filter code[] = {
		LOAD8(0),
		AND(0xf0),
		UNLESS_SKIP(0x40, 15),
		LOAD8(9),
		UNLESS_SKIP(IPPROTO_UDP, 13),
		LOAD16(6),
		AND(0x1fff),
		UNLESS_SKIP(0, 10),
		IPV4_HEADER_TO_X,
		/* from it */
		LOAD32(12),
		UNLESS_SKIP(address, 2),
		LOAD16_BEHIND_X(0),
		IF_SKIP(port, 4),
		/* to it */
		LOAD32(16),
		UNLESS_SKIP(address, 3),
		LOAD16_BEHIND_X(2),
		UNLESS_SKIP(port, 1),
		ACCEPT,
		REFUSE,
	};

	return sockfilter_attach(fd, code, sizeof(code) / sizeof(code[0]), lock);
}

static uint32_t word_of(const struct in6_addr *address, int i)
{
	uint32_t word;

	memcpy(&word, &address->s6_addr[(size_t)i * 4], sizeof(word));
	return ntohl(word);
}

static int filter_ipv6(int fd, const struct in6_addr *endpoint, uint32_t port,
		       bool lock)
{
	uint32_t w[4] = {word_of(endpoint, 0), word_of(endpoint, 1),
			 word_of(endpoint, 2), word_of(endpoint, 3)};
	struct sock_filter code[] = {
		LOAD8(0),
		AND(0xf0),
		UNLESS_SKIP(0x60, 32),
		/* load the offset of the UDP header */
		LOAD8(6),
		IF_SKIP(IPPROTO_UDP, 8),
		UNLESS_SKIP(IPPROTO_FRAGMENT, 29),
		LOAD8(40),
		UNLESS_SKIP(IPPROTO_UDP, 27),
		LOAD16(42),
		AND(0xfff8),
		UNLESS_SKIP(0, 24),
		X_IS(48),
		GO_ON_AFTER(1),
		X_IS(40),
		/* from it */
		LOAD32(8),
		UNLESS_SKIP(w[0], 8),
		LOAD32(12),
		UNLESS_SKIP(w[1], 6),
		LOAD32(16),
		UNLESS_SKIP(w[2], 4),
		LOAD32(20),
		UNLESS_SKIP(w[3], 2),
		LOAD16_BEHIND_X(0),
		IF_SKIP(port, 10),
		/* to it */
		LOAD32(24),
		UNLESS_SKIP(w[0], 9),
		LOAD32(28),
		UNLESS_SKIP(w[1], 7),
		LOAD32(32),
		UNLESS_SKIP(w[2], 5),
		LOAD32(36),
		UNLESS_SKIP(w[3], 3),
		LOAD16_BEHIND_X(2),
		UNLESS_SKIP(port, 1),
		ACCEPT,
		REFUSE,
	};

	return sockfilter_attach(fd, code, sizeof(code) / sizeof(code[0]), lock);
}

static int filter_endpoint(int fd, const struct probetap_target *target, bool lock)
{
	uint32_t port = (uint32_t)target->port;
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, target->address, &ipv4) == 1)
		return filter_ipv4(fd, &ipv4, port, lock);
	if (inet_pton(AF_INET6, target->address, &ipv6) == 1)
		return filter_ipv6(fd, &ipv6, port, lock);
	return -EINVAL;
}

static int bind_to(int fd, uint16_t protocol)
{
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
	};

	return bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0 ? -errno : 0;
}

static int begin_receiving(int fd, struct err *err)
{
	int size = RECEIVE_BUFFER;
	int r;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	r = bind_to(fd, ETH_P_ALL);
	return r < 0 ? err_sys(err, -r, "cannot capture outer packets") : 0;
}

static int set_filter(int fd, const struct probetap_target *target, bool lock,
		      struct err *err)
{
	int r = filter_endpoint(fd, target, lock);

	if (r < 0)
		return err_sys(err, -r, "cannot capture the outer packets of '%s'",
			       target->address);
	return 0;
}

int probetap_open(const struct probetap_target *target, int *ret, struct err *err)
{
	/* Protocol 0: no packet arrives before the filter is attached. */
	cleanup_fd int fd =
		socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot capture outer packets");
	r = set_filter(fd, target, true, err);
	if (r == 0)
		r = begin_receiving(fd, err);
	if (r < 0)
		return r;
	*ret = fd;
	fd = -1;
	return 0;
}

/* No packet comes in meanwhile, so this ends. */
static void discard_packets(int fd)
{
	char byte;

	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0 || errno == ENETDOWN)
		continue;
}

/* Bound to a protocol that nobody uses, it costs other packets nothing. */
void probetap_silence(int there)
{
	struct sock_filter code[] = {REFUSE};

	sockfilter_attach(there, code, 1, false);
	bind_to(there, ETH_P_802_EX1);
	discard_packets(there);
}

/*
 * A copy of a socket that serves one probe after the other, so its filter cannot be
 * locked: only the guard could replace it, since the tap has no call that does.
 */
static int open_there(int there, const struct probetap_target *target, int *ret,
		      struct err *err)
{
	cleanup_fd int fd = fcntl(there, F_DUPFD_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot capture outer packets");
	/* What is in its queue is of the probe before. */
	probetap_silence(there);
	r = set_filter(fd, target, false, err);
	if (r == 0)
		r = begin_receiving(fd, err);
	if (r < 0)
		return r;
	*ret = fd;
	fd = -1;
	return 0;
}

/* --- the process --- */

struct watcher {
	int packets;
	int port;
	/* by UDP size, until it is reported */
	unsigned char seen[PROBETAP_UDP_MAX + 1];
};

static void note_packet(struct watcher *w, enum probetap_way way,
			const struct outerpkt *packet)
{
	int port = way == PROBETAP_IN ? packet->source_port : packet->destination_port;

	/* The filter accepts the port in either direction. */
	if (port != w->port)
		return;
	w->seen[packet->udp_size] |= (unsigned char)(packet->fragment
							     ? SEEN_FRAGMENTED(way)
							     : SEEN_WHOLE(way));
}

static void take_packets(struct watcher *w)
{
	unsigned char head[OUTERPKT_HEAD];
	struct sockaddr_ll from;
	struct outerpkt packet;
	socklen_t length;
	ssize_t n;

	for (;;) {
		length = sizeof(from);
		n = recvfrom(w->packets, head, sizeof(head), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &length);
		/* The socket reports an interface that went down once, as an error. */
		if (n < 0 && (errno == EINTR || errno == ENETDOWN))
			continue;
		if (n < 0)
			return;
		if (outerpkt_parse(head, (size_t)n, &packet) == 0)
			note_packet(w,
				    from.sll_pkttype == PACKET_OUTGOING ? PROBETAP_OUT
									: PROBETAP_IN,
				    &packet);
	}
}

static bool send_answer(int client, struct probetap_answer *answer)
{
	size_t size = sizeof(*answer) - sizeof(answer->sizes) +
		      answer->count * sizeof(answer->sizes[0]);
	bool sent = send(client, answer, size, MSG_NOSIGNAL) == (ssize_t)size;

	answer->count = 0;
	return sent;
}

static bool tell_sizes(struct watcher *w, int client)
{
	struct probetap_answer answer = {.more = 1};

	for (int i = 0; i <= PROBETAP_UDP_MAX; i++) {
		if (!w->seen[i])
			continue;
		if (answer.count == PROBETAP_SEEN && !send_answer(client, &answer))
			return false;
		answer.sizes[answer.count].udp_size = (uint16_t)i;
		answer.sizes[answer.count++].seen = w->seen[i];
		w->seen[i] = 0;
	}
	answer.more = 0;
	return send_answer(client, &answer);
}

/* Run until main closes its end. */
static void watch_packets(struct watcher *w, int client)
{
	struct pollfd polled[] = {
		{.fd = w->packets, .events = POLLIN},
		{.fd = client, .events = POLLIN},
	};
	char question;

	for (;;) {
		if (poll(polled, 2, -1) < 0)
			continue;
		if (polled[1].revents && recv(client, &question, 1, 0) != 1)
			return;
		/* The answer must contain all packets that arrived before the
		 * question. */
		take_packets(w);
		if (polled[1].revents && !tell_sizes(w, client))
			return;
	}
}

/* Close all descriptors but the standard streams and these two. */
static void close_others(int a, int b)
{
	int low = a < b ? a : b;
	int high = a < b ? b : a;

	if (low > 3)
		io_close_range(3, (unsigned)low - 1);
	if (high > low + 1)
		io_close_range((unsigned)low + 1, (unsigned)high - 1);
	io_close_range((unsigned)high + 1, ~0U);
}

static void watch_in_child(int packets, int port, int client, pid_t guard)
{
	static struct watcher watcher;

	prctl(PR_SET_NAME, "mtusweep-tap", 0, 0, 0);
	close_others(packets, client);
	priv_die_with_parent(SIGKILL, guard);
	watcher.packets = packets;
	watcher.port = port;
	if (priv_receive_only(NULL) == 0)
		watch_packets(&watcher, client);
}

int probetap_start(const struct probetap_target *target, int there, pid_t *ret_pid,
		   int *ret_fd, struct err *err)
{
	cleanup_fd int packets = -1;
	cleanup_fd int mine = -1;
	pid_t guard = getpid();
	int pair[2];
	int r = there < 0 ? probetap_open(target, &packets, err)
			  : open_there(there, target, &packets, err);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot capture outer packets");
	mine = pair[1];
	*ret_pid = fork();
	if (*ret_pid == 0) {
		watch_in_child(packets, target->port, mine, guard);
		_exit(0);
	}
	if (*ret_pid < 0) {
		*ret_pid = 0;
		fd_close(&pair[0]);
		return err_sys(err, errno, "cannot capture outer packets");
	}
	*ret_fd = pair[0];
	return 0;
}

void probetap_stop(pid_t *pid)
{
	if (!*pid)
		return;
	kill(*pid, SIGKILL);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	*pid = 0;
}
