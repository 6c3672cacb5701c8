/* SPDX-License-Identifier: MIT */
#include "netctl/guard.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "netctl/guard_wire.h"
#include "netctl/hoststate.h"
#include "netctl/probetap.h"
#include "netctl/rtlink.h"
#include "netctl/rtroute.h"
#include "netctl/toobig.h"
#include "netctl/wginfo.h"

/* The interval between attempts of a failed restore. */
#define TRY_AGAIN_MS 1000

struct guard_process {
	const struct guard_config *config;
	struct hoststate state;
	int lease_fd;  /* timerfd; armed while something is pending */
	bool was_set;  /* the MTU is guard_set()'s and may be committed */
	bool by_route; /* this session changes routes, not the link */
	bool probing;  /* a probe is under way, with `outer` */
	struct probetap_target outer;
	int ifindex;           /* the probed interface's */
	bool told_way;         /* the user was told why there is no probe way */
	struct toobig too_big; /* for facts, since guard_listen() */
	pid_t tap;             /* the process with the packet socket; 0: none */
	bool expired;          /* the last lease expired, and nothing was set since */
	bool failing;          /* a restore failed; lease_fd is for the next try */
	struct err failure;    /* the last failure that somebody was told of */
	/* The last interface and port that was looked for, and what came of it. */
	int unseen_index;
	int unseen_port;
	bool unseen;
};

static void say_as_guard(const struct guard_process *g, const char *text)
{
	if (g->config->say && text[0])
		g->config->say(text);
}

/* 0 ends the lease. */
static int set_lease(const struct guard_process *g, int64_t ms, struct err *err)
{
	struct itimerspec timer = {
		.it_value = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000},
	};

	if (timerfd_settime(g->lease_fd, 0, &timer, NULL) < 0)
		return err_sys(err, errno, "cannot set the lease's timer");
	return 0;
}

/* A lease of 0 would end the timer, and leave a change without a lease. */
static int check_lease(int64_t ms, struct err *err)
{
	if (ms >= LEASE_MIN_MS && ms <= LEASE_MAX_MS)
		return 0;
	return err_set(err, -ERANGE, "invalid lease of %lld ms: expected %d to %d ms",
		       (long long)ms, LEASE_MIN_MS, LEASE_MAX_MS);
}

static int not_behind(const struct guard_process *g, const char *address,
		      struct err *err)
{
	return err_set(err, -EACCES, "the route to '%s' does not use interface '%s'",
		       address, g->config->bounds.interface);
}

/* The WireGuard peer that the address belongs to: packets to it must leave by the
 * interface, and WireGuard must have it in that peer's AllowedIPs. */
static int find_peer(const struct guard_process *g, const struct rtlink *link,
		     const char *address, struct wginfo_peer *ret, struct err *err)
{
	const char *remote = g->config->bounds.remote;
	struct rtroute route;
	int r;

	if (remote[0] && strcmp(address, remote) != 0)
		return err_set(err, -EACCES,
			       "'%s' is not the address of the other end, '%s'",
			       address, remote);
	r = rtroute_get_on(address, link->index, &route, err);
	if (r == -ENETUNREACH || (r == 0 && (route.local || route.oif != link->index)))
		return not_behind(g, address, err);
	if (r == 0)
		r = wginfo_find_peer(link, wginfo_backend(link), address, ret, err);
	return r == -ENOENT ? not_behind(g, address, err) : r;
}

/* The namespace of the interface's outer packets; NULL: this one. */
static const struct outside *outside_of(const struct guard_process *g, int ifindex)
{
	const struct outside *outside = g->config->outside;

	return outside && outside->ifindex == ifindex ? outside : NULL;
}

static bool is_session(const struct guard_process *g)
{
	return g->state.ifindex || g->state.pending;
}

/* `peers` of the interface; 0: they cannot be counted, which means the link. A session
 * keeps what it began with. */
