/* SPDX-License-Identifier: MIT */
#include "cmd/watch/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/notify.h"
#include "base/stop.h"
#include "cmd/host/host.h"
#include "cmd/watch/watch_say.h"
#include "cmd/watch/watch_signs.h"
#include "engine/pathwatch.h"

/* Before a probe that is to confirm the last one. */
#define AGAIN_MS 1000
/* Signs are looked for so often between two probes. */
#define SIGNS_MS 2000

struct watch {
	const struct watch_config *config;
	const struct watch_ops *ops;
	void *ctx;
	struct store *store;
	int64_t run;
	struct pathwatch path;
	struct watch_signs signs;
	bool early;  /* the next probe is brought forward by one */
	bool warned; /* one was, since the last probe that was due */
	uint32_t probes;
	int64_t answered_ms; /* the last answer, or the begin */
	bool unstored;       /* that was told */
	int status;          /* with `once`; -1: there is no news yet */
};

int watch_options_check(const struct watch_options *options, bool applies,
			struct err *err)
{
	if (!options->every_ms && (options->once || options->settle_given))
		return err_set(err, -EINVAL, "--%s needs --watch",
			       options->once ? "watch-once" : "settle");
	if (options->settle_given && !applies)
		return err_set(
			err, -EINVAL,
			"--settle is the time between two MTUs that are applied: "
			"give it with --persist best");
	return 0;
}

void watch_options_note(const struct watch_options *options, json_t *object)
{
	if (!options->every_ms)
		return;
	json_object_set_new(object, "watch",
			    json_real((double)options->every_ms / 1000));
	json_object_set_new(object, "settle",
			    json_real((double)options->settle_ms / 1000));
	json_object_set_new(object, "watch-once", json_boolean(options->once));
}

/* --- telling and storing --- */

static void tell_news(struct watch *watch, const struct pathwatch_step *step,
		      const struct path_probe *probe, const char *why, int64_t now_ms)
{
	char text[WATCH_SENTENCE_SIZE];
	int priority = watch_say_event(step, probe, why, now_ms - watch->answered_ms,
				       watch->config->applies, text);

	if (priority >= 0)
		host_tell_at(priority, "%s", text);
}

static void tell_manager(const struct path_probe *probe)
{
	char text[WATCH_SENTENCE_SIZE];
	char state[WATCH_SENTENCE_SIZE + 8];

	watch_say_probe(probe, text);
	debug_log("watch", "%s", text);
	snprintf(state, sizeof(state), "STATUS=%s", text);
	notify_send(state);
}

/* A full disk must not end the watch. */
static void store_probe(struct watch *watch, const struct path_probe *probe)
{
	struct err why = ERR_INIT;
	int r = store_put_probe(watch->store, watch->run, probe, &why);

	if (r < 0 && !watch->unstored)
		host_tell_at(LOG_ERR,
			     "probes are not stored: %.300s; the watch goes on",
			     why.text);
	else if (r == 0 && watch->unstored)
		host_tell_at(LOG_NOTICE, "probes are stored again");
	watch->unstored = r < 0;
}

/* --- a step --- */

static void apply_mtus(struct watch *watch, const struct mtu_pair *mtu,
		       struct path_probe *probe)
{
	struct err why = ERR_INIT;
	int r = watch->ops->apply(watch->ctx, mtu, &why);

	pathwatch_tried(&watch->path, mtu, r == 0, clock_boot_ms());
	probe->applied = r == 0 ? PROBE_APPLIED : PROBE_NOT_APPLIED;
	if (r < 0)
		host_tell_at(LOG_ERR, "%.350s; tried again after %g s", why.text,
			     (double)watch->config->options->settle_ms / 1000);
}

/* The exit status of this news: what was applied fits. */
static int status_of(const struct path_probe *probe)
{
	return probe->fit == PROBE_MISFIT && probe->applied != PROBE_APPLIED
		       ? PROGRAM_MISFIT
		       : PROGRAM_CHANGED;
}

/* True if the next probe is to confirm this one. */
static bool judge_probe(struct watch *watch, struct path_probe *probe, const char *why)
{
	int64_t now_ms = clock_boot_ms();
	struct pathwatch_step step;

	pathwatch_feed(&watch->path, probe, now_ms, &step);
	probe->event = step.event;
	tell_news(watch, &step, probe, why, now_ms);
	if (probe->answer == PROBE_OK)
		watch->answered_ms = now_ms;
	if (step.apply.server)
		apply_mtus(watch, &step.apply, probe);
	store_probe(watch, probe);
	tell_manager(probe);
	if (watch->config->options->once && step.event != EVENT_QUIET)
		watch->status = status_of(probe);
	return step.again;
}

static int probe_once(struct watch *watch, bool *ret_again, struct err *err)
{
	struct path_probe probe = {
		.probed_at_ms = clock_wall_ms(),
		.early = watch->early,
	};
	struct err why = ERR_INIT;
	int64_t began_ms = clock_boot_ms();
	int r;

	watch_signs_count(&watch->signs, &probe);
	r = watch->ops->probe(watch->ctx, &probe, &why);
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	probe.seq = ++watch->probes;
	probe.took_ms = clock_boot_ms() - began_ms;
	watch->early = false;
	*ret_again = judge_probe(watch, &probe, why.text);
	watch_signs_begin(&watch->signs);
	return 0;
}

