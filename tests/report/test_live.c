/* SPDX-License-Identifier: MIT */
/* Runs for a reader that asks repeatedly: real databases while they are written. */

#include "report/live.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "base/clock.h"

#define ROOM 10000

struct looker {
	struct live *live;
	char have[UUID_SIZE];
	char revision[20];
	uint32_t after;
	json_t *answer; /* last answer */
};

static struct looker look_at(struct fixture *fixture)
{
	struct looker looker = {0};

	assert_int_equal(live_new(fixture->db, &looker.live, NULL), 0);
	return looker;
}

static void look_away(struct looker *looker)
{
	json_decref(looker->answer);
	live_free(looker->live);
}

static json_t *part(const struct looker *looker, const char *name)
{
	return json_object_get(looker->answer, name);
}

static int count(const struct looker *looker, const char *name)
{
	return (int)json_array_size(part(looker, name));
}

/* Reading takes its share of the time only. */
static int ask_until_answered(struct live *live, const struct live_ask *ask,
			      json_t **ret)
{
	int64_t deadline_ms = clock_boot_ms() + 20000;
	int r;

	while ((r = live_progress(live, ask, ret, NULL)) == -EAGAIN) {
		assert_true(clock_boot_ms() < deadline_ms);
		usleep(5000);
	}
	return r;
}

/* As the page does. */
static void look(struct looker *looker, const char *run, size_t room)
{
	struct live_ask ask = {
		.run = run,
		.have = looker->have,
		.revision = looker->revision,
		.after = looker->after,
		.room = room,
		.near = true,
	};

	json_decref(looker->answer);
	looker->answer = NULL;
	assert_int_equal(ask_until_answered(looker->live, &ask, &looker->answer), 0);
	if (json_is_null(part(looker, "run")))
		return;
	strcpy(looker->have, json_string_value(part(looker, "run")));
	strcpy(looker->revision, json_string_value(part(looker, "revision")));
	looker->after = (uint32_t)json_integer_value(part(looker, "next"));
}

/* Ask until this many measurements have come: reading takes only its share of the
 * time. */
static void look_until(struct looker *looker, int visits)
{
	int64_t deadline_ms = clock_boot_ms() + 8000;

	do {
		usleep(5000);
		look(looker, "", ROOM);
		assert_true(clock_boot_ms() < deadline_ms);
	} while (json_integer_value(part(looker, "visits")) != visits);
}

static void check_row(const struct looker *looker, int i, const char *expected)
{
	char *text = json_dumps(json_array_get(part(looker, "rows"), (size_t)i),
				JSON_COMPACT);

	assert_string_equal(text, expected);
	free(text);
}

static void record(struct store *store, int64_t run, uint32_t seq, double up,
		   double down)
{
	struct measurement m =
		fixture_visit(seq, (struct mtu_pair){1400, 1300}, up, down);

	m.pass = (int)seq;
	m.reference = seq == 2;
	fixture_record(store, run, &m);
}

static void without_a_run_there_is_none(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	struct store *store;

	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	look(&looker, "", ROOM);
	assert_true(json_is_null(part(&looker, "run")));
	assert_int_equal(store_close(store, NULL), 0);
	look_away(&looker);
}

static void nothing_is_told_twice(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	record(store, run, 1, 90, -TEST_BLACKHOLE);
	record(store, run, 2, 94, -TEST_TIMEOUT);
	look(&looker, "", ROOM);
	assert_non_null(part(&looker, "facts"));
	assert_int_equal(count(&looker, "rows"), 2);
	check_row(&looker, 1, "[2,1400,1300,92000000,\"timeout\"]");
	assert_int_equal(count(&looker, "references"), 1);
	assert_int_equal(json_integer_value(part(&looker, "visits_failed")), 2);

	look(&looker, "", ROOM);
	assert_null(part(&looker, "facts"));
	assert_int_equal(count(&looker, "rows"), 0);
	assert_int_equal(count(&looker, "references"), 0);

	record(store, run, 3, 98, 50);
	look_until(&looker, 3);
	assert_int_equal(count(&looker, "rows"), 1);
	check_row(&looker, 0, "[3,1400,1300,94000000,50000000]");
	assert_null(part(&looker, "facts"));
	assert_int_equal(json_integer_value(
				 json_object_get(part(&looker, "fastest"), "peer_mtu")),
			 1300);
	fixture_close(store);
	look_away(&looker);
}

