/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_watch.h"

#include <errno.h>

#include "base/clock.h"
#include "cmd/alone/alone_answer.h"
#include "cmd/alone/alone_apply.h"

/* A probe rests on these, with the MTU of this moment in place of that of the start. */
struct alone_watch {
	const struct alone *first;
	struct host host;
	struct alone_config config;
	struct alone now;
};

static int begin_run(void *ctx, struct store *store, int64_t *ret_run, struct err *err)
{
	struct alone_watch *watch = ctx;

	return alone_answer_begin_watch(&watch->now, store, ret_run, err);
}

/* --- a probe --- */

/* Judge this end's packets of up to its MTU. */
static enum path_probe_fit fit_of(const struct alone *alone)
{
	const struct onesided *found = &alone->result;
	int mtu = alone_current_mtu(alone);
	int bytes = alone->find.overhead + mtu;

	if (found->own_mtu)
		return mtu <= found->own_mtu ? PROBE_FITS : PROBE_MISFIT;
	switch (path_bands_fate(&found->there, bytes)) {
	case FATE_LOST:
	case FATE_FRAGMENTED:
		return PROBE_MISFIT;
	case FATE_WHOLE:
	case FATE_UNKNOWN:
	case FATE_COUNT:
		break;
	}
	return PROBE_FIT_UNKNOWN;
}

static void fill_probe(const struct alone *alone, struct path_probe *ret)
{
	enum direction own = alone->config->own;
	int mtu = alone->result.own_mtu ? alone_apply_mtu(alone) : 0;

	ret->answer = PROBE_OK;
	if (mtu)
		ret->largest = mtu_pair_of_sender(own, mtu);
	ret->fit = fit_of(alone);
	ret->dir[own] = alone->result.there;
	ret->dir[direction_back(own)] = alone->result.back;
}

static int probe_path(void *ctx, struct path_probe *ret, struct err *err)
{
	struct alone_watch *watch = ctx;
	int r = host_read_mtus(&watch->host, watch->first->guard,
			       watch->config.targets.list[0].address, err);

	watch->now = (struct alone){
		.config = &watch->config,
		.guard = watch->first->guard,
		.runner = watch->first->runner,
	};
	if (r == 0)
		r = alone_probe(&watch->now, err);
	if (r == -EINTR || r == -EPIPE)
		return r;
	ret->current =
		mtu_pair_of_sender(watch->config.own, alone_current_mtu(&watch->now));
	if (r == 0)
		fill_probe(&watch->now, ret);
	else
		ret->answer = PROBE_NONE;
	return 0;
}

static int apply_mtu(void *ctx, const struct mtu_pair *mtu, struct err *err)
{
	struct alone_watch *watch = ctx;

	(void)mtu; /* alone_apply_mtu() said it */
	return alone_apply(&watch->now, err);
}

int alone_watch(const struct alone *alone, struct err *err)
{
	static const struct watch_ops ops = {
		.begin = begin_run,
		.probe = probe_path,
		.apply = apply_mtu,
	};
	const struct alone_config *config = alone->config;
	struct alone_watch watch = {
		.first = alone,
		.host = *config->host,
		.config = *config,
	};
	const struct watch_config loop = {
		.options = config->watch,
		.db = config->options->db,
		.interface = config->options->interface,
		.applies = config->options->persist == PERSIST_BEST,
		.guard = alone->guard,
		.address = config->targets.list[0].address,
	};

	watch.config.host = &watch.host;
	watch.now = (struct alone){
		.config = &watch.config,
		.guard = alone->guard,
		.target = &watch.config.targets.list[0],
	};
	return watch_run(&loop, &ops, &watch, err);
}
