/* SPDX-License-Identifier: MIT */
/* The door of a web server: accepts its connections and hands them to civetweb. */

#include "sync/door.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/acceptor.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/thread.h"
#include "sync/places.h"
#include "sync/sockets.h"

/* The interval between looks for connections whose time is over. */
#define TICK_MS 100
/* A limit for civetweb's first call of accept(), which comes at once. */
#define INSTALL_MS 10000

/* The numbers of other events than those of places.h. */
#define EVENT_WAKE  (PLACES_LISTENER + 1)
#define EVENT_TIMER (PLACES_LISTENER + 2)
/* One look hears all: what is not heard counts as silent, and is ended for others. */
#define EVENTS (PLACES_MAX + 3)

struct door {
	struct places places;
	int wake;
	int timer;
	int timer_ms; /* the interval it has; 0: it is not set */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int installed; /* civetweb's listening descriptor, the door's; or -1 */
	bool called;   /* by civetweb's master thread */
	bool ending;
	struct door *next;
};

/* --- all doors --- */

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct door *all;

static int let_in(struct door *door, struct sockaddr *address, socklen_t *size);

static int accept_by_door(int fd, struct sockaddr *address, socklen_t *size)
{
	struct door *door;

	pthread_mutex_lock(&all_lock);
	for (door = all; door && door->installed != fd; door = door->next)
		continue;
	pthread_mutex_unlock(&all_lock);
	return door ? let_in(door, address, size)
		    : accept4(fd, address, size, SOCK_CLOEXEC);
}

static void enlist(struct door *door)
{
	pthread_mutex_lock(&all_lock);
	acceptor_set(accept_by_door);
	door->next = all;
	all = door;
	pthread_mutex_unlock(&all_lock);
}

static void delist(struct door *door)
{
	pthread_mutex_lock(&all_lock);
	for (struct door **at = &all; *at; at = &(*at)->next) {
		if (*at == door) {
			*at = door->next;
			break;
		}
	}
	pthread_mutex_unlock(&all_lock);
}

/* --- events --- */

/* Make the epoll descriptor readable: civetweb's master thread calls accept(). */
static void wake_master(struct door *door)
{
	uint64_t one = 1;

	io_write_all(door->wake, &one, sizeof(one));
}

static void set_timer(struct door *door, int ms)
{
	struct itimerspec spec = {.it_value = {.tv_nsec = ms * 1000000L},
				  .it_interval = {.tv_nsec = ms * 1000000L}};

	if (ms == door->timer_ms)
		return;
	timerfd_settime(door->timer, 0, &spec, NULL);
	door->timer_ms = ms;
}

static void read_counter(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

/* --- handing over --- */

/* civetweb gets the number of the place as the caller's port. */
static int hand_over(struct door *door, struct place *place, struct sockaddr *address,
		     socklen_t *size)
{
	struct sockaddr_in name = {.sin_family = AF_INET};

	epoll_ctl(door->places.epoll, EPOLL_CTL_DEL, place->fd, NULL);
	name.sin_port = htons((uint16_t)(place - door->places.list));
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(address, &name, sizeof(name) < *size ? sizeof(name) : *size);
	*size = sizeof(name);
	places_set_state(place,
			 place->state == PLACE_WHOLE ? PLACE_BUSY : PLACE_LACKING);
	door->places.taken++;
	return place->fd;
}

static void take_events(struct door *door)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(door->places.epoll, events, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		uint32_t what = events[i].data.u32;

		if (what == PLACES_LISTENER)
			continue;
		if (what == EVENT_WAKE)
			read_counter(door->wake);
		else if (what == EVENT_TIMER)
			read_counter(door->timer);
		else
			places_hear(&door->places, (int)what, events[i].events);
	}
}

