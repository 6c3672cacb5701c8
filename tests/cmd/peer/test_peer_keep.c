/* SPDX-License-Identifier: MIT */
/* A pair that both ends keep: the proof, the two commits, and what goes wrong between
 * them. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../cmdlab.h"

static int start(void **state, void (*prepare)(struct cmdlab *lab))
{
	int r = cmdlab_setup(state);
	struct cmdlab *lab = *state;

	lab->peer.options.persist = PERSIST_BEST;
	lab->server.options.persist = PERSIST_BEST;
	cmdlab_answer_probes(lab);
	if (prepare)
		prepare(lab);
	cmdlab_start_server(lab);
	return r;
}

static int setup(void **state)
{
	return start(state, NULL);
}

static void make_hub(struct cmdlab *lab)
{
	lab->server.host.by_route = true;
	lab->server.guard.facts.by_route = true;
}

static int setup_hub(void **state)
{
	return start(state, make_hub);
}

/* Three pairs are measured: the recommended one, 1420 and 1420, the current one, 1420 and
 * 1412, and the smallest one, 1400 and 1400. */
/* `mtu`: the server's link, before the run. */
static void use_smart_from(struct cmdlab *lab, int mtu)
{
	lab->peer_config.strategy = &strategies[STRATEGY_smart];
	lab->peer_config.budget_ms = 0;
	lab->server.options.min_given = lab->peer.options.min_given = false;
	lab->peer.options.range = (struct mtu_range){1400, 1420, 1};
	lab->server.host.guard.bounds.range = (struct mtu_range){1400, 1420, 1};
	lab->server.host.usual_min = 1400;
	lab->server.host.link.mtu = mtu;
	fakeguard_init(&lab->server.guard, mtu);
	cmdlab_answer_probes(lab);
}

static void use_smart(struct cmdlab *lab)
{
	use_smart_from(lab, 1420);
}

static void use_smart_from_1400(struct cmdlab *lab)
{
	use_smart_from(lab, 1400);
}

static int setup_smart(void **state)
{
	return start(state, use_smart);
}

static int setup_smart_from_1400(void **state)
{
	return start(state, use_smart_from_1400);
}

static void assert_mtus(const struct cmdlab *lab, int server, int peer)
{
	assert_int_equal(lab->server.guard.facts.mtu, server);
	assert_int_equal(lab->peer.guard.facts.mtu, peer);
}

static void assert_outcome(const struct cmdlab *lab, const char *outcome)
{
	char *text = fixture_read_text(lab->peer.files, "SELECT outcome FROM run");

	assert_string_equal(text, outcome);
	free(text);
}

static void test_recommended_pair_is_committed(void **state)
{
	struct cmdlab *lab = *state;

	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "both ends have applied this pair, in link and conf "
			   "file: server MTU 1420, peer MTU 1420");
	assert_int_equal(lab->server.guard.committed_mtu, 1420);
	assert_int_equal(lab->peer.guard.committed_mtu, 1420);
	assert_mtus(lab, 1420, 1420);
	assert_outcome(lab, "done");
	assert_int_equal(cmdlab_end_server(lab), 0);
	cmdlab_assert_said(lab->server.said,
			   "MTU 1420 is applied, in link and conf file");
}

/* Neither end knows a file for the MTU. The peer prints the lines that make it last. */
static void remove_files(struct cmdlab *lab)
{
	lab->server.host.guard.bounds.conf_file[0] = '\0';
	lab->peer.host.guard.bounds.conf_file[0] = '\0';
	lab->peer.host.home.kind = CONFHOME_NETPLAN;
	strcpy(lab->peer.host.link.name, "wg0");
}

static int setup_no_file(void **state)
{
	return start(state, remove_files);
}

static void test_no_file_keeps_it(void **state)
{
	struct cmdlab *lab = *state;

	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "both ends have applied this pair, in the link alone: ");
	cmdlab_assert_said(lab->peer.said, "lasts until the interface's next start");
	cmdlab_assert_said(lab->peer.said, "      mtu: 1420\n");
	assert_int_equal(cmdlab_end_server(lab), 0);
	cmdlab_assert_said(lab->server.said, "MTU 1420 is applied, in the link alone");
}

/* A hub's link keeps its own MTU: each request names the peer whose route it is for. */
static void test_hub_keeps_routes(void **state)
{
	struct cmdlab *lab = *state;

	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(
		lab->peer.said,
		"both ends have applied this pair, the server in routes and conf file, "
		"the peer in link and conf file: server MTU 1420, peer MTU 1420");
	assert_string_equal(
		fakeguard_last(&lab->server.guard, GUARD_SET)->change.address,
		"127.0.0.1");
	assert_int_equal(cmdlab_end_server(lab), 0);
	cmdlab_assert_said(lab->server.said,
			   "MTU 1420 is applied, in routes and conf file");
}

