/* SPDX-License-Identifier: MIT */
/* The news of a path that changes, and the MTUs that are applied: a simulated host
 * whose path has an edge at each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/pathwatch.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* The peer's end alone, or with it the server's, over IPv4. */
struct sim {
	struct pathwatch watch;
	int64_t now_ms;
	int64_t every_ms;
	uint32_t probes;
	int mtu; /* of the peer */
	bool apply_fails;
	int events[PROBE_EVENT_COUNT];
	int applied;
	int64_t applied_at_ms;
	int64_t nearest_ms; /* two attempts */
};

static void sim_init(struct sim *sim, bool applies, int64_t settle_ms)
{
	*sim = (struct sim){
		.every_ms = MINUTE_MS,
		.mtu = 1440,
		.nearest_ms = INT64_MAX,
		.now_ms = 1000,
	};
	pathwatch_init(&sim->watch, &(struct pathwatch_config){
					    .settle_ms = settle_ms,
					    .applies = applies,
				    });
}

static struct path_probe make_probe(struct sim *sim, int edge)
{
	struct path_probe probe = {
		.seq = ++sim->probes,
		.answer = edge ? PROBE_OK : PROBE_NONE,
		.current = {MTU_UNKNOWN, sim->mtu},
	};
	char bands[64];

	if (!edge)
		return probe;
	snprintf(bands, sizeof(bands), "%d:whole,65535:lost", edge);
	assert_int_equal(path_bands_parse(bands, &probe.dir[DIR_UPLOAD], NULL), 0);
	probe.largest = (struct mtu_pair){MTU_UNKNOWN, edge - PATH_OVERHEAD_IPV4};
	probe.fit = sim->mtu <= probe.largest.peer ? PROBE_FITS : PROBE_MISFIT;
	return probe;
}

static void apply(struct sim *sim, const struct mtu_pair *mtu)
{
	if (sim->applied && sim->now_ms - sim->applied_at_ms < sim->nearest_ms)
		sim->nearest_ms = sim->now_ms - sim->applied_at_ms;
	sim->applied++;
	sim->applied_at_ms = sim->now_ms;
	assert_int_equal(mtu->server, MTU_UNKNOWN);
	if (!sim->apply_fails)
		sim->mtu = mtu->peer;
	pathwatch_tried(&sim->watch, mtu, !sim->apply_fails, sim->now_ms);
}

/* A probe of a path with this edge (0: no answer). Return the step. */
static struct pathwatch_step probe_once(struct sim *sim, int edge)
{
	struct path_probe probe = make_probe(sim, edge);
	struct pathwatch_step step;

	pathwatch_feed(&sim->watch, &probe, sim->now_ms, &step);
	sim->events[step.event]++;
	if (step.apply.peer)
		apply(sim, &step.apply);
	sim->now_ms += step.again ? 1000 : sim->every_ms;
	return step;
}

/* Probe a path with this edge for so long. */
static void probe_for(struct sim *sim, int edge, int64_t ms)
{
	int64_t until_ms = sim->now_ms + ms;

	while (sim->now_ms < until_ms)
		probe_once(sim, edge);
}

static int news(const struct sim *sim)
{
	int count = 0;

	for (int i = 0; i < PROBE_EVENT_COUNT; i++)
		count += i != EVENT_QUIET ? sim->events[i] : 0;
	return count;
}

static void says_nothing_of_a_steady_path(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	for (int i = 0; i < 10000; i++)
		probe_once(&sim, 1500);
	assert_int_equal(news(&sim), 0);
	assert_int_equal(sim.applied, 0);
}

static void says_once_that_an_edge_moved(void **state)
{
	struct pathwatch_step step;
	struct sim sim;

	(void)state;
	sim_init(&sim, false, 10 * MINUTE_MS);
	probe_for(&sim, 1500, HOUR_MS);
	step = probe_once(&sim, 1440);
	assert_true(step.again);
	assert_int_equal(step.event, EVENT_QUIET);
	step = probe_once(&sim, 1440);
	assert_int_equal(step.event, EVENT_MISFIT);
	assert_int_equal(path_bands_differ(&step.before.dir[DIR_UPLOAD],
					   &sim.watch.base.dir[DIR_UPLOAD]),
			 1441);
	probe_for(&sim, 1440, HOUR_MS);
	probe_for(&sim, 1500, HOUR_MS);
	assert_int_equal(sim.events[EVENT_MISFIT], 1);
	assert_int_equal(sim.events[EVENT_FITS], 1);
	probe_for(&sim, 1540, HOUR_MS);
	assert_int_equal(sim.events[EVENT_MOVED], 1);
	assert_int_equal(news(&sim), 3);
}