/* Set what is to be waited for. */
static void plan_ahead(struct door *door, bool any, bool full)
{
	struct place *next = places_choose_next(&door->places);
	bool crowded = full || (next && next->state == PLACE_WHOLE);

	places_watch_listener(&door->places, !full);
	if (next && door->places.taken < door->places.workers) {
		wake_master(door);
		crowded = full;
	}
	set_timer(door, crowded ? PLACES_LOOK_MS : any ? TICK_MS : 0);
}

/* Return the next connection for civetweb; -1 with EAGAIN: there is none. */
static int let_in(struct door *door, struct sockaddr *address, socklen_t *size)
{
	struct place *next;
	int fd = -1;
	bool full;
	bool any;

	pthread_mutex_lock(&door->lock);
	if (!door->called)
		pthread_cond_broadcast(&door->changed);
	door->called = true;
	if (!door->ending) {
		take_events(door);
		full = places_accept(&door->places);
		any = places_check_times(&door->places);
		if (full)
			places_make_room(&door->places);
		next = places_choose_next(&door->places);
		if (next && door->places.taken < door->places.workers)
			fd = hand_over(door, next, address, size);
		else if (next)
			places_free_workers(&door->places);
		plan_ahead(door, any, full);
	}
	pthread_mutex_unlock(&door->lock);
	if (fd < 0)
		errno = EAGAIN;
	return fd;
}

/* --- at a worker --- */

const char *door_address(const struct door *door, int place)
{
	return door->places.list[place].address;
}

unsigned door_zone(const struct door *door, int place)
{
	return door->places.list[place].zone;
}

/* False: the connection was ended. */
static bool change_state(struct door *door, int number, enum place_state state)
{
	struct place *place = &door->places.list[number];
	bool here;

	pthread_mutex_lock(&door->lock);
	here = place->state != PLACE_ENDED;
	if (here)
		places_set_state(place, state);
	pthread_mutex_unlock(&door->lock);
	return here;
}

bool door_asked(struct door *door, int place)
{
	return change_state(door, place, PLACE_BUSY);
}

bool door_lacks(struct door *door, int place)
{
	struct place *at = &door->places.list[place];

	/* A client that has shown the session's id does not send a request by drips. A
	 * request that has come as a whole is not ended for another one. */
	if (!at->late && !at->was_kept && !at->all) {
		change_state(door, place, PLACE_LACKING);
		/* Its time is limited, so the timer has to run. */
		wake_master(door);
	}
	return !at->late;
}

bool door_complete(struct door *door, int place)
{
	return change_state(door, place, PLACE_BUSY);
}

void door_kept(struct door *door, int place)
{
	door->places.list[place].was_kept = true;
	change_state(door, place, PLACE_KEPT);
}

void door_spared(struct door *door, int place)
{
	change_state(door, place, PLACE_SPARE);
	/* Its time is limited, so the timer has to run. */
	wake_master(door);
}

/* Hold the connection by a descriptor of the door's: civetweb closes its own, after it
 * has ended its side of the connection. */
static void begin_drain(struct door *door, struct place *place, int fd)
{
	if (fd < 0)
		return;
	place->fd = fd;
	place->drained = 0;
	places_set_state(place, PLACE_DRAINING);
	if (places_watch(&door->places, fd, EPOLLIN | EPOLLRDHUP | EPOLLET,
			 (uint32_t)(place - door->places.list)) < 0)
		places_leave(&door->places, place);
}

void door_left(struct door *door, int place, bool answered)
{
	struct place *at = &door->places.list[place];
	int fd = -1;

	pthread_mutex_lock(&door->lock);
	if (answered && at->state != PLACE_ENDED && !door->ending)
		fd = fcntl(at->fd, F_DUPFD_CLOEXEC, 0);
	at->fd = -1;
	at->state = PLACE_FREE;
	begin_drain(door, at, fd);
	door->places.taken--;
	if (door->timer_ms || door->places.closed || at->state == PLACE_DRAINING)
		wake_master(door);
	pthread_mutex_unlock(&door->lock);
}