static bool goes_by_route(const struct guard_process *g, int peers)
{
	enum scope scope = g->config->bounds.scope;

	if (is_session(g))
		return g->by_route;
	return scope == SCOPE_ROUTE || (scope == SCOPE_AUTO && peers > 1);
}

/* An interface keeps its namespace, so the list of sockets is read once. A link that is
 * down has no socket. */
static bool is_unseen(struct guard_process *g, const struct rtlink *link, int port)
{
	if (!link->up || outside_of(g, link->index))
		return false;
	if (g->unseen_index != link->index || g->unseen_port != port)
		g->unseen = outside_is_elsewhere(port);
	g->unseen_index = link->index;
	g->unseen_port = port;
	return g->unseen;
}

static int do_facts(struct guard_process *g, const char *address,
		    struct guard_facts *facts, struct err *err)
{
	struct wginfo_peer peer = {0};
	struct rtlink link;
	int r = rtlink_get(g->config->bounds.interface, &link, err);

	facts->too_big = toobig_count(&g->too_big);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (g->state.ifindex && link.index != g->state.ifindex)
		return 0;
	facts->exists = true;
	facts->up = link.up;
	facts->mtu = link.mtu;
	facts->backend = wginfo_backend(&link);
	wginfo_count_peers(&link, facts->backend, &facts->peers, NULL);
	facts->by_route = goes_by_route(g, facts->peers);
	if (!address[0] || find_peer(g, &link, address, &peer, NULL) < 0)
		return 0;
	wginfo_own_key(&link, facts->backend, facts->own_key, NULL);
	guard_wire_fill(facts, &peer);
	facts->unseen = is_unseen(g, &link, peer.listen_port);
	if (peer.endpoint[0] && !facts->unseen)
		guard_wire_find_way(outside_of(g, link.index), &link, &peer, facts);
	return 0;
}

/* End the probe and the process with its packet socket. */
static void end_probe(struct guard_process *g)
{
	const struct outside *outside = outside_of(g, g->ifindex);

	g->probing = false;
	probetap_stop(&g->tap);
	if (outside)
		probetap_silence(outside->packets);
}

static int change_host(struct guard_process *g, const struct hostchange_request *want,
		       struct err *err)
{
	int r;

	if (want->probe)
		g->was_set = false;
	else
		end_probe(g);
	r = hoststate_change(&g->state, want, err);
	if (r == 0 && !want->probe)
		g->was_set = true;
	return r;
}

static int do_change(struct guard_process *g, struct guard_request *request,
		     struct err *err)
{
	struct hostchange_request *want = &request->change;
	int r;

	want->by_route = g->by_route;
	r = hoststate_check_request(&g->state, want, err);
	if (r == 0)
		r = check_lease(request->lease_ms, err);
	if (r < 0)
		return r;
	/* The request is refused, and the timer stays with the restore. */
	if (g->state.must_restore)
		return change_host(g, want, err);
	/* The lease runs before the change is made: there is no change without one. */
	r = set_lease(g, request->lease_ms, err);
	if (r == 0)
		r = change_host(g, want, err);
	if (r == 0)
		g->expired = false;
	if (!g->state.pending)
		set_lease(g, 0, NULL);
	return r;
}

/* The interface of this session, up and as it was left. */
static int find_link(const struct guard_process *g, struct rtlink *ret, struct err *err)
{
	int r = hoststate_check(&g->state, err);

	if (r == 0)
		r = rtlink_get(g->config->bounds.interface, ret, err);
	if (r < 0)
		return r;
	if (g->state.ifindex && ret->index != g->state.ifindex)
		return err_set(err, -ENODEV, "interface '%s' of this run is gone",
			       g->config->bounds.interface);
	if (!ret->up)
		return err_set(err, -ENETDOWN, "interface '%s' is down",
			       g->config->bounds.interface);
	return 0;
}

/* Choose the scope of a session that begins now. An interface that is not there is told
 * of by what follows. */