/* All pairs fit, so the largest one is applied, and no faster one. */
static void test_fastest_pair_is_not_committed(void **state)
{
	struct cmdlab *lab = *state;

	lab->slope = -1000;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.printed,
			   "recommended: server MTU 1420, peer MTU 1420");
	cmdlab_assert_said(
		lab->peer.printed,
		"recommended: 1420/1420 (server MTU 1420, peer MTU 1420); before the "
		"run: 1412/1412; applied: 1420/1420\n");
	cmdlab_assert_not_said(lab->peer.printed, "--apply");
	assert_int_equal(lab->server.guard.committed_mtu, 1420);
	assert_int_equal(lab->peer.guard.committed_mtu, 1420);
}

/* Without probes a grid has nothing but rates: no pair is measured in vain. */
static void test_no_pair_without_probes(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.guard.probes = false;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "no pair applied: the path could not be probed, and rates "
			   "alone cannot show that a pair's packets arrive whole: "
			   "choose a pair and apply it with --apply --pair");
	cmdlab_assert_said(lab->peer.said, "a fake guard has no probes");
	assert_int_equal(lab->peer.runner.measures, 0);
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_COMMIT), 0);
	assert_mtus(lab, CMDLAB_MTU, CMDLAB_MTU);
}

static void test_proof_says_what_it_cannot_see(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.guard.probes = false;
	lab->peer_config.apply = true;
	lab->peer_config.pair = (struct mtu_pair){1300, 1300};
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "cannot see if full-size packets arrive whole (a "
			   "fake guard has no probes): it is only proved that they "
			   "arrive");
}

static void move_endpoint(void *ctx, enum guard_verb verb)
{
	struct cmdlab *lab = ctx;

	if (verb == GUARD_SET)
		strcpy(lab->peer.guard.facts.endpoint, "2001:db8::2");
}

/* The path is probed again, and only that counts. */
static void test_endpoint_that_moves(void **state)
{
	struct cmdlab *lab = *state;

	strcpy(lab->peer.guard.facts.endpoint, "192.0.2.2");
	lab->peer.guard.before = move_endpoint;
	lab->peer.guard.ctx = lab;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "the peer: during the run the WireGuard endpoint moved "
			   "from 192.0.2.2 to 2001:db8::2: the path was probed again, "
			   "and earlier measurements do not count");
	cmdlab_assert_said(lab->peer.printed, "predicted by probes, not measured");
	cmdlab_assert_not_said(lab->peer.printed, "fastest measured");
	assert_mtus(lab, 1420, 1420);
}

/* Without probes its measurements are of two paths. */
static void test_endpoint_that_moves_unseen(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.options.persist = PERSIST_NONE;
	lab->peer_config.no_probe = true;
	strcpy(lab->peer.guard.facts.endpoint, "192.0.2.2");
	lab->peer.guard.before = move_endpoint;
	lab->peer.guard.ctx = lab;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "the peer: during the run the WireGuard endpoint moved "
			   "from 192.0.2.2 to 2001:db8::2: the measurements before "
			   "and after that are of two paths");
	cmdlab_assert_not_said(lab->peer.printed, "recommended");
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_PROBE), 0);
}

/* Probes saw it arrive whole, so the grid's other pairs are no better. */
static void test_unproved_recommendation_of_a_grid(void **state)
{
	struct cmdlab *lab = *state;

	lab->full_size_lost_from[DIR_UPLOAD] = 1420;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(
		lab->peer.said,
		"server MTU 1420, peer MTU 1420 is not applied: packets as large "
		"as the peer's MTU do not arrive");
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_COMMIT), 0);
	assert_mtus(lab, CMDLAB_MTU, CMDLAB_MTU);
}

static void test_unproved_pair_is_passed_over(void **state)
{
	struct cmdlab *lab = *state;

	lab->full_size_lost_from[DIR_UPLOAD] = 1420;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(
		lab->peer.said,
		"server MTU 1420, peer MTU 1420 is not applied: packets as large "
		"as the peer's MTU do not arrive");
	assert_mtus(lab, 1420, 1412);
	assert_int_equal(lab->peer.guard.committed_mtu, 1412);
}

