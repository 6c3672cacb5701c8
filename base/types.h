/* SPDX-License-Identifier: MIT */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/figures.h"

/*
 * The nouns every folder shares. They are plain values: nobody owns anything through
 * them. "Server" and "peer" are the two ends; upload is peer to server. Times that end
 * in _ms without another word are durations; *_at_ms are milliseconds since 1970, UTC.
 */

/* The smallest IPv4 datagram that every host accepts (RFC 791); below 1280 an interface
 * loses IPv6 (RFC 8200). */
#define MTU_MIN      576
#define MTU_MAX      65535
#define MTU_MIN_IPV6 1280

/* The MTU of the far end in a run with one end alone: it is not known, and limits nothing.
 * No tunnel has this MTU: with WireGuard's overhead its packets exceed the largest IP
 * packet. The database has it in the columns that are NOT NULL since version 1; readers
 * show that nothing is known. */
#define MTU_UNKNOWN 65535
/* Headers of IP and TCP, without options: the MTU less them is the MSS. */
#define IPV4_TCP 40
#define IPV6_TCP 60

#define HOST_NAME_SIZE       65
#define IF_NAME_SIZE         16
#define ADDRESS_SIZE         46
#define UUID_SIZE            37
#define KEY_SIZE             45 /* of a WireGuard public key as text (base/tunnel.h) */
#define RESULT_TEXT          120
#define CONGESTION_SIZE      16 /* an algorithm's name: TCP_CA_NAME_MAX */
#define CONGESTION_LIST_SIZE 96 /* several names, separated by spaces */

/* How long an end may stay silent before the other one restores its MTU. */
#define LEASE_MIN_MS 1000
#define LEASE_MAX_MS 600000

/* An unknown figure: no test, or a test without it. Never 0 in its place. */
#define NO_FIGURE INT64_C(-1)

enum direction {
	DIR_UPLOAD,   /* peer to server */
	DIR_DOWNLOAD, /* server to peer */
	DIR_COUNT,
};

enum test_status {
	TEST_OK,
	TEST_BLACKHOLE,   /* nothing full-size ever arrived: a result, not an error */
	TEST_TIMEOUT,     /* data flowed, then stalled, or the deadline came */
	TEST_UNREACHABLE, /* the test's own control connection got no answer */
	TEST_REFUSED,     /* nobody listened there until the deadline */
	TEST_ERROR,       /* no result; the text says why */
	TEST_STATUS_COUNT,
};

enum persist {
	PERSIST_NONE, /* only the link's MTU is changed; the conf file is not opened */
	PERSIST_EACH, /* the conf file follows every step and is restored at the end */
	PERSIST_BEST, /* the best pair is applied at the end, in link and conf file */
	PERSIST_COUNT,
};

/* The reach of a change of an end's MTU. */
enum scope {
	SCOPE_AUTO,  /* route where the interface has more than one peer, else link */
	SCOPE_LINK,  /* the interface's MTU, and so that of all its peers */
	SCOPE_ROUTE, /* the mtu metric of the routes to one peer */
	SCOPE_COUNT,
};

enum backend {
	BACKEND_NONE,      /* not WireGuard */
	BACKEND_KERNEL,    /* link kind "wireguard" */
	BACKEND_USERSPACE, /* a tun whose control socket is in /var/run/wireguard */
	BACKEND_COUNT,
};

/* One end alone does not know the other's, MTU_UNKNOWN. */
struct mtu_pair {
	int server;
	int peer;
};

/* min, min+step, ... up to and including max where it is hit. 1 <= step. */
struct mtu_range {
	int min;
	int max;
	int step;
};

/* One direction of one pair, with the figures of base/figures.h. */
struct dir_result {
	enum test_status status;
	char text[RESULT_TEXT]; /* "" when ok; else what happened */
	FIGURE_LIST(FIGURE_MEMBER)
	int64_t started_at_ms;
	int64_t duration_ms; /* data transfer, without setup and result exchange */
};

