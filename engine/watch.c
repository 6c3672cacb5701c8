/* SPDX-License-Identifier: MIT */
/* The thread that observes a running test through its sockets. */
#include "engine/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"

/* The first bytes that libiperf sends on the data connection; the SYN counts as one. */
#define COOKIE_SIZE 37
#define SYN_SIZE    1
/* The bytes of libiperf's server on the control connection before the data connection:
 * PARAM_EXCHANGE and CREATE_STREAMS. */
#define MESSAGES_BEFORE_DATA 2

/* Poll often until the data starts: the test's length counts from there. */
#define SEARCH_US 2000
#define SAMPLE_US STEADY_WINDOW_US
/* The time after which finish() is repeated. */
#define NUDGE_US 10000
/* A shorter time is no window: it would measure the clock. */
#define SAMPLE_LEAST_US (SAMPLE_US * 9 / 10)
/* The server's message that the goodput is known. */
#define WORD    's'
#define WORD_US 10000
/* The peer waits for the listener to be there. */
#define LISTENER_US 100
#define CALLER_US   2000
/* The time by which a server's limit for a caller is shorter than the client's own: the
 * server knows the reason, and must have finished when it is asked. */
#define CALLER_EARLY_MS 200

#define STACK_SIZE (256 * 1024)

/* Sleep until `at_us` (or the deadline); return false when the test has ended. */
static bool pause_until(struct watch *w, int64_t at_us)
{
	struct timespec until;
	int64_t us;
	bool stop;

	if (at_us > w->deadline_us)
		at_us = w->deadline_us;
	clock_gettime(CLOCK_MONOTONIC, &until);
	us = until.tv_sec * INT64_C(1000000) + until.tv_nsec / 1000 + at_us -
	     clock_boot_us();
	until.tv_sec = us / 1000000;
	until.tv_nsec = us % 1000000 * 1000;
	pthread_mutex_lock(&w->lock);
	while (!w->stop &&
	       pthread_cond_timedwait(&w->changed, &w->lock, &until) != ETIMEDOUT)
		;
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return !stop;
}

static void end_with(struct watch *w, int code, enum test_status status,
		     const char *text) __attribute__((noreturn));

/* Only the end that sends knows it. */
static int64_t packet_bytes(const struct watch *w)
{
	return w->packet_bytes > 0 ? w->packet_bytes : NO_FIGURE;
}

static void end_with(struct watch *w, int code, enum test_status status,
		     const char *text)
{
	struct dir_result result;

	dir_result_init(&result, status, "%s", text);
	result.packet_bytes = packet_bytes(w);
	result.started_at_ms = w->flowing_at_ms;
	if (w->flowing_us > 0 && w->bytes > 0)
		result.duration_ms = (clock_boot_us() - w->flowing_us) / 1000;
	w->hooks->give_up(w->hooks->ctx, code, &result);
}

static void give_up(struct watch *w, enum test_status status, const char *text)
	__attribute__((noreturn));

static void give_up(struct watch *w, enum test_status status, const char *text)
{
	end_with(w, 0, status, text);
}

static void end_disturbed(struct watch *w, const char *text) __attribute__((noreturn));

static void end_disturbed(struct watch *w, const char *text)
{
	end_with(w, -ECONNABORTED, TEST_ERROR, text);
}

static void check_deadline(struct watch *w)
{
	if (clock_boot_us() >= w->deadline_us)
		give_up(w, TEST_TIMEOUT, "the test did not end by its deadline");
}

/* Return the data socket, or -1 if the test ended before there was one. */
static int find_data(struct watch *w)
{
	const struct test_spec *spec = w->spec;
	int64_t limit_us = spec->held ? w->deadline_us
				      : w->began_us + testspec_connect_ms(spec) * 1000;

	for (;;) {
		int fd = tcp_find_data(spec->port, w->hooks->control(w->hooks->ctx));
		int64_t now_us = clock_boot_us();

		if (fd >= 0) {
			w->established_us = now_us;
			return fd;
		}
		check_deadline(w);
		if (now_us >= limit_us)
			give_up(w, TEST_UNREACHABLE,
				"the other end accepted the control connection, but no "
				"data connection followed");
		if (!pause_until(w, now_us + SEARCH_US))
			return -1;
	}
}

/*
 * Wait until the runner releases a client's test, and then until the server has begun it;
 * return false when the test has ended. Until then the server has sent only the two
 * messages before the data connection.
 */
