#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/steady.h"
#include "engine/tcp.h"
#include "engine/testspec.h"

/*
 * The watcher: a thread beside a test that runs in this process. It knows nothing of
 * who runs the test: it looks at the process's TCP sockets and calls back.
 *
 * For a client it samples the data socket, calls finish() when the data has flowed for
 * the test's duration, and give_up() with a result when the test comes to no end:
 *
 *   unreachable  no data connection within testspec_connect_ms() after watch_start(): the
 *                control connection went silent, or nobody answers the data connection
 *   blackhole    no byte beyond the cookie acknowledged (upload) or none received
 *                (download) within testspec_blackhole_ms() after it was established
 *   timeout      nothing more for testspec_stall_ms(), or the deadline
 *
 * With spec->precision it ends a test as soon as the goodput is known. The end that sends
 * finds that, since the other one's counters freeze and jump in loss recovery. The client
 * alone can end a test in libiperf, so in a download the server's watcher tells it, by a
 * word beside the bytes of the control connection; an end that knows no such word neither
 * says it nor hears it, and the test lasts its duration.
 *
 * A test shorter than testspec_blackhole_ms() of which nothing has arrived yet is not
 * finished but waited for until one or the other is known.
 *
 * For a server it calls armed() when it listens, and samples the data socket too, where it
 * is the server that sends. It calls give_up() at the deadline,
 * and with -ECONNABORTED when the test was disturbed: the control connection comes from
 * another address than spec->remote, or who opened it does not go on to a data
 * connection in time; the client judges its own test a little later.
 *
 * Calling sequence: watch_start(), run the test, watch_stop(). The hooks are called in
 * the watcher's thread; give_up() must end the process.
 */

struct watch_hooks {
	int (*control)(
		void *ctx); /* the control socket; negative while there is none */
	void (*finish)(void *ctx);
	void (*armed)(void *ctx);
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
	int64_t flowing_us;    /* data first sent (upload) or received; 0: not yet */
	int64_t flowing_at_ms; /* the same on the wall clock */
	int64_t moved_us;      /* when data last moved: the bytes below, or segments */
	int64_t stalled_us; /* the longest time in which it did not, once it flowed */
	uint32_t moved_segments; /* delivered, as of then */
	uint64_t bytes;          /* acknowledged beyond the cookie, or received */
	int64_t sampled_us;      /* when steady got its last sample */
	uint32_t delivered;      /* segments, as of then */
	uint64_t delivered_bytes;
	int64_t rtt_sum_us;
	int rtt_count;
	bool called;   /* a data connection came about */
	bool word_out; /* the client was told that the goodput is known */
	struct steady steady;
};

struct watch_figures {
	struct steady_figure goodput;
	int64_t rtt_us;        /* only where this end sent */
	int64_t started_at_ms; /* 0 when no data flowed */
	bool called;           /* server only */
	int64_t stalled_ms; /* the longest pause of data that flowed, or at its end */
};

/* Start the thread. `deadline_ms` is on clock_boot_ms(). 0 or -errno. */
int watch_start(struct watch *w, const struct test_spec *spec,
		const struct watch_hooks *hooks, int64_t deadline_ms);

/* End the thread and tell what it saw. */
void watch_stop(struct watch *w, struct watch_figures *ret);

#endif