static void facts_are_told_when_they_change(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);
	json_t *facts = NULL;

	record(store, run, 1, 90, 90);
	look(&looker, "", ROOM);
	assert_int_equal(store_warn(store, run,
				    &(struct warning){.detail = "the moon is full"},
				    NULL),
			 0);
	for (int i = 0; i < 1000 && !facts; i++) {
		usleep(5000);
		look(&looker, "", ROOM);
		facts = part(&looker, "facts");
	}
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(facts, "warnings"), 0),
			"sentence")),
		"the moon is full");
	assert_int_equal(count(&looker, "rows"), 0);
	fixture_close(store);
	look_away(&looker);
}

static void assert_json(const json_t *value, const char *expected)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

	assert_string_equal(text, expected);
	free(text);
}

static void recommend(struct store *store, int64_t run, enum evidence_status status)
{
	struct evidence e;

	evidence_init(&e);
	e.mtu = (struct mtu_pair){1400, 1380};
	e.reason = (struct reason){.kind = REASON_FITS, .margin = 5, .visits = 1};
	e.status = status;
	assert_int_equal(store_recommend(store, run, &e, NULL), 0);
}

/* The path as a ruler, before the first measurement; how far the recommendation is proved
 * depends on whether the run goes on. */
static void the_path_is_a_fact(void **state)
{
	struct path_survey survey = {
		.path.overhead = {80, 60},
		.path.dir[DIR_UPLOAD] = {2, {{1460, FATE_WHOLE}, {65535, FATE_LOST}}},
		.path.unseen[DIR_UPLOAD] = true,
		.probes = {9, 9}};
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);
	json_t *facts;

	look(&looker, "", ROOM);
	assert_true(json_is_null(json_object_get(part(&looker, "facts"), "ruler")));
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	recommend(store, run, EVIDENCE_PREDICTED);
	looker.have[0] = '\0';
	for (int i = 0; i < 1000; i++) {
		look(&looker, "", ROOM);
		facts = part(&looker, "facts");
		if (json_is_object(json_object_get(facts, "ruler")) &&
		    json_is_object(json_object_get(facts, "recommended")))
			break;
		looker.have[0] = '\0';
		usleep(5000);
	}
	assert_json(
		json_object_get(facts, "ruler"),
		"{\"download\":{\"bands\":[],\"guessed\":false,\"overhead\":60,"
		"\"proved\":false,"
		"\"title\":\"Download, server to peer (not known)\"},\"from\":1400,"
		"\"step\":20,\"to\":1540,\"upload\":{\"bands\":[[1460,\"whole\"],"
		"[1540,\"lost\"]],\"guessed\":false,\"overhead\":80,\"proved\":false,"
		"\"title\":\"Upload, peer to server (fragments would not be "
		"seen)\"}}");
	assert_json(json_array_get(json_object_get(facts, "fates"), 2),
		    "{\"color\":\"#b5483f\",\"label\":\"lost\",\"name\":\"lost\"}");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(facts, "recommended"), "proof")),
			    "predicted, tests follow");
	assert_true(json_is_true(
		json_object_get(json_object_get(facts, "recommended"), "predicted")));
	fixture_close(store);
	look_away(&looker);
}

/* A pair that tests speak against is not a predicted one. */
static void contradicted_probes(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);
	json_t *recommended;

	recommend(store, run, EVIDENCE_CONTRADICTED);
	look(&looker, "", ROOM);
	recommended = json_object_get(part(&looker, "facts"), "recommended");
	assert_true(json_is_false(json_object_get(recommended, "predicted")));
	assert_string_equal(json_string_value(json_object_get(recommended, "proof")),
			    "tests contradict the probes");
	fixture_close(store);
	look_away(&looker);
}

