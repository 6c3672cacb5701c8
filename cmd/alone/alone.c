/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/priv.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/alone/alone_answer.h"
#include "cmd/alone/alone_apply.h"
#include "cmd/alone/alone_ask.h"
#include "cmd/alone/alone_rates.h"
#include "cmd/alone/alone_watch.h"
#include "cmd/host/progress.h"
#include "engine/runner.h"
#include "report/runjson.h"

int alone_current_mtu(const struct alone *alone)
{
	return host_mtu(alone->config->host);
}

static int begin(struct alone *alone, struct err *err)
{
	const struct alone_config *config = alone->config;
	struct echofind_config find = {
		.guard = alone->guard,
		.interface = config->options->interface,
		.range = config->host->guard.bounds.range,
		.lease_ms = config->options->lease_ms,
		.limit = host_options_have_range() ? config->options->range.max : 0,
		.route_mtu = config->host->route_mtu,
		.rtt_us = alone->rtt_us,
		.stop_fd = stop_fd(),
	};
	int r;

	text_copy(find.local, sizeof(find.local), alone->target->local);
	text_copy(find.remote, sizeof(find.remote), alone->target->address);
	r = echofind_begin(&alone->find, &find, err);
	alone->looks.overhead = alone->find.overhead;
	alone->looks.size_max = alone->find.largest;
	alone->unseen = !alone->find.tap;
	return r;
}

/* --- the looks --- */

/* The largest inner packet so that it and all smaller ones came back. */
static int trip_edge(const struct alone *alone)
{
	const struct path_bands *trip = &alone->looks.trip;
	int edge = 0;

	for (int i = 0; i < trip->count && (trip->band[i].fate == FATE_WHOLE ||
					    trip->band[i].fate == FATE_FRAGMENTED);
	     i++)
		edge = trip->band[i].max;
	edge -= alone->find.overhead;
	return edge < alone->find.size_max ? edge : alone->find.size_max;
}

static int look_back_as(struct alone *alone, struct echo *echo, int fits, int max,
			struct err *err)
{
	struct bandfind find;
	int r;

	echofind_back(&alone->find, &find);
	if (max && alone->find.overhead + max < find.config.max) {
		find.config.max =
			alone->find.overhead + max / ECHOFIND_STEP * ECHOFIND_STEP;
		bandfind_init(&find, &(struct bandfind_config){
					     .min = find.config.min,
					     .max = find.config.max,
					     .unit = find.config.unit,
				     });
	}
	r = echofind_run_back(&alone->find, echo, fits, &find, err);
	bandfind_result(&find, &alone->looks.back);
	return r;
}

/* True if packets that came back whole do not, sent there in pieces. */
static bool loses_pieces(const struct alone *alone, int edge)
{
	int size = edge / ECHOFIND_STEP * ECHOFIND_STEP;

	return size > alone->find.size_min &&
	       path_bands_fate(&alone->looks.back, alone->find.overhead + size) ==
		       FATE_LOST;
}

/* The way back alone: what is lost on the way there is sent in pieces, inside. */
static int look_back(struct alone *alone, struct echo *echo, struct err *err)
{
	int edge = trip_edge(alone);
	bool all = edge >= alone->find.size_max;
	/* No packet is fragmented inside where the link is left alone. */
	bool whole_only = alone->find.unit != 0;
	int before = alone->find.sizes;
	int r;

	if (!alone->find.tap || edge < alone->find.size_min)
		return 0;
	r = whole_only ? look_back_as(alone, echo, edge, edge, err)
		       : look_back_as(alone, echo, all ? edge : alone->find.size_min, 0,
				      err);
	if (r == 0 && !all && !whole_only && loses_pieces(alone, edge)) {
		alone->pieces_lost = true;
		r = look_back_as(alone, echo, edge, edge, err);
	}
	alone->looks.largest_back = alone->find.largest_back;
	alone->looks.largest_fate = alone->find.largest_fate;
	alone->looks.back_ends = alone->find.split_back != 0;
	alone->sizes_back = alone->find.sizes - before;
	return r;
}

/* Sizes that came back arrive there, too: they are not asked again. */
static void seed_search(const struct bandfind *trip, struct bandfind *there)
{
	for (int i = 0; i < trip->count; i++) {
		if (trip->sizes[i].arrived > 0)
			bandfind_learn(there, trip->sizes[i].size, FATE_WHOLE,
				       BANDFIND_COPIES, BANDFIND_COPIES);
	}
	there->sent = 0;
	there->packets = 0;
}

static int run_there(struct alone *alone, struct echo *echo, struct bandfind *find,
		     struct err *err)
{
	return echo->kind == ECHO_UDP
		       ? echofind_run_slowly(&alone->find, echo, find, err)
		       : echofind_run(&alone->find, echo, find, err);
}