static void choose_scope(struct guard_process *g)
{
	struct rtlink link;
	int peers = 0;

	if (is_session(g) || rtlink_get(g->config->bounds.interface, &link, NULL) < 0)
		return;
	if (g->config->bounds.scope == SCOPE_AUTO)
		wginfo_count_peers(&link, wginfo_backend(&link), &peers, NULL);
	g->by_route = goes_by_route(g, peers);
}

static int do_set(struct guard_process *g, struct guard_request *request,
		  struct err *err)
{
	const char *address = request->change.address;
	struct wginfo_peer peer;
	struct rtlink link;
	int r = 0;

	choose_scope(g);
	if (g->by_route && !address[0])
		return err_set(
			err, -EDESTADDRREQ,
			"'%s' has several peers: whose route's MTU is to be set?",
			g->config->bounds.interface);
	if (g->by_route)
		r = rtlink_get(g->config->bounds.interface, &link, err);
	if (g->by_route && r == 0)
		r = find_peer(g, &link, address, &peer, err);
	return r < 0 ? r : do_change(g, request, err);
}

static int find_outer(struct guard_process *g, const char *address,
		      struct probetap_target *ret, int *ret_ifindex, struct err *err)
{
	struct wginfo_peer peer = {0};
	struct rtlink link;
	int r = find_link(g, &link, err);

	if (r == 0)
		r = find_peer(g, &link, address, &peer, err);
	if (r < 0)
		return r;
	if (!peer.endpoint[0])
		return err_set(err, -ENOTCONN,
			       "the WireGuard endpoint of '%s' is unknown", address);
	text_copy(ret->address, sizeof(ret->address), peer.endpoint);
	ret->port = peer.endpoint_port;
	*ret_ifindex = link.index;
	return 0;
}

static int do_listen(struct guard_process *g, const char *address, struct err *err)
{
	/* Those of the probe under way stay. */
	struct probetap_target outer = {0};
	int ifindex;
	int r = find_outer(g, address, &outer, &ifindex, err);

	toobig_end(&g->too_big);
	if (r == 0 && outside_of(g, ifindex))
		return -EOPNOTSUPP;
	return r < 0 ? r : toobig_begin(&g->too_big, &outer, err);
}

/* Probes do without their way, and take longer. */
static void tell_no_way(struct guard_process *g, const struct err *why)
{
	struct err text;

	if (g->told_way)
		return;
	g->told_way = true;
	err_set(&text, 0, "the link's MTU is set for each probe: %.300s", why->text);
	say_as_guard(g, text.text);
}

/* With an address a probe begins: one that was under way is over, also where this one is
 * refused. */
static int do_probe(struct guard_process *g, struct guard_request *request,
		    struct err *err)
{
	const char *address = request->change.address;
	int r;

	if (!address[0] && !g->probing)
		return err_set(err, -ESTALE, "no probe is under way on '%s'",
			       g->config->bounds.interface);
	if (!address[0])
		return do_change(g, request, err);
	end_probe(g);
	choose_scope(g);
	r = find_outer(g, address, &g->outer, &g->ifindex, err);
	if (r == 0)
		r = do_change(g, request, err);
	if (r == -EOPNOTSUPP && request->change.port && !g->by_route)
		tell_no_way(g, err);
	g->probing = r == 0;
	return r;
}

static int do_tap(struct guard_process *g, int *ret_fd, struct err *err)
{
	const struct outside *outside = outside_of(g, g->ifindex);

	if (!g->probing)
		return err_set(err, -ESTALE, "no probe is under way on '%s'",
			       g->config->bounds.interface);
	probetap_stop(&g->tap);
	return probetap_start(&g->outer, outside ? outside->packets : -1, &g->tap,
			      ret_fd, err);
}

