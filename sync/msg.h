/* SPDX-License-Identifier: MIT */
#ifndef SYNC_MSG_H
#define SYNC_MSG_H

#include "base/err.h"
#include "base/evidence.h"
#include "base/path.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/types.h"
#include "sync/warnings.h"

/*
 * The messages of docs/protocol.md as values, and their JSON. Encoding and decoding are
 * pure. Every body is at most MSG_BODY_LIMIT bytes, so that a whole HTTP message stays
 * below 1 KB and passes a path that loses anything larger. What comes in is not
 * trusted: a field that is missing, of another type, out of range or too long makes the
 * message -EBADMSG, with the field's name in the text. Unknown fields are skipped.
 */

#define MSG_PROTOCOL   3
#define MSG_BODY_LIMIT 760

/* GET /v1/hello: the server's facts and limits. */
struct msg_hello {
	int protocol;
	struct end_facts server;
	struct mtu_range range; /* the grid's */
	/* The MTUs that the server allows; NO_FIGURE: `range`. */
	int64_t allow_min;
	int64_t allow_max;
	/* The smallest MTU that it sets where probes show that only smaller ones than
	 * allow_min fit; NO_FIGURE: allow_min. */
	int64_t low_min;
	int mtu_unit;   /* they are multiples of it; 0: 1 */
	int peers;      /* WireGuard peers of its interface; 0: unknown */
	bool by_route;  /* they are set for the routes to the peer, not for the link */
	bool live_only; /* no file keeps an MTU that is applied */
	int iperf_port;
	enum persist persist; /* the option of this end */
	bool busy;            /* a session is open */
	/* The algorithms of the server's tests, its default first; "": unknown. */
	char congestion[CONGESTION_LIST_SIZE];
};

/* GET /v1/status: for readers. */
struct msg_status {
	bool open;               /* a session is open */
	char peer[ADDRESS_SIZE]; /* its address; "" where none is */
	char run[UUID_SIZE];     /* its run; "" where none is */
	uint32_t rows;           /* the highest sequence number taken so far */
};

/* POST /v1/session */
struct msg_open {
	int protocol;
	char secret[TOKEN_SIZE]; /* the run's: only its peer may open it again */
	struct run_info run;     /* .server is not sent: the server fills it in */
	int64_t lease_ms;
};

struct msg_opened {
	char session[TOKEN_SIZE];
	int64_t lease_ms; /* in force: the shorter of what the two ends want */
	struct end_facts server;
};

/* POST /v1/pair: set the server's MTU, clear what the last pair left, arm a test. */
struct msg_pair {
	char session[TOKEN_SIZE];
	int mtu;
	uint32_t test; /* the test to arm; 0 for none */
	int64_t duration_ms;
	int64_t rtt_us;
	int from_port; /* the test's first connection uses it; 0: any */
	/* The test that follows, to be set up beside that one; 0: none */
	uint32_t next;
	int next_port;     /* as from_port, of the next test */
	int64_t precision; /* as in msg_arm, of the next test */
	/* For the readers of the server's page. */
	int peer_mtu;        /* 0: it does not say */
	int64_t visits_left; /* this one included; NO_FIGURE: it does not say */
	int64_t left_ms;     /* until the sweep is over, about; or NO_FIGURE */
};

/* The answer: warnings about the server that the peer stores with its run. */
struct msg_paired {
	struct warnings warnings;
};

/* POST /v1/arm: end what still runs, arm this test. */
struct msg_arm {
	char session[TOKEN_SIZE];
	bool full_size; /* test full-size packets; else throughput */
	uint32_t test;
	int64_t duration_ms;
	int64_t rtt_us;
	int from_port;
	int64_t precision; /* percent, wanted for its goodput; else 0 or NO_FIGURE */
};

/* POST /v1/figures: the server's figures of the test armed last. */
struct msg_ask {
	char session[TOKEN_SIZE];
	uint32_t test;
};

/* The answer: figures alone. Those of source SENDER are known where the server was the end
 * that sent. */
struct msg_figures {
	struct dir_result seen;
};

/* POST /v1/probe: set this host up for probes from that UDP port, and answer them. */
struct msg_probe {
	char session[TOKEN_SIZE];
	char token[TOKEN_SIZE]; /* every datagram carries it */
	int port;               /* the peer's */
	int reach;              /* inner sizes go up to this at least */
	bool relayed;           /* the peer's endpoint is on its own host */
};

/* The abilities of the server. Sizes are those of inner packets. */
struct msg_probing {
	int overhead; /* the server's WireGuard's: outer size minus inner size */
	bool relayed; /* the server's endpoint is on its own host */
	char endpoint[ADDRESS_SIZE]; /* the server's, where its outer packets go */
	int outer_mtu; /* path MTU as the server's host knows it; 0: unknown */
	int size_min;
	int size_max;
	bool tap;    /* it looks at outer packets */
	bool exact;  /* a burst of probes leaves at once */
	bool unseen; /* its outer packets are where it cannot look */
	int unit;    /* sizes are multiples of it; 0: 1 */
};

