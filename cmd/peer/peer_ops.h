#ifndef CMD_PEER_PEER_OPS_H
#define CMD_PEER_PEER_OPS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/path.h"
#include "cmd/peer/peer.h"
#include "cmd/peer/peer_resume.h"
#include "engine/runner.h"
#include "engine/sweep.h"
#include "netctl/guard.h"
#include "netctl/rtwatch.h"
#include "store/store.h"
#include "sync/client.h"
#include "sync/lease.h"

/*
 * What a run of the peer has open, and what is done with it: the session with the
 * server (cmd/peer/peer_session.c), the operations the sweep calls (cmd/peer/peer_ops.c) and the
 * end of a run (cmd/peer/peer_end.c).
 */

/* What the server does with its MTU when it hears no more of this end. */
enum peer_there {
	PEER_THERE_LEASED, /* it puts it back */
	PEER_THERE_MAYBE, /* the same, unless a commit got there that was not answered */
	PEER_THERE_KEPT,  /* it keeps it */
};

/* Written by the lease's thread, too. */
struct peer_lapse {
	pthread_mutex_t lock;
	int code; /* -ETIME a lease expired, -ECANCELED somebody's change, -EAGAIN else */
	struct err why; /* but of -ETIME */
};

struct peer {
	const struct peer_config *config;
	struct guard *guard;
	struct runner *runner;
	struct client *client;
	struct store *store;
	struct lease *lease;
	struct rtwatch *watch;
	int stop_fd; /* -1 once nothing shall end what is under way */
	struct msg_hello hello;
	struct run_info run;
	char secret[TOKEN_SIZE]; /* of the run */
	int64_t run_id;          /* 0 before there is one */
	bool server_known;       /* run.server says which it is: no other will do */
	bool bound;              /* the same of run.server_range */
	char *options;           /* of the command line, JSON; NULL: out of memory */
	struct resumed resumed;
	struct path_survey survey; /* smart: of the path, before the sweep */
	bool path_shared;          /* the server has it */
	int visits;                /* to be made now: without those of before */
	char session[TOKEN_SIZE];
	int64_t lease_ms; /* the shorter of both ends' */
	_Atomic int64_t
		renewed_at;  /* clock_boot_ms() of the last request it said yes to */
	_Atomic bool lapsed; /* the pair may not have been in force since it was set */
	struct peer_lapse lapse; /* then: why */
	struct mtu_pair mtu;     /* of the visit under way */
	int visits_left; /* with that one; as it was when it began; or NO_FIGURE */
	int64_t left_ms; /* the same, of the time */
	enum peer_there there;
	int mtu_there; /* that it keeps, or may keep */
	char congestion
		[CONGESTION_SIZE]; /* what the tests shall use; "": the defaults */
	uint32_t test;             /* the last test's number */
	int from_port;             /* of its first connection, at this end; 0 any */
	bool disturbed;            /* by others: a test of this visit */
	bool blameless;            /* what this visit was lost for is not its pair */
	bool tested;               /* both directions of this visit */
	int64_t slowest_ms;        /* the longest that a renewal of any session took */
	int64_t lease_told_ms;     /* the lease that was told last */
	int64_t lease_wish_ms;     /* what the lease has to be; 0: nothing is known */
	bool settle_warned;
	bool rows_refused; /* by the server, and that was told */
};

extern const struct sweep_ops peer_ops;

/*
 * Find the server and open (or take over) the session, within `wait_ms`, telling the
 * user what is waited for. -EINTR; -EACCES, -EPROTO and others that waiting does not
 * mend.
 */
int peer_connect(struct peer *peer, int64_t wait_ms, struct err *err);

/* Where the client and the lease's client connect to. */
void peer_client_config(const struct peer *peer, struct client_config *ret);

/* A request's deadline: `least_ms` and some round trips: 10, or fewer where they are slow
 * (those that fit into 2 s; at least 4). */
int peer_timeout_ms(const struct peer *peer, int least_ms);

/* The server's half of the lattice: its own; where the strategy is not a grid, all that it
 * allows, with this end's step. */
struct mtu_range peer_server_lattice(const struct peer *peer);

/* What the sweep makes of a request's failure: -EAGAIN where silence or a lost session
 * is behind it, else the failure itself. */
int peer_mendable(int r);

/* The server said yes to a request that was sent then: its lease runs from there. */
void peer_heard(struct peer *peer, int64_t sent_at_ms);

/* Whether `gap_ms`, one of these gaps, is an outage of the line. */
bool peer_line_was_down(const struct peer *peer, const struct lease_gaps *gaps,
			int64_t gap_ms);

/* After a lapse in a test that was ok: if a lease expired, renewals take longer than that,
 * and the next session's is twice as long. */
void peer_widen_lease(struct peer *peer);

/* A pair is about to be set: earlier lapses do not matter to it. */
void peer_forget_lapse(struct peer *peer);

/* 0; -EAGAIN: either end may have gone back by itself since the pair was set; -ECANCELED:
 * somebody else changed an end's link or conf file, which ends the run. */
int peer_check_lease(struct peer *peer, struct err *err);

/* The guard's -ESTALE to a change, which is somebody else's, as the sweep's -ECANCELED, with
 * this end's name before the text. */
int peer_not_stale(int r, struct err *err);

/* Set the pair at both ends, without a test. */
int peer_set_pair(struct peer *peer, const struct mtu_pair *mtu, struct err *err);

/* Whether packets as large as the sending end's MTU, of the pair just set, arrive.
 * -EAGAIN as for all that the sweep may mend. */
int peer_measure_full_size(struct peer *peer, enum direction dir,
			   struct dir_result *ret, struct err *err);

/* Send what the server has not acknowledged, for at most `limit_ms`. */
void peer_send_rows(struct peer *peer, int64_t limit_ms);

/*
 * The end of a run whose sweep returned `r` (with its sentence in err): keep the best
 * pair where that is asked for, put the rest back, and say what each end has. Returns
 * 0, or why the run failed.
 */
int peer_end(struct peer *peer, int r, struct err *err);

/* Put both ends back and close the session, saying what each has if it is not what is to
 * be expected; `why` is for the server. */
void peer_put_back(struct peer *peer, enum run_outcome outcome, const char *why);

/* How a run that returned `r` ended. */
enum run_outcome peer_outcome(int r);

/* Something a reader of the results should know: stored, and told. */
void peer_warn(struct peer *peer, const char *text);

#endif
