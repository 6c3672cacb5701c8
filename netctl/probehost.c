/* SPDX-License-Identifier: MIT */
/* One end of a tunnel during probing. */
#include "netctl/probehost.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/hostroute.h"

#define SOCKET_BUFFER (1 << 20)
/* The pause between probes: it prevents a queue on a line of 60 Mbit/s. */
#define PACE_US 200
/* The pause between copies, of which there are more: on a line of 24 Mbit/s. */
#define PACE_COPIES_US 500
/* The time that a userspace WireGuard takes to follow a new MTU. */
#define FOLLOW_US    2500
#define FOLLOW_TRIES 4
/* The pause before the tap is asked again: it shows a packet a moment after it left. */
#define LOOK_AGAIN_US 100
#define PADDING       16
#define ETHERNET_MTU  1500
/* The smallest probe: it must hold the probe's head with some room left. */
#define SIZE_LEAST 256

/* --- the socket --- */

/* Obey only the link's MTU, or the route's too. */
static int obey_route(int fd, bool ipv6, bool route)
{
	int probe = ipv6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
	int obey = ipv6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;
	int value = route ? obey : probe;

	if (setsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &value,
		       sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int set_options(int fd, bool ipv6)
{
	int size = SOCKET_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return obey_route(fd, ipv6, false);
}

int probehost_open(const struct probehost_config *config, struct probehost *ret,
		   struct err *err)
{
	struct sockaddr_storage local;
	int r = address_parse_on(config->local, config->port, config->interface,
				 &local);

	*ret = PROBEHOST_INIT;
	ret->config = *config;
	if (r < 0)
		return err_set(err, r, "not an IP address: '%s'", config->local);
	ret->headers = local.ss_family == AF_INET ? 28 : 48;
	ret->fd = socket(local.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ret->fd < 0)
		return err_sys(err, errno, "cannot make a socket for probes");
	r = set_options(ret->fd, local.ss_family == AF_INET6);
	if (r == 0 &&
	    bind(ret->fd, (const struct sockaddr *)&local, address_size(&local)) < 0)
		r = -errno;
	if (r < 0) {
		probehost_close(ret);
		return err_sys(err, -r, "cannot use UDP port %d of %s for probes",
			       config->port, config->local);
	}
	return 0;
}

void probehost_close(struct probehost *host)
{
	probetap_free(host->tap);
	host->tap = NULL;
	fd_close(&host->fd);
}

int probehost_port(const struct probehost *host)
{
	struct sockaddr_storage local = {0};
	socklen_t size = sizeof(local);

	if (getsockname(host->fd, (struct sockaddr *)&local, &size) < 0)
		return 0;
	if (local.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&local)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&local)->sin_port);
}

/* --- setting up --- */

static void open_tap(struct probehost *host)
{
	int fd;

	if (guard_tap(host->config.guard, &fd, NULL) == 0)
		probetap_new(fd, &host->tap, NULL);
	host->facts.tap = host->tap != NULL;
}

static int largest_size(const struct probehost *host, const struct mtu_range *range)
{
	int size = host->facts.outer_mtu ? host->facts.outer_mtu : ETHERNET_MTU;

	if (size < host->config.reach)
		size = host->config.reach;
	if (size < host->config.range.max)
		size = host->config.range.max;
	if (size > HOSTCHANGE_PROBE_MTU_MAX)
		size = HOSTCHANGE_PROBE_MTU_MAX;
	return size < range->max ? size : range->max;
}

/*
 * A hub's link is left alone. A userspace WireGuard pads to 16 below the link's MTU, so
 * multiples of 16 leave as they are, at once. With the kernel's the probe way has the
 * MTU of each size that is larger than the link's.
 */
static int prepare_hub(struct probehost *host, const struct guard_facts *facts,
		       int remote_port, struct err *err)
{
	const struct probehost_config *config = &host->config;
	int unit = hostroute_unit(facts->backend);
	int max = hostroute_mtu_max(facts->backend, facts->mtu);
	bool kernel = facts->backend == BACKEND_KERNEL;

	if (host->facts.size_max > max)
		host->facts.size_max = max;
	host->facts.unit = unit;
	host->facts.size_min = SIZE_LEAST;
	host->facts.exact = true;
	host->way_above = kernel ? facts->mtu : 0;
	return guard_probe(config->guard, kernel ? facts->mtu : host->facts.size_max,
			   config->remote, kernel ? remote_port : 0, config->lease_ms,
			   err);
}

