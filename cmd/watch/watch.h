/* SPDX-License-Identifier: MIT */
#ifndef CMD_WATCH_WATCH_H
#define CMD_WATCH_WATCH_H

#include <jansson.h>

#include "base/path_probe.h"
#include "netctl/guard.h"
#include "store/store.h"

/*
 * The loop of --watch: probe, judge (engine/pathwatch.h), tell, apply, store a row, wait.
 * A path of one end alone and one of two are probed by what fills in struct watch_ops, as
 * a sweep's by struct sweep_ops. It runs in main; its memory does not grow.
 *
 * A database that cannot be written, and a path that nobody answers on, are told once;
 * the watch goes on.
 */

/* The shortest and longest interval of --watch, and of --settle. */
#define WATCH_EVERY_MIN_MS  100
#define WATCH_EVERY_MAX_MS  86400000
#define WATCH_SETTLE_MS     600000
#define WATCH_SETTLE_MAX_MS (7 * WATCH_EVERY_MAX_MS)

/* The options. */
struct watch_options {
	int64_t every_ms; /* 0: no watch */
	int64_t settle_ms;
	bool settle_given;
	bool once; /* end with the first news */
};

/* 0; -EINVAL: options that need --watch, or do nothing in this one. */
int watch_options_check(const struct watch_options *options, bool applies,
			struct err *err);

/* Add them to the options of a run, a JSON object. */
void watch_options_note(const struct watch_options *options, json_t *object);

struct watch_ops {
	/* Store the run that the rows belong to. */
	int (*begin)(void *ctx, struct store *store, int64_t *ret_run, struct err *err);
	/* Probe the path once and fill in all but seq, early, fragments, too_big, event and
	 * applied.
	 * Without an answer `err` says why. -EINTR: told to stop; other errors end the
	 * watch. */
	int (*probe)(void *ctx, struct path_probe *ret, struct err *err);
	/* Apply these MTUs for good, after the last probe. On failure the ones of before
	 * are restored. */
	int (*apply)(void *ctx, const struct mtu_pair *mtu, struct err *err);
};

struct watch_config {
	const struct watch_options *options;
	const char *db;
	const char *interface;
	bool applies; /* --persist best */
	struct guard *guard;
	const char *address; /* behind the tunnel */
};

/*
 * Watch until told to stop, or with `once` until there is news. Returns the exit status:
 * PROGRAM_DONE when it was told to stop; with `once` PROGRAM_MISFIT or PROGRAM_CHANGED;
 * or a failure that ends it, with its sentence.
 */
int watch_run(const struct watch_config *config, const struct watch_ops *ops, void *ctx,
	      struct err *err);

#endif