/* One measurement of one pair. `seq` counts measurements from 1 within a run, `pass`
 * those of the pair. */
struct measurement {
	uint32_t seq;
	int pass;
	struct mtu_pair mtu;
	bool reference; /* one of the series that shows how capacity drifts */
	struct dir_result dir[DIR_COUNT];
};

/* Facts of one end about itself, stored in the run's row. "" and 0: unknown. Each end takes
 * both keys from its own WireGuard; no message has them. */
struct end_facts {
	char host[HOST_NAME_SIZE];
	char interface[IF_NAME_SIZE];
	char address[ADDRESS_SIZE]; /* inside the tunnel */
	int link_mtu;               /* before the run */
	enum backend backend;
	int endpoint_family; /* 4 or 6, the outer packets' IP version; 0: unknown */
	char versions[96];   /* program and libraries: "name version, ..." */
	char key[KEY_SIZE];  /* WireGuard public key (base/tunnel.h) */
};

/* The exit status of the programs. */
enum program_status {
	PROGRAM_DONE,
	PROGRAM_FAILED,
	PROGRAM_USAGE,
	PROGRAM_MISFIT,  /* probes: the MTUs in use do not fit */
	PROGRAM_CHANGED, /* --watch-once: the path changed, and they fit */
};

/* Strategies in run_info of sessions that do not sweep. A probe's run is stored with its
 * path and its recommendation, that of --apply with the one pair that it measured; nothing
 * is stored of a check. */
#define STRATEGY_PROBE "probe"
#define STRATEGY_APPLY "apply"
#define STRATEGY_CHECK "check"
/* A watch; its sessions are checks. */
#define STRATEGY_WATCH "watch"

/* The properties of a run that are fixed at its start. */
struct run_info {
	char uuid[UUID_SIZE];
	int64_t started_at_ms;
	struct end_facts server;
	struct end_facts peer;
	struct mtu_range server_range;
	struct mtu_range peer_range;
	char strategy[16];
	int passes;
	uint64_t seed;
	int64_t duration_ms; /* one direction's test; 0: unknown */
	char congestion
		[CONGESTION_SIZE]; /* the tests' algorithm; "": each end's default */
	enum persist persist;
	int pairs_planned; /* planned measurements; 0 unknown */
};

/* How a run ended, as stored. */
enum run_outcome {
	RUN_RUNNING,
	RUN_DONE,
	RUN_INTERRUPTED, /* by the user or the other end */
	RUN_FAILED,
	RUN_OUTCOME_COUNT,
};

/* The words used in messages, JSON and the database. The pointers are static. */
const char *direction_name(enum direction dir);
/* "peer" or "server": the end that sends in this direction, and the one that receives. */
const char *direction_sender(enum direction dir);
const char *direction_receiver(enum direction dir);
/* The MTU of the end that sends in this direction. */
int mtu_pair_sender(const struct mtu_pair *mtu, enum direction dir);
/* The pair of which only that end's MTU is known. */
struct mtu_pair mtu_pair_of_sender(enum direction dir, int mtu);
/* The opposite one. */
enum direction direction_back(enum direction dir);
const char *test_status_name(enum test_status status);
/* For people: "no result" for TEST_ERROR, else the name. Static. */
const char *test_status_words(enum test_status status);
const char *persist_name(enum persist persist);
const char *backend_name(enum backend backend);
const char *run_outcome_name(enum run_outcome outcome);

/* The reverse: 0, or -EINVAL with *ret untouched. */
int test_status_parse(const char *name, enum test_status *ret);
int persist_parse(const char *name, enum persist *ret);
int backend_parse(const char *name, enum backend *ret);
int run_outcome_parse(const char *name, enum run_outcome *ret);

/* How many MTUs a range holds; 0 for one that is empty or has a step below 1; INT_MAX where
 * there are more, as of a range that nobody has checked. */
