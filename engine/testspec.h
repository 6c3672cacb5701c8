/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TESTSPEC_H
#define ENGINE_TESTSPEC_H

#include "base/err.h"
#include "base/types.h"

/*
 * One test as both the runner and its child see it, a plain value that goes over a
 * socket pair, and the rules for its deadlines. `id` is the peer's number for the test.
 */

enum test_role {
	ROLE_CLIENT, /* the peer: connects, and decides the result */
	ROLE_SERVER, /* the server: armed for one test, reports only its end */
};

enum test_kind {
	TEST_THROUGHPUT, /* by libiperf (iperf_test.h) */
	TEST_FULL_SIZE,  /* full-size datagrams (fullsize.h) */
};

struct test_spec {
	uint32_t id;
	enum test_kind kind;
	enum test_role role;
	enum direction dir;           /* client only; it tells the server */
	char interface[IF_NAME_SIZE]; /* sockets are bound to it; "" for none */
	char local[ADDRESS_SIZE];     /* server: the address it listens on */
	/* client: the address to connect to; server: the only address that may
	 * connect */
	char remote[ADDRESS_SIZE];
	int port;
	/* Throughput only: port of the client's control connection, from
	 * runner_reserve(); 0: any. */
	int client_port;
	int echo_port; /* throughput only: the server's UDP port for idle.h; 0: none */
	int packet_size; /* full-size only: of the IP packets this end sends, its MTU */
	int their_size;  /* client, full-size only: of those that the server sends */
	int64_t duration_ms;              /* data transfer, 100 to 3,600,000 */
	int64_t rtt_us;                   /* the path's, for the deadlines */
	char congestion[CONGESTION_SIZE]; /* client; the sender's; "": its default */
	/* The test ends as soon as its goodput is known so well, in percent of it, but not
	 * within TESTSPEC_EARLIEST_MS; 0: it lasts its duration. */
	int precision;
	/* Client, throughput only: the probes show that no full-size segment arrives. */
	bool lost;
	/* Client: no test has reached the port yet. Where the first is refused, it is more
	 * likely closed than busy, so this waits no longer than for an answer. */
	bool first;
	/* Throughput only: a held test is set up as soon as this one's data flows. The
	 * server then listens for that test alone. */
	bool followed;
	/* Throughput only: no data flows before the runner releases the test. */
	bool held;
};

/* The message that a test's process writes into its report pipe: once when it is armed,
 * once when it makes room for the test that follows, and at its end. */
struct test_report {
	/* a server listens; a held client has its connections */
	bool armed;
	bool flowing; /* data flows in a test that is followed */
	/* Server: -ECONNABORTED if others than the peer's test disturbed it, or another
	 * negative errno if it could not listen. Both: an errno of err_is_shortage() if
	 * this host ran short of something for the test, which then gives no evidence
	 * about the path. Else 0. */
	int32_t code;
	int64_t stalled_ms; /* client: the longest pause in the flow of data */
	struct dir_result result;
};

/*
 * Check that the test can run: both addresses are numeric (the client's own may be "",
 * any), and port, duration, packet sizes, round trip (0 to 60 s) and precision (0 to
 * 50) are within their ranges. -EINVAL: the text names the field.
 */
int testspec_check(const struct test_spec *spec, struct err *err);

/* A black hole: no byte beyond the cookie for this long from the data connection's start.
 * max(1.5 s, 8 RTT); max(0.5 s, 4 RTT) where the probes show it already. */
int64_t testspec_blackhole_ms(const struct test_spec *spec);
/* A test with a precision does not end earlier than this. */
#define TESTSPEC_EARLIEST_MS 500
/* A later pause of this length is a timeout: max(5 s, 4 RTT). */
int64_t testspec_stall_ms(const struct test_spec *spec);
/* The limit for a server that refuses or is busy: duration + 10 RTT + 5 s after the
 * first connect; for the first test, testspec_reach_ms(). */
int64_t testspec_refused_ms(const struct test_spec *spec);
/*
 * The limit for the whole test, from the first connect to the result: 5 s more.
 * libiperf's last exchange waits in the queue that the test itself has filled, and a
 * modem with a large buffer holds seconds of data.
 */
int64_t testspec_deadline_ms(const struct test_spec *spec);
/* The time without an answer after which the far end of a connect counts as
 * unreachable: max(1.5 s, 8 RTT). */
int64_t testspec_connect_ms(const struct test_spec *spec);
/* The same for the first connect of a test; max(1.2 s, 8 RTT) for the first test. */
int64_t testspec_reach_ms(const struct test_spec *spec);

#endif