/* Main names an address of the tunnel; the endpoint is WireGuard's. */
static int do_raw(const struct guard_process *g, const struct guard_request *request,
		  int *ret_fd, struct err *err)
{
	struct rawsock_target target = {.kind = request->raw};
	struct wginfo_peer peer = {0};
	struct rtlink link;
	int r;

	if (!g->config->bounds.alone || (unsigned int)request->raw >= RAWSOCK_COUNT)
		return err_set(err, -EACCES, "raw sockets are for --alone");
	r = find_link(g, &link, err);
	if (r == 0)
		r = find_peer(g, &link, request->change.address, &peer, err);
	if (r < 0)
		return r;
	text_copy(target.interface, sizeof(target.interface), link.name);
	text_copy(target.address, sizeof(target.address), request->change.address);
	if (request->raw == RAWSOCK_OUTER) {
		if (outside_of(g, link.index))
			return err_set(err, -EOPNOTSUPP,
				       "outer packets leave in another network "
				       "namespace");
		target.mark = peer.fwmark;
		text_copy(target.address, sizeof(target.address), peer.endpoint);
	}
	return rawsock_open(&target, ret_fd, err);
}

/* The cache of this namespace is that of the packets inside. */
static int do_settle(const struct guard_process *g, struct err *err)
{
	const struct outside *outside = NULL;
	struct rtlink link;
	int there = 0;
	int here = rtroute_flush_exceptions(NULL, err);

	if (rtlink_get(g->config->bounds.interface, &link, NULL) == 0)
		outside = outside_of(g, link.index);
	if (outside)
		there = rtroute_flush_exceptions(&outside->place,
						 here < 0 ? NULL : err);
	return here < 0 ? here : there;
}

static int do_renew(struct guard_process *g, int64_t lease_ms, struct err *err)
{
	int renewed;
	int r = check_lease(lease_ms, err);

	if (r < 0)
		return r;
	if (g->expired && !g->state.must_restore)
		return err_set(err, -ESTALE,
			       "the lease on '%s' expired, and its MTU was restored",
			       g->config->bounds.interface);
	r = hoststate_check(&g->state, err);
	/* No lease expired: report this as another error. */
	if (r == -ESTALE && !g->state.must_restore)
		return -ECANCELED;
	if (!g->state.pending || (r < 0 && r != -ENETDOWN))
		return r;
	renewed = set_lease(g, lease_ms, r < 0 ? NULL : err);
	return r < 0 ? r : renewed;
}

static int do_commit(struct guard_process *g, struct err *err)
{
	int r;

	/* The MTU of a probe may lie outside the range, and no pair was measured with
	 * it. */
	if (g->state.pending && !g->was_set)
		return err_set(
			err, -ESTALE,
			"the MTU of '%s' was set for a probe and cannot be applied",
			g->config->bounds.interface);
	r = hoststate_commit(&g->state, err);
	if (r == 0) {
		g->expired = false;
		set_lease(g, 0, NULL);
	}
	return r;
}

/* hoststate_restore() or hoststate_expire(), and again later when it fails. */
static int restore_or_retry(struct guard_process *g,
			    int (*how)(struct hoststate *, struct err *),
			    struct err *err)
{
	int r;

	end_probe(g);
	g->was_set = false;
	r = how(&g->state, err);
	g->failing = g->state.pending;
	set_lease(g, g->failing ? TRY_AGAIN_MS : 0, NULL);
	return r;
}

static int do_restore(struct guard_process *g,
		      int (*how)(struct hoststate *, struct err *), struct err *err)
{
	int r = restore_or_retry(g, how, err);

	/* Main has its answer: a retry that completes this counts as a restore. */
	g->expired = false;
	if (g->failing && err)
		g->failure = *err;
	return r;
}