static bool await_release(struct watch *w)
{
	struct tcp_figures figures = {0};
	int64_t limit_us;

	w->hooks->armed(w->hooks->ctx);
	while (!w->hooks->released(w->hooks->ctx)) {
		check_deadline(w);
		if (!pause_until(w, clock_boot_us() + SEARCH_US))
			return false;
	}
	w->established_us = clock_boot_us();
	w->deadline_us = w->established_us + testspec_deadline_ms(w->spec) * 1000;
	limit_us = w->established_us + testspec_connect_ms(w->spec) * 1000;
	for (;;) {
		int fd = w->hooks->control(w->hooks->ctx);

		if (tcp_read_figures(fd, &figures) < 0 ||
		    figures.bytes_received > MESSAGES_BEFORE_DATA)
			break;
		if (clock_boot_us() >= limit_us)
			give_up(w, TEST_UNREACHABLE,
				"the server did not begin the test that was set up");
		if (!pause_until(w, clock_boot_us() + SEARCH_US))
			return false;
	}
	w->established_us = clock_boot_us();
	return true;
}

/* For a server: as far as it is known. */
static bool is_sender(const struct watch *w)
{
	return w->spec->role == ROLE_SERVER || w->spec->dir == DIR_UPLOAD;
}

/* The bytes that this end sent, or got acknowledged, before the data. */
static uint64_t head_size(const struct watch *w)
{
	return w->spec->role == ROLE_CLIENT ? COOKIE_SIZE : 0;
}

static void note_start(struct watch *w, int fd, const struct tcp_figures *figures,
		       int64_t now_us)
{
	if (w->flowing_us > 0)
		return;
	w->is_bbr = tcp_is_bbr(fd);
	if (is_sender(w) ? figures->bytes_sent <= head_size(w)
			 : figures->bytes_received == 0)
		return;
	w->flowing_us = now_us;
	w->flowing_at_ms = clock_wall_ms();
}

/* In loss recovery the acknowledged bytes stand still and then jump; delivered segments
 * do not. */
static uint64_t count_delivered(struct watch *w, const struct tcp_figures *figures)
{
	if (figures->delivered == 0)
		return w->bytes;
	/* The counter has 32 bits and may wrap. */
	if (w->delivered > 0)
		w->delivered_bytes +=
			(uint64_t)(figures->delivered - w->delivered) * figures->mss;
	w->delivered = figures->delivered;
	return w->delivered_bytes;
}

static void add_window(struct watch *w, const struct tcp_figures *figures,
		       int64_t now_us)
{
	struct steady_sample sample = {.at_us = now_us, .bytes = w->bytes};

	/* A known figure stays: later samples must not change it. */
	if (w->word_out ||
	    (w->sampled_us > 0 && now_us - w->sampled_us < SAMPLE_LEAST_US))
		return;
	w->sampled_us = now_us;
	if (is_sender(w)) {
		sample.bytes = count_delivered(w, figures);
		sample.rtt_us = figures->rtt_us;
		sample.min_rtt_us = figures->min_rtt_us;
		sample.mss = figures->mss;
		sample.rate_bps = figures->rate_bps;
		sample.retransmits = w->is_bbr ? 0 : figures->retransmits;
		w->rtt_sum_us += figures->rtt_us;
		w->rtt_count++;
	}
	steady_add(&w->steady, &sample);
}

static void note_pause(struct watch *w, int64_t now_us)
{
	if (w->bytes > 0 && now_us - w->moved_us > w->stalled_us)
		w->stalled_us = now_us - w->moved_us;
}

/* In loss recovery the acknowledged bytes stand still while segments arrive. */
static void note_movement(struct watch *w, const struct tcp_figures *figures,
			  int64_t now_us)
{
	uint64_t head = head_size(w) + SYN_SIZE;
	uint64_t bytes = figures->bytes_received;
	bool moved;

	if (is_sender(w))
		bytes = figures->bytes_acked > head ? figures->bytes_acked - head : 0;
	moved = bytes > w->bytes ||
		(is_sender(w) && figures->delivered != w->moved_segments);
	if (!moved)
		return;
	note_pause(w, now_us);
	if (bytes > w->bytes)
		w->bytes = bytes;
	w->moved_segments = figures->delivered;
	w->moved_us = now_us;
}