static void says_at_once_that_the_mtu_does_not_fit(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, false, 10 * MINUTE_MS);
	assert_int_equal(probe_once(&sim, 1440).event, EVENT_MISFIT);
	probe_for(&sim, 1440, DAY_MS);
	assert_int_equal(news(&sim), 1);
}

/* One probe in a thousand is wrong by chance. */
static void believes_no_single_probe(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	for (int i = 0; i < 10000; i++)
		probe_once(&sim, i % 7 == 3 ? 1300 : i % 11 == 5 ? 0 : 1500);
	assert_int_equal(news(&sim), 0);
	assert_int_equal(sim.applied, 0);
}

static void asks_again_no_more_than_it_may(void **state)
{
	struct sim sim;
	int again = 0;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	probe_once(&sim, 1500);
	/* No two probes are alike. */
	for (int i = 0; i < 400; i++)
		again += probe_once(&sim, 1300 + i % 100).again;
	assert_true(again <= 300);
	assert_int_equal(news(&sim), 0);
}

static void says_once_that_nobody_answers(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	probe_for(&sim, 1500, HOUR_MS);
	assert_true(probe_once(&sim, 0).again);
	assert_int_equal(news(&sim), 0);
	probe_for(&sim, 0, DAY_MS);
	assert_int_equal(sim.events[EVENT_SILENT], 1);
	assert_int_equal(probe_once(&sim, 1500).event, EVENT_BACK);
	probe_for(&sim, 1500, DAY_MS);
	assert_int_equal(news(&sim), 2);
	/* A changed path is told after its return. */
	probe_for(&sim, 0, HOUR_MS);
	probe_for(&sim, 1400, HOUR_MS);
	assert_int_equal(sim.events[EVENT_MISFIT], 1);
	assert_int_equal(news(&sim), 5);
}

static void waits_while_the_server_is_busy(void **state)
{
	struct path_probe busy = {.seq = 9, .answer = PROBE_BUSY};
	struct pathwatch_step step;
	struct sim sim;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	probe_once(&sim, 1500);
	for (int i = 0; i < 10; i++) {
		pathwatch_feed(&sim.watch, &busy, sim.now_ms, &step);
		assert_int_equal(step.event, EVENT_QUIET);
		assert_false(step.again);
	}
}

static void lowers_at_once_and_raises_late(void **state)
{
	struct sim sim;
	int64_t rose_at_ms;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	probe_for(&sim, 1500, HOUR_MS);
	probe_once(&sim, 1440);
	probe_once(&sim, 1440);
	assert_int_equal(sim.mtu, 1380);
	probe_for(&sim, 1440, HOUR_MS);
	rose_at_ms = sim.now_ms;
	while (sim.mtu != 1440)
		probe_once(&sim, 1500);
	assert_in_range(sim.applied_at_ms - rose_at_ms, 10 * MINUTE_MS, 12 * MINUTE_MS);
	assert_int_equal(sim.applied, 2);
}

static void applies_no_more_often_than_it_settles(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, true, HOUR_MS);
	/* It falls every ten minutes. */
	probe_for(&sim, 1500, HOUR_MS);
	for (int edge = 1490; edge > 1340; edge -= 10)
		probe_for(&sim, edge, 10 * MINUTE_MS);
	probe_for(&sim, 1340, HOUR_MS);
	assert_true(sim.nearest_ms >= HOUR_MS);
	assert_int_equal(sim.mtu, 1280);
	/* So are attempts that fail. */
	sim.apply_fails = true;
	sim.applied = 0;
	probe_for(&sim, 1330, 10 * HOUR_MS);
	assert_in_range(sim.applied, 9, 11);
	assert_int_equal(sim.events[EVENT_FLAPS], 0);
}

