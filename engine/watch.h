/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/steady.h"
#include "engine/tcp.h"
#include "engine/testspec.h"

/*
 * The watcher: a thread beside a test that runs in this process. It does not depend on
 * the library that runs the test: it observes the process's TCP sockets and calls hooks.
 *
 * For a client it samples the data socket, calls finish() when the data has flowed for
 * the test's duration, again until something is sent on the control connection, by which
 * the library tells the other end, and give_up() with a result when the test cannot finish:
 *
 *   unreachable  no data connection within testspec_connect_ms() after watch_start(): the
 *                control connection went silent, or the data connection is unanswered
 *   blackhole    no byte beyond the cookie acknowledged (upload) or none received
 *                (download) within testspec_blackhole_ms() after it was established
 *   timeout      no more data for testspec_stall_ms(), or the deadline
 *
 * With spec->precision it ends a test as soon as the goodput is known. The sender decides
 * that, since the receiver's counters freeze and jump in loss recovery. Only the client
 * can end a test in libiperf, so in a download the server's watcher tells it, by a byte of
 * urgent data on the control connection. An older end neither sends nor reads that byte;
 * the test then lasts its duration.
 *
 * A test shorter than testspec_blackhole_ms() is not finished while no data has arrived:
 * the watcher waits until data arrives or the black hole is certain.
 *
 * A client that is held calls armed() when it has its connections. No limit but the
 * deadline counts before released() is true, and all of them count from there.
 *
 * For a server it calls armed() when it listens, and samples the data socket if the server
 * sends. It calls give_up() at the deadline, and with -ECONNABORTED when the test was
 * disturbed: the control connection comes from another address than spec->remote, or its
 * caller does not open a data connection in time. The client's own limits are later.
 *
 * Calling sequence: watch_start(), run the test, watch_stop(). The hooks are called in
 * the watcher's thread; give_up() must end the process.
 */

struct watch_hooks {
	/* the control socket; negative while there is none */
	int (*control)(void *ctx);
	void (*finish)(void *ctx);
	void (*armed)(void *ctx);
	/* data flows; called once */
	void (*flowing)(void *ctx);
	/* whether the runner has released the test, which is held */
	bool (*released)(void *ctx);
	void (*give_up)(void *ctx, int code, const struct dir_result *result)
		__attribute__((noreturn));
	void *ctx;
};

struct watch {
	const struct test_spec *spec;
	const struct watch_hooks *hooks;
	int64_t deadline_us;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
	/* the watcher's own until it has ended */
	int64_t began_us;
	int64_t established_us;
	/* time of the first data sent (upload) or received; 0: not yet */
	int64_t flowing_us;
	int64_t flowing_at_ms; /* the same on the wall clock */
	/* time at which data last moved: the bytes below, or segments */
	int64_t moved_us;
	int64_t stalled_us;      /* longest pause in the flow of data */
	uint32_t moved_segments; /* segments delivered at that time */
	uint64_t bytes;          /* acknowledged beyond the cookie, or received */
	uint64_t finished_bytes; /* the same when finish() was first called */
	int64_t sampled_us;      /* time of the last sample in `steady` */
	bool is_bbr;             /* this end sends with bbr */
	uint32_t delivered;      /* segments delivered at that time */
	uint64_t delivered_bytes;
	int packet_bytes; /* the last known size of a full packet; 0: none */
	int64_t rtt_sum_us;
	int rtt_count;
	bool called;   /* there was a data connection */
	bool told;     /* flowing() was called */
	bool word_out; /* the client was told that the goodput is known */
	struct steady steady;
};

struct watch_figures {
	struct steady_figure goodput;
	/* as base/figures.h has them; only if this end sent */
	int64_t rtt_us;
	int64_t packet_bytes;
	int64_t latency_us;
	int64_t latency_p95_us;
	int64_t started_at_ms; /* 0 if no data flowed */
	bool called;           /* server only */
	int64_t stalled_ms;    /* longest pause in the flow of data, the end included */
	/* client: data that had arrived at the receiver when the test was over, or less; 0
	 * if the watcher did not end it */
	uint64_t arrived_bytes;
};

/* Start the thread. `deadline_ms` is on clock_boot_ms(). 0 or -errno. */
int watch_start(struct watch *w, const struct test_spec *spec,
		const struct watch_hooks *hooks, int64_t deadline_ms);

/* End the thread and return what it observed. */
void watch_stop(struct watch *w, struct watch_figures *ret);

#endif
