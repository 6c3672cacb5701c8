/* SPDX-License-Identifier: MIT */
/* The strategy that confirms one pair. */
#include "engine/plan_confirm.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/bandguess.h"
#include "engine/pathmodel.h"
#include "engine/recommend_check.h"

#define PAIRS_MAX      2
#define VISITS_OF_PAIR 2

struct confirm {
	struct plan plan;
	struct path path;
	struct mtu_pair pairs[PAIRS_MAX];
	int count;
	int at;     /* the pair of the next visit */
	int visits; /* that this pair has had */
	int done;   /* visits of all pairs */
};

/* In the direction of an end whose MTU is not known nothing is at fault but that one. */
static bool is_lost(const struct confirm *c, const struct mtu_pair *mtu,
		    enum direction dir)
{
	return mtu_pair_sender(mtu, dir) != MTU_UNKNOWN &&
	       pathmodel_predict(&c->path, mtu, dir).tcp == FATE_LOST;
}

static bool confirm_next(struct plan *plan, struct visit *ret)
{
	struct confirm *c = (struct confirm *)plan;

	if (c->at == c->count)
		return false;
	*ret = (struct visit){.mtu = c->pairs[c->at], .pass = c->visits + 1};
	for (int dir = 0; dir < DIR_COUNT; dir++)
		ret->lost[dir] = is_lost(c, &ret->mtu, (enum direction)dir);
	return true;
}

/* True if the result is not the predicted one. Where no probe was as large, data has to
 * arrive. */
static bool is_unpredicted(const struct confirm *c, const struct measurement *m)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		enum direction d = (enum direction)dir;
		bool lost = bandguess_rate(&m->dir[dir]) == 0;
		enum fate fate = pathmodel_predict_test(&c->path, m, d).tcp;

		if ((lost && fate == FATE_UNKNOWN) ||
		    recommend_contradicts(&c->path, m, d, lost) > 0)
			return true;
	}
	return false;
}

static void confirm_learn(struct plan *plan, const struct measurement *m)
{
	struct confirm *c = (struct confirm *)plan;

	c->done++;
	c->visits++;
	if (c->visits < VISITS_OF_PAIR && is_unpredicted(c, m))
		return;
	c->at++;
	c->visits = 0;
}

static int confirm_total(const struct plan *plan)
{
	const struct confirm *c = (const struct confirm *)plan;

	return c->done + c->count - c->at;
}

static void confirm_free(struct plan *plan)
{
	free(plan);
}

static const struct plan_ops confirm_ops = {
	.next = confirm_next,
	.learn = confirm_learn,
	.total = confirm_total,
	.free = confirm_free,
};

static void add_pair(struct confirm *c, const struct mtu_pair *mtu)
{
	if (mtu->server && !(c->count && mtu_pair_same(mtu, &c->pairs[0])))
		c->pairs[c->count++] = *mtu;
}

int plan_confirm_new(const struct plan_confirm_options *options, struct plan **ret,
		     struct err *err)
{
	struct confirm *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	c->plan.ops = &confirm_ops;
	c->path = options->path;
	add_pair(c, &options->recommended);
	add_pair(c, &options->current);
	if (!c->count) {
		free(c);
		return err_set(err, -EINVAL, "nothing to measure: no MTU is known");
	}
	*ret = &c->plan;
	return 0;
}
