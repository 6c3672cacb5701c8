/* SPDX-License-Identifier: MIT */
/* The probes of a watch: stored, read; and that ten thousand cost no memory. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/pathwatch.h"
#include "fixture.h"
#include "store/query.h"
#include "store/store.h"

#define MANY 10000

struct read {
	int count;
	struct path_probe probe[2];
};

static int take(void *ctx, const struct path_probe *probe)
{
	struct read *read = ctx;

	assert_in_range(read->count, 0, 1);
	read->probe[read->count++] = *probe;
	return 0;
}

struct numbers {
	int count;
	uint32_t seq[6];
};

static int take_number(void *ctx, const struct path_probe *probe)
{
	struct numbers *numbers = ctx;

	assert_in_range(numbers->count, 0, 5);
	numbers->seq[numbers->count++] = probe->seq;
	return 0;
}

static void comes_back_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct path_probe empty = {.seq = 2,
				   .probed_at_ms = 1,
				   .answer = PROBE_NONE,
				   .fragments = NO_FIGURE,
				   .too_big = NO_FIGURE,
				   .current = {MTU_UNKNOWN, 1420}};
	struct path_probe full = fixture_probe(1);
	struct read read = {0};
	struct query_run found;
	struct path_probe last;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	assert_int_equal(store_put_probe(store, run, &full, NULL), 0);
	assert_int_equal(store_put_probe(store, run, &empty, NULL), 0);
	/* A number belongs to one probe. */
	assert_true(store_put_probe(store, run, &full, NULL) < 0);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_probes(query, run, take, &read, NULL), 0);
	assert_int_equal(read.count, 2);
	assert_memory_equal(&read.probe[0], &full, sizeof(full));
	/* One end alone: the other's MTU is not known, in whichever word. */
	empty.current.server = 0;
	assert_memory_equal(&read.probe[1], &empty, sizeof(empty));
	assert_int_equal(query_last_probe(query, run, &last, NULL), 0);
	assert_int_equal(last.seq, 2);
	assert_int_equal(query_last_watch(query, &found, NULL), 0);
	assert_int_equal(found.id, run);
	query_close(query);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT upload_whole + download_whole"
					  " FROM path_probe WHERE seq = 1"),
			 1440 + 1460);
}

static void put_probe(struct store *store, int64_t run, uint32_t seq,
		      enum path_probe_event event, enum path_probe_applied applied)
{
	struct path_probe probe = fixture_probe(seq);

	probe.event = event;
	probe.applied = applied;
	assert_int_equal(store_put_probe(store, run, &probe, NULL), 0);
}

static void changes_are_the_first_and_the_news(void **state)
{
	static const uint32_t expected[] = {5, 3, 1};
	struct fixture *fixture = *state;
	struct numbers numbers = {0};
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	put_probe(store, run, 1, EVENT_QUIET, PROBE_NOT_TRIED);
	put_probe(store, run, 2, EVENT_QUIET, PROBE_NOT_TRIED);
	put_probe(store, run, 3, EVENT_MISFIT, PROBE_NOT_TRIED);
	put_probe(store, run, 4, EVENT_QUIET, PROBE_NOT_TRIED);
	put_probe(store, run, 5, EVENT_QUIET, PROBE_APPLIED);
	put_probe(store, run, 6, EVENT_QUIET, PROBE_NOT_TRIED);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_changes(query, run, take_number, &numbers, NULL), 0);
	assert_int_equal(numbers.count, 3);
	assert_memory_equal(numbers.seq, expected, sizeof(expected));
	query_close(query);
}

static void a_run_may_have_none(void **state)
{
	struct fixture *fixture = *state;
	struct query_run found;
	struct path_probe last;
	struct err err = ERR_INIT;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_last_probe(query, run, &last, NULL), -ENODATA);
	assert_int_equal(query_last_watch(query, &found, &err), -ENOENT);
	assert_non_null(strstr(err.text, "has no watch"));
	query_close(query);
}

/* Pages of this process that nobody else has, in kB. */
static long resident_kb(void)
{
	long size = 0;
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &size, &pages), 2);
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

#define BATCH 500

/* A watch of many probes, as main makes it: judged and stored. */
struct many {
	struct pathwatch watch;
	struct store *store;
	int64_t run;
	uint32_t seq;
};

static int watch_once(struct many *many, struct err *err)
{
	struct path_probe probe = fixture_probe(++many->seq);
	struct pathwatch_step step;

	pathwatch_feed(&many->watch, &probe, many->seq * INT64_C(60000), &step);
	probe.event = step.event;
	return store_put_probe(many->store, many->run, &probe, err);
}

/* Each alone would wait for the disk. */
static int watch_batch(void *ctx, struct err *err)
{
	int r = 0;

	for (int i = 1; r == 0 && i < BATCH; i++)
		r = watch_once(ctx, err);
	return r;
}

static int watch_many(struct fixture *fixture)
{
	const struct pathwatch_config config = {.settle_ms = 600000, .applies = true};
	struct run_info info = fixture_run(1);
	struct many many = {0};
	long before_kb = 0;

	CHECK(store_open(fixture->db, &many.store, NULL) == 0);
	CHECK(store_begin_record(many.store, &info, NULL, &many.run, NULL) == 0);
	pathwatch_init(&many.watch, &config);
	while (many.seq < MANY) {
		CHECK(store_transact(many.store, watch_batch, &many, NULL) == 0);
		CHECK(watch_once(&many, NULL) == 0);
		if (many.seq == MANY / 10)
			before_kb = resident_kb();
	}
	fprintf(stderr, "resident after %d probes: %ld kB, after %d: %ld kB\n",
		MANY / 10, before_kb, MANY, resident_kb());
	/* The allocator may keep some pages more. */
	CHECK(resident_kb() <= before_kb + 256);
	CHECK(store_close(many.store, NULL) == 0);
	return 0;
}

static void many_cost_no_memory(void **state)
{
	struct fixture *fixture = *state;

	fixture_in_child(watch_many, fixture);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM path_probe"),
			 MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back_as_it_was, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(changes_are_the_first_and_the_news,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_run_may_have_none, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(many_cost_no_memory, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
