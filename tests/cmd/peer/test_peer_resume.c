/* SPDX-License-Identifier: MIT */
/* Runs that go on: which run, which visits are left, and whether the ends are the same. */

#include "cmd/peer/peer_resume.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../cmdlab.h"
#include "store/import.h"

#define OPTIONS "{\"duration\":5.0,\"seed\":\"7\",\"wait\":60.0}"

/* --- choosing a run --- */

static int64_t add_run_of(struct fixture *f, int number, const char *strategy,
			  const char *options, enum run_outcome outcome, int upload)
{
	struct run_info info = fixture_run(number);
	struct store *store = NULL;
	int64_t run = 0;
	struct measurement m =
		fixture_visit(3, (struct mtu_pair){1420, 1400}, upload, 20);

	snprintf(info.strategy, sizeof(info.strategy), "%s", strategy);
	assert_int_equal(store_open(f->db, &store, NULL), 0);
	assert_int_equal(store_begin_record(store, &info, options, &run, NULL), 0);
	fixture_record(store, run, &m);
	if (outcome != RUN_RUNNING)
		assert_int_equal(store_end_run(store, run, outcome, "", NULL), 0);
	fixture_close(store);
	return run;
}

static int64_t add_run(struct fixture *f, int number, const char *strategy,
		       const char *options, enum run_outcome outcome)
{
	return add_run_of(f, number, strategy, options, outcome, 10);
}

static int64_t add_copy(struct fixture *f, int number)
{
	struct run_info info = fixture_run(number);
	struct store *store = NULL;
	int64_t run = 0;
	bool known;

	assert_int_equal(store_open(f->db, &store, NULL), 0);
	assert_int_equal(store_begin_copy(store, &info,
					  "0123456789abcdef0123456789abcdef", &run,
					  &known, NULL),
			 0);
	fixture_close(store);
	return run;
}

static void assert_load(struct fixture *f, const char *name, const char *options,
			int code, const char *text)
{
	struct resume_wish wish = {.db = f->db, .run = name, .options = options};
	struct err err = ERR_INIT;
	struct resumed found;

	assert_int_equal(resume_load(&wish, &found, &err), code);
	if (text)
		cmdlab_assert_said(err.text, text);
	resume_release(&found);
}

static void test_newest_sweep_of_a_peer(void **state)
{
	struct fixture *f = *state;
	struct resume_wish wish = {.db = f->db, .options = OPTIONS};
	int64_t sweep = add_run(f, 1, "grid", OPTIONS, RUN_INTERRUPTED);
	struct resumed found;

	add_run(f, 2, STRATEGY_APPLY, OPTIONS, RUN_DONE);
	add_run(f, 3, STRATEGY_IMPORTED, NULL, RUN_DONE);
	add_copy(f, 4);
	assert_int_equal(resume_load(&wish, &found, NULL), 0);
	assert_int_equal(found.run, sweep);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.last_seq, 3);
	assert_int_equal(found.known[0].mtu.server, 1420);
	assert_string_equal(found.info.strategy, "grid");
	resume_release(&found);
	assert_null(found.known);
}

static void test_runs_that_cannot_go_on(void **state)
{
	struct fixture *f = *state;
	char name[24];

	assert_load(f, NULL, OPTIONS, -ENOENT, "no database");
	snprintf(name, sizeof(name), "%d",
		 (int)add_run(f, 1, STRATEGY_APPLY, OPTIONS, RUN_DONE));
	assert_load(f, NULL, OPTIONS, -ENOENT, f->db);
	assert_load(f, name, OPTIONS, -EINVAL, "--apply");
	snprintf(name, sizeof(name), "%d",
		 (int)add_run(f, 2, STRATEGY_IMPORTED, NULL, RUN_DONE));
	assert_load(f, name, OPTIONS, -EINVAL, "imported");
	snprintf(name, sizeof(name), "%d", (int)add_copy(f, 3));
	assert_load(f, name, OPTIONS, -EINVAL, "copy");
	/* The process that writes it is this one. */
	snprintf(name, sizeof(name), "%d",
		 (int)add_run(f, 4, "grid", OPTIONS, RUN_RUNNING));
	assert_load(f, name, OPTIONS, -EBUSY, name);
	assert_load(f, "99", OPTIONS, -ENOENT, "99");
}

/* --- the same options --- */