/* The rows come one by one, each once and in order. */
static void answers_are_as_small_as_asked_for(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	for (uint32_t seq = 1; seq <= 9; seq++)
		record(store, run, seq, seq, seq);
	for (uint32_t seq = 1; seq <= 9; seq++) {
		look(&looker, "", 1);
		assert_int_equal(count(&looker, "rows"), 1);
		assert_int_equal(looker.after, seq);
		assert_int_equal(json_is_true(part(&looker, "more")), seq < 9);
	}
	look(&looker, "", 1);
	assert_int_equal(count(&looker, "rows"), 0);
	fixture_close(store);
	look_away(&looker);
}

/* An orderly end returns to journal_mode=DELETE, which an open reader would prevent. */
static void who_writes_ends_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	char *mode;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	record(store, run, 1, 90, 90);
	look(&looker, "", ROOM);
	assert_int_equal(store_close(store, NULL), 0);
	mode = fixture_read_text(fixture, "PRAGMA journal_mode");
	assert_string_equal(mode, "delete");
	free(mode);
	look_away(&looker);
}

static json_t *list_runs(struct live *live)
{
	int64_t deadline_ms = clock_boot_ms() + 20000;
	json_t *list = NULL;
	int r;

	while ((r = live_runs(live, &list, NULL)) == -EAGAIN) {
		assert_true(clock_boot_ms() < deadline_ms);
		usleep(5000);
	}
	assert_int_equal(r, 0);
	return list;
}

static void two_runs_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	int64_t first;
	int64_t second;
	struct run_info info = fixture_run(2);
	struct store *store = fixture_open(fixture, 1, &first);
	struct looker other;
	json_t *list;

	assert_int_equal(store_begin_record(store, &info, NULL, &second, NULL), 0);
	record(store, first, 1, 90, 90);
	record(store, second, 1, 10, 10);
	record(store, second, 2, 10, 10);
	look(&looker, "1", ROOM);
	other = looker;
	looker.answer = NULL;
	other.have[0] = '\0';
	look(&other, "", ROOM);
	assert_int_equal(count(&other, "rows"), 2);
	assert_string_equal(other.have, info.uuid);
	look(&looker, "1", ROOM);
	assert_int_equal(count(&looker, "rows"), 0);
	/* Known facts of another run do not count. */
	strcpy(looker.have, info.uuid);
	look(&looker, "1", ROOM);
	assert_int_equal(count(&looker, "rows"), 1);
	list = list_runs(looker.live);
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
	json_decref(other.answer);
	fixture_close(store);
	look_away(&looker);
}

static int count_looks(void *ctx, struct query *query, const struct query_run *run,
		       struct err *err)
{
	struct query_run same;
	int *looks = ctx;

	++*looks;
	return query_run(query, run->info.uuid, &same, err);
}

static json_t *pair_of(struct looker *looker, const struct mtu_pair *mtu)
{
	int looks = 0;
	struct live_pair_ask ask = {
		.run = "",
		.near = true,
		.mtu = *mtu,
		.visits_max = 2,
		.look = count_looks,
		.ctx = &looks,
	};
	json_t *pair = NULL;

	assert_int_equal(live_pair(looker->live, &ask, &pair, NULL), 0);
	assert_int_equal(looks, 1);
	return pair;
}

/* The page reads each figure that it shows by a name that a measurement has. */
static void assert_figures(const json_t *figures, const json_t *measurement)
{
	const json_t *upload = json_object_get(measurement, "upload");
	const json_t *figure;
	size_t i;

	assert_in_range(json_array_size(figures), 4, FIGURE_COUNT);
	json_array_foreach(figures, i, figure)
	{
		const char *name = json_string_value(json_object_get(figure, "name"));

		assert_non_null(json_object_get(upload, name));
		assert_non_null(json_string_value(json_object_get(figure, "label")));
		assert_non_null(json_string_value(json_object_get(figure, "unit")));
	}
}

