/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_SESSION_H
#define CMD_PEER_PEER_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "cmd/peer/peer.h"
#include "netctl/guard.h"
#include "sync/beside.h"
#include "sync/client.h"
#include "sync/lease.h"

/*
 * The session with the server: find it, open its session or take it over, keep the lease,
 * and notice when the lease lapsed or the line was down. The lease's thread runs from
 * peer_session_connect() to peer_session_stop_lease(), and renews both guards. So does the
 * thread of what is sent beside (sync/beside.h).
 */

/* The reason of the newest lapse; the lease's thread writes it, too. */
struct peer_lapse {
	pthread_mutex_t lock;
	/* -ETIME a lease expired, -ECANCELED somebody's change, -EINTR the server is told
	 * to stop, -EAGAIN else */
	int code;
	struct err why; /* except for -ETIME */
};

struct peer_session {
	const struct peer_config *config;
	struct guard *guard;
	struct client *client;
	char server_key[KEY_SIZE]; /* by this end's WireGuard; "" unknown */
	struct run_info *run;    /* sent with the open; the server's part comes back */
	int stop_fd;             /* -1 once nothing shall end what is under way */
	char secret[TOKEN_SIZE]; /* the run's */
	bool server_known;       /* run->server says which it is: no other will do */
	bool bound;              /* the same of run->server_range */
	char id[TOKEN_SIZE];
	struct msg_hello hello;
	char congestion[CONGESTION_SIZE]; /* for the tests; "": the defaults */
	struct lease *lease;              /* NULL while there is none */
	struct beside *beside;            /* the same, and where there is no memory */
	int opened;                       /* how many sessions were opened */
	uint32_t recommendations;         /* sent to the server */
	int64_t lease_ms;                 /* the shorter of both ends' */
	_Atomic int64_t
		renewed_at;  /* clock_boot_ms() of the last request it said yes to */
	_Atomic bool lapsed; /* the pair may not have been in force since it was set */
	struct peer_lapse lapse;
	int64_t slowest_ms;    /* the longest that a renewal of any session took */
	int64_t lease_told_ms; /* the lease that was told last */
	int64_t lease_wish_ms; /* the lease that is needed; 0: nothing is known */
	int64_t probe_gap_ms;  /* the longest one of the last probes */
	int probe_gaps;        /* so many in a row were alike */
	bool link_fell; /* the server's interface was down since the pair was set */
};

/* Where the client and the lease's client connect to. */
void peer_session_client_config(const struct peer_session *session,
				struct client_config *ret);

/* The smallest MTU that the server sets if probes ask for it; a session is open. Below 1280
 * it has no IPv6 inside the tunnel. */
int peer_session_server_least(const struct peer_session *session);

/*
 * Find the server and open (or take over) the session, within `wait_ms`, telling the
 * user what is waited for. -EINTR; -EACCES, -EPROTO and others that waiting does not
 * mend.
 */
int peer_session_connect(struct peer_session *session, int64_t wait_ms,
			 struct err *err);

void peer_session_stop_lease(struct peer_session *session);

/* From now on no signal ends a request or a wait. */
void peer_session_ignore_stop(struct peer_session *session);

/* A request's deadline: `least_ms` and some round trips: 10, or fewer where they are slow
 * (those that fit into 2 s; at least 4). */
int peer_session_timeout_ms(const struct peer_session *session, int least_ms);

/* The caller's result for a request that failed: -EAGAIN where silence or a lost session
 * is behind it, else the failure itself. */
int peer_session_mendable(int r);

/* The server said yes to a request that was sent then: its lease runs from there. */
void peer_session_heard(struct peer_session *session, int64_t sent_at_ms);

/* A gap of `gap_ms`, one of these gaps, is an outage of the line. */
bool peer_session_line_was_down(const struct peer_session *session,
				const struct lease_gaps *gaps, int64_t gap_ms);

/* After a lapse in a test that was ok: if a lease expired, renewals take longer than that,
 * and the next session's is twice as long. */
void peer_session_widen_lease(struct peer_session *session);

/* A pair is about to be set: earlier lapses do not matter to it. */
void peer_session_forget_lapse(struct peer_session *session);

/* 0; -EAGAIN: either end may have restored its MTU since the pair was set; -ECANCELED:
 * somebody else changed an end's link or conf file, which ends the run, as -EINTR does:
 * the server is told to stop. */
int peer_session_check_lease(struct peer_session *session, struct err *err);

/* After -EINTR: put into err why, unless it has the server's answer already. */
void peer_session_stop_reason(struct peer_session *session, struct err *err);

/* Turn the guard's -ESTALE, somebody else's change, into the sweep's -ECANCELED, with
 * this end's name before the text. */
int peer_session_not_stale(int r, struct err *err);

#endif
