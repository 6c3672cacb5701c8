/* SPDX-License-Identifier: MIT */
#include "drift_sim.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "engine/recommend.h"

#define VISITS_MAX   64
#define SMART_VISITS 8
#define CAPACITY     50e6
#define OUTLIER      0.2

static double uniform(uint64_t *random)
{
	return ((double)random_below(random, 1 << 30) + 0.5) / (1 << 30);
}

static double normal(uint64_t *random)
{
	double radius = sqrt(-2 * log(uniform(random)));

	return radius * cos(2 * M_PI * uniform(random));
}

/* A deviation with mean 0 and standard deviation 1. */
static double deviate(const struct drift_sim *sim, uint64_t *random)
{
	double value = normal(random);
	double square = 0;

	if (!sim->heavy)
		return value;
	for (int i = 0; i < 3; i++)
		square += pow(normal(random), 2);
	return value / sqrt(square);
}

/* The capacity as a share of that at the beginning; `when` is 0 to 1. */
static double capacity(const struct drift_sim *sim, double when, double halves_at)
{
	if (sim->change == DRIFT_SIM_HALVES)
		return when < halves_at ? 1 : 0.5;
	return sim->change == DRIFT_SIM_DECLINES ? 1 - when / 2 : 1;
}

static struct mtu_pair pair_at(const struct drift_sim *sim, int at)
{
	/* The candidate, the smallest pair, the current one, two above the edge. */
	static const struct mtu_pair smart[SMART_VISITS] = {
		{1440, 1440}, {1280, 1280}, {1460, 1460}, {1440, 1440},
		{1420, 1420}, {1480, 1480}, {1440, 1440}, {1420, 1420},
	};

	return sim->plan == DRIFT_SIM_SMART ? smart[at] : (struct mtu_pair){1280, 1280};
}

static int make_visits(const struct drift_sim *sim, const struct path *path,
		       uint64_t *random, struct measurement *ret)
{
	int count = sim->plan == DRIFT_SIM_SMART ? SMART_VISITS : sim->references;
	int outlier = (int)random_below(random, (uint64_t)count);
	double halves_at = uniform(random);

	for (int i = 0; i < count; i++) {
		struct dir_result *r = &ret[i].dir[DIR_UPLOAD];
		struct mtu_pair mtu = pair_at(sim, i);
		double share = pathmodel_predict(path, &mtu, DIR_UPLOAD).goodput;
		double rate = CAPACITY * share *
			      capacity(sim, (double)i / (count - 1), halves_at) *
			      exp(sim->spread * deviate(sim, random));

		if (sim->outlier && i == outlier)
			rate *= OUTLIER;
		ret[i] = (struct measurement){
			.seq = (uint32_t)i + 1,
			.pass = 1,
			.mtu = mtu,
			.reference = mtu.server == pair_at(sim, 0).server,
		};
		dir_result_init(&ret[i].dir[DIR_DOWNLOAD], TEST_ERROR, "%s", "");
		dir_result_init(r, TEST_OK, "%s", "");
		r->started_at_ms = 1000 + (int64_t)i * 3000;
		r->goodput_bps = (int64_t)rate;
	}
	return count;
}

static bool reports_drift(const struct drift_sim *sim, uint64_t *random)
{
	struct measurement m[VISITS_MAX];
	struct recommend_input input = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.server = {1280, 1500, 20},
		.peer = {1280, 1500, 20},
		.m = m,
		.margin = 0.05,
	};
	struct recommendation v;
	struct drift drift[DIR_COUNT];
	int r;

	for (int dir = 0; dir < DIR_COUNT; dir++)
		path_bands_parse("1500:whole,65535:fragmented", &input.path.dir[dir],
				 NULL);
	input.count = (size_t)make_visits(sim, &input.path, random, m);
	if (sim->plan == DRIFT_SIM_SMART) {
		r = recommend_find(&input, &v);
		drift[DIR_UPLOAD] = v.drift[DIR_UPLOAD];
	} else {
		r = recommend_drift(m, input.count, drift);
	}
	if (r < 0)
		abort();
	return drift[DIR_UPLOAD].beyond_noise;
}

double drift_sim_share(const struct drift_sim *sim, int runs, uint64_t seed)
{
	int count = 0;

	for (int i = 0; i < runs; i++)
		count += reports_drift(sim, &seed);
	return (double)count / runs;
}
