/* The peer's session: find the server, open it, keep its lease, notice when it lapsed.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/peer/peer_grid.h"
#include "cmd/peer/peer_ops.h"
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

int peer_timeout_ms(const struct peer *peer, int least_ms)
{
	int rtt_ms = (int)(client_rtt_us(peer->client) / 1000);
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

int peer_mendable(int r)
{
	return is_silence(r) || r == -ESTALE ? -EAGAIN : r;
}

/* --- the lease --- */

/* The server's guard goes back a lease after a request it said yes to, or later. */
static bool is_lapse(const struct peer *peer, int64_t now_ms)
{
	return now_ms - atomic_load(&peer->renewed_at) >= peer->lease_ms * 9 / 10;
}

/* The first cause counts, but for somebody's change, which the run cannot get over. */
static void note_lapse(struct peer *peer, int code, const struct err *why)
{
	struct peer_lapse *lapse = &peer->lapse;

	pthread_mutex_lock(&lapse->lock);
	if (!lapse->code || code == -ECANCELED) {
		lapse->code = code;
		lapse->why = *why;
	}
	pthread_mutex_unlock(&lapse->lock);
	atomic_store(&peer->lapsed, true);
}

void peer_forget_lapse(struct peer *peer)
{
	pthread_mutex_lock(&peer->lapse.lock);
	peer->lapse.code = 0;
	pthread_mutex_unlock(&peer->lapse.lock);
	atomic_store(&peer->lapsed, false);
}

static int lapse_code(struct peer *peer, struct err *ret_why)
{
	int code;

	pthread_mutex_lock(&peer->lapse.lock);
	code = peer->lapse.code;
	*ret_why = peer->lapse.why;
	pthread_mutex_unlock(&peer->lapse.lock);
	return code ? code : -ETIME;
}

static void name_this_end(struct err *err)
{
	struct err why = *err;

	err_set(err, 0, "this end: %s", why.text);
}

int peer_not_stale(int r, struct err *err)
{
	if (r != -ESTALE)
		return r;
	name_this_end(err);
	return -ECANCELED;
}

/* In step with the server's lease: when it is not heard of, this end restores, too. */
static void renew_here(struct peer *peer)
{
	struct err why = ERR_INIT;
	int r = guard_renew(peer->guard, peer->lease_ms, &why);

	if (r == 0)
		return;
	if (r == -ECANCELED)
		name_this_end(&why);
	else
		r = r == -ESTALE ? -ETIME : -EAGAIN;
	note_lapse(peer, r, &why);
}

void peer_heard(struct peer *peer, int64_t sent_at_ms)
{
	if (is_lapse(peer, sent_at_ms))
		note_lapse(peer, -ETIME, &(struct err)ERR_INIT);
	if (sent_at_ms > atomic_load(&peer->renewed_at))
		atomic_store(&peer->renewed_at, sent_at_ms);
	renew_here(peer);
}

static void on_renewed(void *ctx, int64_t sent_at_ms, int result, const struct err *err)
{
	struct peer *peer = ctx;

	if (result == 0)
		peer_heard(peer, sent_at_ms);
	else if (result == -ECANCELED)
		note_lapse(peer, result, err);
	/* A server that was started again has no such session either. */
	else if (result == -ESTALE)
		note_lapse(peer, is_lapse(peer, clock_boot_ms()) ? -ETIME : -EAGAIN,
			   err);
}

int peer_check_lease(struct peer *peer, struct err *err)
{
	struct err why;
	int code;

	if (!atomic_load(&peer->lapsed) && !is_lapse(peer, clock_boot_ms()))
		return 0;
	code = lapse_code(peer, &why);
	if (code != -ETIME)
		return err_set(err, code, "%s", why.text);
	return err_set(
		err, -EAGAIN,
		"a lease of %lld s ran out: one end may have gone back to its MTU",
		(long long)(peer->lease_ms / 1000));
}