int mtu_range_count(const struct mtu_range *range);
/* Its i-th MTU, 0 <= i < mtu_range_count(). */
int mtu_range_at(const struct mtu_range *range, int i);
bool mtu_range_same(const struct mtu_range *a, const struct mtu_range *b);
/* True if `mtu` lies within min and max; the step does not matter. */
bool mtu_range_allows(const struct mtu_range *range, int mtu);

/* Two MTUs from MTU_MIN to MTU_MAX, the server's and the peer's: "1420/1400" or
 * "1420,1400". 0, or -EINVAL with *ret untouched. */
int mtu_pair_parse(const char *text, struct mtu_pair *ret);
/* The same, or "-/1400": an end that is not known has MTU_UNKNOWN, the other a number. */
int mtu_pair_parse_open(const char *text, struct mtu_pair *ret);

#define MTU_TEXT_SIZE  12
#define PAIR_TEXT_SIZE (2 * MTU_TEXT_SIZE)

/* "1420", or "-" if it is MTU_UNKNOWN. Returns `ret`. */
const char *mtu_text(int mtu, char ret[MTU_TEXT_SIZE]);
/* "1420/1400", "-/1400" or "1420/-". Returns `ret`. */
const char *mtu_pair_text(const struct mtu_pair *mtu, char ret[PAIR_TEXT_SIZE]);
/* For sentences: "server MTU 1420, peer MTU 1400", or the known one. Returns `ret`. */
#define PAIR_WORDS_SIZE 48
const char *mtu_pair_words(const struct mtu_pair *mtu, char ret[PAIR_WORDS_SIZE]);
/* True of a run with one end alone: the other end's range is MTU_RANGE_UNKNOWN. */
bool run_info_is_one_ended(const struct run_info *info);
/* The direction in which this end sends, in such a run. */
enum direction run_info_own_direction(const struct run_info *info);
/* False of the far end of one end alone: whichever sends in that direction. */
bool run_info_has_end(const struct run_info *info, enum direction sends);
#define MTU_RANGE_UNKNOWN ((struct mtu_range){MTU_UNKNOWN, MTU_UNKNOWN, 1})
/* The pair before the run; 0, 0: not known of both ends, or of the only one. */
struct mtu_pair run_info_current(const struct run_info *info);

bool mtu_pair_same(const struct mtu_pair *a, const struct mtu_pair *b);
/* By the server's MTU, then the peer's: negative, 0, positive. */
int mtu_pair_compare(const struct mtu_pair *a, const struct mtu_pair *b);

/* Make a result without figures, with the given status; fmt says why ("" for ok). */
void dir_result_init(struct dir_result *result, enum test_status status,
		     const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Return the rate of an ok result: the steady goodput if there is one, else the
 * received rate; or NO_FIGURE. */
int64_t dir_result_rate(const struct dir_result *result);

#define RATE_TEXT_SIZE 24

/* Format a direction's rate in Mbit/s with so many decimals. Without one, the text is the
 * status, or "?" where that is ok. Return true if it is a rate. */
bool rate_text(enum test_status status, int64_t rate_bps, int decimals,
	       char ret[RATE_TEXT_SIZE]);

/* A rate for a person to read, without its unit: that of rate_unit(of_bps), "36.6", "245".
 * At least two significant figures where the two rates are alike. */
void rate_number(int64_t rate_bps, int64_t of_bps, char ret[RATE_TEXT_SIZE]);
/* "Mbit/s", or for less than 1 Mbit/s "kbit/s". Static. */
const char *rate_unit(int64_t of_bps);

/* ok only if both directions are, else the first that is not; TEST_ERROR, which says
 * nothing of the pair, only if no other is there. */
enum test_status test_status_of_both(enum test_status upload,
				     enum test_status download);
enum test_status measurement_status(const struct measurement *m);

#endif
