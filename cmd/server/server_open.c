/* SPDX-License-Identifier: MIT */
/* What a server says of itself, and the begin of a session. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/host/host_conf.h"
#include "cmd/server/server_ops.h"
#include "engine/tcp.h"
#include "netctl/hostroute.h"
#include "netctl/linkipv6.h"
#include "netctl/rtroute.h"
#include "netctl/sysctl.h"

/* As many as a hello can tell of. */
#define PEERS_TOLD_MAX 1000000

void server_hello(void *ctx, struct msg_hello *ret)
{
	struct server *f = ctx;
	struct guard_facts facts = {0};

	memset(ret, 0, sizeof(*ret));
	ret->protocol = MSG_PROTOCOL;
	ret->server = f->facts;
	ret->range = f->config->options->range;
	ret->allow_min = f->config->host->usual_min;
	ret->low_min = f->config->host->guard.bounds.range.min;
	ret->allow_max = f->config->host->guard.bounds.range.max;
	ret->mtu_unit = f->config->host->unit ? f->config->host->unit : 1;
	/* Peers come and go while the server runs. */
	facts.by_route = f->config->host->by_route;
	facts.peers = f->config->host->peers;
	guard_get_facts(f->guard, "", &facts, NULL);
	ret->by_route = facts.by_route;
	ret->live_only = host_is_live_only(f->config->host);
	ret->peers = facts.peers < PEERS_TOLD_MAX ? facts.peers : PEERS_TOLD_MAX;
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

/* A range that is not known says that this end has measured alone. */
static int check_grid(const struct run_info *run, struct err *err)
{
	if (mtu_range_count(&run->server_range) && mtu_range_count(&run->peer_range) &&
	    !run_info_is_one_ended(run))
		return 0;
	return err_set(err, -EINVAL,
		       "run refused: its ranges of MTUs, %d to %d at the server and %d "
		       "to %d at the peer, are not those of a run with two ends",
		       run->server_range.min, run->server_range.max,
		       run->peer_range.min, run->peer_range.max);
}

static int check_range(const struct server *f, const struct mtu_range *asked,
		       struct err *err)
{
	const struct mtu_range *ours = &f->config->host->guard.bounds.range;
	const struct rtlink *link = &f->config->host->link;

	if (asked->min >= ours->min && asked->max <= ours->max)
		return 0;
	if (asked->min < MTU_MIN_IPV6 && !linkipv6_may_fall(link))
		return err_set(
			err, -ERANGE,
			"the run has server MTUs of %d to %d, but IPv6 on '%s' "
			"of the server needs 1280: measure without smaller MTUs, "
			"or remove IPv6 there",
			asked->min, asked->max, link->name);
	return err_set(
		err, -ERANGE,
		"the run has server MTUs of %d to %d, the server allows %d to %d: "
		"start it with other --mtu-min and --mtu-max",
		asked->min, asked->max, ours->min, ours->max);
}

/* The range is that of the scope at the start, which a further peer changes. */
static int check_unit(const struct server *f, const struct guard_facts *facts,
		      struct err *err)
{
	if (!facts->by_route || f->config->host->by_route ||
	    hostroute_unit(facts->backend) == 1)
		return 0;
	return err_set(
		err, -EINVAL,
		"'%s' has got more WireGuard peers since the server was started: "
		"start the server again, which then changes the route to one "
		"peer in place of the link",
		f->config->options->interface);
}

/* `route`: the way to the peer. */
static void collect_warnings(struct server *f, const struct rtroute *route)
{
	struct warning w = {
		.kind = WARNING_ROUTE_MTU, .mtu = route->mtu, .detail = f->peer};

	f->warnings.count = 0;
	/* By routes, the route's MTU is what the run changes. */
	if (route->mtu && !f->by_route)
		server_warn(f, w);
	for (int i = 0; sysctl_warning(i, &w); i++)
		server_warn(f, w);
	/* Room is left for a warning of a pair; the answer says that TCP is clamped. */
	w = (struct warning){.kind = WARNING_ROUTE_ADVMSS, .detail = f->peer};
	w.value = route->advmss;
	if (route->advmss && f->warnings.count + 1 < WARNINGS_MAX)
		server_warn(f, w);
}

/* The copy of a probe begins with its path. */
static int begin_copy(struct server *f, const struct run_info *run, const char *secret,
		      bool *known, struct err *err)
{
	bool check = strcmp(run->strategy, STRATEGY_CHECK) == 0;

	f->run_id = 0;
	*known = false;
	f->is_late = strcmp(run->strategy, STRATEGY_PROBE) == 0;
	f->watches = strcmp(run->strategy, STRATEGY_WATCH) == 0;
	f->measures = !check && !f->is_late && !f->watches;
	if (f->is_late) {
		f->late = *run;
		text_copy(f->late_secret, sizeof(f->late_secret), secret);
	}
	if (!f->measures)
		return 0;
	return server_begin_copy(f, run, secret, known, err);
}

const char *server_probe_word(const struct server *f)
{
	if (f->watches)
		return "watch";
	return f->is_late ? "probe" : "check";
}

/* A watch has a session for each probe, and is told once. */
static void tell_session(struct server *f, const struct msg_open *m, bool resumed)
{
	const char *again = resumed ? "again" : "session of";

	if (f->watches && strcmp(f->watched, m->run.uuid) == 0)
		return;
	if (f->watches)
		text_copy(f->watched, sizeof(f->watched), m->run.uuid);

	if (f->run_id)
		host_tell("%s %s (%s), run %lld", again, f->peer, m->run.peer.host,
			  (long long)f->run_id);
	else
		host_tell("%s %s (%s), a %s", again, f->peer, m->run.peer.host,
			  server_probe_word(f));
}

int server_open(void *ctx, const struct msg_open *m, const char *address, bool resumed,
		struct end_facts *ret, struct err *err)
{
	struct server *f = ctx;
	struct run_info run = m->run;
	struct guard_facts facts = {0};
	struct rtroute route;
	bool known;
	int r = server_check_way(f, address, &route, err);

	if (r == 0)
		r = check_persist(f, m->run.persist, err);
	if (r == 0)
		r = guard_get_facts(f->guard, address, &facts, err);
	if (r < 0)
		return r;
	r = check_grid(&m->run, err);
	if (r == 0)
		r = check_range(f, &m->run.server_range, err);
	if (r == 0)
		r = check_unit(f, &facts, err);
	if (r < 0)
		return r;
	*ret = f->facts;
	/* The MTU of packets to this peer, and the route's own is what the run changes. */
	ret->link_mtu = facts.by_route && route.mtu ? route.mtu : facts.mtu;
	f->by_route = facts.by_route;
	ret->endpoint_family = facts.endpoint_family;
	run.server = *ret;
	text_copy(run.server.key, KEY_SIZE, facts.own_key);
	text_copy(run.peer.key, KEY_SIZE, facts.far_key);
	/* The peer's clock may say anything. */
	run.started_at_ms = clock_wall_ms();
	text_copy(f->who, sizeof(f->who), facts.far_key[0] ? facts.far_key : address);
	text_copy(run.peer.address, sizeof(run.peer.address), address);
	r = begin_copy(f, &run, m->secret, &known, err);
	if (r < 0)
		return r;
	if (resumed)
		rowcheck_resume(&f->check, &run);
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
	f->recommended = 0;
	tell_session(f, m, resumed);
	host_tell_keys(f->config->host, &facts);
	/* Probes apply none in any case. */
	if (f->measures && m->run.persist != (enum persist)f->config->options->persist)
		host_tell("the peer was started without --persist: this run applies no "
			  "pair");
	if (!resumed)
		collect_warnings(f, &route);
	return 0;
}
