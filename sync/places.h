/* SPDX-License-Identifier: MIT */
#ifndef SYNC_PLACES_H
#define SYNC_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

/*
 * The places of a web server's door, one for each connection, for door.c alone, which
 * holds its lock for all calls. Descriptors are watched by epoll; the number of an event
 * below PLACES_MAX is that of a place.
 */

#define PLACES_MAX 128
/* A connection on which nothing has come is given up after this: the segment that opens it
 * may have to be sent again, on a path whose round trip takes seconds. */
#define PLACES_PATIENCE_MS 3000
/* The same where a request has begun: most of our messages are one segment. Where the
 * second of two is lost on a long path, the peer gets a 408, and asks again. */
#define PLACES_REST_MS 700
/* While places or workers are short: the interval between looks for connections to
 * end. */
#define PLACES_LOOK_MS 2
/* The number of the listener's events. */
#define PLACES_LISTENER PLACES_MAX

enum place_state {
	PLACE_FREE,
	PLACE_SILENT,   /* at the door: no head of a request yet */
	PLACE_HEAD,     /* at the door: the head is there, the body is not */
	PLACE_WHOLE,    /* at the door: as much as will come */
	PLACE_LACKING,  /* at a worker, which waits for the body */
	PLACE_BUSY,     /* at a worker, being answered */
	PLACE_KEPT,     /* at a worker, which waits for the next request */
	PLACE_SPARE,    /* the same, for anybody's: until the worker is needed */
	PLACE_ENDED,    /* at a worker, shut down */
	PLACE_DRAINING, /* answered; the rest of its request is discarded */
};

struct place {
	enum place_state state;
	int fd;           /* at a worker: civetweb's, else the door's */
	int64_t since_ms; /* its begin, or that of its state */
	int64_t begun_ms; /* when the first bytes of its request were seen; 0: none were */
	uint64_t turn;    /* the order in which whole requests came */
	bool all;         /* its first request has come as a whole */
	bool late;        /* its time is over: nothing more is read of it */
	bool was_kept;    /* it has been open before this request */
	size_t drained;
	unsigned zone;
	char address[ADDRESS_SIZE];
};

struct places {
	int listener;
	int epoll;
	int workers;
	int send_buffer;
	bool closed; /* the listener is not watched: there is no place */
	int taken;   /* places at workers */
	int64_t looked_ms;
	uint64_t turns; /* the last whole request has this one */
	struct place list[PLACES_MAX];
};

/* 0 or -errno. */
int places_watch(struct places *p, int fd, uint32_t events, uint32_t number);
void places_watch_listener(struct places *p, bool on);

/* Accept those that call. True: more call than there are places or descriptors for. */
bool places_accept(struct places *p);
/* Look at a connection that has an event of epoll. */
void places_hear(struct places *p, int number, uint32_t events);
/* Give up those whose time is over. True while there is one whose time is to come. */
bool places_check_times(struct places *p);
/* The next connection for a worker that is free, or NULL. */
struct place *places_choose_next(struct places *p);

/* End connections at the door, or at workers: those that are no longer young, and spare
 * ones, else the oldest. Not more often than every PLACES_LOOK_MS. */
void places_make_room(struct places *p);
void places_free_workers(struct places *p);
void places_end(struct places *p, struct place *place);

void places_set_state(struct place *place, enum place_state state);
bool places_is_at_worker(const struct place *place);
/* Close the connection. */
void places_leave(struct places *p, struct place *place);

#endif