/* Set the MTU for the largest probe and, with the kernel's WireGuard, the probe way. */
static int prepare_link(struct probehost *host, const struct guard_facts *facts,
			int remote_port, struct err *err)
{
	const struct probehost_config *config = &host->config;
	struct mtu_range range = hostchange_probe_range(&config->range);
	int r = -EOPNOTSUPP;

	host->facts.size_max = largest_size(host, &range);
	if (facts->by_route)
		return prepare_hub(host, facts, remote_port, err);
	if (facts->backend == BACKEND_KERNEL)
		r = guard_probe(config->guard, host->facts.size_max, config->remote,
				remote_port, config->lease_ms, err);
	host->facts.exact = r == 0;
	if (r == -EOPNOTSUPP)
		r = guard_probe(config->guard, host->facts.size_max, config->remote, 0,
				config->lease_ms, err);
	host->facts.size_min = host->facts.exact ? SIZE_LEAST : range.min;
	host->link_mtu = host->facts.size_max;
	return r;
}

static int hear_only(const struct probehost *host, int port, struct err *err)
{
	struct sockaddr_storage remote;

	if (address_parse_on(host->config.remote, port, host->config.interface,
			     &remote) < 0 ||
	    connect(host->fd, (const struct sockaddr *)&remote, address_size(&remote)) <
		    0)
		return err_sys(err, errno, "cannot send probes to %s",
			       host->config.remote);
	return 0;
}

int probehost_set_up(struct probehost *host, int remote_port, struct err *err)
{
	const struct probehost_config *config = &host->config;
	struct guard_facts facts = {0};
	int r = guard_get_facts(config->guard, config->remote, &facts, err);

	if (r < 0)
		return r;
	if (facts.backend == BACKEND_NONE)
		return err_set(err, -EOPNOTSUPP,
			       "the interface is not WireGuard: the size of its outer "
			       "packets is unknown");
	if (!facts.endpoint_family)
		return err_set(err, -ENOTCONN,
			       "the WireGuard endpoint of %s is unknown",
			       config->remote);
	host->family = facts.endpoint_family;
	host->facts.overhead = path_overhead(host->family);
	/* Probes must not inherit a path MTU that other programs' packets taught the
	 * kernel. */
	r = guard_settle(config->guard, err);
	if (r == -EPIPE)
		return r;
	host->facts.relayed = facts.endpoint_local;
	text_copy(host->facts.endpoint, sizeof(host->facts.endpoint), facts.endpoint);
	host->facts.outer_mtu = probehost_outer_mtu(host);
	r = hear_only(host, remote_port, err);
	if (r == 0)
		r = prepare_link(host, &facts, remote_port, err);
	host->facts.unseen = facts.unseen;
	if (r == 0 && !facts.unseen)
		open_tap(host);
	host->relayed = host->facts.relayed || config->relayed;
	return r;
}

int probehost_outer_mtu(const struct probehost *host)
{
	struct guard_facts facts = {0};

	/* The loopback's MTU says nothing about the line behind a relay. */
	if (guard_get_facts(host->config.guard, host->config.remote, &facts, NULL) <
		    0 ||
	    facts.endpoint_local)
		return 0;
	return facts.outer_mtu < OUTER_SIZE_MAX ? facts.outer_mtu : OUTER_SIZE_MAX;
}

/* --- sending --- */

