/* SPDX-License-Identifier: MIT */
/* TCP sockets, by their descriptors. */
#include "engine/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"

/* A test's process has a dozen descriptors; the kernel always takes the lowest free
 * number. */
#define FD_FIRST 3
#define FD_LIMIT 64

/* Headers, without options. */
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER  20
/* The option of RFC 7323, with its padding. */
#define TIMESTAMPS 12

#define AVAILABLE "/proc/sys/net/ipv4/tcp_available_congestion_control"

/* Release a descriptor from a variable that closes it at the end of its scope. */
static int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* With SO_REUSEADDR two sockets may share one port if neither listens (socket(7)), so
 * that one can reserve it for the other. */
static int bind_to(int fd, const char *local, int port, const char *interface)
{
	struct sockaddr_storage address;
	int on = 1;

	if (address_parse_on(local, port, interface, &address) < 0)
		return -EINVAL;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, address_size(&address)) < 0)
		return -errno;
	return 0;
}

static void append_word(char *list, size_t size, const char *word)
{
	size_t used = strlen(list);

	if (used + strlen(word) + 2 <= size)
		snprintf(list + used, size - used, "%s%s", used ? " " : "", word);
}

void tcp_list_congestion(char *ret, size_t size)
{
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cleanup_fd int file = open(AVAILABLE, O_RDONLY | O_CLOEXEC);
	char usual[CONGESTION_SIZE] = "";
	socklen_t length = sizeof(usual) - 1;
	char names[512];
	char *rest = NULL;
	ssize_t n = file < 0 ? -1 : read(file, names, sizeof(names) - 1);

	ret[0] = '\0';
	if (n < 0 || getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, usual, &length) < 0)
		return;
	names[n] = '\0';
	append_word(ret, size, usual);
	for (char *name = strtok_r(names, " \n", &rest); name;
	     name = strtok_r(NULL, " \n", &rest)) {
		if (strcmp(name, usual) != 0 &&
		    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name,
			       (socklen_t)strlen(name)) == 0)
			append_word(ret, size, name);
	}
}

static int open_bound(const struct test_spec *spec, int family, int local_port)
{
	cleanup_fd int fd =
		socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (spec->interface[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec->interface,
		       (socklen_t)strlen(spec->interface)) < 0)
		return -errno;
	if (spec->local[0] != '\0') {
		r = bind_to(fd, spec->local, local_port, spec->interface);
		if (r < 0)
			return r;
	}
	return take_fd(&fd);
}

static int wait_connected(int fd, int64_t deadline_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int error = 0;
	int n;

	do {
		n = poll(&wait, 1, clock_left_ms(deadline_ms));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

static int connect_from(const struct test_spec *spec, int local_port,
			int64_t deadline_ms)
{
	int64_t patience_ms = clock_boot_ms() + testspec_reach_ms(spec);
	struct sockaddr_storage remote;
	cleanup_fd int fd = -1;
	int r;

	if (address_parse_on(spec->remote, spec->port, spec->interface, &remote) < 0)
		return -EINVAL;
	fd = open_bound(spec, remote.ss_family, local_port);
	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&remote, address_size(&remote)) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		if (patience_ms > deadline_ms)
			patience_ms = deadline_ms;
		r = wait_connected(fd, patience_ms);
		if (r < 0)
			return r;
	}
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
		return -errno;
	return take_fd(&fd);
}

int tcp_connect(const struct test_spec *spec, int64_t deadline_ms)
{
	int fd = connect_from(spec, spec->client_port, deadline_ms);

	/* Another program has the port by now, or the last connection from it is not
	 * over yet. */
	if (spec->client_port && (fd == -EADDRINUSE || fd == -EADDRNOTAVAIL))
		fd = connect_from(spec, 0, deadline_ms);
	return fd;
}

