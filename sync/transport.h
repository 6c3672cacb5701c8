/* SPDX-License-Identifier: MIT */
#ifndef SYNC_TRANSPORT_H
#define SYNC_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * One HTTP request after the other to one server, for client.c: libcurl, one kept
 * connection, one absolute deadline a request with everything in it, and a descriptor
 * that ends a request at once. One thread at a time.
 */

struct transport;

struct transport_config {
	const char *interface; /* "" for any */
	const char *address;
	int port;
	int stop_fd; /* or -1 */
};

struct transport_exchange {
	const char *method;
	const char *path;
	const char *body;    /* JSON, or NULL */
	int64_t deadline_ms; /* on clock_boot_ms() */
};

/* The answer, borrowed until the next request. */
struct transport_answer {
	int status;
	const char *body;
	size_t size; /* at most MSG_BODY_LIMIT */
};

int transport_new(const struct transport_config *config, struct transport **ret,
		  struct err *err);
/* NULL is allowed. */
void transport_free(struct transport *transport);

/* Begin the connection for the next exchange, which must be this one, and return at once:
 * its handshake is under way while the caller does something else. */
void transport_begin(struct transport *transport,
		     const struct transport_exchange *exchange);

/*
 * A kept connection that turns out to be closed is replaced by a fresh one within the
 * deadline (libcurl does that by itself). A connection that is reset before its answer
 * arrives is replaced twice; only requests that may be repeated allow that, and all of
 * ours do. Errors: those of client.h if there was no answer; -EPROTO the answer is not
 * HTTP, or too large.
 */
int transport_run(struct transport *transport,
		  const struct transport_exchange *exchange,
		  struct transport_answer *ret, struct err *err);

/* From now on `stop_fd` does not end requests. */
void transport_ignore_stop(struct transport *transport);
/* The newest connection's smoothed round trip, 0 before the first answer. */
int64_t transport_rtt_us(const struct transport *transport);
/* True if no part of the last exchange was retransmitted from here. */
bool transport_was_clean(const struct transport *transport);
/* "10.0.0.1:5000", "[fd00::1]:5000". */
const char *transport_where(const struct transport *transport);
/* "7.88.1". Static. */
const char *transport_library_version(void);

#endif