static void test_options_must_be_the_same(void **state)
{
	static const struct {
		const char *now;
		bool seed_given;
		int code;
		const char *text;
	} cases[] = {
		{OPTIONS, true, 0, NULL},
		/* It may be waited for longer. */
		{"{\"duration\":5.0,\"seed\":\"7\",\"wait\":1.0}", true, 0, NULL},
		/* Without --seed the run's own counts. */
		{"{\"duration\":5.0,\"seed\":\"8\",\"wait\":60.0}", false, 0, NULL},
		{"{\"duration\":5.0,\"seed\":\"8\",\"wait\":60.0}", true, -EINVAL,
		 "--seed 7, not 8"},
		{"{\"duration\":2.5,\"seed\":\"7\",\"wait\":60.0}", false, -EINVAL,
		 "--duration 5.0, not 2.5"},
		{"{\"seed\":\"7\"}", false, -EINVAL, "--duration 5.0, not ?"},
		{NULL, false, -EINVAL, "cannot be read"},
		{"[]", false, -EINVAL, "cannot be read"},
	};
	struct fixture *f = *state;

	add_run(f, 1, "grid", OPTIONS, RUN_INTERRUPTED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct resume_wish wish = {
			.db = f->db,
			.options = cases[i].now,
			.seed_given = cases[i].seed_given,
		};
		struct err err = ERR_INIT;
		struct resumed found;

		assert_int_equal(resume_load(&wish, &found, &err), cases[i].code);
		if (cases[i].text)
			cmdlab_assert_said(err.text, cases[i].text);
		resume_release(&found);
	}
}

/* --- the same tunnel --- */

#define SERVER_KEY "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define PEER_KEY   "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
#define OTHER_KEY  "L+V9o0fNYkMVKNqsX7spBzD/9oSvxM/C7ZCZX1jLO3Q="

static int64_t add_keyed(struct fixture *f, int number, const char *peer_key)
{
	struct run_info info = fixture_run(number);
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 10, 20);
	struct store *store = NULL;
	int64_t run = 0;

	snprintf(info.server.key, sizeof(info.server.key), "%s", SERVER_KEY);
	snprintf(info.peer.key, sizeof(info.peer.key), "%s", peer_key);
	assert_int_equal(store_open(f->db, &store, NULL), 0);
	assert_int_equal(store_begin_record(store, &info, OPTIONS, &run, NULL), 0);
	fixture_record(store, run, &m);
	assert_int_equal(store_end_run(store, run, RUN_INTERRUPTED, "", NULL), 0);
	fixture_close(store);
	return run;
}

/* The newest run of this tunnel counts, though another one's is newer. One without keys
 * may be of this tunnel. */
static void test_newest_run_of_the_tunnel(void **state)
{
	struct fixture *f = *state;
	struct tunnel ours, nobodys;
	struct resume_wish wish = {.db = f->db, .options = OPTIONS, .tunnel = &ours};
	struct apply_wish apply = {.db = f->db, .tunnel = &nobodys};
	struct err err = ERR_INIT;
	struct applied applied;
	struct resumed found;
	int64_t run = add_keyed(f, 1, PEER_KEY);

	add_keyed(f, 2, OTHER_KEY);
	assert_true(tunnel_of(SERVER_KEY, PEER_KEY, &ours));
	assert_true(tunnel_of(PEER_KEY, OTHER_KEY, &nobodys));
	assert_int_equal(resume_load(&wish, &found, NULL), 0);
	assert_int_equal(found.run, run);
	resume_release(&found);
	assert_int_equal(apply_load(&apply, &applied, &err), -ENOENT);
	cmdlab_assert_said(err.text, "no run of a peer through this tunnel");
	apply.tunnel = &ours;
	assert_int_equal(apply_load(&apply, &applied, &err), 0);
	assert_string_equal(applied.peer.key, PEER_KEY);
	run = add_keyed(f, 3, "");
	assert_int_equal(resume_load(&wish, &found, NULL), 0);
	assert_int_equal(found.run, run);
	resume_release(&found);
}

