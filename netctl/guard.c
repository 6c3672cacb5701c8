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
#include "netctl/wginfo.h"

/* The interval between tries of a failed restore. */
#define TRY_AGAIN_MS 1000

struct guard_process {
	const struct guard_config *config;
	struct hoststate state;
	int lease_fd; /* timerfd; armed while something is pending */
	bool was_set; /* the MTU is a guard_set()'s, which may be kept */
	bool probing; /* a probe is under way, with `outer` */
	struct probetap_target outer;
	pid_t tap;          /* the process with the packet socket; 0: none */
	bool expired;       /* the last lease ran out, and nothing was set since */
	bool failing;       /* a restore failed; lease_fd is for the next try */
	struct err failure; /* the last failure that somebody was told of */
};

static void say(const struct guard_process *g, const char *text)
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

/* Not less: 0 would end the lease, and leave a change without one. */
static int check_lease(int64_t ms, struct err *err)
{
	if (ms >= LEASE_MIN_MS && ms <= LEASE_MAX_MS)
		return 0;
	return err_set(err, -ERANGE, "a lease of %lld ms is not from %d to %d ms",
		       (long long)ms, LEASE_MIN_MS, LEASE_MAX_MS);
}

static int not_behind(const struct guard_process *g, const char *address,
		      struct err *err)
{
	return err_set(err, -EACCES, "'%s' is not behind interface '%s'", address,
		       g->config->bounds.interface);
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
		return err_set(err, -EACCES, "'%s' is not the other end, which is '%s'",
			       address, remote);
	r = rtroute_get(address, &route, err);
	if (r == -ENETUNREACH || (r == 0 && (route.local || route.oif != link->index)))
		return not_behind(g, address, err);
	if (r == 0)
		r = wginfo_find_peer(link, wginfo_backend(link), address, ret, err);
	return r == -ENOENT ? not_behind(g, address, err) : r;
}

static int do_facts(const struct guard_process *g, const char *address,
		    struct guard_facts *facts, struct err *err)
{
	struct wginfo_peer peer = {0};
	struct rtlink link;
	int r = rtlink_get(g->config->bounds.interface, &link, err);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	if (g->state.ifindex && link.index != g->state.ifindex)
		return 0;
	facts->exists = true;
	facts->up = link.up;
	facts->mtu = link.mtu;
	facts->backend = wginfo_backend(&link);
	if (!address[0] || find_peer(g, &link, address, &peer, NULL) < 0)
		return 0;
	facts->endpoint_family = peer.endpoint_family;
	facts->endpoint_port = peer.endpoint_port;
	text_copy(facts->endpoint, sizeof(facts->endpoint), peer.endpoint);
	text_copy(facts->allowed, sizeof(facts->allowed), peer.allowed);
	if (peer.endpoint[0])
		rtroute_path_mtu(peer.endpoint, peer.fwmark, &facts->outer_mtu, NULL);
	return 0;
}

/* End the probe and the process with its packet socket. */
static void end_probe(struct guard_process *g)
{
	g->probing = false;
	probetap_stop(&g->tap);
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

static int do_change(struct guard_process *g, const struct guard_request *request,
		     struct err *err)
{
	const struct hostchange_request *want = &request->change;
	int r = hoststate_check_request(&g->state, want, err);

	if (r == 0)
		r = check_lease(request->lease_ms, err);
	if (r < 0)
		return r;
	/* It refuses, and the timer is for the restore. */
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

static int find_outer(const struct guard_process *g, const char *address,
		      struct probetap_target *ret, struct err *err)
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
			       "the WireGuard endpoint of '%s' is not known", address);
	text_copy(ret->address, sizeof(ret->address), peer.endpoint);
	ret->port = peer.endpoint_port;
	return 0;
}

/* With an address a probe begins: one that was under way is over, also where this one is
 * refused. */
static int do_probe(struct guard_process *g, const struct guard_request *request,
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
	r = find_outer(g, address, &g->outer, err);
	if (r == 0)
		r = do_change(g, request, err);
	g->probing = r == 0;
	return r;
}

static int do_tap(struct guard_process *g, int *ret_fd, struct err *err)
{
	if (!g->probing)
		return err_set(err, -ESTALE, "no probe is under way on '%s'",
			       g->config->bounds.interface);
	probetap_stop(&g->tap);
	return probetap_start(&g->outer, &g->tap, ret_fd, err);
}