/* The download's proof is of the server's MTU: no pair with that one is tried again. */
static void test_unproved_mtu_is_not_tried_again(void **state)
{
	struct cmdlab *lab = *state;

	lab->full_size_lost_from[DIR_DOWNLOAD] = 1420;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "1420/1412: ");
	cmdlab_assert_not_said(lab->peer.said, "server MTU 1420, peer MTU 1412 is");
	assert_mtus(lab, 1420, CMDLAB_MTU);
}

static void test_current_pair_is_left(void **state)
{
	struct cmdlab *lab = *state;

	lab->full_size_lost_from[DIR_DOWNLOAD] = 1420;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "server MTU 1420, peer MTU 1420 is not applied");
	assert_mtus(lab, 1400, CMDLAB_MTU);
}

static void test_no_proved_pair(void **state)
{
	struct cmdlab *lab = *state;

	lab->full_size_lost_from[DIR_DOWNLOAD] = 1380;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "no pair applied: full-size packets were "
					   "lost with every candidate");
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_COMMIT), 0);
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_COMMIT), 0);
	assert_mtus(lab, CMDLAB_MTU, CMDLAB_MTU);
	assert_outcome(lab, "failed");
}

static void test_no_pair_that_was_ok(void **state)
{
	struct cmdlab *lab = *state;

	lab->lost_from[DIR_DOWNLOAD] = 1380;
	assert_int_equal(cmdlab_run(lab), 1);
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_COMMIT), 0);
	assert_outcome(lab, "failed");
}

static bool lose_second_pass(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	lab->lost_from[DIR_UPLOAD] = n > 4 * 2 ? 1400 : 0;
	return true;
}

static void test_pairs_that_work_now_and_then(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.passes = 2;
	lab->before_test = lose_second_pass;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "no pair applied: the recommended one, server MTU "
			   "1420, peer MTU 1420, was not ok in each");
	assert_int_equal(lab->peer.runner.measures, 4 * 2 * 2);
	assert_outcome(lab, "failed");
}

/* -ENODATA: the server has not seen the proof in its session. It is made again. */
static void test_server_wants_another_proof(void **state)
{
	struct cmdlab *lab = *state;

	lab->server.runner.proofs_lost = 1;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->server.guard.committed_mtu, 1420);
	assert_int_equal(lab->peer.guard.committed_mtu, 1420);
	/* Four pairs, both proofs of one, and the download's again. */
	assert_int_equal(lab->peer.runner.measures, 4 * 2 + 2 + 1);
}

static void test_server_cannot_commit(void **state)
{
	struct cmdlab *lab = *state;

	fakeguard_fail(&lab->server.guard, GUARD_COMMIT, 0, 1, -EROFS,
		       "cannot write the conf file");
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "the server could not apply MTU 1420: cannot "
			   "write the conf file");
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_COMMIT), 0);
	assert_mtus(lab, CMDLAB_MTU, CMDLAB_MTU);
	assert_outcome(lab, "failed");
}

/* A guard that is gone may have committed before. */
static void test_unclear_commit_is_told(void **state)
{
	struct cmdlab *lab = *state;

	fakeguard_fail(&lab->server.guard, GUARD_COMMIT, 0, 1, -EPIPE,
		       "the guard process is gone");
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "the server did not confirm that it applied MTU 1420");
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_COMMIT), 0);
	assert_outcome(lab, "failed");
}

/* -ESTALE: this end's lease expired before the server's answer came. */
static void test_own_lapse_before_the_commit(void **state)
{
	struct cmdlab *lab = *state;

	fakeguard_fail(&lab->peer.guard, GUARD_COMMIT, 0, 1, -ESTALE,
		       "the lease expired");
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_COMMIT), 2);
	assert_int_equal(lab->peer.guard.committed_mtu, 1420);
	assert_outcome(lab, "done");
}

static void test_own_commit_fails(void **state)
{
	struct cmdlab *lab = *state;

	fakeguard_fail(&lab->peer.guard, GUARD_COMMIT, 0, 1, -EIO,
		       "cannot write the conf file");
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "the server has applied MTU 1420, but this end "
			   "could not apply 1420: cannot write");
	cmdlab_assert_said(lab->peer.said, "it has applied MTU 1420");
	assert_int_equal(lab->server.guard.committed_mtu, 1420);
	assert_outcome(lab, "failed");
}

static void lose_server(void *ctx, enum guard_verb verb)
{
	if (verb == GUARD_COMMIT)
		cmdlab_kill_server(ctx);
}

