/* SPDX-License-Identifier: MIT */
/*
 * recommend: measures the time of recommend_find() on a whole grid, with a reference after
 * every tenth pair, as `--strategy grid --order shuffled` leaves it.
 *
 * usage: recommendation [STEP]...
 *
 * It prints a line for each STEP of the grid 1280 to 1500 (10 and 1 unless given):
 * pairs, measurements, and the milliseconds of one call, with probes and with probes
 * filtered.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/random.h"
#include "engine/recommend.h"

#define BANDS           "1460:whole,1500:lost,65535:fragmented"
#define REFERENCE_EVERY 10

/* The mean of a few uniform numbers is close to normal: a deviation of 2 %. */
static double noise(uint64_t *random)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += (double)random_below(random, 1000) / 1000;
	return exp(0.02 * (sum - 6));
}

static void visit(const struct path *path, const struct mtu_pair *mtu, size_t at,
		  uint64_t *random, struct measurement *ret)
{
	*ret = (struct measurement){.seq = (uint32_t)at + 1, .pass = 1, .mtu = *mtu};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct prediction p = pathmodel_predict(path, mtu, (enum direction)dir);
		struct dir_result *r = &ret->dir[dir];

		dir_result_init(r, p.goodput > 0 ? TEST_OK : TEST_BLACKHOLE, "%s", "");
		r->started_at_ms = 1000 + (int64_t)at * 3000 + dir * 1500;
		if (p.goodput > 0)
			r->goodput_bps = (int64_t)(50e6 * p.goodput * noise(random));
	}
}

static size_t visit_all(const struct recommend_input *in, struct measurement *ret)
{
	const struct mtu_pair reference = {1420, 1380};
	int peers = mtu_range_count(&in->peer);
	int cells = mtu_range_count(&in->server) * peers;
	uint64_t random = 1;
	size_t count = 0;

	for (int i = 0; i < cells; i++) {
		struct mtu_pair mtu = {
			.server = mtu_range_at(&in->server, i / peers),
			.peer = mtu_range_at(&in->peer, i % peers),
		};

		if (i % REFERENCE_EVERY == 0) {
			visit(&in->path, &reference, count, &random, &ret[count]);
			ret[count++].reference = true;
		}
		visit(&in->path, &mtu, count, &random, &ret[count]);
		count++;
	}
	return count;
}

/* Return milliseconds; negative: out of memory. */
static double find(const struct recommend_input *in)
{
	struct recommendation recommendation;
	int64_t began_us = clock_boot_us();

	if (recommend_find(in, &recommendation) < 0)
		return -1;
	return (double)(clock_boot_us() - began_us) / 1000;
}

static int measure(int step)
{
	struct recommend_input in = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.server = {1280, 1500, step},
		.peer = {1280, 1500, step},
		.current = {1420, 1420},
		.margin = 0.05,
	};
	size_t cells =
		(size_t)mtu_range_count(&in.server) * (size_t)mtu_range_count(&in.peer);
	cleanup_free struct measurement *m = calloc(cells * 2 + 1, sizeof(*m));
	double with, without;

	if (!m || path_bands_parse(BANDS, &in.path.dir[DIR_UPLOAD], NULL) < 0 ||
	    path_bands_parse(BANDS, &in.path.dir[DIR_DOWNLOAD], NULL) < 0)
		return -1;
	in.count = visit_all(&in, m);
	in.m = m;
	with = find(&in);
	in.path.dir[DIR_UPLOAD].count = 0;
	in.path.dir[DIR_DOWNLOAD].count = 0;
	without = find(&in);
	if (with < 0 || without < 0)
		return -1;
	printf("%zu cells, %zu visits: %.1f ms, with probes filtered %.1f ms\n", cells,
	       in.count, with, without);
	return 0;
}

int main(int argc, char **argv)
{
	static char *usual[] = {"recommend", "10", "1"};

	if (argc == 1) {
		argc = 3;
		argv = usual;
	}
	for (int i = 1; i < argc; i++) {
		int step = atoi(argv[i]);

		if (step < 1) {
			fprintf(stderr, "recommendation: '%s' is no step\n", argv[i]);
			return 2;
		}
		if (measure(step) < 0) {
			fputs("recommendation: out of memory\n", stderr);
			return 1;
		}
		fflush(stdout);
	}
	return 0;
}
