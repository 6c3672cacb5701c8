/* SPDX-License-Identifier: MIT */
#ifndef CMD_SERVER_SERVER_OPS_H
#define CMD_SERVER_SERVER_OPS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "cmd/run/live_page.h"
#include "cmd/server/server.h"
#include "engine/runner.h"
#include "netctl/guard.h"
#include "netctl/probe_answer.h"
#include "netctl/rtroute.h"
#include "netctl/rtwatch.h"
#include "store/store.h"
#include "sync/endpoint.h"
#include "sync/quota.h"
#include "sync/rowcheck.h"

/* For readers. */
struct server_now {
	pthread_mutex_t lock;
	const char *doing;   /* NULL: nothing; static */
	struct mtu_pair mtu; /* .peer 0: the peer does not say */
	int64_t visits_left; /* or NO_FIGURE */
	int64_t over_at_ms;  /* clock_boot_ms(), about; 0 unknown */
};

/* The pages that asked of late. */
#define SERVER_READERS 16

struct server_reader {
	char id[PAGE_READER_SIZE]; /* "": none */
	int64_t asked_at_ms;       /* clock_boot_ms() */
	bool told_end;             /* it has the last answer of a run that has ended */
};

struct server_readers {
	pthread_mutex_t lock;
	struct server_reader list[SERVER_READERS];
};

/* The last answers to GET /metrics, over the tunnel and on this host; for free(). */
struct server_metrics {
	char *text[2];
	int64_t again_at_ms[2]; /* not read before that: clock_boot_ms() */
};

/*
 * Operations run in the endpoint's threads, one at a time but for renew, hello and the
 * page's; what they share with those and with the main thread is atomic or locks by
 * itself.
 */
struct server {
	const struct server_config *config;
	struct guard *guard;
	struct runner *runner;
	struct store *store;
	struct endpoint *endpoint;
	struct live_page page;
	struct server_now now;
	struct server_readers readers;
	struct server_metrics metrics;
	struct end_facts facts;  /* this end's, without the endpoint's family */
	char peer[ADDRESS_SIZE]; /* the session's peer */
	int64_t run_id; /* 0 while there is none, in a check, and in a probe at first */
	/* The run of a probe, until its copy is begun: nothing is written while the peer
	 * waits for its answer. */
	struct run_info late;
	char late_secret[TOKEN_SIZE];
	bool is_late;
	bool watches;            /* the session is one of a watch */
	char watched[UUID_SIZE]; /* the watch that was told last */
	bool measures; /* the session's run is the one that --once waits for */
	int mtu;       /* this end's, as last set by the peer */
	bool by_route; /* it is the MTU of the routes to the peer, not of the link */
	int rows;      /* received for this run */
	struct rowcheck check;  /* checks the session's rows */
	struct quota quota;     /* how much each peer has stored today */
	char who[ADDRESS_SIZE]; /* the session's peer, for it */
	int planned;
	_Atomic int64_t lease_ms; /* in force */
	_Atomic bool session_open;
	_Atomic bool completed; /* a run that measures closed as done */
	/* Deadline (clock_boot_ms()) of the wait for a peer that fell silent after its
	 * pair was applied; 0: there is none. */
	_Atomic int64_t farewell_by_ms;
	pthread_mutex_t watch_lock;
	struct rtwatch *watch;
	bool was_down;     /* the link, since the pair was set */
	bool may_commit;   /* both ends were started for that */
	int committed_mtu; /* by this session, or one it took over; or 0 */
	/* The last applied MTU and its run: a later session of that run is told. */
	int kept_mtu;
	int64_t kept_run;
	/* The MTU for which this session has proved full-size packets, and the test
	 * that may still prove them for the current MTU; or 0. */
	int proved_mtu;
	uint32_t proof_test;
	bool settle_warned;
	struct path_survey survey;    /* this run's, from the peer */
	bool surveyed[DIR_COUNT];     /* the directions received */
	uint32_t recommended;         /* the number of this session's last one */
	struct probe_answer *probing; /* NULL while the path is not probed */
	struct warnings warnings;     /* this run's, until the peer has its answer */
	bool warning_told;            /* the session was told them, with the pair of */
	uint32_t warning_test;        /* this test */
	int wake_fd;                  /* eventfd: the main thread looks again */
};