static int do_renew(struct guard_process *g, int64_t lease_ms, struct err *err)
{
	int renewed;
	int r = check_lease(lease_ms, err);

	if (r < 0)
		return r;
	if (g->expired && !g->state.must_restore)
		return err_set(
			err, -ESTALE,
			"the lease on '%s' had run out, and its MTU was put back",
			g->config->bounds.interface);
	r = hoststate_check(&g->state, err);
	/* No lease expired: that is told apart. */
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

	/* A probe's may lie outside the range, and no pair was measured with it. */
	if (g->state.pending && !g->was_set)
		return err_set(err, -ESTALE,
			       "the MTU of '%s' is a probe's, which is not kept",
			       g->config->bounds.interface);
	r = hoststate_commit(&g->state, err);
	if (r == 0) {
		g->expired = false;
		set_lease(g, 0, NULL);
	}
	return r;
}

/* hoststate_restore() or hoststate_expire(), and again later when it fails. */
static int put_back(struct guard_process *g,
		    int (*how)(struct hoststate *, struct err *), struct err *err)
{
	int r;

	end_probe(g);
	g->was_set = false;
	r = how(&g->state, err);
	g->failing = g->state.pending;
	set_lease(g, g->failing ? TRY_AGAIN_MS : 0, NULL);
	return r;
}

static int do_restore(struct guard_process *g, struct err *err)
{
	int r = put_back(g, hoststate_restore, err);

	/* Main has its answer: a retry that completes this counts as a restore. */
	g->expired = false;
	if (g->failing && err)
		g->failure = *err;
	return r;
}

/* *ret_fd: to be sent along. */
static void obey(struct guard_process *g, const struct guard_request *request,
		 struct guard_reply *reply, int *ret_fd)
{
	switch (request->verb) {
	case GUARD_FACTS:
		reply->result = do_facts(g, request->change.address, &reply->facts,
					 &reply->err);
		return;
	case GUARD_SET:
		reply->result = do_change(g, request, &reply->err);
		return;
	case GUARD_PROBE:
		reply->result = do_probe(g, request, &reply->err);
		return;
	case GUARD_TAP:
		reply->result = do_tap(g, ret_fd, &reply->err);
		return;
	case GUARD_RENEW:
		reply->result = do_renew(g, request->lease_ms, &reply->err);
		return;
	case GUARD_SETTLE:
		reply->result = rtroute_flush_exceptions(&reply->err);
		return;
	case GUARD_COMMIT:
		reply->result = do_commit(g, &reply->err);
		return;
	case GUARD_RESTORE:
		reply->result = do_restore(g, &reply->err);
		return;
	}
	reply->result = err_set(&reply->err, -EINVAL, "unknown request to the guard");
}

/* A main that takes no answers is as good as gone. To wait for it would keep the lease
 * from running out. */
static bool answer(int main_fd, const struct guard_reply *reply, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec data = {(void *)reply, sizeof(*reply)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	struct cmsghdr *header;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(main_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	       sizeof(*reply);
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
		obey(g, &request, &reply, &fd);
	}
	return answer(main_fd, &reply, fd);
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
	put_back(g, g->expired ? hoststate_expire : hoststate_restore, &err);
	if (again && g->failing && strcmp(err.text, g->failure.text) == 0)
		return;
	if (g->failing)
		g->failure = err;
	err_set(&text, 0, "%s: %.300s", again ? "tried again" : "the lease ran out",
		err.text);
	say(g, text.text);
}

/* Until main or the keeper is gone; true for the keeper. */
static bool serve(struct guard_process *g, int main_fd, int keeper_fd)
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
	struct guard_process g = {.config = config};
	struct err text = ERR_INIT;
	struct err err = ERR_INIT;
	bool keeper_died;
	int r;

	hoststate_init(&g.state, &config->bounds);
	g.lease_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (g.lease_fd < 0)
		return 1;
	keeper_died = serve(&g, main_fd, keeper_fd);
	end_probe(&g);
	r = hoststate_restore(&g.state, &err);
	if (keeper_died && err.text[0])
		err_set(&text, 0, "the keeper process was killed; the guard: %.300s",
			err.text);
	else if (r < 0)
		text = err;
	say(&g, text.text);
	fd_close(&g.lease_fd);
	return r < 0 && r != -ESTALE;
}