/* Both ends have committed, but the server cannot be told that the run ended. */
static void test_server_lost_after_its_commit(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.guard.before = lose_server;
	lab->peer.guard.ctx = lab;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->peer.guard.committed_mtu, 1420);
	cmdlab_assert_said(lab->peer.said, "cannot tell the server that the run ended");
	cmdlab_assert_said(lab->peer.said, "it has applied MTU 1420");
	cmdlab_assert_not_said(lab->peer.said, "by itself");
	assert_outcome(lab, "done");
}

/* --- --apply --- */

static void make_sweep(struct cmdlab *lab)
{
	lab->peer.options.persist = PERSIST_NONE;
	assert_int_equal(cmdlab_run(lab), 0);
	lab->peer.options.persist = PERSIST_BEST;
	lab->peer_config.apply = true;
	lab->peer.runner.measures = 0;
}

static void test_apply_takes_the_fastest(void **state)
{
	struct cmdlab *lab = *state;

	make_sweep(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->peer.guard.committed_mtu, 1420);
	assert_int_equal(lab->server.guard.committed_mtu, 1420);
	assert_int_equal(fixture_read_int(lab->peer.files,
					  "SELECT count(*) FROM run WHERE "
					  "strategy = 'apply' AND outcome = 'done'"),
			 1);
	assert_int_equal(lab->peer.runner.measures, 2 + 2);
}

static void test_apply_a_named_pair(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.apply = true;
	lab->peer_config.pair = (struct mtu_pair){1300, 1290};
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->server.guard.committed_mtu, 1300);
	assert_int_equal(lab->peer.guard.committed_mtu, 1290);
}

static void test_apply_outside_of_the_ranges(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.apply = true;
	lab->peer_config.pair = (struct mtu_pair){1600, 1400};
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "the server allows MTUs 1280 to 1500, not 1600");
	lab->peer_config.pair = (struct mtu_pair){1400, 1600};
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "this end allows MTUs 1280 to 1500, not peer MTU 1600");
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_SET), 0);
}

static void test_apply_without_a_run(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.apply = true;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "no database");
	/* A database is not made for a run to be found in it. */
	assert_int_not_equal(access(lab->peer.files->db, F_OK), 0);
}

static void test_apply_a_pair_that_fails_now(void **state)
{
	struct cmdlab *lab = *state;

	make_sweep(lab);
	lab->lost_from[DIR_UPLOAD] = 1420;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(
		lab->peer.said,
		"server MTU 1420, peer MTU 1420 is not applied: it was not ok in "
		"both directions: upload blackhole (no data came through), "
		"download ok");
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_COMMIT), 0);
	assert_mtus(lab, CMDLAB_MTU, CMDLAB_MTU);
}

static void test_apply_on_another_tunnel(void **state)
{
	struct cmdlab *lab = *state;

	make_sweep(lab);
	lab->server.guard.facts.endpoint_family = 6;
	cmdlab_end_server(lab);
	lab->server.host.backend = BACKEND_USERSPACE;
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "another tunnel: the server's WireGuard is "
					   "'userspace', but was 'kernel' in the run");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_recommended_pair_is_committed),
		cmocka_unit_test_setup_teardown(test_no_file_keeps_it, setup_no_file,
						cmdlab_teardown),
		cmocka_unit_test_setup_teardown(test_hub_keeps_routes, setup_hub,
						cmdlab_teardown),
		TEST(test_fastest_pair_is_not_committed),
		TEST(test_no_pair_without_probes),
		TEST(test_proof_says_what_it_cannot_see),
		TEST(test_endpoint_that_moves),
		TEST(test_endpoint_that_moves_unseen),
		TEST(test_unproved_recommendation_of_a_grid),
		cmocka_unit_test_setup_teardown(test_unproved_pair_is_passed_over,
						setup_smart, cmdlab_teardown),
		cmocka_unit_test_setup_teardown(test_unproved_mtu_is_not_tried_again,
						setup_smart, cmdlab_teardown),
		cmocka_unit_test_setup_teardown(test_current_pair_is_left,
						setup_smart_from_1400, cmdlab_teardown),
		TEST(test_no_proved_pair),
		TEST(test_no_pair_that_was_ok),
		TEST(test_pairs_that_work_now_and_then),
		TEST(test_server_wants_another_proof),
		TEST(test_server_cannot_commit),
		TEST(test_unclear_commit_is_told),
		TEST(test_own_lapse_before_the_commit),
		TEST(test_own_commit_fails),
		TEST(test_server_lost_after_its_commit),
		TEST(test_apply_takes_the_fastest),
		TEST(test_apply_a_named_pair),
		TEST(test_apply_outside_of_the_ranges),
		TEST(test_apply_without_a_run),
		TEST(test_apply_a_pair_that_fails_now),
		TEST(test_apply_on_another_tunnel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
