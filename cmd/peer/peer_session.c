/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/peer/peer_beside.h"
#include "cmd/peer/peer_grid.h"
#include "cmd/peer/peer_resume.h"
#include "engine/tcp.h"

/* One try of a request that is repeated anyway: where nobody answers, each has twice the
 * time of the last, up to 16 s, since the path may be that slow; then from the beginning,
 * since the server may be there by then. */
#define ASK_TIMEOUT_MS  2000
#define ASK_DOUBLES_MAX 3
#define ASK_AGAIN_MS    200
/* A request's deadline has so many round trips in it, or as few as are worth so much. */
#define TRIPS       10
#define TRIPS_LEAST 4
#define TRIPS_MS    2000
/* No round trip of small packets for so long, and one and a half of the usual: the line
 * was down. One that is lost to a test's own full queue is made good sooner. */
#define GAP_MS 500
/* A lease has so many round trips, of which a renewal may take two; up to so much. */
#define LEASE_TRIPS          6
#define LEASE_WIDENED_MAX_MS 60000

int peer_session_timeout_ms(const struct peer_session *session, int least_ms)
{
	int rtt_ms = (int)(client_rtt_us(session->client) / 1000);
	int most_ms = TRIPS_LEAST * rtt_ms > TRIPS_MS ? TRIPS_LEAST * rtt_ms : TRIPS_MS;

	return least_ms + (TRIPS * rtt_ms < most_ms ? TRIPS * rtt_ms : most_ms);
}

/* No answer, rather than an answer that says no. */
static bool is_silence(int r)
{
	switch (-r) {
	case ETIMEDOUT:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case ENODEV:
	case EADDRNOTAVAIL:
	case ESHUTDOWN: /* an answer, but of one that is about to be silent */
	case EAGAIN:    /* or of one that cannot tell now whose request it is */
		return true;
	default:
		return false;
	}
}

int peer_session_mendable(int r)
{
	return is_silence(r) || r == -ESTALE ? -EAGAIN : r;
}

/* --- the lease --- */

/* The server's guard restores a lease after the last accepted request, or later. */
static bool is_lapse(const struct peer_session *session, int64_t now_ms)
{
	return now_ms - atomic_load(&session->renewed_at) >= session->lease_ms * 9 / 10;
}

/* The first cause counts, but for those that the run cannot get over: somebody's change,
 * and a server that is told to stop. */
static void note_lapse(struct peer_session *session, int code, const struct err *why)
{
	struct peer_lapse *lapse = &session->lapse;

	pthread_mutex_lock(&lapse->lock);
	if (!lapse->code || code == -ECANCELED || code == -EINTR) {
		lapse->code = code;
		lapse->why = *why;
	}
	pthread_mutex_unlock(&lapse->lock);
	atomic_store(&session->lapsed, true);
}

void peer_session_forget_lapse(struct peer_session *session)
{
	pthread_mutex_lock(&session->lapse.lock);
	if (session->lapse.code != -EINTR)
		session->lapse.code = 0;
	atomic_store(&session->lapsed, session->lapse.code != 0);
	pthread_mutex_unlock(&session->lapse.lock);
}

static int lapse_code(struct peer_session *session, struct err *ret_why)
{
	int code;

	pthread_mutex_lock(&session->lapse.lock);
	code = session->lapse.code;
	*ret_why = session->lapse.why;
	pthread_mutex_unlock(&session->lapse.lock);
	return code ? code : -ETIME;
}

void peer_session_stop_reason(struct peer_session *session, struct err *err)
{
	struct err why;

	if (lapse_code(session, &why) == -EINTR)
		*err = why;
	else if (stop_requested())
		err_set(err, 0, "%s", stop_reason());
}

static void name_this_end(struct err *err)
{
	struct err why = *err;

	err_set(err, 0, "this end: %s", why.text);
}

int peer_session_not_stale(int r, struct err *err)
{
	if (r != -ESTALE)
		return r;
	name_this_end(err);
	return -ECANCELED;
}