/* PUT /v1/run/<uuid>/row/<seq> */
struct msg_row {
	char session[TOKEN_SIZE];
	struct measurement row;
};

/* POST /v1/path: the peer's knowledge of one direction of the path. */
struct msg_path {
	char session[TOKEN_SIZE];
	bool download;      /* server to peer */
	int overhead;       /* WireGuard's, at the sender of this direction */
	bool relayed;       /* the sender's endpoint is on its own host */
	bool unseen;        /* the receiver does not see its outer packets */
	int probes;         /* sizes probed; 0: throughput alone tells */
	uint32_t since_seq; /* as in struct path_survey */
	int64_t probe_ms;
	char bands[PATH_BANDS_TEXT_SIZE]; /* as path_bands_parse() takes it */
};

/* POST /v1/recommendation: the run's recommendation. */
struct msg_recommendation {
	char session[TOKEN_SIZE];
	struct mtu_pair mtu; /* the recommended pair; 0, 0: none any more */
	enum evidence_status status;
	bool settled;
	struct reason reason; /* not REASON_TEXT */
	uint32_t number; /* grows with each of the session: a smaller one is older */
};

/* POST /v1/lease and POST /v1/commit carry the session alone; commit applies the MTU
 * set. */
struct msg_session {
	char session[TOKEN_SIZE];
};

/* POST /v1/close */
struct msg_close {
	char session[TOKEN_SIZE];
	enum run_outcome outcome;
	char text[384];
	/* the run's last one, whose session is not sent; number 0: none */
	struct msg_recommendation recommendation;
};

/* The body of every answer that is not 2xx, and of a 2xx that has nothing else to say.
 */
struct msg_answer {
	int code;       /* 0, or the positive errno of the failure */
	char text[384]; /* the sentence; "" for none. With code 0: a warning, or "" */
};

/*
 * Each returns a fresh JSON string (free()), or NULL: out of memory, too large, or a
 * value out of its range; the text says which. Sentences (and only they) are cut where
 * they would make a message too large, figures are brought into their range: neither
 * can keep an answer or a row from being sent.
 */
char *msg_hello_encode(const struct msg_hello *m, struct err *err);
char *msg_status_encode(const struct msg_status *m, struct err *err);
char *msg_open_encode(const struct msg_open *m, struct err *err);
char *msg_opened_encode(const struct msg_opened *m, struct err *err);
char *msg_pair_encode(const struct msg_pair *m, struct err *err);
char *msg_paired_encode(const struct msg_paired *m, struct err *err);
char *msg_arm_encode(const struct msg_arm *m, struct err *err);
char *msg_probe_encode(const struct msg_probe *m, struct err *err);
char *msg_probing_encode(const struct msg_probing *m, struct err *err);
char *msg_ask_encode(const struct msg_ask *m, struct err *err);
char *msg_figures_encode(const struct msg_figures *m, struct err *err);
char *msg_row_encode(const struct msg_row *m, struct err *err);
char *msg_path_encode(const struct msg_path *m, struct err *err);
char *msg_recommendation_encode(const struct msg_recommendation *m, struct err *err);
char *msg_session_encode(const struct msg_session *m, struct err *err);
char *msg_close_encode(const struct msg_close *m, struct err *err);
char *msg_answer_encode(const struct msg_answer *m, struct err *err);

/* 0, or -EBADMSG with *ret in no particular state; hello and open: -EPROTO when they
 * are of another version, with both numbers in the text. */
int msg_hello_decode(const char *json, size_t size, struct msg_hello *ret,
		     struct err *err);
int msg_status_decode(const char *json, size_t size, struct msg_status *ret,
		      struct err *err);
int msg_open_decode(const char *json, size_t size, struct msg_open *ret,
		    struct err *err);
int msg_opened_decode(const char *json, size_t size, struct msg_opened *ret,
		      struct err *err);
int msg_pair_decode(const char *json, size_t size, struct msg_pair *ret,
		    struct err *err);
int msg_paired_decode(const char *json, size_t size, struct msg_paired *ret,
		      struct err *err);
int msg_arm_decode(const char *json, size_t size, struct msg_arm *ret, struct err *err);
int msg_probe_decode(const char *json, size_t size, struct msg_probe *ret,
		     struct err *err);
int msg_probing_decode(const char *json, size_t size, struct msg_probing *ret,
		       struct err *err);
int msg_ask_decode(const char *json, size_t size, struct msg_ask *ret, struct err *err);
int msg_figures_decode(const char *json, size_t size, struct msg_figures *ret,
		       struct err *err);
int msg_row_decode(const char *json, size_t size, struct msg_row *ret, struct err *err);
int msg_path_decode(const char *json, size_t size, struct msg_path *ret,
		    struct err *err);
int msg_recommendation_decode(const char *json, size_t size,
			      struct msg_recommendation *ret, struct err *err);
int msg_session_decode(const char *json, size_t size, struct msg_session *ret,
		       struct err *err);
int msg_close_decode(const char *json, size_t size, struct msg_close *ret,
		     struct err *err);
int msg_answer_decode(const char *json, size_t size, struct msg_answer *ret,
		      struct err *err);

#endif