/* A peer that lost the answer to its commit asks again for 10 s (cmd/peer/peer_keep.c). */
#define SERVER_FAREWELL_MS 20000

/* A peer waits 2 s for the answer to an open or a row: within that time it must learn
 * that the database is locked. */
#define SERVER_PATIENCE_MS 1000

/* The endpoint's callbacks; `ctx` is a struct server. */
extern const struct endpoint_ops server_ops;

/* Let the main thread look again. */
void server_wake(const struct server *f);

/* endpoint_ops.hello and .open (cmd/server/server_open.c). */
void server_hello(void *ctx, struct msg_hello *ret);
int server_open(void *ctx, const struct msg_open *m, const char *address, bool resumed,
		struct end_facts *ret, struct err *err);

/* The way to an address. -EACCES: it is not behind the tunnel, so another path would be
 * measured, and a stranger obeyed. -EAGAIN: the lookup failed, and the peer asks again. */
int server_check_way(const struct server *f, const char *address, struct rtroute *ret,
		     struct err *err);

/* Store the warning here, and send it to the peer with the answer to a pair. */
void server_warn(struct server *f, struct warning w);

/* Begin the copy of a probe's run, if it has none yet. -EINVAL: nothing is stored of this
 * session, which is a check's; else as store_begin_copy(). */
int server_check_stored(struct server *f, struct err *err);
/* store_begin_copy(), within the quota. */
int server_begin_copy(struct server *f, const struct run_info *run, const char *secret,
		      bool *ret_known, struct err *err);

/* endpoint_ops.stopping (cmd/server/server.c). */
void server_stopping(void *ctx);

/* Where the session's MTU is, as host_kept_in() says it. */
const char *server_kept_in(const struct server *f);
/* "watch", "probe" or "check": the session is no run's. */
const char *server_probe_word(const struct server *f);

/* A guard's -ESTALE, somebody else's change, as an answer: the peer takes -ESTALE for a
 * lost session. */
int server_not_stale(int r);

/* endpoint_ops.probe (cmd/server/server_probe.c); ends a probe that is under way. */
int server_probe(void *ctx, const struct msg_probe *m, struct msg_probing *ret,
		 struct err *err);
/* End a probe that is under way, so that the guard and the port are free. */
void server_end_probe(struct server *f);

/* The peer takes each successful answer for a renewal of this end's lease: renew it. A
 * lease that has expired voids the visit under way, not this request. */
void server_heard(struct server *f);

/* endpoint_ops.path and .recommendation (cmd/server/server_findings.c). */
int server_path(void *ctx, const struct msg_path *m, struct err *err);
int server_recommendation(void *ctx, const struct msg_recommendation *m,
			  struct err *err);

/* page_ops.metrics (cmd/server/server_metrics.c). */
int server_metrics(void *ctx, bool near, char **ret_text, struct err *err);
void server_metrics_release(struct server_metrics *metrics);

/* page_ops.progress (cmd/server/server_page.c), and the present state that it shows:
 * `doing` is static, NULL when nothing is under way. */
int server_progress(void *ctx, const struct page_ask *ask, char **ret_json,
		    struct err *err);
void server_tell(struct server *f, const char *doing);
/* How long to wait at most for a page that asked of late and has not got the end of the
 * run yet; 0: there is none. The main thread is woken when that changes. */
int server_readers_ms(struct server *f);
void server_tell_pair(struct server *f, const struct msg_pair *m);

/* End what the session's peer left: the test, the MTU, the run. Returns the result of
 * guard_restore(). The endpoint must not be calling any operation. */
int server_leave_run(struct server *f, enum run_outcome outcome, const char *text,
		     struct err *err);

#endif