/* Where both keys are known they decide, and names do not matter. */
static void test_keys_decide(void **state)
{
	struct end_facts then = fixture_run(1).peer;
	struct end_facts now = then;
	struct err err = ERR_INIT;

	(void)state;
	strcpy(then.key, PEER_KEY);
	now.host[0] = 'x';
	now.interface[0] = 'x';
	now.address[0] = '9';
	assert_int_equal(resume_check_end("peer", &then, &now, &err), -EINVAL);
	strcpy(now.key, PEER_KEY);
	assert_int_equal(resume_check_end("peer", &then, &now, &err), 0);
	now = then;
	strcpy(now.key, OTHER_KEY);
	assert_int_equal(resume_check_end("peer", &then, &now, &err), -EINVAL);
	cmdlab_assert_said(err.text, "the peer's public key is '" OTHER_KEY "'");
	strcpy(now.key, PEER_KEY);
	now.backend = BACKEND_KERNEL;
	assert_int_equal(resume_check_end("peer", &then, &now, &err), -EINVAL);
}

static void test_ends_must_be_the_same(void **state)
{
	const struct end_facts then = fixture_run(1).peer;
	static const char *const names[] = {"host", "interface", "tunnel address",
					    "WireGuard", "IP version"};
	struct err err = ERR_INIT;
	struct end_facts now = then;

	(void)state;
	/* Versions, and an MTU that was set since, do not matter. */
	now.link_mtu = 1380;
	now.versions[0] = '\0';
	assert_int_equal(resume_check_end("peer", &then, &now, &err), 0);
	/* Unknown is not different. */
	now.endpoint_family = 0;
	assert_int_equal(resume_check_end("peer", &then, &now, &err), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		now = then;
		switch (i) {
		case 0:
			now.host[0] = 'x';
			break;
		case 1:
			now.interface[0] = 'x';
			break;
		case 2:
			now.address[0] = '9';
			break;
		case 3:
			now.backend = BACKEND_KERNEL;
			break;
		default:
			now.endpoint_family = 4;
		}
		assert_int_equal(resume_check_end("peer", &then, &now, &err), -EINVAL);
		cmdlab_assert_said(err.text, "the peer's ");
		cmdlab_assert_said(err.text, names[i]);
	}
}

/* --- a pair to apply --- */

static void test_pair_to_apply(void **state)
{
	struct fixture *f = *state;
	struct apply_wish wish = {.db = f->db};
	struct measurement better =
		fixture_visit(4, (struct mtu_pair){1400, 1400}, 50, 50);
	struct measurement worse =
		fixture_visit(5, (struct mtu_pair){1400, 1400}, -TEST_TIMEOUT, 50);
	struct err err = ERR_INIT;
	struct applied found;
	struct store *store;
	int64_t run = add_run(f, 1, "smart", OPTIONS, RUN_DONE);

	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_true(mtu_pair_same(&found.mtu, &(struct mtu_pair){1420, 1400}));
	assert_true(found.measured);
	assert_string_equal(found.server.host, "hub");
	assert_int_equal(store_open(f->db, &store, NULL), 0);
	fixture_record(store, run, &better);
	fixture_close(store);
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_int_equal(found.mtu.server, 1400);
	/* A recommendation comes before the fastest. */
	assert_int_equal(store_open(f->db, &store, NULL), 0);
	assert_int_equal(store_recommend(store, run,
					 &(struct evidence){.mtu = {1420, 1400}}, NULL),
			 0);
	fixture_close(store);
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_int_equal(found.mtu.server, 1420);
	/* The pair that is named counts, if it was ok each time. */
	wish.mtu = (struct mtu_pair){1400, 1400};
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_int_equal(found.mtu.server, 1400);
	assert_int_equal(store_open(f->db, &store, NULL), 0);
	fixture_record(store, run, &worse);
	fixture_close(store);
	assert_int_equal(apply_load(&wish, &found, &err), -ENODATA);
	wish.mtu = (struct mtu_pair){1300, 1400};
	assert_int_equal(apply_load(&wish, &found, &err), -ENODATA);
	cmdlab_assert_said(err.text, "run 1 has no pair 1300/1400 that was ok");
	add_run(f, 2, STRATEGY_IMPORTED, NULL, RUN_DONE);
	wish.run = "2";
	assert_int_equal(apply_load(&wish, &found, &err), -EINVAL);
}