/* Renew in step with the server's lease: if the server is silent, this end restores
 * too. */
static void renew_here(struct peer_session *session)
{
	struct err why = ERR_INIT;
	int r = guard_renew(session->guard, session->lease_ms, &why);

	if (r == 0)
		return;
	if (r == -ECANCELED)
		name_this_end(&why);
	else
		r = r == -ESTALE ? -ETIME : -EAGAIN;
	note_lapse(session, r, &why);
}

void peer_session_heard(struct peer_session *session, int64_t sent_at_ms)
{
	if (is_lapse(session, sent_at_ms))
		note_lapse(session, -ETIME, &(struct err)ERR_INIT);
	if (sent_at_ms > atomic_load(&session->renewed_at))
		atomic_store(&session->renewed_at, sent_at_ms);
	renew_here(session);
}

static void on_renewed(void *ctx, int64_t sent_at_ms, int result, const struct err *err)
{
	struct peer_session *session = ctx;

	if (result == 0)
		peer_session_heard(session, sent_at_ms);
	else if (result == -ECANCELED)
		note_lapse(session, result, err);
	/* The server is told to stop: end what is under way. A watch outlives it. */
	else if (result == -EINTR) {
		note_lapse(session, result, err);
		if (!session->config->watch.every_ms)
			stop_request();
	}
	/* A server that was started again has no such session either. */
	else if (result == -ESTALE)
		note_lapse(session,
			   is_lapse(session, clock_boot_ms()) ? -ETIME : -EAGAIN, err);
}

int peer_session_check_lease(struct peer_session *session, struct err *err)
{
	struct err why;
	int code;

	if (!atomic_load(&session->lapsed) && !is_lapse(session, clock_boot_ms()))
		return 0;
	code = lapse_code(session, &why);
	if (code != -ETIME)
		return err_set(err, code, "%s", why.text);
	return err_set(err, -EAGAIN,
		       "a lease of %lld s expired: one end may have restored its MTU",
		       (long long)(session->lease_ms / 1000));
}

bool peer_session_line_was_down(const struct peer_session *session,
				const struct lease_gaps *gaps, int64_t gap_ms)
{
	/* The first on a fresh connection takes one more. */
	int64_t trips_ms = gaps->trip_ms < 0 ? client_rtt_us(session->client) * 5 / 2000
					     : gaps->trip_ms * 3 / 2;

	return gap_ms >= GAP_MS + trips_ms;
}

static int start_lease(struct peer_session *session, struct err *err)
{
	struct lease_config config = {
		.lease_ms = session->lease_ms,
		.rtt_us = client_rtt_us(session->client),
		.renewed = on_renewed,
		.ctx = session,
	};

	peer_session_client_config(session, &config.client);
	text_copy(config.session, sizeof(config.session), session->id);
	return lease_start(&config, &session->lease, err);
}

/* --- the session --- */

void peer_session_client_config(const struct peer_session *session,
				struct client_config *ret)
{
	memset(ret, 0, sizeof(*ret));
	text_copy(ret->interface, sizeof(ret->interface),
		  session->config->options->interface);
	text_copy(ret->address, sizeof(ret->address), session->config->server_ip);
	ret->port = session->config->server_port;
	ret->stop_fd = session->stop_fd;
}