/* *ret_fd: to be sent along. */
static void obey_request(struct guard_process *g, struct guard_request *request,
			 struct guard_reply *reply, int *ret_fd)
{
	switch (request->verb) {
	case GUARD_FACTS:
		reply->result = do_facts(g, request->change.address, &reply->facts,
					 &reply->err);
		return;
	case GUARD_SET:
		reply->result = do_set(g, request, &reply->err);
		return;
	case GUARD_PROBE:
		reply->result = do_probe(g, request, &reply->err);
		return;
	case GUARD_TAP:
		reply->result = do_tap(g, ret_fd, &reply->err);
		return;
	case GUARD_LISTEN:
		reply->result = do_listen(g, request->change.address, &reply->err);
		return;
	case GUARD_RAW:
		reply->result = do_raw(g, request, ret_fd, &reply->err);
		return;
	case GUARD_RENEW:
		reply->result = do_renew(g, request->lease_ms, &reply->err);
		return;
	case GUARD_SETTLE:
		reply->result = do_settle(g, &reply->err);
		return;
	case GUARD_COMMIT:
		reply->result = do_commit(g, &reply->err);
		return;
	case GUARD_RESTORE:
		reply->result = do_restore(g, hoststate_restore, &reply->err);
		return;
	case GUARD_END_PROBE:
		reply->result = do_restore(g, hoststate_expire, &reply->err);
		return;
	}
	reply->result = err_set(&reply->err, -EINVAL, "unknown request to the guard");
}

/* One request from main; false when main is gone. */
static bool serve_one(struct guard_process *g, int main_fd)
{
	cleanup_fd int fd = -1;
	struct guard_request request;
	struct guard_reply reply;
	/* MSG_TRUNC: n is the true size of a request that is too long. */
	ssize_t n = recv(main_fd, &request, sizeof(request), MSG_TRUNC);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	memset(&reply, 0, sizeof(reply));
	if (n != sizeof(request)) {
		reply.result =
			err_set(&reply.err, -EBADMSG, "bad request to the guard");
	} else {
		reply.serial = request.serial;
		request.change.probe = request.verb == GUARD_PROBE;
		hostchange_end_strings(&request.change);
		obey_request(g, &request, &reply, &fd);
	}
	return guard_wire_reply(main_fd, &reply, fd);
}

static void lease_ran_out(struct guard_process *g)
{
	struct err err = ERR_INIT;
	struct err text;
	bool again = g->failing;
	uint64_t times;

	if (read(g->lease_fd, &times, sizeof(times)) < 0 || !g->state.pending)
		return;
	if (!again)
		g->expired = true;
	restore_or_retry(g, g->expired ? hoststate_expire : hoststate_restore, &err);
	if (again && g->failing && strcmp(err.text, g->failure.text) == 0)
		return;
	if (g->failing)
		g->failure = err;
	err_set(&text, 0, "%s: %.300s", again ? "retried" : "the lease expired",
		err.text);
	say_as_guard(g, text.text);
}

/* Until main or the keeper is gone; true for the keeper. */
static bool serve_main(struct guard_process *g, int main_fd, int keeper_fd)
{
	struct pollfd polled[] = {
		{.fd = main_fd, .events = POLLIN},
		{.fd = keeper_fd, .events = POLLIN},
		{.fd = g->lease_fd, .events = POLLIN},
	};

	for (;;) {
		if (poll(polled, 3, -1) < 0)
			continue;
		if (polled[2].revents)
			lease_ran_out(g);
		if (polled[1].revents)
			return true;
		if (polled[0].revents && !serve_one(g, main_fd))
			return false;
	}
}

int guard_serve(const struct guard_config *config, int main_fd, int keeper_fd)
{
	struct guard_process g = {.config = config, .too_big = TOOBIG_CLOSED};
	struct err text = ERR_INIT;
	struct err err = ERR_INIT;
	bool keeper_died;
	int r;

	hoststate_init(&g.state, &config->bounds);
	g.lease_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (g.lease_fd < 0)
		return 1;
	keeper_died = serve_main(&g, main_fd, keeper_fd);
	end_probe(&g);
	r = hoststate_restore(&g.state, &err);
	if (keeper_died && err.text[0])
		err_set(&text, 0, "the keeper process was killed; the guard: %.340s",
			err.text);
	else if (r < 0 || g.state.journal_left)
		text = err;
	say_as_guard(&g, text.text);
	toobig_end(&g.too_big);
	fd_close(&g.lease_fd);
	return r < 0 && r != -ESTALE;
}