/* --- the wait --- */

static int earlier(int64_t a_ms, int b_ms)
{
	return b_ms >= 0 && b_ms < a_ms ? b_ms : (int)a_ms;
}

/* A sign counts once between two probes that are due: what makes fragments may do so for
 * days, and one that was looked into is known. */
static bool may_be_early(const struct watch *watch, int64_t left_ms)
{
	return !watch->warned && left_ms > SIGNS_MS;
}

/* 0 when it is time, or a sign brings it forward; -EINTR; -EPIPE the guard is gone. */
static int wait_until(struct watch *watch, int64_t deadline_ms, struct err *err)
{
	int64_t signs_ms = clock_boot_ms() + SIGNS_MS;
	struct pollfd polled[] = {
		{.fd = stop_fd(), .events = POLLIN},
		{.fd = guard_fd(watch->config->guard), .events = 0},
	};

	for (;;) {
		int left_ms = clock_left_ms(deadline_ms);
		bool looks = may_be_early(watch, left_ms);
		int until_ms = looks ? earlier(left_ms, clock_left_ms(signs_ms))
				     : left_ms;

		if (notify_watchdog_ms() >= 0)
			notify_send("WATCHDOG=1");
		if (poll(polled, 2, earlier(until_ms, notify_watchdog_ms())) < 0 &&
		    errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
		if (polled[0].revents)
			return err_set(err, -EINTR, "%s", stop_reason());
		if (polled[1].revents & (POLLHUP | POLLERR))
			return err_set(err, -EPIPE, "the guard process is gone");
		if (left_ms == 0)
			return 0;
		if (!looks || clock_left_ms(signs_ms) > 0)
			continue;
		watch->early = watch->warned = watch_signs_look(&watch->signs);
		if (watch->early)
			return 0;
		signs_ms = clock_boot_ms() + SIGNS_MS;
	}
}

static int watch_path(struct watch *watch, struct err *err)
{
	int64_t every_ms = watch->config->options->every_ms;
	int64_t due_ms = 0;
	int r = 0;

	while (r == 0 && watch->status < 0) {
		int64_t began_ms = clock_boot_ms();
		bool again = false;

		if (began_ms >= due_ms)
			watch->warned = false;
		due_ms = began_ms >= due_ms ? began_ms + every_ms : due_ms;
		r = probe_once(watch, &again, err);
		if (r < 0 || watch->status >= 0)
			break;
		r = wait_until(watch,
			       again && AGAIN_MS < every_ms ? clock_boot_ms() + AGAIN_MS
							    : due_ms,
			       err);
	}
	return r;
}

/* --- the whole --- */

static int begin_watch(struct watch *watch, struct err *err)
{
	const struct watch_config *config = watch->config;
	int r = store_open(config->db, &watch->store, err);

	if (r == 0)
		r = watch->ops->begin(watch->ctx, watch->store, &watch->run, err);
	if (r < 0)
		return r;
	host_tell("watch of '%s': a probe every %g s; run %lld in '%s'",
		  config->interface, (double)config->options->every_ms / 1000,
		  (long long)watch->run, config->db);
	notify_send("READY=1");
	return 0;
}

static void end_watch(struct watch *watch, int r, const struct err *err)
{
	bool stopped = r == -EINTR && stop_signal() != STOP_SIGNAL_DEATH;
	struct err why = ERR_INIT;

	notify_send("STOPPING=1");
	if (watch->run && store_end_run(watch->store, watch->run,
					r == 0 || stopped ? RUN_DONE : RUN_FAILED,
					r < 0 ? err->text : "", &why) < 0)
		host_tell("%s", why.text);
	if (store_close(watch->store, &why) < 0)
		host_tell("%s", why.text);
	if (stopped && watch->run)
		host_tell("the watch ended after %u probe%s: %.200s; run %lld in '%s'",
			  watch->probes, watch->probes == 1 ? "" : "s", err->text,
			  (long long)watch->run, watch->config->db);
}

int watch_run(const struct watch_config *config, const struct watch_ops *ops, void *ctx,
	      struct err *err)
{
	struct watch watch = {
		.config = config,
		.ops = ops,
		.ctx = ctx,
		.answered_ms = clock_boot_ms(),
		.signs = {.guard = config->guard,
			  .address = config->address,
			  .fragments = NO_FIGURE},
		.status = -1,
	};
	int r;

	pathwatch_init(&watch.path, &(struct pathwatch_config){
					    .settle_ms = config->options->settle_ms,
					    .applies = config->applies,
				    });
	r = begin_watch(&watch, err);
	if (r == 0)
		r = watch_path(&watch, err);
	end_watch(&watch, r, err);
	if (r == -EINTR && stop_signal() != STOP_SIGNAL_DEATH)
		return PROGRAM_DONE;
	return r < 0 ? r : watch.status;
}