/* The last size is the one that arrived: a kernel that finds that a size is lost, or that a
 * larger one arrives, changes it. */
static void note_packets(struct watch *w, int fd)
{
	int size = is_sender(w) ? tcp_packet_size(fd) : 0;

	if (size > 0)
		w->packet_bytes = size;
}

static void tell_flowing(struct watch *w)
{
	if (!w->told)
		w->hooks->flowing(w->hooks->ctx);
	w->told = true;
}

/* Take a sample; false when no more can follow: the socket is gone, libiperf is done
 * with it, or a server turns out not to be the sender. */
static bool take_sample(struct watch *w, int fd)
{
	int64_t now_us = clock_boot_us();
	struct tcp_figures figures;

	if (tcp_read_figures(fd, &figures) < 0)
		return false;
	if (w->spec->role == ROLE_SERVER && figures.bytes_received > COOKIE_SIZE) {
		tell_flowing(w);
		return false;
	}
	note_start(w, fd, &figures, now_us);
	if (w->flowing_us == 0)
		return true;
	note_packets(w, fd);
	note_movement(w, &figures, now_us);
	if (w->bytes > 0)
		tell_flowing(w);
	add_window(w, &figures, now_us);
	return true;
}

/* True when this end, the sender, knows the goodput precisely enough. */
static bool is_known(const struct watch *w)
{
	return w->spec->precision > 0 &&
	       w->sampled_us - w->flowing_us >= TESTSPEC_EARLIEST_MS * INT64_C(1000) &&
	       steady_is_known(&w->steady, w->spec->precision);
}

/* The same for a client; in a download the server tells it. */
static bool may_finish(struct watch *w)
{
	if (is_sender(w) || w->spec->precision == 0)
		return is_known(w);
	return tcp_take_word(w->hooks->control(w->hooks->ctx), WORD);
}

static void check_flow(struct watch *w)
{
	int64_t now_us = clock_boot_us();
	bool upload = w->spec->dir == DIR_UPLOAD;
	char text[RESULT_TEXT];

	check_deadline(w);
	if (w->bytes == 0 &&
	    now_us - w->established_us >= testspec_blackhole_ms(w->spec) * 1000)
		give_up(w, TEST_BLACKHOLE,
			upload ? "no full-size segment was acknowledged"
			       : "no data from the server arrived");
	if (w->bytes == 0 ||
	    now_us - w->moved_us < testspec_stall_ms(w->spec) * INT64_C(1000))
		return;
	snprintf(text, sizeof(text), "data flowed, then stopped for %lld s",
		 (long long)testspec_stall_ms(w->spec) / 1000);
	give_up(w, TEST_TIMEOUT, text);
}

/* The time of the next sample: exactly at the test's end, closely spaced at its
 * start. */
static int64_t next_look_us(const struct watch *w, int64_t end_us)
{
	int64_t now_us = clock_boot_us();
	int64_t look_us;

	if (w->flowing_us == 0 || w->bytes == 0)
		return now_us + SEARCH_US;
	look_us = !is_sender(w) && w->spec->precision > 0 ? WORD_US : SAMPLE_US;
	return end_us - now_us < look_us ? end_us : now_us + look_us;
}

/* The bytes that this end has sent on the control connection. */
static uint64_t control_sent(const struct watch *w)
{
	int fd = w->hooks->control(w->hooks->ctx);
	struct tcp_figures figures;

	return tcp_read_figures(fd, &figures) < 0 ? 0 : figures.bytes_sent;
}

/*
 * Data still under way may arrive, or an outage may delay it. The other end's figures
 * go on until it learns that the test is over. The library may miss the first call of
 * finish(): just before it waits, or because it counts no data yet, while a thread of its
 * own waits for more.
 */
static void end_test(struct watch *w, int fd)
{
	uint64_t before = control_sent(w);
	struct tcp_figures figures;
	bool told = false;

	w->finished_bytes = w->bytes;
	w->hooks->finish(w->hooks->ctx);
	while (pause_until(w, clock_boot_us() + (told ? SAMPLE_US : NUDGE_US))) {
		check_deadline(w);
		if (tcp_read_figures(fd, &figures) < 0)
			return;
		note_movement(w, &figures, clock_boot_us());
		if (!told && !is_sender(w))
			tcp_end_reading(fd);
		/* A signal after this end has told the other would disturb the last
		 * exchange. */
		told = told || control_sent(w) != before;
		if (!told)
			w->hooks->finish(w->hooks->ctx);
	}
}

