/* SPDX-License-Identifier: MIT */
#ifndef SYNC_CLIENT_H
#define SYNC_CLIENT_H

#include "base/err.h"
#include "sync/msg.h"

/*
 * The peer's half of the protocol over libcurl: bound to the tunnel interface, no proxy
 * whatever the environment says, one kept connection, one absolute deadline a request.
 * A client belongs to one thread at a time; the lease has a client of its own.
 *
 * Errors: what the server answered comes back as its errno and, after "the server: ",
 * its sentence (-EBUSY another
 * session, -EACCES not permitted, -ESTALE session gone, -EPROTO another version, ...).
 * No answer: -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH (or no route), -ECONNRESET,
 * -ENODEV no such interface; -EPROTO what came is no answer of ours; -EINTR when
 * `stop_fd` became readable first. client_answered() tells the two apart. Requests that
 * may be repeated (row, lease, hello, commit, close) can be sent again after such a
 * failure without harm; pair, arm and probe can too, since they state what shall be, not a
 * step.
 */

struct client;

struct client_config {
	char interface[IF_NAME_SIZE]; /* "" for any */
	char address[ADDRESS_SIZE];
	int port;
	int stop_fd; /* or -1 */
};

int client_new(const struct client_config *config, struct client **ret,
	       struct err *err);
void client_free(struct client *client);

/* From now on only the deadline ends a request: for restoring the hosts. */
void client_ignore_stop(struct client *client);

/* True if the server answered the last request, if only with an error: the tunnel and
 * the server work. */
bool client_answered(const struct client *client);

/* Begin to connect for client_hello(), which must be the next request, and return at
 * once. */
void client_hello_begin(struct client *client);
/* All times are the request's deadline from now. */
int client_hello(struct client *client, int timeout_ms, struct msg_hello *ret,
		 struct err *err);
/* ret->lease_ms is never longer than the requested lease. */
int client_open(struct client *client, const struct msg_open *m, int timeout_ms,
		struct msg_opened *ret, struct err *err);
/* *ret: the server's warnings. */
int client_pair(struct client *client, const struct msg_pair *m, int timeout_ms,
		struct msg_paired *ret, struct err *err);
/* These calls, except the probe, put a warning of the server's into err's text when they
 * return 0, else "". */
int client_arm(struct client *client, const struct msg_arm *m, int timeout_ms,
	       struct err *err);
int client_probe(struct client *client, const struct msg_probe *m, int timeout_ms,
		 struct msg_probing *ret, struct err *err);
/* Get the server's figures of the test armed last. A repeated request is harmless. */
int client_figures(struct client *client, const struct msg_ask *m, int timeout_ms,
		   struct msg_figures *ret, struct err *err);
int client_row(struct client *client, const char *run, const struct msg_row *m,
	       int timeout_ms, struct err *err);
/* These state facts, and may be repeated as well. */
int client_path(struct client *client, const struct msg_path *m, int timeout_ms,
		struct err *err);
int client_recommendation(struct client *client, const struct msg_recommendation *m,
			  int timeout_ms, struct err *err);
int client_renew(struct client *client, const char *session, int timeout_ms,
		 struct err *err);
int client_commit(struct client *client, const char *session, int timeout_ms,
		  struct err *err);
int client_close(struct client *client, const struct msg_close *m, int timeout_ms,
		 struct err *err);

/* The kept connection's smoothed round trip (TCP_INFO), 0 before the first answer. */
int64_t client_rtt_us(const struct client *client);

/* True if no part of the last request was retransmitted from here: its duration is the
 * path's round trip. */
bool client_was_clean(const struct client *client);

/* "7.88.1". Static. */
const char *client_library_version(void);

#endif
