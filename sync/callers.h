/* SPDX-License-Identifier: MIT */
#ifndef SYNC_CALLERS_H
#define SYNC_CALLERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/sockets.h"

/*
 * The connections of a web server (http.c), and who of them has to go. A civetweb
 * worker serves one connection from its first byte to its last, and a connection may
 * say nothing, or a byte now and then, for seconds: a handful of those would keep
 * everybody else out. So whenever all workers are taken, a thread of its own ends the
 * connections that have not brought a whole request for 0.1 s, or else the oldest of
 * them, until a worker is free again. One whose request was seen as a whole is not
 * ended; one of which something was read is watched for 2 ms before, since its worker may
 * be about to say that it is a request.
 * A connection whose request is being answered is never ended, nor one that was kept
 * for its caller's next request; of the latter, only those beyond half of the workers.
 *
 * civetweb tells neither its descriptors nor, before there is a request, whose they
 * are: they are found among the process's by their names.
 */

/* The most of a request's head that is read: one without an end by then is refused. */
#define CALLERS_HEAD_MAX 4096

struct caller {
	/* SO_COOKIE, since the descriptor may be another's by now, and a state. */
	_Atomic uint64_t mark;
	/* Its worker's: it was kept, before this request. */
	bool kept;
	/* Used only by the thread that makes room. `heard`: the mark when a whole
	 * request was seen. `seen_...`: the state when a part of one was first seen. */
	uint64_t heard;
	uint64_t seen_mark;
	uint64_t seen_bytes;
	int64_t seen_at_ms;
};

struct callers {
	struct sockaddr_storage local;
	int workers;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending;
	bool stop;
	int taken; /* workers that have a connection */
	struct caller list[SOCKETS_FD_LIMIT];
};

/* For connections to `address` and `port`; callers_stop() follows. 0 or -errno. */
int callers_start(struct callers *c, const char *address, int port, int workers,
		  struct err *err);
/* From now on end every connection that is not just being answered. */
void callers_end_all(struct callers *c);
void callers_stop(struct callers *c);

/*
 * These in the worker that has the connection. A worker took one up; it has a request's head
 * (*ret_fd is its descriptor, -1 where it was not found); its body is waited for; it has all
 * of it; the request is answered, and the connection is kept for the next or not; it was
 * refused, and the rest of it is read and discarded (returns its descriptor, or -1); it is
 * about to be closed. False: the connection was ended just before, and nobody would hear
 * the answer.
 */
void callers_arrived(struct callers *c);
bool callers_asked(struct callers *c, const char *remote, int remote_port, int *ret_fd);
void callers_lacks(struct callers *c, int fd);
bool callers_complete(struct callers *c, int fd);
void callers_answered(struct callers *c, int fd, bool keep);
int callers_refused(struct callers *c, const char *remote, int remote_port);
void callers_left(struct callers *c, const char *remote, int remote_port);

#endif
