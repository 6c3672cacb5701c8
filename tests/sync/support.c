/* SPDX-License-Identifier: MIT */
/* The parts that the tests of sync/ share. */

#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"

int support_own_network(void **state)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	cleanup_fd int fd = -1;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		perror("unshare (these tests need root)");
		return -1;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0) {
		perror("lo");
		return -1;
	}
	return 0;
}

int support_cut(bool cut)
{
	return system(
		cut ? "PATH=$PATH:/usr/sbin nft 'add table inet cut; add chain inet "
		      "cut in { type filter hook input priority 0; policy drop; }'"
		    : "PATH=$PATH:/usr/sbin nft delete table inet cut");
}

/* Make a name of either family. */
static socklen_t make_name(const char *address, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	inet_pton(AF_INET6, address, &v6->sin6_addr);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

int support_connect(const char *from, const char *to, int port)
{
	struct sockaddr_storage name;
	socklen_t size = make_name(to, port, &name);
	struct timeval limit = {.tv_sec = 5};
	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ok;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (from) {
		struct sockaddr_storage own;
		socklen_t own_size = make_name(from, 0, &own);

		if (bind(fd, (struct sockaddr *)&own, own_size) < 0)
			fd_close(&fd);
	}
	ok = fd >= 0 && connect(fd, (struct sockaddr *)&name, size) == 0;
	if (!ok)
		fd_close(&fd);
	return fd;
}

int support_listen(const char *address, int port, int backlog)
{
	struct sockaddr_storage name;
	socklen_t size = make_name(address, port, &name);
	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&name, size) < 0 || listen(fd, backlog) < 0)
		fd_close(&fd);
	return fd;
}

int support_http(int fd, const char *request, char *ret, size_t size)
{
	size_t used = 0;
	ssize_t n;

	ret[0] = '\0';
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return -1;
	while (used + 1 < size && (n = recv(fd, ret + used, size - used - 1, 0)) > 0) {
		used += (size_t)n;
		ret[used] = '\0';
	}
	return strncmp(ret, "HTTP/1.1 ", 9) == 0 ? atoi(ret + 9) : -1;
}

struct end_facts support_facts(const char *host)
{
	struct end_facts facts = {
		.interface = "wg0",
		.address = "10.0.0.2",
		.link_mtu = 1420,
		.backend = BACKEND_USERSPACE,
		.endpoint_family = 4,
		.versions = "mtusweep 0.1.0, iperf 3.12",
	};

	text_copy(facts.host, sizeof(facts.host), host);
	return facts;
}

struct msg_open support_open(const char *uuid, int64_t lease_ms)
{
	struct msg_open m;

	memset(&m, 0, sizeof(m));
	m.protocol = MSG_PROTOCOL;
	text_copy(m.secret, sizeof(m.secret), SUPPORT_SECRET);
	m.lease_ms = lease_ms;
	text_copy(m.run.uuid, sizeof(m.run.uuid), uuid);
	m.run.started_at_ms = INT64_C(1700000000000);
	m.run.peer = support_facts("peer-host");
	m.run.server_range = (struct mtu_range){1280, 1500, 20};
	m.run.peer_range = (struct mtu_range){1300, 1420, 40};
	text_copy(m.run.strategy, sizeof(m.run.strategy), "grid");
	m.run.passes = 1;
	m.run.seed = UINT64_C(18446744073709551615);
	m.run.duration_ms = 5000;
	m.run.persist = PERSIST_BEST;
	m.run.pairs_planned = 48;
	return m;
}

struct measurement support_row(uint32_t seq)
{
	struct measurement m;

	memset(&m, 0, sizeof(m));
	m.seq = seq;
	m.pass = 1;
	m.mtu = (struct mtu_pair){1420, 1380};
	dir_result_init(&m.dir[DIR_UPLOAD], TEST_OK, "%s", "");
	m.dir[DIR_UPLOAD].sent_bps = 45000000;
	m.dir[DIR_UPLOAD].received_bps = 44000000;
	m.dir[DIR_UPLOAD].started_at_ms = INT64_C(1700000001000);
	m.dir[DIR_UPLOAD].duration_ms = 5000;
	dir_result_init(&m.dir[DIR_DOWNLOAD], TEST_BLACKHOLE, "nothing arrived");
	return m;
}

/* --- operations that count --- */

static int outcome_of(struct support_ops *ops, struct err *err)
{
	return err_set(err, -ops->fail, "%s", ops->text);
}

static int op_admit(void *ctx, const char *address)
{
	struct support_ops *ops = ctx;

	if (ops->lookup)
		return -ops->lookup;
	return strcmp(address, SUPPORT_OUTSIDER) == 0 ? -EACCES : 0;
}

static void op_hello(void *ctx, struct msg_hello *ret)
{
	(void)ctx;
	ret->server = support_facts("server-host");
	ret->range = (struct mtu_range){1280, 1500, 20};
	ret->allow_min = 1280;
	ret->allow_max = 9000;
	ret->low_min = 576;
	ret->iperf_port = 5201;
	ret->persist = PERSIST_EACH;
}

