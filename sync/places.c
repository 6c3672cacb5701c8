/* SPDX-License-Identifier: MIT */
/* The connections of a web server's door. */

#include "sync/places.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "sync/whole.h"

/* The age from which a connection without a whole request is ended for another one. */
#define YOUNG_MS 100
/* How much is read of the rest of a refused request, and for how long. */
#define DRAIN_LIMIT 65536
#define DRAIN_MS    1000

int places_watch(struct places *p, int fd, uint32_t events, uint32_t what)
{
	struct epoll_event event = {.events = events, .data.u32 = what};

	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void places_watch_listener(struct places *p, bool on)
{
	struct epoll_event event = {.events = on ? EPOLLIN : 0,
				    .data.u32 = PLACES_LISTENER};

	if (p->closed == !on)
		return;
	epoll_ctl(p->epoll, EPOLL_CTL_MOD, p->listener, &event);
	p->closed = !on;
}

/* --- places --- */

void places_set_state(struct place *place, enum place_state state)
{
	place->state = state;
	place->since_ms = clock_boot_ms();
}

/* Another descriptor may hold the connection: epoll would tell its end as that of the
 * next connection in this place. */
void places_leave(struct places *p, struct place *place)
{
	epoll_ctl(p->epoll, EPOLL_CTL_DEL, place->fd, NULL);
	fd_close(&place->fd);
	place->state = PLACE_FREE;
}

static struct place *find_free(struct places *p)
{
	for (int i = 0; i < PLACES_MAX; i++) {
		if (p->list[i].state == PLACE_FREE)
			return &p->list[i];
	}
	return NULL;
}

bool places_is_at_worker(const struct place *place)
{
	return place->state == PLACE_LACKING || place->state == PLACE_BUSY ||
	       place->state == PLACE_KEPT || place->state == PLACE_SPARE ||
	       place->state == PLACE_ENDED;
}

static void note_address(struct place *place, const struct sockaddr_storage *name)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)name;

	place->zone = 0;
	place->address[0] = '\0';
	if (name->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, place->address, ADDRESS_SIZE);
	if (name->ss_family != AF_INET6)
		return;
	inet_ntop(AF_INET6, &v6->sin6_addr, place->address, ADDRESS_SIZE);
	if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
		place->zone = v6->sin6_scope_id;
}

/* --- requests --- */

static void make_whole(struct places *p, struct place *place)
{
	place->state = PLACE_WHOLE;
	place->turn = ++p->turns;
}

/* Look at what has come, without reading it: that is the worker's. `over`: no more of it
 * will come. */
static void look_at(struct places *p, struct place *place, bool over)
{
	char text[WHOLE_HEAD_MAX + 1];
	ssize_t n = recv(place->fd, text, WHOLE_HEAD_MAX, MSG_PEEK | MSG_DONTWAIT);
	enum whole whole;

	if (n < 0 && errno == EAGAIN && !over)
		return;
	if (n <= 0) {
		places_leave(p, place);
		return;
	}
	if (!place->begun_ms)
		place->begun_ms = clock_boot_ms();
	whole = whole_judge(text, (size_t)n);
	place->all = whole == WHOLE_ALL && n < WHOLE_HEAD_MAX;
	if (whole == WHOLE_ALL || over)
		make_whole(p, place);
	else
		place->state = whole == WHOLE_HEAD ? PLACE_HEAD : PLACE_SILENT;
}

/* Its time is over: let a worker answer what has come. */
static void give_up(struct places *p, struct place *place)
{
	place->late = true;
	/* civetweb would wait for the rest of the head. */
	if (place->state == PLACE_SILENT)
		shutdown(place->fd, SHUT_RD);
	look_at(p, place, true);
}

static void drain(struct places *p, struct place *place)
{
	char rest[4096];
	ssize_t n;

	do {
		n = recv(place->fd, rest, sizeof(rest), MSG_DONTWAIT);
		place->drained += n > 0 ? (size_t)n : 0;
	} while (n > 0 && place->drained < DRAIN_LIMIT);
	if (n == 0 || (n < 0 && errno != EAGAIN) || place->drained >= DRAIN_LIMIT)
		places_leave(p, place);
}

void places_hear(struct places *p, int number, uint32_t events)
{
	struct place *place = &p->list[number];
	bool over = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);

	if (place->state == PLACE_SILENT || place->state == PLACE_HEAD)
		look_at(p, place, over);
	else if (place->state == PLACE_DRAINING)
		drain(p, place);
}

