/* SPDX-License-Identifier: MIT */
/* The connections of a web server, and who of them has to go. */

#include "sync/callers.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/thread.h"

/* While all workers are taken: how often is looked who can be ended, and for how long one
 * of which something has come has to say nothing more. */
#define LOOK_AGAIN_MS 2
/* While all workers are taken, a request has to have come after so long. */
#define PATIENCE_MS 100
#define STACK_SIZE  (128 * 1024)

enum state {
	STATE_WAITING, /* for its first request's head */
	STATE_LACKING, /* a request's body, or a part of it */
	STATE_BUSY,
	STATE_KEPT,
	STATE_REFUSED, /* it has its answer, and may still send the rest of its request */
	STATE_GOING,
};

/* A mark is a socket's cookie with its connection's state in the lowest bits: one word, so
 * that a worker never waits for the thread that looks at all of them. */
#define STATE_BITS 3
#define STATE_MASK ((UINT64_C(1) << STATE_BITS) - 1)

static uint64_t make_mark(int fd, enum state state)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie << STATE_BITS | (uint64_t)state;
}

/* That of another socket, which had the descriptor before, is of one not heard yet. */
static uint64_t mark_of(const struct callers *c, int fd)
{
	uint64_t fresh = make_mark(fd, STATE_WAITING);
	uint64_t mark = atomic_load(&c->list[fd].mark);

	return (mark & ~STATE_MASK) == fresh ? mark : fresh;
}

static enum state state_of(const struct callers *c, int fd)
{
	return (enum state)(mark_of(c, fd) & STATE_MASK);
}

static void set_state(struct callers *c, int fd, enum state state)
{
	atomic_store(&c->list[fd].mark, make_mark(fd, state));
}

/* False: it has become another meanwhile. */
static bool change_state(struct callers *c, int fd, uint64_t from, enum state to)
{
	uint64_t there = atomic_load(&c->list[fd].mark);
	uint64_t next = (from & ~STATE_MASK) | (uint64_t)to;

	if ((there & ~STATE_MASK) == (from & ~STATE_MASK) && there != from)
		return false;
	return atomic_compare_exchange_strong(&c->list[fd].mark, &there, next);
}

static bool is_ours(const struct callers *c, int fd)
{
	return sockets_is_connection(fd, &c->local);
}

static int find(const struct callers *c, const char *remote, int remote_port)
{
	return sockets_find_connection(&c->local, remote, remote_port);
}

static int count_kept(const struct callers *c)
{
	int kept = 0;

	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++)
		kept += (atomic_load(&c->list[fd].mark) & STATE_MASK) == STATE_KEPT &&
			is_ours(c, fd) && state_of(c, fd) == STATE_KEPT;
	return kept;
}

/* True if the worker may just have read a request and not yet reported it. */
static bool may_be_asking(struct caller *caller, uint64_t mark, uint64_t bytes)
{
	int64_t now_ms = clock_boot_ms();
	bool kept = (mark & STATE_MASK) == STATE_KEPT;

	if (bytes == 0)
		return false;
	if (caller->heard == mark)
		return true;
	if (caller->seen_mark != mark || (kept && caller->seen_bytes != bytes)) {
		caller->seen_mark = mark;
		caller->seen_bytes = bytes;
		caller->seen_at_ms = now_ms;
	}
	return now_ms - caller->seen_at_ms < LOOK_AGAIN_MS;
}

/* True if the text begins with a complete request, body included. */
static bool is_whole(const char *text, size_t size)
{
	const char *length = strcasestr(text, "\nContent-Length:");
	const char *end = strstr(text, "\r\n\r\n");
	unsigned long body = 0;

	if (end)
		end += 4;
	else if ((end = strstr(text, "\n\n")))
		end += 2;
	if (end && length && length < end)
		body = strtoul(length + strlen("\nContent-Length:"), NULL, 10);
	return end && body <= size - (size_t)(end - text);
}

/* True if the unread bytes may hold a complete request. They are peeked at, so that the
 * worker still receives them. */
static bool may_be_whole(struct caller *caller, int fd, uint64_t mark, bool is_all)
{
	char text[CALLERS_HEAD_MAX + 1];
	ssize_t n;

	if (!is_all || caller->heard == mark)
		return true;
	n = recv(fd, text, CALLERS_HEAD_MAX, MSG_PEEK | MSG_DONTWAIT);
	if (n <= 0)
		return true;
	text[n] = '\0';
	if (n == CALLERS_HEAD_MAX || is_whole(text, (size_t)n))
		caller->heard = mark;
	return caller->heard == mark;
}