/* Where all sizes in steps have the same fate, one more may have it, too. */
static int look_largest(struct alone *alone, struct echo *echo,
			struct path_bands *bands, struct err *err)
{
	int edge = alone->find.overhead + alone->find.size_max;
	struct path_band *top = NULL;
	struct path_bands largest;
	struct path_bands all;
	struct bandfind find;
	int r;

	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].max == edge)
			top = &bands->band[i];
	}
	if (!top || top->fate != FATE_WHOLE || !echofind_largest(&alone->find, &find))
		return 0;
	r = run_there(alone, echo, &find, err);
	bandfind_result(&find, &largest);
	if (path_bands_fate(&largest, find.config.max) == FATE_WHOLE)
		top->max = find.config.max;
	if (path_bands_fate(&largest, find.config.max) != FATE_LOST)
		return r;
	/* Nothing is known between the two sizes. */
	all = *bands;
	all.count = (int)(top - bands->band) + 1;
	if ((edge == find.config.max - 1 ||
	     path_bands_add(&all, find.config.max - 1, FATE_UNKNOWN) == 0) &&
	    path_bands_add(&all, OUTER_SIZE_MAX, FATE_LOST) == 0)
		*bands = all;
	return r;
}

static int look_there(struct alone *alone, struct echo *echo,
		      const struct bandfind *trip, struct err *err)
{
	struct bandfind find;
	int r;

	echofind_there(&alone->find, &find);
	seed_search(trip, &find);
	r = run_there(alone, echo, &find, err);
	bandfind_result(&find, &alone->looks.there);
	return r < 0 ? r : look_largest(alone, echo, &alone->looks.there, err);
}

static int look_small(struct alone *alone, const struct bandfind *trip, struct err *err)
{
	struct echo echo = ECHO_CLOSED;
	int r = alone_ask_small(alone, &echo, err);

	if (r == 0)
		r = look_there(alone, &echo, trip, err);
	echo_close(&echo);
	return r == -ENOENT ? 0 : r;
}