static void watch_client(struct watch *w)
{
	int fd = find_data(w);
	int64_t end_us = INT64_MAX;

	if (fd < 0 || (w->spec->held && !await_release(w)))
		return;
	while (take_sample(w, fd)) {
		if (w->flowing_us > 0)
			end_us = w->flowing_us + w->spec->duration_ms * 1000;
		if (w->bytes > 0 && (clock_boot_us() >= end_us || may_finish(w))) {
			end_test(w, fd);
			return;
		}
		check_flow(w);
		if (!pause_until(w, next_look_us(w, end_us)))
			return;
	}
}

/* --- a server's callers --- */

/* Wait for the listener; return false when the test has ended. */
static bool await_listener(struct watch *w)
{
	while (tcp_find_listener(w->spec->port) < 0) {
		check_deadline(w);
		if (!pause_until(w, clock_boot_us() + LISTENER_US))
			return false;
	}
	w->hooks->armed(w->hooks->ctx);
	return true;
}

/* Wait for the control connection; return -1 when the test has ended. */
static int await_control(struct watch *w)
{
	int fd;

	while ((fd = w->hooks->control(w->hooks->ctx)) < 0) {
		check_deadline(w);
		if (!pause_until(w, clock_boot_us() + CALLER_US))
			return -1;
	}
	if (!tcp_peer_is(fd, w->spec->remote))
		end_disturbed(w, "another address than the peer's connected");
	return fd;
}

/* Wait for the data connection; return -1 when the test has ended. */
static int await_data(struct watch *w, int control)
{
	int64_t limit_us = clock_boot_us() +
			   (testspec_connect_ms(w->spec) - CALLER_EARLY_MS) * 1000;
	int fd;

	while ((fd = tcp_find_caller(w->spec->port, control, COOKIE_SIZE)) < 0) {
		check_deadline(w);
		if (clock_boot_us() >= limit_us)
			end_disturbed(w, "a client connected and sent nothing more");
		if (!pause_until(w, clock_boot_us() + CALLER_US))
			return -1;
	}
	w->called = true;
	return fd;
}

/* Watch what this end sends; the client cannot see that. */
static void watch_sender(struct watch *w, int control, int fd)
{
	while (take_sample(w, fd)) {
		check_deadline(w);
		if (!w->word_out && is_known(w)) {
			w->word_out = true;
			tcp_send_word(control, WORD);
		}
		if (!pause_until(w, next_look_us(w, INT64_MAX)))
			return;
	}
}

static void watch_server(struct watch *w)
{
	int control = await_listener(w) ? await_control(w) : -1;
	int fd = control < 0 ? -1 : await_data(w, control);

	if (fd >= 0)
		watch_sender(w, control, fd);
}

static void *watch_main(void *arg)
{
	struct watch *w = arg;

	if (w->spec->role == ROLE_CLIENT)
		watch_client(w);
	else
		watch_server(w);
	while (pause_until(w, w->deadline_us))
		check_deadline(w);
	return NULL;
}

int watch_start(struct watch *w, const struct test_spec *spec,
		const struct watch_hooks *hooks, int64_t deadline_ms)
{
	memset(w, 0, offsetof(struct watch, steady));
	steady_init(&w->steady);
	w->spec = spec;
	w->hooks = hooks;
	w->deadline_us = deadline_ms * 1000;
	w->began_us = clock_boot_us();
	pthread_mutex_init(&w->lock, NULL);
	thread_cond_init(&w->changed);
	return thread_start(&w->thread, STACK_SIZE, watch_main, w);
}

void watch_stop(struct watch *w, struct watch_figures *ret)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	note_pause(w, clock_boot_us());
	steady_measure(&w->steady, &ret->goodput);
	ret->rtt_us = w->rtt_count > 0 ? w->rtt_sum_us / w->rtt_count : NO_FIGURE;
	ret->packet_bytes = packet_bytes(w);
	ret->latency_us = steady_rtt_us(&w->steady, 50);
	ret->latency_p95_us = steady_rtt_us(&w->steady, 95);
	ret->started_at_ms = w->flowing_at_ms;
	ret->called = w->called;
	ret->stalled_ms = w->stalled_us / 1000;
	ret->arrived_bytes = w->finished_bytes;
}