/* For how long it has been there without an answer; -1: it is not to be ended. */
static int64_t waited_ms(struct callers *c, int fd, uint64_t mark, bool spare_kept)
{
	enum state state = (enum state)(mark & STATE_MASK);
	struct caller *caller = &c->list[fd];
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	int unread = 0;
	bool asks;

	if (state == STATE_BUSY || state == STATE_GOING ||
	    (state == STATE_KEPT && spare_kept))
		return -1;
	if (state == STATE_REFUSED)
		return INT64_MAX;
	if (ioctl(fd, FIONREAD, &unread) < 0 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return -1;
	if (unread > 0)
		asks = may_be_whole(caller, fd, mark,
				    (uint64_t)unread == info.tcpi_bytes_received) ||
		       info.tcpi_last_data_sent < PATIENCE_MS;
	else
		asks = may_be_asking(caller, mark, info.tcpi_bytes_received);
	/* Nothing was sent yet: since it was set up. */
	return asks ? -1 : (int64_t)info.tcpi_last_data_sent;
}

static void end_caller(struct callers *c, int fd, uint64_t mark)
{
	if (change_state(c, fd, mark, STATE_GOING))
		shutdown(fd, SHUT_RDWR);
}

/* All that had time enough, else the oldest. With the lock, so that none of them is closed
 * meanwhile. */
static void end_some(struct callers *c)
{
	bool spare_kept = !c->ending && count_kept(c) <= c->workers / 2;
	int64_t patience_ms = c->ending ? 0 : PATIENCE_MS;
	uint64_t oldest_mark = 0;
	int64_t longest_ms = -1;
	int oldest = -1;
	bool ended = false;

	for (int fd = 0; fd < SOCKETS_FD_LIMIT; fd++) {
		uint64_t mark = is_ours(c, fd) ? mark_of(c, fd) : STATE_GOING;
		int64_t ms = waited_ms(c, fd, mark, spare_kept);

		if (ms >= patience_ms && (mark & STATE_MASK) != STATE_KEPT) {
			end_caller(c, fd, mark);
			ended = true;
		} else if (ms > longest_ms) {
			longest_ms = ms;
			oldest = fd;
			oldest_mark = mark;
		}
	}
	if (oldest >= 0 && !ended)
		end_caller(c, oldest, oldest_mark);
}

/* Not woken by what happens meanwhile: to look at all of them costs time, which the workers
 * need. */
static void rest(struct callers *c)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_AGAIN_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!c->stop && pthread_cond_clockwait(&c->changed, &c->lock,
						  CLOCK_MONOTONIC, &until) != ETIMEDOUT)
		continue;
}

static void *make_room(void *arg)
{
	struct callers *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		if (c->taken < c->workers && !c->ending) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		end_some(c);
		rest(c);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void release(struct callers *c)
{
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
}

int callers_start(struct callers *c, const char *address, int port, int workers,
		  struct err *err)
{
	int r;

	memset(c, 0, sizeof(*c));
	address_parse(address, port, &c->local);
	c->workers = workers;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	r = thread_start(&c->thread, STACK_SIZE, make_room, c);
	if (r == 0)
		return 0;
	release(c);
	return err_sys(err, -r, "cannot start a thread of the web server");
}

void callers_end_all(struct callers *c)
{
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void callers_stop(struct callers *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	release(c);
}

/* --- events of a connection --- */

void callers_arrived(struct callers *c)
{
	pthread_mutex_lock(&c->lock);
	c->taken++;
	if (c->taken >= c->workers)
		pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

bool callers_asked(struct callers *c, const char *remote, int remote_port, int *ret_fd)
{
	int fd = find(c, remote, remote_port);

	*ret_fd = fd;
	if (fd < 0)
		return true;
	c->list[fd].kept = state_of(c, fd) == STATE_KEPT;
	return callers_complete(c, fd);
}

void callers_lacks(struct callers *c, int fd)
{
	/* A client that has shown the session's id does not send a request by drips. */
	if (fd >= 0 && !c->list[fd].kept)
		set_state(c, fd, STATE_LACKING);
}

bool callers_complete(struct callers *c, int fd)
{
	uint64_t mark;

	if (fd < 0)
		return true;
	do
		mark = mark_of(c, fd);
	while ((mark & STATE_MASK) != STATE_GOING &&
	       !change_state(c, fd, mark, STATE_BUSY));
	return (mark & STATE_MASK) != STATE_GOING;
}

void callers_answered(struct callers *c, int fd, bool keep)
{
	if (fd >= 0)
		set_state(c, fd, keep ? STATE_KEPT : STATE_GOING);
}

int callers_refused(struct callers *c, const char *remote, int remote_port)
{
	int fd = find(c, remote, remote_port);

	if (fd >= 0 && state_of(c, fd) != STATE_GOING)
		set_state(c, fd, STATE_REFUSED);
	return fd;
}

void callers_left(struct callers *c, const char *remote, int remote_port)
{
	int fd;

	pthread_mutex_lock(&c->lock);
	fd = find(c, remote, remote_port);
	if (fd >= 0)
		set_state(c, fd, STATE_GOING);
	c->taken--;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}