/* The server's MTU of one end alone is not known. */
static void test_one_end_has_no_pair_to_apply(void **state)
{
	struct fixture *f = *state;
	struct apply_wish wish = {.db = f->db};
	struct err err = ERR_INIT;
	struct applied found;

	fixture_store_one_end(f, 1, true);
	assert_int_equal(apply_load(&wish, &found, &err), -ENOENT);
	wish.run = "1";
	assert_int_equal(apply_load(&wish, &found, &err), -EINVAL);
	cmdlab_assert_said(err.text, "run 1 has one end alone");
	wish.run = NULL;
	add_run(f, 2, "grid", OPTIONS, RUN_DONE);
	fixture_store_one_end(f, 3, true);
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_int_equal(found.mtu.server, 1420);
}

static void test_newest_pair_to_apply(void **state)
{
	struct fixture *f = *state;
	struct apply_wish wish = {.db = f->db};
	struct err err = ERR_INIT;
	struct applied found;

	add_run_of(f, 1, "grid", OPTIONS, RUN_DONE, -TEST_TIMEOUT);
	assert_int_equal(apply_load(&wish, &found, &err), -ENODATA);
	cmdlab_assert_said(err.text, "no pair to apply in run 1");
	add_run(f, 2, "grid", OPTIONS, RUN_DONE);
	add_run_of(f, 3, "grid", OPTIONS, RUN_DONE, -TEST_TIMEOUT);
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_int_equal(found.mtu.server, 1420);
	wish.run = "3";
	assert_int_equal(apply_load(&wish, &found, &err), -ENODATA);
}

/* A run without measurements, which recommends server MTU 1440, peer MTU `mtu`. */
static int64_t add_probe(struct fixture *f, int number, int mtu)
{
	const struct evidence predicted = {.mtu = {1440, mtu}};
	struct run_info info = fixture_run(number);
	struct store *store = NULL;
	int64_t run = 0;

	snprintf(info.strategy, sizeof(info.strategy), STRATEGY_PROBE);
	assert_int_equal(store_open(f->db, &store, NULL), 0);
	assert_int_equal(store_begin_record(store, &info, OPTIONS, &run, NULL), 0);
	if (mtu)
		assert_int_equal(store_recommend(store, run, &predicted, NULL), 0);
	assert_int_equal(store_end_run(store, run, RUN_DONE, "", NULL), 0);
	fixture_close(store);
	return run;
}

/* It is a pair to apply, since each is proved before; but no sweep to go on. */
static void test_predicted_pair(void **state)
{
	struct fixture *f = *state;
	struct apply_wish wish = {.db = f->db};
	struct err err = ERR_INIT;
	struct applied found;

	add_probe(f, 1, 1420);
	assert_load(f, "1", OPTIONS, -EINVAL, "run 1 only probed");
	assert_load(f, NULL, OPTIONS, -ENOENT, "no sweep of a peer");
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_true(mtu_pair_same(&found.mtu, &(struct mtu_pair){1440, 1420}));
	assert_true(found.measured);
	wish.mtu = found.mtu;
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	wish.mtu.peer = 1400;
	assert_int_equal(apply_load(&wish, &found, &err), -ENODATA);
	/* The newest that has a pair, whichever way it was found. */
	wish.mtu = (struct mtu_pair){0};
	add_run(f, 2, "grid", OPTIONS, RUN_DONE);
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_int_equal(found.mtu.server, 1420);
	add_probe(f, 3, 1400);
	add_probe(f, 4, 0);
	assert_int_equal(apply_load(&wish, &found, &err), 0);
	assert_true(mtu_pair_same(&found.mtu, &(struct mtu_pair){1440, 1400}));
	assert_load(f, NULL, OPTIONS, 0, "");
}

/* --- visits that are left --- */

static bool stop_at_third(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n == 3)
		kill(lab->peer.pid, SIGINT);
	return n != 3;
}

static int64_t peer_int(const struct cmdlab *lab, const char *sql)
{
	return fixture_read_int(lab->peer.files, sql);
}

static void interrupt(struct cmdlab *lab)
{
	cmdlab_start_server(lab);
	lab->before_test = stop_at_third;
	assert_int_equal(cmdlab_run(lab), 1);
	lab->before_test = NULL;
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM run WHERE "
				       "outcome = 'interrupted'"),
			 1);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM measurement"), 1);
	lab->peer.runner.measures = 0;
	lab->peer_config.resume = true;
}