/* Lines that take turns, from a minute or two each to half a day each. */
static void ends_a_flapping_path_at_the_smaller(void **state)
{
	static const int64_t periods_ms[] = {MINUTE_MS, 5 * MINUTE_MS, 20 * MINUTE_MS,
					     3 * HOUR_MS, 12 * HOUR_MS};

	(void)state;
	for (size_t i = 0; i < sizeof(periods_ms) / sizeof(periods_ms[0]); i++) {
		struct sim sim;
		int applied;

		sim_init(&sim, true, 10 * MINUTE_MS);
		for (int turn = 0; turn < 6; turn++)
			probe_for(&sim, turn % 2 ? 1400 : 1500, periods_ms[i]);
		applied = sim.applied;
		for (int turn = 0; turn < 200; turn++)
			probe_for(&sim, turn % 2 ? 1400 : 1500, periods_ms[i]);
		assert_int_equal(sim.mtu, 1340);
		assert_int_equal(sim.applied, applied);
		assert_true(applied <= 3);
		assert_true(sim.events[EVENT_FLAPS] <= 1);
		assert_true(news(&sim) <= 4);
	}
}

static void tells_a_new_low_of_a_flapping_path(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, false, 10 * MINUTE_MS);
	for (int turn = 0; turn < 10; turn++)
		probe_for(&sim, turn % 2 ? 1400 : 1500, HOUR_MS);
	assert_int_equal(sim.events[EVENT_FLAPS], 1);
	/* The first fall, the rise, and the flapping. */
	assert_int_equal(news(&sim), 3);
	probe_for(&sim, 1360, HOUR_MS);
	assert_int_equal(sim.events[EVENT_MISFIT], 2);
	for (int turn = 0; turn < 10; turn++)
		probe_for(&sim, turn % 2 ? 1360 : 1400, HOUR_MS);
	assert_int_equal(news(&sim), 4);
}

/* A line that fails over once a month is used in full in between. */
static void forgets_a_fall_after_a_while(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	sim.every_ms = 10 * MINUTE_MS;
	for (int month = 0; month < 6; month++) {
		probe_for(&sim, 1500, 30 * DAY_MS);
		assert_int_equal(sim.mtu, 1440);
		probe_for(&sim, 1400, DAY_MS);
		assert_int_equal(sim.mtu, 1340);
	}
	assert_int_equal(sim.events[EVENT_FLAPS], 0);
	/* One that flapped is trusted again as well. */
	for (int turn = 0; turn < 6; turn++)
		probe_for(&sim, turn % 2 ? 1400 : 1500, HOUR_MS);
	assert_int_equal(sim.events[EVENT_FLAPS], 1);
	assert_int_equal(sim.mtu, 1340);
	probe_for(&sim, 1500, 6 * DAY_MS);
	assert_int_equal(sim.mtu, 1340);
	probe_for(&sim, 1500, 2 * DAY_MS);
	assert_int_equal(sim.mtu, 1440);
}

/* A probe that left something open is no change. */
static void keeps_what_a_probe_leaves_open(void **state)
{
	struct pathwatch_step step;
	struct path_probe blind;
	struct sim sim;

	(void)state;
	sim_init(&sim, true, 10 * MINUTE_MS);
	probe_for(&sim, 1500, HOUR_MS);
	blind = make_probe(&sim, 1500);
	blind.dir[DIR_UPLOAD].count = 0;
	blind.fit = PROBE_FIT_UNKNOWN;
	blind.largest = (struct mtu_pair){0};
	pathwatch_feed(&sim.watch, &blind, sim.now_ms, &step);
	assert_int_equal(step.event, EVENT_QUIET);
	assert_int_equal(step.apply.peer, 0);
	probe_once(&sim, 1440);
	assert_int_equal(probe_once(&sim, 1440).event, EVENT_MISFIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing_of_a_steady_path),
		cmocka_unit_test(says_once_that_an_edge_moved),
		cmocka_unit_test(says_at_once_that_the_mtu_does_not_fit),
		cmocka_unit_test(believes_no_single_probe),
		cmocka_unit_test(asks_again_no_more_than_it_may),
		cmocka_unit_test(says_once_that_nobody_answers),
		cmocka_unit_test(waits_while_the_server_is_busy),
		cmocka_unit_test(lowers_at_once_and_raises_late),
		cmocka_unit_test(applies_no_more_often_than_it_settles),
		cmocka_unit_test(ends_a_flapping_path_at_the_smaller),
		cmocka_unit_test(tells_a_new_low_of_a_flapping_path),
		cmocka_unit_test(forgets_a_fall_after_a_while),
		cmocka_unit_test(keeps_what_a_probe_leaves_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
