/* SPDX-License-Identifier: MIT */
/* The connections that a test's server accepts. */
#include "engine/callfilter.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/acceptor.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/types.h"
#include "engine/tcp.h"

/* Control and data. */
#define CONNECTIONS 2

static char peer[ADDRESS_SIZE]; /* "": any address */
static int peer_port;           /* 0: any */
static int patience;            /* ms */
static int accepted;
static int hold = -1;         /* readable: the data connection may be given */
static atomic_bool has_ended; /* the process listens no more */
/* Number of connections given to the library; another thread that uses them reads
 * it. */
static atomic_int given;

static bool is_expected(int fd)
{
	return tcp_peer_is(fd, peer) && tcp_peer_port(fd) == peer_port;
}

/* Choose between `first` and the expected connection, if that comes in time. */
static int prefer_expected(int listener, int first)
{
	int64_t deadline_ms = clock_boot_ms() + patience;
	struct pollfd wait = {.fd = listener, .events = POLLIN};
	int n;

	while ((n = poll(&wait, 1, clock_left_ms(deadline_ms))) != 0) {
		int got = n < 0 ? -1 : accept4(listener, NULL, NULL, 0);

		if (got < 0)
			continue;
		if (is_expected(got)) {
			tcp_reset(first);
			return got;
		}
		tcp_reset(got);
	}
	return first;
}

static int accept_expected(int fd, struct sockaddr *address, socklen_t *size)
{
	socklen_t room = size ? *size : 0;

	for (;;) {
		int got = accept4(fd, address, size, 0);

		if (got < 0 || peer[0] == '\0' || accepted >= CONNECTIONS)
			return got;
		if (tcp_peer_is(got, peer)) {
			if (peer_port && accepted == 0 && !is_expected(got))
				got = prefer_expected(fd, got);
			if (size)
				getpeername(got, address, size);
			accepted++;
			return got;
		}
		tcp_reset(got);
		if (size)
			*size = room;
	}
}

static void await_go(void)
{
	struct pollfd wait = {.fd = hold, .events = POLLIN};

	while (poll(&wait, 1, -1) < 0 && errno == EINTR)
		continue;
}

/* The library looked at the listener just before that ended: give it something to say to
 * that it is busy. The other end is for the process's end to close. */
static int accept_nobody(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ? -1
									    : ends[0];
}

/* The program's accept(), for libiperf. */
static int accept_for_test(int fd, struct sockaddr *address, socklen_t *size)
{
	bool open = accepted < CONNECTIONS;
	int got = accept_expected(fd, address, size);

	if (got < 0 && atomic_load(&has_ended))
		return accept_nobody();
	if (open && accepted == CONNECTIONS && hold >= 0)
		await_go();
	atomic_fetch_add(&given, 1);
	return got;
}

int callfilter_set(const char *address, int port, int patience_ms)
{
	struct sockaddr_storage parsed;
	int r = address_parse(address, 0, &parsed);

	if (r < 0)
		return r;
	text_copy(peer, sizeof(peer), address);
	peer_port = port;
	patience = patience_ms;
	accepted = 0;
	acceptor_set(accept_for_test);
	return 0;
}

void callfilter_hold(int go_fd)
{
	hold = go_fd;
}

bool callfilter_end_listening(int port)
{
	if (atomic_load(&given) == 0)
		return false;
	atomic_store(&has_ended, true);
	return tcp_end_listening(port) == 0;
}

void callfilter_meet(void)
{
	(void)atomic_load(&given);
}
