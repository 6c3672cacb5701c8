#ifndef ENGINE_TESTSPEC_H
#define ENGINE_TESTSPEC_H

#include "base/err.h"
#include "base/types.h"

/*
 * One test as both the runner and its child see it, a plain value that goes
 * over a socket pair, and the rules of its deadlines. `id` is the peer's number for the
 * test.
 */

enum test_role {
	ROLE_CLIENT, /* the peer: connects, and judges */
	ROLE_SERVER, /* the server: armed for one test, reports only that it ended */
};

enum test_kind {
	TEST_THROUGHPUT, /* libiperf's (iperf_test.h) */
	TEST_FULL_SIZE,  /* whether full-size packets arrive (fullsize.h) */
};

struct test_spec {
	uint32_t id;
	enum test_kind kind;
	enum test_role role;
	enum direction dir; /* client only; the server is told by the client */
	char interface[IF_NAME_SIZE]; /* sockets are bound to it; "" for none */
	char local[ADDRESS_SIZE];     /* server: the address it listens on */
	char remote[ADDRESS_SIZE]; /* client: whom to call; server: who alone may call
				    */
	int port;
	/* Throughput only: of the client's control connection, from runner_reserve(); 0:
	 * any. */
	int client_port;
	int packet_size; /* full-size only: of the IP packets this end sends, its MTU */
	int their_size;  /* client, full-size only: of those that the server sends */
	int64_t duration_ms; /* of data transfer, 100 to 3,600,000 */
	int64_t rtt_us;      /* the path's, for the deadlines */
	char congestion
		[CONGESTION_SIZE]; /* client; of whoever sends; "": its default */
	/* The test ends as soon as its goodput is known so well, in percent of it, but not
	 * within TESTSPEC_EARLIEST_MS; 0: it lasts its duration. */
	int precision;
};

/* What a test's process writes into its report pipe: a server once when it is armed, that
 * is, listens; and both at their end. */
struct test_report {
	bool armed; /* the first of the two */
	/* Of a server: -ECONNABORTED it was disturbed, by others than the peer's test, or
	 * another negative errno, it could not listen. Of either: an errno of
	 * err_is_shortage(), this host lacks something for the test, which says nothing of
	 * the path then. Else 0. */
	int32_t code;
	int64_t stalled_ms; /* client: the longest pause of data that flowed */
	struct dir_result result;
};

/*
 * Whether it can be run: both addresses numeric (the client's own may be "", any), port,
 * duration, packet sizes, round trip (0 to 60 s) and precision (0 to 50) within their
 * ranges. -EINVAL names the field.
 */
int testspec_check(const struct test_spec *spec, struct err *err);

/* No byte beyond the cookie for this long from the test's start: a black hole. */
int64_t testspec_blackhole_ms(const struct test_spec *spec); /* max(1.5 s, 8 RTT) */
/* Before, no test that has a precision ends. */
#define TESTSPEC_EARLIEST_MS 500
/* A later pause of this length is a time-out: max(5 s, 4 RTT). */
int64_t testspec_stall_ms(const struct test_spec *spec);
/* A server that refuses, or is busy: duration + 10 RTT + 5 s after the first connect. */
int64_t testspec_refused_ms(const struct test_spec *spec);
/*
 * Over all, from the first connect to the result: 5 s more. libiperf's last exchange waits
 * in the queue that the test itself has filled, and that holds seconds where a modem's
 * buffer is too large.
 */
int64_t testspec_deadline_ms(const struct test_spec *spec);
/* How long a connect may go unanswered before the far end counts as unreachable:
 * max(1.5 s, 8 RTT). */
int64_t testspec_connect_ms(const struct test_spec *spec);

#endif
