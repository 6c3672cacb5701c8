/* SPDX-License-Identifier: MIT */
/* The operations that a session's peer may request of the server. */

#include "cmd/server/server_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "engine/tcp.h"
#include "netctl/rtlink.h"
#include "netctl/rtroute.h"
#include "netctl/sysctl.h"

static void wake(const struct server *f)
{
	uint64_t one = 1;

	if (write(f->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* --- operations --- */

/* While the interface is gone or down, its routes are too, and another takes the packets:
 * that says nothing about whose address it is. */
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

/* Another path than the tunnel would be measured, and its owner obeyed: -EACCES. -EAGAIN
 * for a lookup that failed: the peer asks again. */
static int check_way(const struct server *f, const char *address, struct err *err)
{
	const char *interface = f->config->options->interface;
	struct rtroute route;
	int r = rtroute_get(address, &route, err);

	/* An IPv6 address with its scope is no tunnel's. */
	if (r < 0)
		return r == -EINVAL ? -EACCES : -EAGAIN;
	if (strcmp(route.oif_name, interface) != 0)
		return check_other_way(interface, &route, address, err);
	if (route.mtu)
		err_set(err, 0,
			"the server's route to %s has an MTU of its own, %d, which "
			"overrides the interface's",
			address, route.mtu);
	return 0;
}

static int op_admit(void *ctx, const char *address)
{
	return check_way(ctx, address, NULL);
}

static void op_hello(void *ctx, struct msg_hello *ret)
{
	struct server *f = ctx;

	memset(ret, 0, sizeof(*ret));
	ret->protocol = MSG_PROTOCOL;
	ret->server = f->facts;
	ret->range = f->config->options->range;
	ret->allow_min = f->config->host->guard.bounds.range.min;
	ret->allow_max = f->config->host->guard.bounds.range.max;
	ret->iperf_port = f->config->iperf_port;
	ret->persist = (enum persist)f->config->options->persist;
	tcp_list_congestion(ret->congestion, sizeof(ret->congestion));
}

static int check_persist(const struct server *f, enum persist asked, struct err *err)
{
	enum persist ours = (enum persist)f->config->options->persist;

	if (asked == PERSIST_NONE || asked == ours)
		return 0;
	return err_set(
		err, -EACCES,
		"the server was started with --persist %s, the peer with --persist "
		"%s: start both with the same",
		persist_name(ours), persist_name(asked));
}

static int check_range(const struct server *f, const struct mtu_range *asked,
		       struct err *err)
{
	const struct mtu_range *ours = &f->config->host->guard.bounds.range;

	if (asked->min >= ours->min && asked->max <= ours->max)
		return 0;
	return err_set(
		err, -ERANGE,
		"the run has server MTUs of %d to %d, the server allows %d to %d: "
		"start it with other --mtu-min and --mtu-max",
		asked->min, asked->max, ours->min, ours->max);
}

int server_leave_run(struct server *f, enum run_outcome outcome, const char *text,
		     struct err *err)
{
	struct err stored = ERR_INIT;
	int r;

	runner_cancel(f->runner, NULL);
	server_end_probe(f);
	r = guard_restore(f->guard, err);
	/* The reason why the run ended was reported before. */
	if (r < 0 && !strstr(text, err->text))
		host_tell("%s", err->text);
	/* The peer asks for its farewell again. */
	store_set_patience(f->store, STORE_PATIENCE_MS);
	if (f->run_id && store_end_run(f->store, f->run_id, outcome, text, &stored) < 0)
		host_tell("%s", stored.text);
	store_set_patience(f->store, SERVER_PATIENCE_MS);
	f->run_id = 0;
	server_tell(f, NULL);
	atomic_store(&f->session_open, false);
	return r;
}

/* For this end's database, and for the peer's with a pair's answer that arrives. */
static void warn(struct server *f, const char *text)
{
	size_t used = strlen(f->warning);

	if (!text[0])
		return;
	host_tell("warning: %s", text);
	if (f->run_id)
		store_warn(f->store, f->run_id, text, NULL);
	f->warning_told = false;
	snprintf(f->warning + used, sizeof(f->warning) - used, "%s%s",
		 used ? "; " : "the server: ", text);
}

static void collect_warnings(struct server *f, const char *about_route)
{
	char text[256];

	f->warning[0] = '\0';
	warn(f, about_route);
	for (int i = 0; sysctl_warning(i, text, sizeof(text)); i++)
		warn(f, text);
}

/* A probe has no rows: no run of it is stored, at either end. */
static int begin_copy(struct server *f, const struct run_info *run, const char *secret,
		      bool *known, struct err *err)
{
	f->run_id = 0;
	*known = false;
	if (strcmp(run->strategy, STRATEGY_PROBE) == 0)
		return 0;
	return store_begin_copy(f->store, run, secret, &f->run_id, known, err);
}

static void tell_session(const struct server *f, const struct msg_open *m, bool resumed)
{
	const char *again = resumed ? "again" : "session of";

	if (f->run_id)
		host_tell("%s %s (%s), run %lld", again, f->peer, m->run.peer.host,
			  (long long)f->run_id);
	else
		host_tell("%s %s (%s), a probe", again, f->peer, m->run.peer.host);
}

static int op_open(void *ctx, const struct msg_open *m, const char *address,
		   bool resumed, struct end_facts *ret, struct err *err)
{
	struct server *f = ctx;
	struct run_info run = m->run;
	struct guard_facts facts = {0};
	struct err warning = ERR_INIT;
	bool known;
	int r = check_way(f, address, &warning);

	if (r < 0)
		return err_set(err, r, "%s", warning.text);
	r = check_persist(f, m->run.persist, err);
	if (r == 0)
		r = guard_get_facts(f->guard, address, &facts, err);
	if (r < 0)
		return r;
	r = check_range(f, &m->run.server_range, err);
	if (r < 0)
		return r;
	*ret = f->facts;
	ret->link_mtu = facts.mtu;
	ret->endpoint_family = facts.endpoint_family;
	run.server = *ret;
	/* The peer's clock may say anything. */
	run.started_at_ms = clock_wall_ms();
	text_copy(run.peer.address, sizeof(run.peer.address), address);
	r = begin_copy(f, &run, m->secret, &known, err);
	if (r < 0)
		return r;
	if (resumed)
		rowcheck_resume(&f->check);
	else
		rowcheck_begin(&f->check, &run, known);
	text_copy(f->peer, sizeof(f->peer), address);
	atomic_store(&f->lease_ms, m->lease_ms);
	atomic_store(&f->session_open, true);
	atomic_store(&f->farewell_by_ms, 0);
	if (!resumed) {
		f->rows = 0;
		f->proved_mtu = 0;
		f->committed_mtu = 0;
		f->settle_warned = false;
	}
	f->warning_told = false;
	f->proof_test = 0;
	f->may_commit = run.persist == PERSIST_BEST;
	f->planned = run.pairs_planned;
	memset(f->surveyed, 0, sizeof(f->surveyed));
	tell_session(f, m, resumed);
	if (m->run.persist != (enum persist)f->config->options->persist)
		host_tell("the peer was started without --persist: this run keeps "
			  "nothing");
	if (!resumed)
		collect_warnings(f, warning.text);
	return 0;
}

static int arm(struct server *f, const struct msg_arm *m, struct err *err)
{
	struct test_spec spec = {
		.id = m->test,
		.kind = m->full_size ? TEST_FULL_SIZE : TEST_THROUGHPUT,
		.role = ROLE_SERVER,
		.port = m->full_size ? f->config->port : f->config->iperf_port,
		.packet_size = f->mtu,
		.client_port = m->full_size ? 0 : m->from_port,
		.duration_ms = m->duration_ms,
		.rtt_us = m->rtt_us,
		.precision = m->precision > 0 ? (int)m->precision : 0,
	};

	text_copy(spec.interface, sizeof(spec.interface),
		  f->config->options->interface);
	text_copy(spec.local, sizeof(spec.local), f->config->address);
	text_copy(spec.remote, sizeof(spec.remote), f->peer);
	return runner_arm(f->runner, &spec, err);
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
 * A request of the session is a sign of life: the guard's lease runs anew. -ESTALE,
 * when the guard went back by itself, and -ENETDOWN are for the peer to know: what it
 * measured since the pair was set is void.
 */
static int renew(struct server *f, struct err *err)
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

/* A test that others disturbed is no reason against the lease: the peer asks after a
 * failed one, and is told with the yes. */
static int op_renew(void *ctx, struct err *err)
{
	struct server *f = ctx;
	int r = renew(f, err);

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
		f->warning[0] = '\0';
	f->warning_told = f->warning_told && test == f->warning_test;
}

static void tell_warning(struct server *f, uint32_t test, struct err *err)
{
	err_set(err, 0, "%s", f->warning);
	f->warning_told = true;
	f->warning_test = test;
}

static int op_pair(void *ctx, const struct msg_pair *m, struct err *err)
{
	struct server *f = ctx;
	struct msg_arm upload = {
		.test = m->test,
		.duration_ms = m->duration_ms,
		.rtt_us = m->rtt_us,
		.from_port = m->from_port,
	};
	struct err warning = ERR_INIT;
	int r;

	drop_warning_told(f, m->test);
	runner_cancel(f->runner, NULL);
	f->proof_test = 0;
	server_end_probe(f);
	link_was_down(f, true);
	/* Unknown where this fails: nothing is proved of it, and no test fits it. */
	f->mtu = 0;
	r = host_set_mtu(f->guard, m->mtu, atomic_load(&f->lease_ms), &f->settle_warned,
			 &warning, err);
	if (r < 0)
		return server_not_stale(r);
	f->mtu = m->mtu;
	warn(f, warning.text);
	r = m->test ? arm(f, &upload, err) : 0;
	if (r == 0) {
		if (m->test)
			rowcheck_earn(&f->check);
		server_tell_pair(f, m);
		tell_warning(f, m->test, err);
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
	r = renew(f, err);
	if (r == 0)
		r = arm(f, m, err);
	if (r == 0 && m->full_size)
		f->proof_test = m->test;
	/* The upload was armed with the pair. */
	if (r == 0)
		server_tell(f, m->full_size ? "full-size packets" : "download");
	return r;
}

static int op_figures(void *ctx, uint32_t test, struct msg_figures *ret,
		      struct err *err)
{
	struct server *f = ctx;
	int r = runner_result(f->runner, test, &ret->seen, err);

	if (r < 0)
		return r;
	server_heard(f);
	return 0;
}

/* 1: the row came for the first time in this session; 0: again. The peer repeats a row
 * whose answer it did not get, also to the session that takes over. */
static int take_row(struct server *f, const struct measurement *m, struct err *err)
{
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
		r = fresh < 0 ? fresh : store_record(f->store, f->run_id, m, err);
	if (r < 0 || fresh != 1)
		return r;
	rowcheck_count(&f->check, m, there < 0);
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
	/* With --repeat-failed there are more than the grid has. */
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
		       "MTU %d is not kept: in this session no packet of that size was "
		       "proved to arrive at the peer",
		       f->mtu);
}

static int check_commit(struct server *f, struct err *err)
{
	if (!f->may_commit)
		return err_set(err, -EACCES,
			       "not permitted: the run was not started with --persist "
			       "best, so it keeps no MTU");
	/* Asked again, since the answer was lost. */
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
	if (f->committed_mtu != f->mtu)
		host_tell("MTU %d is kept, in link and conf file%s%.300s", f->mtu,
			  err->text[0] ? "; " : "", err->text);
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
	if (f->run_id)
		host_tell("run %lld of %s ended: %s%s%s, %d row%s received",
			  (long long)f->run_id, f->peer, run_outcome_name(outcome),
			  why.text[0] ? ": " : "", why.text, f->rows,
			  text_plural(f->rows));
	else
		host_tell("probe of %s ended: %s%s%s", f->peer,
			  run_outcome_name(outcome), why.text[0] ? ": " : "", why.text);
}

static int op_close(void *ctx, enum run_outcome outcome, const char *text,
		    struct err *err)
{
	struct server *f = ctx;
	bool stored = f->run_id != 0;
	bool kept = stored && f->kept_run == f->run_id;
	int r;

	tell_end(f, outcome, text);
	r = server_leave_run(f, outcome, text, err);
	/* That it has its MTU back goes without saying; what kept it from that does not. */
	if (r == 0)
		err_set(err, 0, "%s", "");
	/* A peer that failed may not know. */
	if (r == 0 && kept && outcome != RUN_DONE)
		err_set(err, 0, "it keeps MTU %d, in link and conf file", f->kept_mtu);
	/* The run that --once is for comes after a probe. */
	if (outcome == RUN_DONE && r == 0 && stored)
		atomic_store(&f->completed, true);
	wake(f);
	return server_not_stale(r);
}

static void op_expired(void *ctx)
{
	struct server *f = ctx;
	struct err err = ERR_INIT;

	host_tell("%s was not heard of for %lld s: its session is ended", f->peer,
		  (long long)(atomic_load(&f->lease_ms) / 1000));
	/* With its pair kept, only an answer or the farewell was lost; the peer may not
	 * know, and ask again. */
	if (f->committed_mtu) {
		server_leave_run(f, RUN_DONE, "", &err);
		atomic_store(&f->farewell_by_ms, clock_boot_ms() + SERVER_FAREWELL_MS);
		wake(f);
		return;
	}
	server_leave_run(f, RUN_INTERRUPTED, "the peer was not heard of any more",
			 &err);
}

const struct endpoint_ops server_ops = {
	.admit = op_admit,
	.hello = op_hello,
	.open = op_open,
	.pair = op_pair,
	.arm = op_arm,
	.probe = server_probe,
	.figures = op_figures,
	.row = op_row,
	.path = server_path,
	.verdict = server_verdict,
	.renew = op_renew,
	.commit = op_commit,
	.close = op_close,
	.expired = op_expired,
	.page = {.progress = server_progress, .metrics = server_metrics},
};