bool peer_line_was_down(const struct peer *peer, const struct lease_gaps *gaps,
			int64_t gap_ms)
{
	/* The first on a fresh connection takes one more. */
	int64_t trips_ms = gaps->trip_ms < 0 ? client_rtt_us(peer->client) * 5 / 2000
					     : gaps->trip_ms * 3 / 2;

	return gap_ms >= GAP_MS + trips_ms;
}

static int start_lease(struct peer *peer, struct err *err)
{
	struct lease_config config = {
		.lease_ms = peer->lease_ms,
		.rtt_us = client_rtt_us(peer->client),
		.renewed = on_renewed,
		.ctx = peer,
	};

	peer_client_config(peer, &config.client);
	text_copy(config.session, sizeof(config.session), peer->session);
	return lease_start(&config, &peer->lease, err);
}

/* --- the session --- */

void peer_client_config(const struct peer *peer, struct client_config *ret)
{
	memset(ret, 0, sizeof(*ret));
	text_copy(ret->interface, sizeof(ret->interface),
		  peer->config->options->interface);
	text_copy(ret->address, sizeof(ret->address), peer->config->server_ip);
	ret->port = peer->config->server_port;
	ret->stop_fd = peer->stop_fd;
}

static int check_hello(const struct peer *peer, const struct msg_hello *hello,
		       struct err *err)
{
	enum persist persist = (enum persist)peer->config->options->persist;

	if (peer->config->iperf_port && peer->config->iperf_port != hello->iperf_port)
		return err_set(
			err, -EINVAL,
			"--iperf-port %d, but the server was started with --iperf-port "
			"%d: leave it away here, or give both the same",
			peer->config->iperf_port, hello->iperf_port);
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
static int choose_congestion(struct peer *peer, struct err *err)
{
	const char *there = peer->hello.congestion;
	const char *wish = peer->config->congestion;
	char here[CONGESTION_LIST_SIZE];
	size_t length;

	tcp_list_congestion(here, sizeof(here));
	if (!wish && peer->config->prefer_bbr && has_word(here, "bbr") &&
	    has_word(there, "bbr"))
		wish = "bbr";
	if (wish && !(has_word(here, wish) && has_word(there, wish)))
		return err_set(
			err, -EINVAL,
			"--congestion %.15s cannot be used: this end has '%s', the "
			"server '%s'",
			wish, here, there);
	text_copy(peer->congestion, sizeof(peer->congestion), wish ? wish : "");
	length = strcspn(here, " ");
	if (!wish && strncmp(here, there, length) == 0 &&
	    strcspn(there, " ") == length && length < CONGESTION_SIZE)
		wish = strtok(here, " ");
	text_copy(peer->run.congestion, sizeof(peer->run.congestion), wish ? wish : "");
	return 0;
}

/* An earlier version's server allows its lattice. */
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

struct mtu_range peer_server_lattice(const struct peer *peer)
{
	struct mtu_range range = peer->hello.range;

	if (peer->config->strategy->is_grid)
		return range;
	range = server_allows(&peer->hello);
	range.step = peer->config->options->range.step;
	return range;
}

static bool same_range(const struct mtu_range *a, const struct mtu_range *b)
{
	return a->min == b->min && a->max == b->max && a->step == b->step;
}

/* A run belongs to one tunnel and one lattice, also when the server was started again
 * in the midst of it. */
static int check_same_server(const struct peer *peer, const struct msg_hello *hello,
			     struct err *err)
{
	const struct mtu_range *range = &peer->run.server_range;
	struct mtu_range lattice = peer_server_lattice(peer);
	struct mtu_range allowed = server_allows(hello);