/* 0, or -errno: nobody calls (-EAGAIN), or there is no descriptor for the next one. */
static int accept_one(struct places *p, struct place *place)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);
	int fd = accept4(p->listener, (struct sockaddr *)&name, &size,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* It went away meanwhile. */
	if (fd < 0 && (errno == ECONNABORTED || errno == EINTR || errno == EPROTO))
		return 0;
	if (fd < 0)
		return -errno;
	*place = (struct place){.fd = fd};
	note_address(place, &name);
	places_set_state(place, PLACE_SILENT);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &p->send_buffer, sizeof(p->send_buffer));
	look_at(p, place, false);
	if ((place->state == PLACE_SILENT || place->state == PLACE_HEAD) &&
	    places_watch(p, fd, EPOLLIN | EPOLLRDHUP | EPOLLET,
			 (uint32_t)(place - p->list)) < 0)
		places_leave(p, place);
	return 0;
}

/* True: more call than there are places or descriptors for. */
bool places_accept(struct places *p)
{
	struct place *place;
	int r = 0;

	while (r == 0 && (place = find_free(p)))
		r = accept_one(p, place);
	return r != -EAGAIN;
}

/* --- connections to end --- */

void places_end(struct places *p, struct place *place)
{
	if (places_is_at_worker(place)) {
		place->state = PLACE_ENDED;
		shutdown(place->fd, SHUT_RDWR);
	} else {
		places_leave(p, place);
	}
}

static int count_state(const struct places *p, enum place_state state)
{
	int count = 0;

	for (int i = 0; i < PLACES_MAX; i++)
		count += p->list[i].state == state;
	return count;
}

/* End those of the first states that are no longer young, else the oldest of all. */
static void end_some(struct places *p, const enum place_state *states, int count)
{
	int64_t now_ms = clock_boot_ms();
	struct place *oldest = NULL;
	bool ended = false;

	if (now_ms - p->looked_ms < PLACES_LOOK_MS)
		return;
	p->looked_ms = now_ms;
	for (int i = 0; i < PLACES_MAX; i++) {
		struct place *place = &p->list[i];
		bool may = false;

		for (int j = 0; j < count; j++)
			may |= place->state == states[j];
		if (!may)
			continue;
		if (place->state == PLACE_SPARE ||
		    (now_ms - place->since_ms >= YOUNG_MS &&
		     place->state != PLACE_KEPT)) {
			places_end(p, place);
			ended = true;
		} else if (!oldest || place->since_ms < oldest->since_ms) {
			oldest = place;
		}
	}
	if (oldest && !ended)
		places_end(p, oldest);
}

void places_make_room(struct places *p)
{
	static const enum place_state states[] = {PLACE_DRAINING, PLACE_SILENT,
						  PLACE_HEAD};

	end_some(p, states, 3);
}

void places_free_workers(struct places *p)
{
	static const enum place_state states[] = {PLACE_SPARE, PLACE_LACKING,
						  PLACE_KEPT};
	bool pass_kept = count_state(p, PLACE_KEPT) <= p->workers / 2;

	end_some(p, states, pass_kept ? 2 : 3);
}

/* True if the rest of a request is overdue, or its beginning. */
static bool is_overdue(const struct place *place, int64_t now_ms)
{
	if (place->begun_ms)
		return now_ms - place->begun_ms >= PLACES_REST_MS;
	return now_ms - place->since_ms >= PLACES_PATIENCE_MS;
}

/* True while there is one whose time is to come. */
bool places_check_times(struct places *p)
{
	int64_t now_ms = clock_boot_ms();
	bool any = false;

	for (int i = 0; i < PLACES_MAX; i++) {
		struct place *place = &p->list[i];
		int64_t age_ms = now_ms - place->since_ms;

		if (place->state == PLACE_SILENT || place->state == PLACE_HEAD) {
			if (is_overdue(place, now_ms))
				give_up(p, place);
			any = true;
		} else if (place->state == PLACE_LACKING) {
			/* The worker sees the end of the request, and answers. */
			if (is_overdue(place, now_ms))
				shutdown(place->fd, SHUT_RD);
			any = true;
		} else if (place->state == PLACE_SPARE) {
			if (age_ms >= PLACES_PATIENCE_MS)
				places_end(p, place);
			any = true;
		} else if (place->state == PLACE_DRAINING) {
			if (age_ms >= DRAIN_MS)
				places_leave(p, place);
			any = true;
		}
	}
	return any;
}

/* --- the next one --- */

/* Whole requests go first, one after the other; a worker for the rest of another one is
 * found while one more is free. */
struct place *places_choose_next(struct places *p)
{
	struct place *head = NULL;
	struct place *next = NULL;

	for (int i = 0; i < PLACES_MAX; i++) {
		struct place *place = &p->list[i];

		if (place->state == PLACE_WHOLE && (!next || place->turn < next->turn))
			next = place;
		if (place->state == PLACE_HEAD && !head)
			head = place;
	}
	if (!next && p->taken + 1 < p->workers)
		next = head;
	return next;
}