static void a_pair_is_told_in_full(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	const struct mtu_pair mtu = {1400, 1300};
	const struct mtu_pair none = {1400, 1301};
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);
	json_t *pair;
	json_t *visits;

	record(store, run, 1, 90, 91);
	record(store, run, 2, 92, -TEST_BLACKHOLE);
	record(store, run, 3, 97, 93);
	pair = pair_of(&looker, &mtu);
	visits = json_object_get(pair, "visits");
	assert_int_equal(json_array_size(visits), 2);
	assert_figures(json_object_get(pair, "figures"), json_array_get(visits, 0));
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(visits, 0), "seq")),
		3);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(pair, "result"), "upload_bps")),
			 92000000);
	json_decref(pair);
	pair = pair_of(&looker, &none);
	assert_true(json_is_null(json_object_get(pair, "result")));
	json_decref(pair);
	fixture_close(store);
	look_away(&looker);
}

/* The MTU that one end alone does not know is null. */
static void one_end_is_told(void **state)
{
	const struct mtu_pair mtu = {MTU_UNKNOWN, 1380};
	struct measurement m = fixture_visit(1, mtu, 36.5, 55);
	struct fixture *fixture = *state;
	int64_t run = fixture_store_one_end(fixture, 1, true);
	struct looker looker = look_at(fixture);
	struct store *store;
	json_t *facts, *pair;

	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	fixture_record(store, run, &m);
	fixture_close(store);
	look(&looker, "", ROOM);
	check_row(&looker, 0, "[1,null,1380,36500000,55000000]");
	assert_json(part(&looker, "fastest"),
		    "{\"download_bps\":55000000,\"peer_mtu\":1380,\"server_mtu\":null,"
		    "\"upload_bps\":36500000}");
	facts = part(&looker, "facts");
	assert_json(json_object_get(facts, "grid"), "[null,[1300,1480,10]]");
	assert_true(json_is_null(
		json_object_get(json_object_get(facts, "recommended"), "server_mtu")));
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(facts, "recommended"), "peer_mtu")),
			 1380);
	/* The far end's MTU has no place on the ruler of download. */
	assert_true(json_integer_value(json_object_get(json_object_get(facts, "ruler"),
						       "to")) < 2000);
	pair = pair_of(&looker, &mtu);
	assert_true(json_is_null(json_object_get(pair, "server_mtu")));
	assert_int_equal(json_array_size(json_object_get(pair, "visits")), 1);
	json_decref(pair);
	look_away(&looker);
}

/* An MTU that tests contradict is no recommendation. */
static void a_contradicted_mtu_is_null(void **state)
{
	struct fixture *fixture = *state;
	int64_t run = fixture_store_one_end(fixture, 1, true);
	struct evidence e = fixture_one_end(true);
	struct looker looker = look_at(fixture);
	struct store *store;
	json_t *recommended;

	e.status = EVIDENCE_CONTRADICTED;
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_recommend(store, run, &e, NULL), 0);
	fixture_close(store);
	look(&looker, "", ROOM);
	recommended = json_object_get(part(&looker, "facts"), "recommended");
	assert_true(json_is_null(json_object_get(recommended, "server_mtu")));
	assert_true(json_is_null(json_object_get(recommended, "peer_mtu")));
	assert_string_equal(json_string_value(json_object_get(recommended, "status")),
			    "contradicted");
	look_away(&looker);
}

static void put_probes(struct store *store, int64_t run, uint32_t from, uint32_t to,
		       enum path_probe_event event)
{
	struct path_probe probe = {
		.probed_at_ms = INT64_C(1790000000000),
		.answer = PROBE_OK,
		.fragments = NO_FIGURE,
		.too_big = NO_FIGURE,
		.current = {MTU_UNKNOWN, 1420},
		.largest = {MTU_UNKNOWN, 1380},
		.fit = PROBE_MISFIT,
		.event = event,
		.dir[DIR_UPLOAD] = {2, {{1440, FATE_WHOLE}, {65535, FATE_LOST}}},
	};

	for (probe.seq = from; probe.seq <= to; probe.seq++)
		assert_int_equal(store_put_probe(store, run, &probe, NULL), 0);
}