/* --- begin and end --- */

static int open_door(struct door *door, const struct door_config *config,
		     struct err *err)
{
	int r = sockets_listen(config->address, config->port, config->interface,
			       &door->places.listener, err);

	if (r < 0)
		return r;
	door->places.epoll = epoll_create1(EPOLL_CLOEXEC);
	door->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	door->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (door->places.epoll < 0 || door->wake < 0 || door->timer < 0)
		return err_sys(err, errno, "cannot make the web server's descriptors");
	r = places_watch(&door->places, door->places.listener, EPOLLIN,
			 PLACES_LISTENER);
	if (r == 0)
		r = places_watch(&door->places, door->wake, EPOLLIN, EVENT_WAKE);
	if (r == 0)
		r = places_watch(&door->places, door->timer, EPOLLIN, EVENT_TIMER);
	return r < 0 ? err_sys(err, -r, "cannot watch the web server's sockets") : 0;
}

int door_new(const struct door_config *config, struct door **ret, struct err *err)
{
	struct door *door = calloc(1, sizeof(*door));
	int r;

	if (!door)
		return err_set(err, -ENOMEM, "out of memory for the web server");
	door->places.workers = config->workers;
	door->places.send_buffer = config->send_buffer;
	door->places.listener = door->places.epoll = door->wake = door->timer = -1;
	door->installed = -1;
	for (int i = 0; i < PLACES_MAX; i++)
		door->places.list[i].fd = -1;
	pthread_mutex_init(&door->lock, NULL);
	thread_cond_init(&door->changed);
	enlist(door);
	r = open_door(door, config, err);
	if (r < 0) {
		door_free(door);
		return r;
	}
	*ret = door;
	return 0;
}

/* True once civetweb's master thread has called. */
static bool await_call(struct door *door)
{
	struct timespec until;
	bool called;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += INSTALL_MS / 1000;
	pthread_mutex_lock(&door->lock);
	wake_master(door);
	while (!door->called &&
	       pthread_cond_timedwait(&door->changed, &door->lock, &until) != ETIMEDOUT)
		continue;
	called = door->called;
	pthread_mutex_unlock(&door->lock);
	return called;
}

int door_install(struct door *door, const char *address, int port, struct err *err)
{
	int fd = sockets_find_listener(address, port);

	if (fd < 0)
		return err_set(err, -EIO, "cannot find the web server's socket");
	pthread_mutex_lock(&all_lock);
	door->installed = fd;
	pthread_mutex_unlock(&all_lock);
	/* Nobody can call there any more, and poll() in the master thread returns: its
	 * next one waits for what the descriptor is then. */
	shutdown(fd, SHUT_RDWR);
	if (dup3(door->places.epoll, fd, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot replace the web server's socket");
	if (await_call(door))
		return 0;
	return err_set(err, -ENOTSUP,
		       "the civetweb library here does not accept connections through "
		       "this program");
}

void door_end(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	door->ending = true;
	for (int i = 0; i < PLACES_MAX; i++) {
		struct place *place = &door->places.list[i];

		if (place->state == PLACE_LACKING || place->state == PLACE_KEPT ||
		    place->state == PLACE_SPARE)
			places_end(&door->places, place);
	}
	wake_master(door);
	pthread_mutex_unlock(&door->lock);
}

void door_free(struct door *door)
{
	if (!door)
		return;
	delist(door);
	/* civetweb has closed those that a worker had. */
	for (int i = 0; i < PLACES_MAX; i++) {
		if (!places_is_at_worker(&door->places.list[i]))
			fd_close(&door->places.list[i].fd);
	}
	fd_close(&door->timer);
	fd_close(&door->wake);
	fd_close(&door->places.epoll);
	fd_close(&door->places.listener);
	pthread_cond_destroy(&door->changed);
	pthread_mutex_destroy(&door->lock);
	free(door);
}
