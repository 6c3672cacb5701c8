/* SPDX-License-Identifier: MIT */
#ifndef SYNC_DOOR_H
#define SYNC_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

/*
 * The door of a web server: our own listening socket, of either family, in front of
 * civetweb (http.c). civetweb gets a connection only once its request is there, and so
 * needs no IPv6 of its own, and no patience with slow callers: its workers, each of
 * which has one connection at a time, only answer.
 *
 * civetweb is started on a port that it never uses: door_install() replaces
 * that listening socket by the door's epoll descriptor. When that is readable, civetweb's
 * master thread calls accept(), which is ours (base/acceptor.h). There the door accepts
 * connections, peeks at them, and returns one whose request is complete; the peer address
 * that civetweb sees is the number of the connection's place. So the door has no thread,
 * and a request passes through no other process or socket.
 *
 * The door holds at most PLACES_MAX connections (places.h), those at workers included.
 * Once they are taken, those without a whole request for 0.1 s are ended, or else the
 * oldest. If the head of a request has come alone, a worker reads the rest, as long as one
 * more is free, so that a refusal does not wait for it; when whole requests wait for a
 * worker, such connections are ended in the same way. A connection whose request is being
 * answered is never ended, nor one that was kept for its caller's next request, except
 * those beyond half of the workers, and those that are kept while nobody needs them.
 */

struct door_config {
	const char *address;
	const char *interface; /* zone of a link-local address; "" none */
	int port;
	int workers;
	int send_buffer; /* SO_SNDBUF of each connection */
};

struct door;

/* Listen. door_free() follows. Errors are those of sockets_listen(). */
int door_new(const struct door_config *config, struct door **ret, struct err *err);
/* Take the place of the socket that civetweb has just opened to listen on this port of an
 * IPv4 address. -ENOTSUP: it does not accept connections by the program's accept(). */
int door_install(struct door *door, const char *address, int port, struct err *err);
/* From now on end every connection that is not just being answered, and hand over no
 * other; civetweb's threads wake up. */
void door_end(struct door *door);
/* After civetweb's end. NULL is allowed. */
void door_free(struct door *door);

/*
 * Calls of the worker that has the connection; `place` is the "port" that civetweb takes
 * for the caller's.
 */

/* The caller's address, without a zone. Valid until door_left(). */
const char *door_address(const struct door *door, int place);
/* The index of the link that the caller's address is local to; 0: it is global. */
unsigned door_zone(const struct door *door, int place);
/* The head of a request has come, or its beginning and no more. False: the connection was
 * ended just before, so no answer can arrive. */
bool door_asked(struct door *door, int place);
/* The request's body is to be read. False: it did not come in time. */
bool door_lacks(struct door *door, int place);
/* The body has come. False: the connection was ended just before. */
bool door_complete(struct door *door, int place);
/* The request is answered, and the connection is kept for the next one. */
void door_kept(struct door *door, int place);
/* The same for a caller that anybody may be: the connection is ended as soon as another
 * one needs its worker, and after PLACES_PATIENCE_MS. */
void door_spared(struct door *door, int place);
/* The connection is about to be closed. `answered`: more of its client's may still be under
 * way, and is read and discarded, so that the answer is not lost in a reset. */
void door_left(struct door *door, int place, bool answered);

#endif