	if (peer->server_known &&
	    resume_check_end("server", &peer->run.server, &hello->server, err) < 0)
		return -EINVAL;
	if (peer->config->apply && !mtu_range_allows(&allowed, range->min))
		return err_set(err, -ERANGE,
			       "the server allows MTUs %d to %d, not %d: start it with "
			       "other --mtu-min and --mtu-max",
			       allowed.min, allowed.max, range->min);
	if (peer->bound && !same_range(range, &lattice))
		return err_set(
			err, -EINVAL,
			"the server was started with MTUs %d to %d by %d, this run has "
			"%d to %d by %d there: start it with --mtu-min %d --mtu-max %d "
			"--mtu-step %d",
			lattice.min, lattice.max, lattice.step, range->min, range->max,
			range->step, range->min, range->max, range->step);
	return 0;
}

/* What the round trips of this path take. */
static int64_t needed_lease_ms(const struct peer *peer)
{
	int64_t rtt_ms = client_rtt_us(peer->client) / 1000;
	int64_t trip_ms = rtt_ms > peer->slowest_ms ? rtt_ms : peer->slowest_ms;
	int64_t needed_ms = (LEASE_TRIPS * trip_ms + 999) / 1000 * 1000;

	if (needed_ms < peer->lease_wish_ms)
		needed_ms = peer->lease_wish_ms;
	return needed_ms < LEASE_WIDENED_MAX_MS ? needed_ms : LEASE_WIDENED_MAX_MS;
}

static int64_t wanted_lease_ms(const struct peer *peer)
{
	const struct host_options *options = peer->config->options;
	int64_t needed_ms = needed_lease_ms(peer);

	if (options->lease_given || needed_ms < options->lease_ms)
		return options->lease_ms;
	return needed_ms;
}

/* `wanted_ms` is what this end asked for. */
static void tell_lease(struct peer *peer, int64_t wanted_ms)
{
	int64_t needed_ms = needed_lease_ms(peer);

	if (peer->lease_told_ms == peer->lease_ms)
		return;
	peer->lease_told_ms = peer->lease_ms;
	if (peer->lease_ms < needed_ms)
		host_tell("this path is slow: a lease of %lld s may run out in the "
			  "midst of a test: start both ends without --lease, or with "
			  "--lease %lld",
			  (long long)peer->lease_ms / 1000,
			  (long long)needed_ms / 1000);
	else if (wanted_ms > peer->config->options->lease_ms)
		host_tell("this path is slow: the lease is %lld s in place of %lld",
			  (long long)peer->lease_ms / 1000,
			  (long long)peer->config->options->lease_ms / 1000);
}

void peer_widen_lease(struct peer *peer)
{
	struct err why;

	if (lapse_code(peer, &why) == -ETIME)
		peer->lease_wish_ms = 2 * peer->lease_ms;
}

static int open_session(struct peer *peer, struct err *err)
{
	struct run_info *run = &peer->run;
	struct msg_open open = {
		.protocol = MSG_PROTOCOL,
		.lease_ms = wanted_lease_ms(peer),
	};
	struct msg_opened opened;
	int64_t sent_at_ms = clock_boot_ms();
	int r;

	/* The server's lattice is the server's to say. */
	if (!peer->config->apply)
		run->server_range = peer_server_lattice(peer);
	/* A smart plan goes by what is measured. */
	run->pairs_planned = peer->config->strategy->is_grid ? peer_grid_visits(peer)
							     : 0;
	open.run = *run;
	text_copy(open.secret, sizeof(open.secret), peer->secret);
	r = client_open(peer->client, &open, peer_timeout_ms(peer, ASK_TIMEOUT_MS),
			&opened, err);
	if (r < 0)
		return r;
	text_copy(peer->session, sizeof(peer->session), opened.session);
	peer->lease_ms = opened.lease_ms;
	tell_lease(peer, open.lease_ms);
	if (!peer->bound)
		run->server = opened.server;
	peer->server_known = true;
	peer->bound = !peer->config->apply;
	atomic_store(&peer->renewed_at, sent_at_ms);
	return start_lease(peer, err);
}

static void stop_lease(struct peer *peer)
{
	int64_t slowest_ms;

	if (!peer->lease)
		return;
	slowest_ms = lease_slowest_ms(peer->lease);
	if (slowest_ms > peer->slowest_ms)
		peer->slowest_ms = slowest_ms;
	lease_stop(peer->lease);
	peer->lease = NULL;
}

static int try_connect(struct peer *peer, int timeout_ms, struct err *err)
{
	int r = client_hello(peer->client, timeout_ms, &peer->hello, err);

	if (r == 0)
		r = check_hello(peer, &peer->hello, err);
	if (r == 0)
		r = check_same_server(peer, &peer->hello, err);
	if (r == 0)
		r = choose_congestion(peer, err);
	if (r < 0)
		return r;
	/* Its thread reads what is about to change. */
	stop_lease(peer);
	return open_session(peer, err);
}

/* Silence is this end's own where its link is not there: say that instead. */
static void blame_own_link(struct peer *peer, struct err *err)
{
	const char *name = peer->config->options->interface;
	struct guard_facts facts = {0};

	if (guard_get_facts(peer->guard, "", &facts, NULL) < 0)
		return;
	if (!facts.exists)
		err_set(err, 0, "interface '%s' is gone", name);
	else if (!facts.up)
		err_set(err, 0, "interface '%s' is down", name);
}

static void tell_waiting(const struct peer *peer, int r, const struct err *err,
			 int64_t wait_ms)
{
	if (!is_silence(r))
		host_tell("waiting up to %lld s: %.300s", (long long)(wait_ms / 1000),
			  err->text);
	else
		host_tell("waiting up to %lld s for mtusweep-server at %s port %d "
			  "(%.200s)",
			  (long long)(wait_ms / 1000), peer->config->server_ip,
			  peer->config->server_port, err->text);
}

static int no_server(const struct peer *peer, int r, int64_t wait_ms, struct err *err)
{
	struct err why = *err;

	return err_set(
		err, r,
		"no answer from mtusweep-server at %s port %d within %lld s "
		"(%.120s): start it there, and let TCP port %d in on the tunnel's "
		"interface",
		peer->config->server_ip, peer->config->server_port,
		(long long)(wait_ms / 1000), why.text, peer->config->server_port);
}

/* Nobody answers, or an end lacks something for now. */
static bool may_pass(int r)
{
	return is_silence(r) || r == -EBUSY || err_is_shortage(r);
}

/* What it waited for lasts. */
static int no_room(const struct peer *peer, int r, int64_t wait_ms, struct err *err)
{
	struct err why = *err;

	if (!err_is_shortage(r))
		return r;
	return err_set(err, -EIO, "%s%.230s, for %lld s by now: raise %s there",
		       client_answered(peer->client) ? "" : "this end: ", why.text,
		       (long long)(wait_ms / 1000), err_shortage_limit(r));
}

/* No longer than is left of the wait, but for the least. */
static int hello_timeout_ms(const struct peer *peer, int silences, int64_t deadline_ms)
{
	int doubles = silences % (ASK_DOUBLES_MAX + 1);
	int least_ms = peer_timeout_ms(peer, ASK_TIMEOUT_MS);
	int left_ms = clock_left_ms(deadline_ms);

	if (left_ms < least_ms)
		return least_ms;
	return least_ms << doubles < left_ms ? least_ms << doubles : left_ms;
}

int peer_connect(struct peer *peer, int64_t wait_ms, struct err *err)
{
	int64_t deadline = clock_boot_ms() + wait_ms;
	bool told = false;
	int silences = 0;

	for (;;) {
		int r = try_connect(peer, hello_timeout_ms(peer, silences, deadline),
				    err);

		if (r == 0 || r == -EINTR || !may_pass(r))
			return r;
		silences = r == -ETIMEDOUT ? silences + 1 : 0;
		if (is_silence(r))
			blame_own_link(peer, err);
		if (clock_boot_ms() >= deadline)
			return is_silence(r) ? no_server(peer, r, wait_ms, err)
					     : no_room(peer, r, wait_ms, err);
		if (!told)
			tell_waiting(peer, r, err, wait_ms);
		told = true;
		r = io_wait(-1, peer->stop_fd, clock_boot_ms() + ASK_AGAIN_MS);
		if (r < 0)
			return r;
	}
}