/* A probe without news changes no fact, so that it costs the tunnel nothing. */
static void a_watch_tells_its_changes(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	json_t *changes = NULL;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	look(&looker, "", ROOM);
	assert_true(json_is_null(json_object_get(part(&looker, "facts"), "changes")));
	put_probes(store, run, 1, 1, EVENT_MISFIT);
	put_probes(store, run, 2, 3, EVENT_QUIET);
	for (int i = 0; i < 1000 && json_array_size(changes) != 1; i++) {
		usleep(5000);
		look(&looker, "", ROOM);
		changes = json_object_get(part(&looker, "facts"), "changes");
	}
	assert_int_equal(json_array_size(changes), 1);
	assert_json(json_array_get(changes, 0),
		    "{\"answer\":\"ok\",\"applied\":\"no\",\"download_whole\":null,"
		    "\"event\":\"misfit\",\"fit\":\"misfit\","
		    "\"largest_peer_mtu\":1380,\"largest_server_mtu\":null,"
		    "\"peer_mtu\":1420,\"probed_at\":\"2026-09-21T14:13:20.000Z\","
		    "\"server_mtu\":null,\"upload_whole\":1440}");
	put_probes(store, run, 4, 30, EVENT_MOVED);
	for (int i = 0; i < 1000 && json_array_size(changes) < 20; i++) {
		usleep(5000);
		look(&looker, "", ROOM);
		changes = json_object_get(part(&looker, "facts"), "changes");
	}
	assert_int_equal(json_array_size(changes), 20);
	fixture_close(store);
	look_away(&looker);
}

/* In whole kbit/s, like the export. */
static void a_pair_has_one_rate(void **state)
{
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	const struct mtu_pair mtu = {1400, 1300};
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);
	json_t *pair;

	record(store, run, 1, 90.0004, 80.0006);
	look(&looker, "", ROOM);
	check_row(&looker, 0, "[1,1400,1300,90000000,80001000]");
	pair = pair_of(&looker, &mtu);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(pair, "result"), "upload_bps")),
			 90000000);
	json_decref(pair);
	fixture_close(store);
	look_away(&looker);
}

/* SQLite writes beside the file that a link leads to: a change there is seen at once, not
 * only after STALE_MS. */
static void changes_are_seen_through_a_link(void **state)
{
	struct fixture *fixture = *state;
	struct fixture link = *fixture;
	struct looker looker;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	snprintf(link.db, sizeof(link.db), "%s/link.db", fixture->folder);
	assert_int_equal(symlink("test.db", link.db), 0);
	looker = look_at(&link);
	record(store, run, 1, 90, 90);
	look_until(&looker, 1);
	record(store, run, 2, 90, 90);
	look_until(&looker, 2);
	fixture_close(store);
	look_away(&looker);
}

/* Runs asked for in turn, and names that lead nowhere, share one part of the time: each is
 * read some times at once, and then no more. */
static void all_reading_shares_the_time(void **state)
{
	static const char *const names[] = {"1", "2", "3", "777"};
	struct fixture *fixture = *state;
	struct looker looker = look_at(fixture);
	int refused = 0;
	int64_t run;

	for (int i = 1; i < 4; i++)
		fixture_close(fixture_open(fixture, i, &run));
	for (int i = 0; i < 4000 && refused < 100; i++) {
		struct live_ask ask = {.run = names[i % 4], .have = "", .revision = ""};
		json_t *answer = NULL;
		int r = live_progress(looker.live, &ask, &answer, NULL);

		if (r != -EAGAIN)
			assert_int_equal(r, i % 4 == 3 ? -EINVAL : 0);
		refused += r == -EAGAIN;
		json_decref(answer);
	}
	assert_int_equal(refused, 100);
	look_away(&looker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_run_there_is_none,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_told_twice, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(facts_are_told_when_they_change,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(the_path_is_a_fact, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(contradicted_probes, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(answers_are_as_small_as_asked_for,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(who_writes_ends_in_order, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(two_runs_are_told_apart, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_pair_is_told_in_full, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_contradicted_mtu_is_null,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(one_end_is_told, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_watch_tells_its_changes,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_pair_has_one_rate, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(changes_are_seen_through_a_link,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(all_reading_shares_the_time,
						fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