union address {
	struct sockaddr_storage any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int read_peer(int fd, union address *ret)
{
	socklen_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return getpeername(fd, (struct sockaddr *)ret, &size) < 0 ? -errno : 0;
}

bool tcp_peer_is(int fd, const char *address)
{
	union address want, have;

	return address_parse(address, 0, &want.any) == 0 && read_peer(fd, &have) == 0 &&
	       address_same_host(&want.any, &have.any);
}

static bool is_tcp(int fd)
{
	int protocol = 0;
	socklen_t size = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
	       protocol == IPPROTO_TCP;
}

static int port_of(const union address *address)
{
	return ntohs(address->any.ss_family == AF_INET ? address->v4.sin_port
						       : address->v6.sin6_port);
}

int tcp_peer_port(int fd)
{
	union address peer;
	int r = read_peer(fd, &peer);

	return r < 0 ? r : port_of(&peer);
}

int tcp_reserve(const char *local, const char *interface, int *ret_fd)
{
	struct sockaddr_storage address;
	cleanup_fd int fd = -1;
	union address own;
	socklen_t size = sizeof(own);
	int r = address_parse(local, 0, &address);

	if (r < 0)
		return r;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = bind_to(fd, local, 0, interface);
	if (r == 0 && getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return port_of(&own);
}

static bool is_local_port(int fd, int port)
{
	union address own;
	socklen_t size = sizeof(own);

	return is_tcp(fd) && getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
	       port_of(&own) == port;
}

int tcp_find_listener(int port)
{
	for (int fd = FD_FIRST; fd < FD_LIMIT; fd++) {
		socklen_t size = sizeof(int);
		int listens = 0;

		if (is_local_port(fd, port) &&
		    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
		    listens)
			return fd;
	}
	return -1;
}

int tcp_end_listening(int port)
{
	int fd = tcp_find_listener(port);
	cleanup_fd int listener = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_FIRST);
	cleanup_fd int silent = eventfd(0, EFD_CLOEXEC);

	if (listener < 0 || silent < 0)
		return fd < 0 ? -ENOENT : -errno;
	if (dup3(silent, fd, O_CLOEXEC) < 0)
		return -errno;
	/* A select() of the other thread holds the socket open: wake it. It then looks at
	 * what the descriptor is now. */
	return shutdown(listener, SHUT_RD) < 0 ? -errno : 0;
}

int tcp_find_caller(int port, int control, uint64_t least)
{
	for (int fd = FD_FIRST; fd < FD_LIMIT; fd++) {
		struct tcp_figures figures;
		union address peer;

		if (fd != control && is_local_port(fd, port) &&
		    read_peer(fd, &peer) == 0 && tcp_read_figures(fd, &figures) == 0 &&
		    figures.bytes_received >= least)
			return fd;
	}
	return -1;
}

int tcp_find_data(int port, int control)
{
	union address peer;

	for (int fd = FD_FIRST; fd < FD_LIMIT; fd++) {
		/* A socket that listens, or whose SYN is unanswered, has no other end
		 * yet. */
		if (fd == control || !is_tcp(fd) || read_peer(fd, &peer) < 0)
			continue;
		if (port_of(&peer) == port)
			return fd;
	}
	return -1;
}

/* A socket for both families reaches IPv4 by an address within IPv6 (RFC 4291). */
static bool uses_ipv6(const union address *address)
{
	return address->any.ss_family == AF_INET6 &&
	       !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr);
}

int tcp_packet_size(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	union address peer;
	int headers = TCP_HEADER;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
	    read_peer(fd, &peer) < 0 || info.tcpi_snd_mss == 0)
		return 0;
	headers += uses_ipv6(&peer) ? IPV6_HEADER : IPV4_HEADER;
	/* The MSS in use is without the options that each segment has. */
	if (info.tcpi_options & TCPI_OPT_TIMESTAMPS)
		headers += TIMESTAMPS;
	return headers + (int)info.tcpi_snd_mss;
}

bool tcp_is_bbr(int fd)
{
	char name[CONGESTION_SIZE] = "";
	socklen_t size = sizeof(name) - 1;

	return getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 &&
	       strcmp(name, "bbr") == 0;
}

int tcp_read_figures(int fd, struct tcp_figures *ret)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return -errno;
	ret->bytes_acked = info.tcpi_bytes_acked;
	ret->bytes_received = info.tcpi_bytes_received;
	ret->bytes_sent = info.tcpi_bytes_sent;
	ret->rtt_us = info.tcpi_rtt;
	ret->min_rtt_us = info.tcpi_min_rtt;
	ret->rate_bps = info.tcpi_delivery_rate_app_limited
				? 0
				: (int64_t)info.tcpi_delivery_rate * 8;
	ret->retransmits = info.tcpi_total_retrans;
	ret->delivered = info.tcpi_delivered;
	ret->mss = info.tcpi_snd_mss;
	return 0;
}

void tcp_send_word(int fd, char word)
{
	send(fd, &word, sizeof(word), MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool tcp_take_word(int fd, char word)
{
	char came;

	return recv(fd, &came, sizeof(came), MSG_OOB | MSG_DONTWAIT) == 1 &&
	       came == word;
}

static void reset_when_closed(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void tcp_end_reading(int fd)
{
	shutdown(fd, SHUT_RD);
}

void tcp_reset(int fd)
{
	reset_when_closed(fd);
	close(fd);
}

void tcp_reset_all(void)
{
	for (int fd = FD_FIRST; fd < FD_LIMIT; fd++) {
		if (is_tcp(fd))
			reset_when_closed(fd);
	}
}