static int check_hello(const struct peer_session *session,
		       const struct msg_hello *hello, struct err *err)
{
	enum persist persist = (enum persist)session->config->options->persist;

	if (session->config->iperf_port &&
	    session->config->iperf_port != hello->iperf_port)
		return err_set(err, -EINVAL,
			       "--iperf-port %d, but the server was started with "
			       "--iperf-port %d: omit it here, or give both the same",
			       session->config->iperf_port, hello->iperf_port);
	if (persist == PERSIST_NONE || hello->persist == persist)
		return 0;
	return err_set(
		err, -EACCES,
		"the server was started with --persist %s, this end with --persist "
		"%s: start both with the same",
		persist_name(hello->persist), persist_name(persist));
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	if (length == 0)
		return false;
	for (const char *at = list; (at = strstr(at, word)); at += length) {
		if ((at == list || at[-1] == ' ') &&
		    (at[length] == ' ' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* Without a wish it is each end's default, which goes into the run's row where it is the
 * same at both. */
static int choose_congestion(struct peer_session *session, struct err *err)
{
	const char *there = session->hello.congestion;
	const char *wish = session->config->congestion;
	char here[CONGESTION_LIST_SIZE];
	size_t length;

	tcp_list_congestion(here, sizeof(here));
	if (!wish && session->config->prefer_bbr && has_word(here, "bbr") &&
	    has_word(there, "bbr"))
		wish = "bbr";
	if (wish && !(has_word(here, wish) && has_word(there, wish)))
		return err_set(
			err, -EINVAL,
			"--congestion %.15s cannot be used: this end has '%s', the "
			"server '%s'",
			wish, here, there);
	text_copy(session->congestion, sizeof(session->congestion), wish ? wish : "");
	length = strcspn(here, " ");
	if (!wish && strncmp(here, there, length) == 0 &&
	    strcspn(there, " ") == length && length < CONGESTION_SIZE)
		wish = strtok(here, " ");
	text_copy(session->run->congestion, sizeof(session->run->congestion),
		  wish ? wish : "");
	return 0;
}

/* A server of an earlier version allows the MTUs of its grid. */
static struct mtu_range server_allows(const struct msg_hello *hello)
{
	return (struct mtu_range){
		.min = hello->allow_min == NO_FIGURE ? hello->range.min
						     : (int)hello->allow_min,
		.max = hello->allow_max == NO_FIGURE ? hello->range.max
						     : (int)hello->allow_max,
		.step = 1,
	};
}

int peer_session_server_least(const struct peer_session *session)
{
	const struct msg_hello *hello = &session->hello;

	return hello->low_min == NO_FIGURE ? server_allows(hello).min
					   : (int)hello->low_min;
}

/* The server's half of the grid: its own; where the strategy is not a grid, all that it
 * allows, with this end's step. */
static struct mtu_range server_grid(const struct peer_session *session)
{
	struct mtu_range range = session->hello.range;

	if (session->config->strategy->is_grid)
		return range;
	range = server_allows(&session->hello);
	range.step = session->config->options->range.step;
	/* What this end lacks the server may have, and the reverse. */
	if (!host_options_have_range())
		range.step = 1;
	if (session->hello.mtu_unit > 1)
		range.step = session->hello.mtu_unit;
	return range;
}

/* A run belongs to one tunnel and one grid, even if the server was restarted during the
 * run. */
static int check_same_server(const struct peer_session *session,
			     const struct msg_hello *hello, struct err *err)
{
	const struct mtu_range *range = &session->run->server_range;
	struct mtu_range grid = server_grid(session);
	struct mtu_range allowed = server_allows(hello);

	allowed.min = peer_session_server_least(session);
	/* Probes asked for less. */
	if (session->bound && range->min < grid.min && range->min >= allowed.min)
		grid.min = range->min;
	if (session->server_known &&
	    resume_check_end("server", &session->run->server, &hello->server, err) < 0)
		return -EINVAL;
	if (session->config->apply && !mtu_range_allows(&allowed, range->min))
		return err_set(err, -ERANGE,
			       "the server allows MTUs %d to %d, not %d: start it with "
			       "other --mtu-min and --mtu-max%s",
			       allowed.min, allowed.max, range->min,
			       range->min < MTU_MIN_IPV6
				       ? "; below 1280 its interface must be without "
					 "IPv6"
				       : "");
	if (session->bound && !mtu_range_same(range, &grid))
		return err_set(
			err, -EINVAL,
			"the server was started with MTUs %d to %d by %d, this run has "
			"%d to %d by %d there: start it with --mtu-min %d --mtu-max %d "
			"--mtu-step %d",
			grid.min, grid.max, grid.step, range->min, range->max,
			range->step, range->min, range->max, range->step);
	return 0;
}

/* The lease that the round trips of this path require. */
static int64_t needed_lease_ms(const struct peer_session *session)
{
	int64_t rtt_ms = client_rtt_us(session->client) / 1000;
	int64_t trip_ms = rtt_ms > session->slowest_ms ? rtt_ms : session->slowest_ms;
	int64_t needed_ms = (LEASE_TRIPS * trip_ms + 999) / 1000 * 1000;

	if (needed_ms < session->lease_wish_ms)
		needed_ms = session->lease_wish_ms;
	return needed_ms < LEASE_WIDENED_MAX_MS ? needed_ms : LEASE_WIDENED_MAX_MS;
}

static int64_t wanted_lease_ms(const struct peer_session *session)
{
	const struct host_options *options = session->config->options;
	int64_t needed_ms = needed_lease_ms(session);

	if (options->lease_given || needed_ms < options->lease_ms)
		return options->lease_ms;
	return needed_ms;
}

/* `wanted_ms` is what this end asked for. */
static void tell_lease(struct peer_session *session, int64_t wanted_ms)
{
	int64_t needed_ms = needed_lease_ms(session);

	if (session->lease_told_ms == session->lease_ms)
		return;
	session->lease_told_ms = session->lease_ms;
	if (session->lease_ms < needed_ms)
		host_tell(
			"this path is slow, and a lease of %lld s may expire during a "
			"test: start both ends without --lease, or with --lease %lld",
			(long long)session->lease_ms / 1000,
			(long long)needed_ms / 1000);
	else if (wanted_ms > session->config->options->lease_ms)
		host_tell("this path is slow: the lease is %lld s instead of %lld",
			  (long long)session->lease_ms / 1000,
			  (long long)session->config->options->lease_ms / 1000);
}

void peer_session_widen_lease(struct peer_session *session)
{
	struct err why;

	if (lapse_code(session, &why) == -ETIME)
		session->lease_wish_ms = 2 * session->lease_ms;
}

static int open_session(struct peer_session *session, struct err *err)
{
	struct run_info *run = session->run;
	struct msg_open open = {
		.protocol = MSG_PROTOCOL,
		.lease_ms = wanted_lease_ms(session),
	};
	struct msg_opened opened;
	int64_t sent_at_ms = clock_boot_ms();
	int r;

	/* The server determines its own range. */
	if (!session->config->apply && !session->bound)
		run->server_range = server_grid(session);
	/* A smart plan goes by what is measured. */
	run->pairs_planned = session->config->strategy->is_grid
				     ? peer_grid_visits(session->config, run)
				     : 0;
	open.run = *run;
	text_copy(open.secret, sizeof(open.secret), session->secret);
	r = client_open(session->client, &open,
			peer_session_timeout_ms(session, ASK_TIMEOUT_MS), &opened, err);
	if (r < 0)
		return r;
	text_copy(session->id, sizeof(session->id), opened.session);
	session->lease_ms = opened.lease_ms;
	tell_lease(session, open.lease_ms);
	if (!session->bound)
		run->server = opened.server;
	text_copy(run->server.key, KEY_SIZE, session->server_key);
	session->server_known = true;
	session->bound = !session->config->apply;
	atomic_store(&session->renewed_at, sent_at_ms);
	session->opened++;
	peer_beside_start(session);
	return start_lease(session, err);
}

void peer_session_stop_lease(struct peer_session *session)
{
	int64_t slowest_ms;

	beside_stop(session->beside);
	session->beside = NULL;
	if (!session->lease)
		return;
	slowest_ms = lease_slowest_ms(session->lease);
	if (slowest_ms > session->slowest_ms)
		session->slowest_ms = slowest_ms;
	lease_stop(session->lease);
	session->lease = NULL;
}

void peer_session_ignore_stop(struct peer_session *session)
{
	session->stop_fd = -1;
	client_ignore_stop(session->client);
}

static int try_connect(struct peer_session *session, int timeout_ms, struct err *err)
{
	int r;

	debug_phase("hello");
	r = client_hello(session->client, timeout_ms, &session->hello, err);
	text_copy(session->hello.server.key, KEY_SIZE, session->server_key);
	if (r == 0)
		r = check_hello(session, &session->hello, err);
	if (r == 0)
		r = check_same_server(session, &session->hello, err);
	if (r == 0)
		r = choose_congestion(session, err);
	if (r < 0)
		return r;
	/* Its thread reads what is about to change. */
	peer_session_stop_lease(session);
	debug_phase("session");
	return open_session(session, err);
}

/* Silence is this end's own where its link is not there: say that instead. */
static void blame_own_link(struct peer_session *session, struct err *err)
{
	const char *name = session->config->options->interface;
	struct guard_facts facts = {0};

	if (guard_get_facts(session->guard, "", &facts, NULL) < 0)
		return;
	if (!facts.exists)
		err_set(err, 0, "interface '%s' is gone", name);
	else if (!facts.up)
		err_set(err, 0, "interface '%s' is down", name);
}

static void tell_waiting(const struct peer_session *session, int r,
			 const struct err *err, int64_t wait_ms)
{
	if (!is_silence(r))
		host_tell("waiting up to %lld s: %.300s", (long long)(wait_ms / 1000),
			  err->text);
	else
		host_tell("waiting up to %lld s for mtusweep-server at %s port %d "
			  "(%.200s)",
			  (long long)(wait_ms / 1000), session->config->server_ip,
			  session->config->server_port, err->text);
}

static int no_server(const struct peer_session *session, int r, int64_t wait_ms,
		     struct err *err)
{
	struct err why = *err;

	return err_set(
		err, r,
		"no answer from mtusweep-server at %s port %d within %lld s (%.120s): "
		"start it there, and let in TCP port %d on its tunnel interface",
		session->config->server_ip, session->config->server_port,
		(long long)(wait_ms / 1000), why.text, session->config->server_port);
}

/* Nobody answers, or an end lacks something for now. */
static bool may_pass(int r)
{
	return is_silence(r) || r == -EBUSY || err_is_shortage(r);
}

/* Report a shortage that outlasted the wait. */
static int no_room(const struct peer_session *session, int r, int64_t wait_ms,
		   struct err *err)
{
	struct err why = *err;

	if (!err_is_shortage(r))
		return r;
	return err_set(err, -EIO, "%s%.230s, for %lld s now; check there: %s",
		       client_answered(session->client) ? "" : "this end: ", why.text,
		       (long long)(wait_ms / 1000), err_shortage_limit(r));
}

/* No longer than is left of the wait, but for the least. */
static int hello_timeout_ms(const struct peer_session *session, int silences,
			    int64_t deadline_ms)
{
	int doubles = silences % (ASK_DOUBLES_MAX + 1);
	int least_ms = peer_session_timeout_ms(session, ASK_TIMEOUT_MS);
	int left_ms = clock_left_ms(deadline_ms);

	if (left_ms < least_ms)
		return least_ms;
	return least_ms << doubles < left_ms ? least_ms << doubles : left_ms;
}

int peer_session_connect(struct peer_session *session, int64_t wait_ms, struct err *err)
{
	int64_t deadline = clock_boot_ms() + wait_ms;
	bool told = false;
	int silences = 0;

	for (;;) {
		int r = try_connect(session,
				    hello_timeout_ms(session, silences, deadline), err);

		if (r == 0 || r == -EINTR || !may_pass(r))
			return r;
		silences = r == -ETIMEDOUT ? silences + 1 : 0;
		if (is_silence(r))
			blame_own_link(session, err);
		if (clock_boot_ms() >= deadline)
			return is_silence(r) ? no_server(session, r, wait_ms, err)
					     : no_room(session, r, wait_ms, err);
		if (!told)
			tell_waiting(session, r, err, wait_ms);
		told = true;
		r = io_wait(-1, session->stop_fd, clock_boot_ms() + ASK_AGAIN_MS);
		if (r < 0)
			return r;
	}
}