static int look_outside(struct alone *alone, struct err *err)
{
	struct echo echo = ECHO_CLOSED;
	struct bandfind find;
	int r;

	if (alone->find.facts.endpoint_local || alone->find.facts.unseen)
		return 0;
	r = alone_ask_endpoint(alone, &echo, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	echofind_outside(&alone->find, &find);
	r = echofind_run(&alone->find, &echo, &find, err);
	bandfind_result(&find, &alone->looks.outside);
	alone->looks.outside_max = find.config.max;
	alone->looks.too_big = echo.too_big;
	echo_close(&echo);
	/* The kernel's WireGuard must not keep a path MTU that these taught the kernel. */
	if (guard_settle(alone->guard, NULL) == -EPIPE && r == 0)
		r = err_set(err, -EPIPE, "the guard process is gone");
	return r;
}

static int look_all(struct alone *alone, struct echo *echo, struct err *err)
{
	struct bandfind trip = {0};
	int r = 0;

	if (!alone->echoes)
		r = look_there(alone, echo, &trip, err);
	if (alone->echoes) {
		echofind_there(&alone->find, &trip);
		r = echofind_run(&alone->find, echo, &trip, err);
		bandfind_result(&trip, &alone->looks.trip);
		if (r == 0)
			r = look_largest(alone, echo, &alone->looks.trip, err);
		if (r == 0)
			r = look_back(alone, echo, err);
	}
	if (r < 0)
		return r;
	onesided_judge(&alone->looks, &alone->result);
	if (alone->result.either_way || (alone->echoes && !alone->result.own_mtu))
		r = look_small(alone, &trip, err);
	if (r == 0)
		r = look_outside(alone, err);
	onesided_judge(&alone->looks, &alone->result);
	return r;
}

/* --- the whole --- */

int alone_probe(struct alone *alone, struct err *err)
{
	int64_t began_ms = clock_boot_ms();
	struct echo echo = ECHO_CLOSED;
	struct err why = ERR_INIT;
	int r = alone_ask_any(alone, &echo, err);
	int restored;

	if (r == 0)
		r = begin(alone, err);
	if (r == 0)
		r = look_all(alone, &echo, err);
	echo_close(&echo);
	echofind_close(&alone->find);
	restored = guard_end_probe(alone->guard, &why);
	alone->took_ms = clock_boot_ms() - began_ms;
	if (r == -EINTR)
		return err_set(err, r, "%s; the MTU is restored", stop_reason());
	if (r == 0 && restored < 0)
		return err_set(err, restored, "%s", why.text);
	return r;
}

/* Print the answer before it is stored: no disk delays it. *ret_printed: 0, or
 * progress_print()'s error. */
static int print_alone(const struct alone *alone, const struct evidence *evidence,
		       int *ret_printed, struct err *err)
{
	cleanup_free char *text = NULL;
	int r = 0;

	if (!alone->config->json)
		r = alone_rates_wanted(alone)
			    ? evidence_prediction_text(evidence, &text, err)
			    : evidence_text(evidence, &text, err);
	*ret_printed = text ? progress_print(text) : 0;
	return r;
}

static const char *why_unprinted(int printed)
{
	return printed == -EAGAIN ? "nobody reads it" : err_reason(-printed);
}

static bool applies(const struct alone *alone)
{
	return alone->config->options->persist == PERSIST_BEST &&
	       alone->result.own_mtu > 0;
}

/* True if the run does not end with the answer of the probes. */
static bool goes_on(const struct alone *alone)
{
	return applies(alone) || alone_rates_wanted(alone);
}

static int apply_alone(const struct alone *alone, struct err *err)
{
	if (alone->contradicted)
		return err_set(err, -ENODATA,
			       "MTU %d is not applied: tests contradict the probes",
			       alone->result.own_mtu);
	return alone_apply(alone, err);
}

/* After the answer: the tests, then the MTU is applied. The outcome is stored, whichever
 * it is. */
static int finish_run(struct alone *alone, struct evidence *evidence, int64_t run,
		      struct err *err)
{
	struct err why = ERR_INIT;
	enum run_outcome outcome;
	int stored;
	int r = 0;

	if (alone_rates_wanted(alone))
		r = alone_rates(alone, run, evidence, err);
	if (r == 0 && applies(alone))
		r = apply_alone(alone, err);
	outcome = r == 0 ? RUN_DONE : r == -EINTR ? RUN_INTERRUPTED : RUN_FAILED;
	stored = alone_answer_end(alone, run, outcome, r < 0 ? err->text : "", &why);
	if (stored == 0)
		return r;
	if (r < 0)
		host_tell("%.300s", why.text);
	return r < 0 ? r : err_set(err, stored, "%s", why.text);
}

static int print_json(const char *db, int64_t run, struct err *err)
{
	cleanup_free char *text = NULL;
	int r = runjson_text(db, run, &text, err);

	return r < 0 ? r : progress_print_run(text, run, db, err);
}

static int tell_alone(struct alone *alone, int64_t began_at_ms, struct err *err)
{
	const char *db = alone->config->options->db;
	struct err none = ERR_INIT;
	struct evidence evidence;
	int64_t run;
	int printed;
	int shown;
	int r;

	alone_answer_make(alone, &evidence);
	r = print_alone(alone, &evidence, &printed, err);
	if (r == 0)
		r = alone_answer_store(alone, &evidence, began_at_ms, goes_on(alone),
				       &run, err);
	if (r < 0 && printed < 0)
		host_tell("cannot write the result to standard output (%s), and it is "
			  "stored nowhere: probe again",
			  why_unprinted(printed));
	if (r < 0)
		return r;
	host_tell("stored as run %lld in '%s'", (long long)run, db);
	r = goes_on(alone) ? finish_run(alone, &evidence, run, err) : 0;
	shown = alone->config->json ? print_json(db, run, &none) : 0;
	if (r < 0) {
		if (shown < 0)
			host_tell("%s", none.text);
		return r;
	}
	if (printed < 0)
		return err_set(err, -EIO,
			       "cannot write the result to standard output (%s): "
			       "'mtusweep best %lld' prints it from '%s'",
			       why_unprinted(printed), (long long)run, db);
	return shown < 0 ? err_set(err, shown, "%s", none.text) : 0;
}

static int run_alone(struct alone *alone, struct err *err)
{
	int mtu = alone_current_mtu(alone);
	int64_t began_at_ms = clock_wall_ms();
	int r = priv_refuse_headers(err);

	if (r == 0)
		r = alone_probe(alone, err);
	if (r == 0)
		r = tell_alone(alone, began_at_ms, err);
	if (r < 0)
		return r;
	if (!alone->result.own_mtu)
		return err_set(err, -ENODATA,
			       "no MTU is known to fit: see the %s above",
			       direction_name(alone->config->own));
	if (alone->contradicted)
		return err_set(err, -ENODATA,
			       "no MTU is known to fit: tests contradict the probes");
	return mtu > alone->result.own_mtu && !applies(alone) ? PROGRAM_MISFIT
							      : PROGRAM_DONE;
}

static int watch_alone(const struct alone *alone, struct err *err)
{
	int r = priv_refuse_headers(err);

	return r < 0 ? r : alone_watch(alone, err);
}

int alone_main(const struct alone_config *config, int guard_fd, int runner_fd)
{
	struct alone alone = {.config = config};
	struct err err = ERR_INIT;
	int r;

	/* A background job must not be stopped for writing its result. */
	signal(SIGTTOU, SIG_IGN);
	if (stop_install() < 0)
		return PROGRAM_FAILED;
	r = guard_new(guard_fd, &alone.guard, &err);
	if (r == 0)
		r = runner_new(runner_fd, &alone.runner, &err);
	if (r == 0)
		r = config->watch && config->watch->every_ms ? watch_alone(&alone, &err)
							     : run_alone(&alone, &err);
	if (r < 0)
		host_tell("%s", err.text);
	runner_free(alone.runner);
	guard_free(alone.guard);
	return r < 0 ? PROGRAM_FAILED : r;
}