static void test_missing_visits_are_made(void **state)
{
	struct cmdlab *lab = *state;

	interrupt(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "3 of 4");
	assert_int_equal(lab->peer.runner.measures, 3 * 2);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM run"), 1);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM measurement"), 4);
	assert_int_equal(peer_int(lab, "SELECT max(seq) FROM measurement"), 4);
	assert_int_equal(
		fixture_read_int(lab->server.files, "SELECT count(*) FROM measurement"),
		4);
	cmdlab_assert_said(lab->peer.said, "4 of 4 measurements stored, 0 of them");
	/* Once more: nothing is left. */
	lab->peer.runner.measures = 0;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->peer.runner.measures, 0);
	cmdlab_assert_said(lab->peer.said, "run 1 continues: nothing is missing\n");
	cmdlab_assert_not_said(lab->peer.said, "planned");
	cmdlab_assert_not_said(lab->peer.said, "at most");
}

static void probe_said(const struct cmdlab *lab)
{
	fixture_exec(lab->peer.files->db,
		     "DELETE FROM path;"
		     "DELETE FROM path_band;"
		     "INSERT INTO path (run_id, overhead, upload_probes,"
		     " download_probes, probe_ms) VALUES (1, 60, 9, 9, 100);"
		     "INSERT INTO path_band VALUES (1, 'upload', 1465, 'whole'),"
		     " (1, 'upload', 65535, 'lost'), (1, 'download', 65535, 'whole')");
}

/* A run that goes on does not probe: it reads from its database what the probes said. */
static void test_sizes_that_pass_sometimes(void **state)
{
	struct cmdlab *lab = *state;
	struct warning w = {.kind = WARNING_SOMETIMES,
			    .direction = DIR_UPLOAD,
			    .size_min = 1466,
			    .size_max = 1500,
			    .value = 50};
	struct store *store;

	lab->lost_from[DIR_UPLOAD] = 1410;
	interrupt(lab);
	probe_said(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(
		lab->peer.printed,
		"upload: the tunnel loses every packet above 1392 bytes (with "
		"this MTU WireGuard pads one of 1393 to 1408)\n");
	assert_int_equal(store_open(lab->peer.files->db, &store, NULL), 0);
	assert_int_equal(store_warn(store, 1, &w, NULL), 0);
	fixture_close(store);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.printed,
			   "upload: the tunnel loses some of the packets above 1392");
}

static void test_failed_visits_on_request(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->lost_from[DIR_UPLOAD] = 1420;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM visit WHERE "
				       "status = 'blackhole'"),
			 2);
	lab->lost_from[DIR_UPLOAD] = 0;
	lab->peer.runner.measures = 0;
	lab->peer_config.resume = true;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->peer.runner.measures, 0);
	lab->peer_config.repeat_failed = true;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->peer.runner.measures, 2 * 2);
	cmdlab_assert_said(lab->peer.said, "4 of 4 measurements stored (6 with those "
					   "that were repeated), 0 of them failed");
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM results WHERE "
				       "status = 'ok'"),
			 4);
}

static void test_another_end_is_refused(void **state)
{
	struct cmdlab *lab = *state;

	interrupt(lab);
	lab->peer.host.backend = BACKEND_USERSPACE;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "another tunnel: the peer's WireGuard");
	lab->peer.host.backend = BACKEND_KERNEL;
	cmdlab_end_server(lab);
	lab->server.host.backend = BACKEND_USERSPACE;
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "another tunnel: the server's WireGuard");
	assert_int_equal(lab->peer.runner.measures, 0);
}

static void test_secret_that_is_lost(void **state)
{
	struct cmdlab *lab = *state;
	char path[160];

	interrupt(lab);
	snprintf(path, sizeof(path), "%s.secrets", lab->peer.files->db);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "run 1 cannot be resumed");
}

int main(void)
{
#define STORED(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define RUN(name) cmocka_unit_test_setup_teardown(name, cmdlab_setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		STORED(test_newest_sweep_of_a_peer),
		STORED(test_runs_that_cannot_go_on),
		STORED(test_options_must_be_the_same),
		STORED(test_pair_to_apply),
		STORED(test_one_end_has_no_pair_to_apply),
		STORED(test_newest_pair_to_apply),
		STORED(test_predicted_pair),
		cmocka_unit_test(test_ends_must_be_the_same),
		cmocka_unit_test(test_keys_decide),
		STORED(test_newest_run_of_the_tunnel),
		RUN(test_missing_visits_are_made),
		RUN(test_sizes_that_pass_sometimes),
		RUN(test_failed_visits_on_request),
		RUN(test_another_end_is_refused),
		RUN(test_secret_that_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
