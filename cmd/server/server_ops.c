/* SPDX-License-Identifier: MIT */
/* The operations that a session's peer may request of the server. */

#include "cmd/server/server_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/alone/alone_lines.h"
#include "cmd/host/progress.h"
#include "netctl/rtlink.h"

void server_wake(const struct server *f)
{
	uint64_t one = 1;

	if (write(f->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* While the interface is gone or down, so are its routes, and another interface takes
 * the packets: that says nothing about the address. */
static int check_other_way(const char *interface, const struct rtroute *route,
			   const char *address, struct err *err)
{
	struct rtlink link;
	int r = rtlink_get(interface, &link, err);

	if (r < 0)
		return -EAGAIN;
	if (!link.up)
		return err_set(err, -EAGAIN, "the server's interface '%s' is down",
			       interface);
	return err_set(err, -EACCES,
		       "packets from the server to %s leave by '%s', not by '%s'",
		       address, route->oif_name, interface);
}

int server_check_way(const struct server *f, const char *address, struct rtroute *ret,
		     struct err *err)
{
	const char *interface = f->config->options->interface;
	struct rtroute route;
	int r = rtroute_get_on(address, f->config->host->link.index, &route, err);

	if (r < 0)
		return r == -EINVAL ? -EACCES : -EAGAIN;
	if (strcmp(route.oif_name, interface) != 0)
		return check_other_way(interface, &route, address, err);
	*ret = route;
	return 0;
}

static int op_admit(void *ctx, const char *address)
{
	struct rtroute route;

	return server_check_way(ctx, address, &route, NULL);
}

/* `text`: why the run ended. Returns the result of guard_restore(). */
static int leave_host(struct server *f, const char *text, struct err *err)
{
	int r;

	runner_cancel(f->runner, NULL);
	server_end_probe(f);
	r = guard_restore(f->guard, err);
	/* The reason why the run ended was reported before. */
	if (r < 0 && !strstr(text, err->text))
		host_tell("%s", err->text);
	return r;
}

static void end_run(struct server *f, enum run_outcome outcome, const char *text)
{
	struct err stored = ERR_INIT;

	/* The peer asks for its farewell again. */
	store_set_patience(f->store, STORE_PATIENCE_MS);
	if (f->run_id && store_end_run(f->store, f->run_id, outcome, text, &stored) < 0)
		host_tell("%s", stored.text);
	store_set_patience(f->store, SERVER_PATIENCE_MS);
	f->run_id = 0;
	f->is_late = false;
	server_tell(f, NULL);
	atomic_store(&f->session_open, false);
}

int server_leave_run(struct server *f, enum run_outcome outcome, const char *text,
		     struct err *err)
{
	int r = leave_host(f, text, err);

	end_run(f, outcome, text);
	return r;
}

void server_warn(struct server *f, struct warning w)
{
	w.at_end = WARNING_END_SERVER;
	host_warn(&w);
	if (f->run_id)
		store_warn(f->store, f->run_id, &w, NULL);
	f->warning_told = false;
	warnings_add(&f->warnings, &w);
}

static struct test_spec test_spec(const struct server *f, const struct msg_arm *m)
{
	struct test_spec spec = {
		.id = m->test,
		.kind = m->full_size ? TEST_FULL_SIZE : TEST_THROUGHPUT,
		.role = ROLE_SERVER,
		.port = m->full_size ? f->config->port : f->config->iperf_port,
		.packet_size = f->mtu,
		.client_port = m->full_size ? 0 : m->from_port,
		.echo_port = m->full_size ? 0 : f->config->port,
		.duration_ms = m->duration_ms,
		.rtt_us = m->rtt_us,
		.precision = m->precision > 0 ? (int)m->precision : 0,
	};

	text_copy(spec.interface, sizeof(spec.interface),
		  f->config->options->interface);
	text_copy(spec.local, sizeof(spec.local), f->config->address);
	text_copy(spec.remote, sizeof(spec.remote), f->peer);
	return spec;
}

static int arm_test(struct server *f, const struct msg_arm *m, struct err *err)
{
	struct test_spec spec = test_spec(f, m);

	return runner_arm(f->runner, &spec, err);
}

/* Arm the test of a pair; where one follows it, that is set up beside it. */
static int arm_pair(struct server *f, const struct msg_pair *m, struct err *err)
{
	struct msg_arm arm = {
		.test = m->test,
		.duration_ms = m->duration_ms,
		.rtt_us = m->rtt_us,
		.from_port = m->from_port,
	};
	struct test_spec first = test_spec(f, &arm);
	struct test_spec next;

	if (!m->next)
		return runner_arm(f->runner, &first, err);
	arm.test = m->next;
	arm.from_port = m->next_port;
	arm.precision = m->precision;
	next = test_spec(f, &arm);
	next.echo_port = 0;
	return runner_arm_first(f->runner, &first, &next, err);
}

int server_not_stale(int r)
{
	return r == -ESTALE ? -ECANCELED : r;
}

/* True if the link went down since the pair was set; `forget` resets that. */
static bool link_was_down(struct server *f, bool forget)
{
	bool down;

	pthread_mutex_lock(&f->watch_lock);
	if (rtwatch_was_down(f->watch))
		f->was_down = true;
	if (forget)
		f->was_down = false;
	down = f->was_down;
	pthread_mutex_unlock(&f->watch_lock);
	return down;
}

/*
 * Each request of the session renews the guard's lease. -ESTALE (the guard has restored
 * by itself) and -ENETDOWN go to the peer: its measurements since the pair was set are
 * void.
 */
static int renew_lease(struct server *f, struct err *err)
{
	int r = guard_renew(f->guard, atomic_load(&f->lease_ms), err);

	if (r == 0 && link_was_down(f, false))
		return err_set(err, -ENETDOWN, "the server's interface '%s' was down",
			       f->config->options->interface);
	return r;
}

void server_heard(struct server *f)
{
	guard_renew(f->guard, atomic_load(&f->lease_ms), NULL);
}

/* A disturbed test does not end the lease: the peer asks after a failed test, and the
 * successful answer reports the disturbance. */
static int op_renew(void *ctx, struct err *err)
{
	struct server *f = ctx;
	int r = renew_lease(f, err);

	if (r < 0)
		return r;
	err_set(err, 0, "%s", "");
	runner_disturbed(f->runner, err);
	return 0;
}

/* A peer that lost the answer sends the same pair again, or takes the session over; with
 * any other request about a test it has the answer. */
static void drop_warning_told(struct server *f, uint32_t test)
{
	if (f->warning_told && test != f->warning_test)
		f->warnings.count = 0;
	f->warning_told = f->warning_told && test == f->warning_test;
}

static void tell_warnings(struct server *f, uint32_t test, struct msg_paired *ret)
{
	ret->warnings = f->warnings;
	f->warning_told = true;
	f->warning_test = test;
}

static int op_pair(void *ctx, const struct msg_pair *m, struct msg_paired *ret,
		   struct err *err)
{
	struct server *f = ctx;
	struct err warning = ERR_INIT;
	int r;

	drop_warning_told(f, m->test);
	runner_cancel(f->runner, NULL);
	f->proof_test = 0;
	server_end_probe(f);
	link_was_down(f, true);
	/* If this fails the MTU is unknown: nothing is proved for it, and no test
	 * matches it. */
	f->mtu = 0;
	r = host_set_mtu(f->guard, f->peer, m->mtu, atomic_load(&f->lease_ms),
			 &f->settle_warned, &warning, err);
	if (r < 0)
		return server_not_stale(r);
	f->mtu = m->mtu;
	if (warning.text[0])
		server_warn(f, (struct warning){.kind = WARNING_PATH_MTU_CACHED,
						.detail = warning.text});
	r = m->test ? arm_pair(f, m, err) : 0;
	if (r == 0) {
		if (m->test)
			rowcheck_earn(&f->check);
		server_tell_pair(f, m);
		tell_warnings(f, m->test, ret);
	}
	return r;
}

static int op_arm(void *ctx, const struct msg_arm *m, struct err *err)
{
	struct server *f = ctx;
	int r;

	drop_warning_told(f, m->test);
	server_end_probe(f);
	f->proof_test = 0;
	r = renew_lease(f, err);
	if (r == 0)
		r = arm_test(f, m, err);
	if (r == 0 && m->full_size)
		f->proof_test = m->test;
	/* Without a failure both tests were armed with the pair. */
	if (r == 0)
		server_tell(f, m->full_size ? "full-size packets" : "download");
	return r;
}

static int op_figures(void *ctx, uint32_t test, struct msg_figures *ret,
		      struct err *err)
{
	struct server *f = ctx;
	int r = renew_lease(f, err);

	return r < 0 ? r : runner_result(f->runner, test, &ret->seen, err);
}

/* 1: the row came for the first time in this session; 0: again. The peer repeats a row
 * whose answer it did not get, also to the session that takes over. */
static int take_row(struct server *f, const struct measurement *m, struct err *err)
{
	struct quota_peer *peer = quota_find(&f->quota, f->who, clock_boot_ms());
	struct err why = ERR_INIT;
	int fresh = rowcheck_take(&f->check, m, err);
	int there;
	int r = 0;

	if (fresh == -EINVAL)
		return fresh;
	there = store_check_row(f->store, f->run_id, m, &why);
	if (fresh == 0 && there < 0)
		return err_set(err, there, "%s", why.text);
	if (there < 0)
		r = fresh < 0 ? fresh : quota_check_row(peer, err);
	if (there < 0 && r == 0)
		r = store_record(f->store, f->run_id, m, err);
	if (r < 0 || fresh != 1)
		return r;
	rowcheck_count(&f->check, m, there < 0);
	peer->rows += there < 0;
	return 1;
}

static int op_row(void *ctx, const struct measurement *m, struct err *err)
{
	struct server *f = ctx;
	struct progress_line line = {
		.mtu = m->mtu,
		.doing = "recorded",
		.total = f->planned,
		.left_ms = NO_FIGURE,
		.last = m,
	};
	int r = server_check_stored(f, err);

	if (r == 0)
		r = take_row(f, m, err);
	if (r < 0)
		return r;
	server_heard(f);
	if (r == 0)
		return 0;
	server_tell(f, "recorded");
	f->rows++;
	line.done = (int)m->seq;
	/* With --repeat-failed there are more measurements than the grid has. */
	if (f->planned && line.done > f->planned)
		line.total = line.done;
	progress_row(&line);
	return 0;
}

/* Check that this end itself has seen packets of the current MTU arrive. */
static int check_proof(struct server *f, struct err *err)
{
	struct dir_result seen;

	if (f->proof_test &&
	    runner_result(f->runner, f->proof_test, &seen, NULL) == 0 &&
	    seen.status == TEST_OK)
		f->proved_mtu = f->mtu;
	f->proof_test = 0;
	if (f->mtu && f->proved_mtu == f->mtu)
		return 0;
	return err_set(err, -ENODATA,
		       "MTU %d is not applied: in this session no packet of that size "
		       "was proved to arrive at the peer",
		       f->mtu);
}

static int check_commit(struct server *f, struct err *err)
{
	if (!f->may_commit)
		return err_set(err, -EACCES,
			       "not permitted: the run was not started with --persist "
			       "best, so it cannot apply an MTU");
	/* The peer asks again because the answer was lost. */
	if (f->committed_mtu && f->committed_mtu == f->mtu)
		return 0;
	return check_proof(f, err);
}

static int op_commit(void *ctx, struct err *err)
{
	struct server *f = ctx;
	int r = check_commit(f, err);

	if (r < 0)
		return r;
	r = guard_commit(f->guard, err);
	if (r < 0)
		return server_not_stale(r);
	if (f->committed_mtu != f->mtu) {
		host_tell("MTU %d is applied, in %s%s%.300s", f->mtu, server_kept_in(f),
			  err->text[0] ? "; " : "", err->text);
		alone_tell_lines(f->config->host, "server", f->by_route, f->mtu);
	}
	f->committed_mtu = f->mtu;
	f->kept_mtu = f->mtu;
	f->kept_run = f->run_id;
	return 0;
}

/* The peer's text, with the names of the two ends as they are here. */
static void name_ends(const char *text, struct err *ret)
{
	static const char server[] = "the server: ";
	static const char peer[] = "this end: ";

	if (strncmp(text, server, strlen(server)) == 0)
		err_set(ret, 0, "this end: %s", text + strlen(server));
	else if (strncmp(text, peer, strlen(peer)) == 0)
		err_set(ret, 0, "the peer: %s", text + strlen(peer));
	else
		err_set(ret, 0, "%s", text);
}

static void tell_end(const struct server *f, enum run_outcome outcome, const char *text)
{
	struct err why;

	name_ends(text, &why);
	if (f->watches && outcome == RUN_DONE)
		return;
	if (f->measures)
		host_tell("run %lld of %s ended: %s%s%s, %d row%s received",
			  (long long)f->run_id, f->peer, run_outcome_name(outcome),
			  why.text[0] ? ": " : "", why.text, f->rows,
			  text_plural(f->rows));
	else if (f->run_id)
		host_tell("run %lld, a probe of %s, ended: %s%s%s",
			  (long long)f->run_id, f->peer, run_outcome_name(outcome),
			  why.text[0] ? ": " : "", why.text);
	else
		host_tell("%s of %s ended: %s%s%s", server_probe_word(f), f->peer,
			  run_outcome_name(outcome), why.text[0] ? ": " : "", why.text);
}

/* Nothing is stored before the host is restored. Returns the result of guard_restore(). */
static int close_run(struct server *f, const struct msg_close *m,
		     struct err *ret_unstored, struct err *err)
{
	int r;

	tell_end(f, m->outcome, m->text);
	r = leave_host(f, m->text, err);
	/* Its text is about the copy even where it is stored. */
	if (m->recommendation.number &&
	    server_recommendation(f, &m->recommendation, ret_unstored) == 0)
		ret_unstored->text[0] = '\0';
	end_run(f, m->outcome, m->text);
	return r;
}

static int op_close(void *ctx, const struct msg_close *m, struct err *err)
{
	struct server *f = ctx;
	bool measured = f->measures;
	bool kept = f->run_id && f->kept_run == f->run_id;
	struct err unstored = ERR_INIT;
	int r = close_run(f, m, &unstored, err);

	/* Report a failure to restore the MTU; success needs no report. */
	if (r == 0)
		err_set(err, 0, "%s%.300s",
			unstored.text[0] ? "its database lacks this run's "
					   "recommendation: "
					 : "",
			unstored.text);
	/* A peer that failed may not know. */
	if (r == 0 && kept && m->outcome != RUN_DONE)
		err_set(err, 0, "it has applied MTU %d, in %s", f->kept_mtu,
			server_kept_in(f));
	/* A probe is not the run that --once waits for. */
	if (m->outcome == RUN_DONE && r == 0 && measured)
		atomic_store(&f->completed, true);
	server_wake(f);
	return server_not_stale(r);
}

static void op_expired(void *ctx)
{
	struct server *f = ctx;
	struct err err = ERR_INIT;

	host_tell("%s was silent for %lld s: its session is ended", f->peer,
		  (long long)(atomic_load(&f->lease_ms) / 1000));
	/* The pair is applied, so only an answer or the farewell was lost; the peer may
	 * not know, and ask again. */
	if (f->committed_mtu) {
		server_leave_run(f, RUN_DONE, "", &err);
		atomic_store(&f->farewell_by_ms, clock_boot_ms() + SERVER_FAREWELL_MS);
		server_wake(f);
		return;
	}
	server_leave_run(f, RUN_INTERRUPTED, "the peer fell silent", &err);
}

const struct endpoint_ops server_ops = {
	.admit = op_admit,
	.hello = server_hello,
	.open = server_open,
	.pair = op_pair,
	.arm = op_arm,
	.probe = server_probe,
	.figures = op_figures,
	.row = op_row,
	.path = server_path,
	.recommendation = server_recommendation,
	.renew = op_renew,
	.commit = op_commit,
	.close = op_close,
	.expired = op_expired,
	.stopping = server_stopping,
	.page = {.progress = server_progress, .metrics = server_metrics},
};