static int send_bytes(const struct probehost *host, const void *data, size_t size)
{
	struct pollfd polled = {.fd = host->fd, .events = POLLOUT};

	for (int tries = 0; tries < 3; tries++) {
		if (send(host->fd, data, size, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EAGAIN || errno == ENOBUFS)
			poll(&polled, 1, 10);
		/* ECONNREFUSED answers an earlier datagram. */
		else if (errno != EINTR && errno != ECONNREFUSED)
			return -errno;
	}
	return -EAGAIN;
}

int probehost_send(struct probehost *host, struct probemsg *m)
{
	unsigned char data[PROBEMSG_MAX];

	memcpy(m->token, host->config.token, PROBEMSG_TOKEN);
	return send_bytes(host, data, probemsg_encode(m, data));
}

static int send_probe(struct probehost *host, int size, int round, int number)
{
	/* The padding is zeros. */
	unsigned char data[HOSTCHANGE_PROBE_MTU_MAX] = {0};
	struct probemsg m = {
		.kind = PROBEMSG_PROBE, .round = round, .size = size, .number = number};
	int payload = size - host->headers;

	if (payload < PROBEMSG_PROBE_HEAD || payload > (int)sizeof(data))
		return -EMSGSIZE;
	memcpy(m.token, host->config.token, PROBEMSG_TOKEN);
	probemsg_encode(&m, data);
	return send_bytes(host, data, (size_t)payload);
}

/* A firewall on this host is part of the path, and so is a full queue. Other send
 * errors give no evidence about the path. */
static int check_sent(int r, int size, struct err *err)
{
	if (r == 0 || r == -EAGAIN || r == -EPERM)
		return 0;
	return err_sys(err, -r, "cannot send a probe of %d bytes", size);
}

/* True when the tap shows within this time that the size left. */
static bool size_leaves(struct probehost *host, int size, int64_t within_us)
{
	int64_t deadline_us = clock_boot_us() + within_us;

	for (;;) {
		struct probetap_seen seen;
		int64_t left_us = deadline_us - clock_boot_us();

		probetap_read(host->tap);
		seen = probetap_look(host->tap, PROBETAP_OUT, size + PROBEHOST_AROUND);
		if (seen.whole || seen.fragmented)
			return true;
		if (left_us <= 0)
			return false;
		clock_pause_us(left_us < LOOK_AGAIN_US ? left_us : LOOK_AGAIN_US);
	}
}

/* WireGuard pads a size that is no multiple of 16, unless it is the MTU. */
static bool is_set(const struct probehost *host, int size)
{
	return host->link_mtu == size || (size % PADDING == 0 && host->link_mtu > size);
}

/* Set the link's MTU for the size, and repeat until the tap shows that WireGuard
 * follows. */
static int send_by_link(struct probehost *host, int size, int round, int number,
			struct err *err)
{
	const struct probehost_config *config = &host->config;
	int64_t follow_us = FOLLOW_US;
	int r;

	if (!is_set(host, size)) {
		r = guard_probe(config->guard, size, "", 0, config->lease_ms, err);

		if (r < 0)
			return r;
		host->link_mtu = size;
		/* Without a tap, wait for the longest time that WireGuard ever
		 * takes. */
		clock_pause_us(host->tap ? follow_us : follow_us << FOLLOW_TRIES);
	}
	for (int tries = 0; tries < FOLLOW_TRIES; tries++) {
		if (host->tap)
			probetap_forget(host->tap, PROBETAP_OUT);
		r = check_sent(send_probe(host, size, round, number), size, err);
		if (r < 0 || !host->tap || size_leaves(host, size, follow_us))
			return r;
		follow_us *= 2;
	}
	/* The other end detects that another size left. */
	return 0;
}

/* Give the probe way the MTU that this size needs. */
static int follow_way(struct probehost *host, int size, struct err *err)
{
	const struct probehost_config *config = &host->config;
	bool above = size > host->way_above;
	int way_mtu = above ? size : 0;
	int r;

	if (!host->way_above || host->way_mtu == way_mtu)
		return 0;
	r = guard_probe(config->guard, above ? size : host->way_above, "", 0,
			config->lease_ms, err);
	if (r == 0)
		r = obey_route(host->fd, host->headers > 28, above);
	if (r == 0)
		host->way_mtu = way_mtu;
	return r;
}

static int send_exactly(struct probehost *host, int size, int round, int number,
			struct err *err)
{
	int r = follow_way(host, size, err);

	return r < 0 ? r : check_sent(send_probe(host, size, round, number), size, err);
}

int probehost_send_probes(struct probehost *host, const struct probemsg_list *list,
			  int round, struct err *err)
{
	struct pollfd stop = {.fd = host->config.stop_fd, .events = POLLIN};

	for (int i = 0; i < list->count * list->copies; i++) {
		/* Send the sizes in ascending order, copy by copy: equal neighbours
		 * might be merged. If the link's MTU must be set for a size, send its
		 * copies one after the other. */
		int size = list->sizes[host->facts.exact ? i % list->count
							 : i / list->copies];
		int r = 0;

		if (poll(&stop, 1, 0) > 0)
			return -EINTR;
		if (size < host->facts.size_min || size > host->facts.size_max)
			continue;
		if (host->facts.exact)
			r = send_exactly(host, size, round, i, err);
		else
			r = send_by_link(host, size, round, i, err);
		if (r < 0)
			return r;
		clock_pause_us(list->copies > 1 ? PACE_COPIES_US : PACE_US);
	}
	return 0;
}

/* --- receiving --- */

/* 1: one of our datagrams; 0: none for now. */
static int take_datagram(struct probehost *host, struct probemsg *ret)
{
	unsigned char data[PROBEMSG_MAX];
	ssize_t n;

	for (;;) {
		n = recv(host->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n < 0 && errno != EINTR && errno != ECONNREFUSED)
			return 0;
		if (n >= 0 &&
		    probemsg_decode(data, (size_t)n, host->config.token, ret) == 0)
			return 1;
	}
}

int probehost_receive(struct probehost *host, int64_t deadline_us, struct probemsg *ret)
{
	struct pollfd polled[] = {
		{.fd = host->fd, .events = POLLIN},
		{.fd = host->config.stop_fd, .events = POLLIN},
	};

	for (;;) {
		int64_t left_us = deadline_us - clock_boot_us();
		struct timespec timeout = {0};

		if (take_datagram(host, ret))
			return 1;
		if (left_us <= 0)
			return 0;
		timeout.tv_sec = left_us / 1000000;
		timeout.tv_nsec = left_us % 1000000 * 1000;
		ppoll(polled, 2, &timeout, NULL);
		if (polled[1].revents)
			return -EINTR;
	}
}