static int op_open(void *ctx, const struct msg_open *m, const char *address,
		   bool resumed, struct end_facts *ret, struct err *err)
{
	struct support_ops *ops = ctx;

	ops->opened++;
	ops->resumed += resumed;
	ops->open = *m;
	text_copy(ops->address, sizeof(ops->address), address);
	*ret = support_facts("server-host");
	return outcome_of(ops, err);
}

static int op_pair(void *ctx, const struct msg_pair *m, struct msg_paired *ret,
		   struct err *err)
{
	struct support_ops *ops = ctx;

	ops->paired++;
	ops->pair = *m;
	if (ops->warning)
		warnings_add(&ret->warnings, ops->warning);
	return outcome_of(ops, err);
}

static int op_arm(void *ctx, const struct msg_arm *m, struct err *err)
{
	struct support_ops *ops = ctx;
	char byte;

	ops->arm = *m;
	ops->arming++;
	if (ops->arm_gate >= 0 && read(ops->arm_gate, &byte, 1) != 1)
		return -EIO;
	ops->armed++;
	return outcome_of(ops, err);
}

static int op_figures(void *ctx, uint32_t test, struct msg_figures *ret,
		      struct err *err)
{
	struct support_ops *ops = ctx;

	dir_result_init(&ret->seen, TEST_OK, "%s", "");
	ret->seen.goodput_bps = test;
	ret->seen.rtt_us = 20000;
	return outcome_of(ops, err);
}

static int op_probe(void *ctx, const struct msg_probe *m, struct msg_probing *ret,
		    struct err *err)
{
	struct support_ops *ops = ctx;

	ops->probe = *m;
	*ret = (struct msg_probing){.overhead = 60,
				    .endpoint = "192.0.2.1",
				    .outer_mtu = 1500,
				    .size_min = 576,
				    .size_max = 1500,
				    .tap = true,
				    .unit = 1};
	return outcome_of(ops, err);
}

static int op_row(void *ctx, const struct measurement *m, struct err *err)
{
	struct support_ops *ops = ctx;

	ops->rows++;
	ops->row = *m;
	return outcome_of(ops, err);
}

static int op_path(void *ctx, const struct msg_path *m, struct err *err)
{
	struct support_ops *ops = ctx;

	ops->path = *m;
	return outcome_of(ops, err);
}

static int op_recommendation(void *ctx, const struct msg_recommendation *m,
			     struct err *err)
{
	struct support_ops *ops = ctx;

	ops->recommendation = *m;
	return outcome_of(ops, err);
}

static int op_renew(void *ctx, struct err *err)
{
	struct support_ops *ops = ctx;

	usleep((useconds_t)ops->renew_ms * 1000);
	ops->renewed++;
	return outcome_of(ops, err);
}

static int op_progress(void *ctx, const struct page_ask *ask, char **ret_json,
		       struct err *err)
{
	struct support_ops *ops = ctx;
	char byte;

	ops->ask = *ask;
	ops->asked++;
	if (ops->page_gate >= 0 && read(ops->page_gate, &byte, 1) != 1)
		return -EIO;
	if (asprintf(ret_json, "{\"run\":null}%*s", ops->page_size, "") < 0)
		return -ENOMEM;
	return outcome_of(ops, err);
}

static int op_metrics(void *ctx, bool near, char **ret_text, struct err *err)
{
	struct support_ops *ops = ctx;
	int r = outcome_of(ops, err);

	ops->asked++;
	if (r == 0 && asprintf(ret_text, "mtusweep_near %d\n", near) < 0)
		r = -ENOMEM;
	return r;
}

static int op_commit(void *ctx, struct err *err)
{
	struct support_ops *ops = ctx;

	ops->committed++;
	return outcome_of(ops, err);
}

static int op_close(void *ctx, const struct msg_close *m, struct err *err)
{
	struct support_ops *ops = ctx;

	ops->closed++;
	ops->outcome = m->outcome;
	return outcome_of(ops, err);
}

static void op_expired(void *ctx)
{
	struct support_ops *ops = ctx;

	ops->expired++;
}

static void op_stopping(void *ctx)
{
	struct support_ops *ops = ctx;

	ops->stopping++;
}

const struct endpoint_ops support_endpoint_ops = {
	.admit = op_admit,
	.hello = op_hello,
	.open = op_open,
	.pair = op_pair,
	.arm = op_arm,
	.probe = op_probe,
	.figures = op_figures,
	.row = op_row,
	.path = op_path,
	.recommendation = op_recommendation,
	.renew = op_renew,
	.commit = op_commit,
	.close = op_close,
	.expired = op_expired,
	.stopping = op_stopping,
	.page = {.progress = op_progress, .metrics = op_metrics},
};

void support_ops_init(struct support_ops *ops)
{
	memset(ops, 0, sizeof(*ops));
	ops->text = "";
	ops->arm_gate = -1;
	ops->page_gate = -1;
}
