/* SPDX-License-Identifier: MIT */
#ifndef SYNC_ENDPOINT_H
#define SYNC_ENDPOINT_H

#include <stdbool.h>

#include "base/err.h"
#include "sync/msg.h"
#include "sync/page.h"

/*
 * The server's HTTP endpoint (civetweb), bound to the tunnel address and, for reading
 * only, to 127.0.0.1. It checks address, session and message, then calls the operation,
 * which cmd/server/server_ops.c fills from netctl, engine and store. Operations run in
 * civetweb's threads: those that change state one at a time, `renew`, `hello` and the
 * page's beside them. Each returns 0 or a negative errno with a sentence, which the peer
 * gets with the HTTP status that docs/protocol.md gives for it. A warning goes into `err`
 * with a return of 0.
 *
 * A session's lease is renewed by each of its requests that succeeds, and cannot
 * expire while an operation of its own is under way. `close` is called once a session:
 * when the peer repeats its request because the answer was lost, it gets that answer
 * again.
 */

struct endpoint_ops {
	/* 0: the way to this address is the tunnel; -EACCES: it is not; -EAGAIN: the
	 * lookup failed. Asked at each request, before anything else is looked at; at any
	 * time. */
	int (*admit)(void *ctx, const char *address);
	void (*hello)(void *ctx, struct msg_hello *ret);
	/* A session was opened, or taken over (`resumed`); fill in the server's facts.
	 * `address` is the peer's tunnel address. */
	int (*open)(void *ctx, const struct msg_open *m, const char *address,
		    bool resumed, struct end_facts *ret, struct err *err);
	/* Add to *ret what the peer does not know yet of this end. */
	int (*pair)(void *ctx, const struct msg_pair *m, struct msg_paired *ret,
		    struct err *err);
	int (*arm)(void *ctx, const struct msg_arm *m, struct err *err);
	/* Fill *ret with the abilities of this end. */
	int (*probe)(void *ctx, const struct msg_probe *m, struct msg_probing *ret,
		     struct err *err);
	/* Figures of the test armed last, after its end. -ENOENT: another test. */
	int (*figures)(void *ctx, uint32_t test, struct msg_figures *ret,
		       struct err *err);
	int (*row)(void *ctx, const struct measurement *m, struct err *err);
	/* The peer's path, one direction. */
	int (*path)(void *ctx, const struct msg_path *m, struct err *err);
	/* The run's recommendation, by the rows and the path sent before. */
	int (*recommendation)(void *ctx, const struct msg_recommendation *m,
			      struct err *err);
	int (*renew)(void *ctx, struct err *err);
	int (*commit)(void *ctx, struct err *err);
	int (*close)(void *ctx, const struct msg_close *m, struct err *err);
	/* The session's lease expired (called by endpoint_tick()). */
	void (*expired)(void *ctx);
	/* The server is told to stop, and the session's peer may only end its run: end what
	 * it measures (called by endpoint_stop()). */
	void (*stopping)(void *ctx);
	/* For readers, at any time; one call at a time. */
	struct page_ops page;
};

struct endpoint_config {
	const char *address;   /* inside the tunnel */
	const char *interface; /* the tunnel's; "" none */
	int port;
	/* A peer that wants a longer lease gets this one; LEASE_MIN_MS to
	 * LEASE_MAX_MS. */
	int64_t lease_max_ms;
	const struct endpoint_ops *ops;
	void *ctx;
};

struct endpoint;

/*
 * Bind and serve. If 127.0.0.1 is not available, go on without it. -EADDRINUSE,
 * -EADDRNOTAVAIL (not an address of this host), -EACCES (a port below 1024); -ENOTSUP
 * a civetweb that does not fit (door.h).
 */
int endpoint_new(const struct endpoint_config *config, struct endpoint **ret,
		 struct err *err);

/*
 * The server is about to end. From now on the session's peer gets -EINTR and `why` for an
 * answer, but to what a peer sends at its end: rows, path, recommendation and close. Nobody
 * gets a session. Waits for the operation under way, and calls `stopping`.
 */
void endpoint_stop(struct endpoint *endpoint, const char *why);

/* Stop serving: returns once no operation runs any more. NULL is allowed. */
void endpoint_free(struct endpoint *endpoint);

/*
 * End a session whose lease has expired, and call `expired`. Return the milliseconds
 * until the next call, or -1 while no session is open; fd (endpoint_fd()) becomes
 * readable when that changes before.
 */
int endpoint_tick(struct endpoint *endpoint);
int endpoint_fd(const struct endpoint *endpoint);

/* Return the version of the library, such as "1.15". Static. */
const char *endpoint_library_version(void);

#endif
