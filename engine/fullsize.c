/* SPDX-License-Identifier: MIT */
/* One exchange of datagrams as large as the MTU, in a process of its own. */
#include "engine/fullsize.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/leave.h"
#include "base/random.h"
#include "engine/udp.h"

#define MAGIC UINT32_C(0x4d545546) /* "MTUF" */
/* Headers of an inner packet: IP without options, UDP. */
#define HEADERS_IPV4 28
#define HEADERS_IPV6 48

enum kind {
	KIND_HELLO = 1,
	KIND_HERE,
	KIND_FULL, /* padded to the sender's MTU */
	KIND_ARRIVED,
	KIND_CONFIRM, /* a full-size datagram from the server arrived */
	KIND_NOTED,
};

/* The beginning of each datagram. Big-endian, but for the nonce, which is only repeated. */
struct head {
	uint32_t magic;
	/* identifies the test, so that late datagrams of another one do not count */
	uint32_t test;
	uint32_t kind;
	uint32_t size; /* an upload's hello: of the IP packets to come; else 0 */
	/* Random bits of the server. Upload: in KIND_HERE and KIND_FULL; download: in
	 * KIND_FULL and KIND_CONFIRM; else 0. */
	uint64_t nonce;
} __attribute__((packed));

struct exchange {
	const struct test_spec *spec;
	int report_fd;
	int fd;
	int family;
	int64_t began_ms;
	int64_t began_at_ms;
	struct sockaddr_storage other; /* the one that is heard; of the server: once
					  `heard` */
	bool upload;                   /* as the client's hello says */
	size_t awaited; /* bytes of the other end's full-size datagrams */
	bool heard;     /* a small one came */
	bool arrived;   /* a full-size one did */
	bool closed;    /* nobody has had the other end's port since the last send */
	uint64_t nonce;
	char full[MTU_MAX];
};

static void end_process(const struct exchange *x, int code,
			const struct dir_result *result) __attribute__((noreturn));

static void end_process(const struct exchange *x, int code,
			const struct dir_result *result)
{
	struct test_report report;

	memset(&report, 0, sizeof(report));
	report.code = code;
	report.result = *result;
	report.result.started_at_ms = x->began_at_ms;
	report.result.duration_ms = clock_boot_ms() - x->began_ms;
	io_write_all(x->report_fd, &report, sizeof(report));
	leave_process(0);
}

static void report_failure(const struct exchange *x, const char *what)
	__attribute__((noreturn));

static void report_failure(const struct exchange *x, const char *what)
{
	int code = errno ? -errno : -EIO;
	struct dir_result result;

	dir_result_init(&result, TEST_ERROR, "%s: %s", what, strerror(-code));
	end_process(x, code, &result);
}

/* Send the datagram whole or not at all, whatever path MTU the kernel has cached: only
 * the link's MTU counts (ip(7), IP_PMTUDISC_PROBE). */
static int send_unfragmented(int fd, int family)
{
	int v4 = IP_PMTUDISC_PROBE;
	int v6 = IPV6_PMTUDISC_PROBE;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4));
	return setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
}

static void open_socket(struct exchange *x)
{
	const char *what;
	int r = udp_open(x->spec, x->spec->port, &x->other, &what);

	if (r < 0) {
		errno = -r;
		report_failure(x, what);
	}
	x->fd = r;
	x->family = x->other.ss_family;
	if (send_unfragmented(x->fd, x->family) < 0)
		report_failure(x, "cannot forbid the fragmentation of datagrams");
}

/* Bytes of the datagram in an IP packet of that size. */
static size_t full_size(const struct exchange *x, int packet_size)
{
	int headers = x->family == AF_INET ? HEADERS_IPV4 : HEADERS_IPV6;

	return (size_t)(packet_size - headers);
}

static bool has_nonce(const struct exchange *x, enum kind kind)
{
	return kind == KIND_FULL || kind == (x->upload ? KIND_HERE : KIND_CONFIRM);
}

/* -EMSGSIZE: larger than the link's MTU; -ECONNREFUSED: no process had the port at the
 * last send. Any other failure to send is a loss. */
static int send_one(struct exchange *x, enum kind kind)
{
	struct head head = {
		.magic = htonl(MAGIC),
		.test = htonl(x->spec->id),
		.kind = htonl(kind),
	};
	size_t size = kind == KIND_FULL ? full_size(x, x->spec->packet_size)
					: sizeof(head);

	if (kind == KIND_HELLO && x->upload)
		head.size = htonl((uint32_t)x->spec->packet_size);
	if (has_nonce(x, kind))
		head.nonce = x->nonce;
	memcpy(x->full, &head, sizeof(head));
	if (send(x->fd, x->full, size, 0) < 0 &&
	    (errno == EMSGSIZE || errno == ECONNREFUSED))
		return -errno;
	return 0;
}

/* The MTU of a hub's route to one peer may be larger than the link's: obey the route's. */
static int obey_route(const struct exchange *x)
{
	int v4 = IP_PMTUDISC_DO;
	int v6 = IPV6_PMTUDISC_DO;

	if (x->family == AF_INET)
		return setsockopt(x->fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4));
	return setsockopt(x->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
}

static int send_full(struct exchange *x)
{
	int r = send_one(x, KIND_FULL);

	if (r == -EMSGSIZE && obey_route(x) == 0)
		r = send_one(x, KIND_FULL);
	if (r != -EMSGSIZE)
		return r;
	errno = EMSGSIZE;
	report_failure(x, "cannot send a datagram of the link's MTU");
}

/* The kind of the next datagram of this test, 0 for none of ours, or -errno. Datagrams that
 * came before connect() are anybody's, so the sender of each is looked at. */
static int receive_one(struct exchange *x, struct head *ret,
		       struct sockaddr_storage *from)
{
	socklen_t size = sizeof(*from);
	ssize_t n = recvfrom(x->fd, ret, sizeof(*ret), MSG_TRUNC,
			     (struct sockaddr *)from, &size);

	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(*ret) || ntohl(ret->magic) != MAGIC ||
	    ntohl(ret->test) != x->spec->id)
		return 0;
	if ((x->heard || x->spec->role == ROLE_CLIENT) &&
	    !address_same(from, &x->other))
		return 0;
	if (ntohl(ret->kind) == KIND_FULL && (size_t)n != x->awaited)
		return 0;
	return (int)ntohl(ret->kind);
}

/* True when readable, false at the deadline. */
static bool wait_readable(int fd, int64_t deadline_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, clock_left_ms(deadline_ms)) > 0;
}

/* --- the client --- */

static void report_result(const struct exchange *x) __attribute__((noreturn));

static void report_result(const struct exchange *x)
{
	const struct test_spec *spec = x->spec;
	struct dir_result result;

	if (x->arrived)
		dir_result_init(&result, TEST_OK, "%s", "");
	else if (x->heard)
		dir_result_init(&result, TEST_BLACKHOLE,
				"small datagrams arrived, full-size ones did not");
	else
		dir_result_init(&result, TEST_UNREACHABLE,
				"no answer from '%s' on UDP port %d", spec->remote,
				spec->port);
	end_process(x, 0, &result);
}

static void refuse_exchange(const struct exchange *x) __attribute__((noreturn));

static void refuse_exchange(const struct exchange *x)
{
	struct dir_result result;

	dir_result_init(&result, TEST_REFUSED, "'%s' refuses UDP port %d",
			x->spec->remote, x->spec->port);
	end_process(x, 0, &result);
}

/* An ICMP answer to the last datagram shows at the next send or receive, once. */
static void ask_for_answer(struct exchange *x)
{
	int r = x->upload && x->heard ? send_full(x) : send_one(x, KIND_HELLO);

	if (r == -ECONNREFUSED)
		refuse_exchange(x);
}

/* True when a datagram of the awaited kind came. */
static bool hear_kind(struct exchange *x, enum kind awaited)
{
	struct sockaddr_storage from;
	bool came = false;
	struct head head;
	int kind;

	while ((kind = receive_one(x, &head, &from)) >= 0) {
		if (kind == KIND_HERE)
			x->heard = true;
		if (kind == (x->upload ? KIND_HERE : KIND_FULL))
			x->nonce = head.nonce;
		if (kind == (int)awaited)
			came = true;
	}
	/* ECONNREFUSED is an answer, by ICMP: no process has the port. */
	x->closed = kind == -ECONNREFUSED;
	return came;
}

/* The server exits once it has the confirmation, so a closed port confirms that too. */
static void confirm_end(struct exchange *x, int64_t deadline_ms)
{
	bool noted = false;

	while (!noted && !x->closed && clock_left_ms(deadline_ms) > 0) {
		int64_t again_ms = clock_boot_ms() + FULLSIZE_AGAIN_MS;

		if (send_one(x, KIND_CONFIRM) == -ECONNREFUSED)
			return;
		while (!noted && !x->closed && wait_readable(x->fd, again_ms))
			noted = hear_kind(x, KIND_NOTED);
	}
}

static void run_client(struct exchange *x) __attribute__((noreturn));

static void run_client(struct exchange *x)
{
	int64_t deadline_ms = x->began_ms + testspec_blackhole_ms(x->spec);
	int64_t again_ms = x->began_ms;
	bool heard = false;

	x->upload = x->spec->dir == DIR_UPLOAD;
	x->awaited = full_size(x, x->spec->their_size);
	while (!x->arrived && clock_left_ms(deadline_ms) > 0) {
		if (clock_left_ms(again_ms) == 0) {
			ask_for_answer(x);
			again_ms = clock_boot_ms() + FULLSIZE_AGAIN_MS;
		}
		if (wait_readable(x->fd, again_ms))
			x->arrived = hear_kind(x, x->upload ? KIND_ARRIVED : KIND_FULL);
		/* Now it has the nonce. */
		if (x->upload && x->heard && !heard)
			again_ms = clock_boot_ms();
		heard = x->heard;
		if (x->closed && !x->arrived)
			refuse_exchange(x);
	}
	if (x->arrived && !x->upload)
		confirm_end(x, clock_boot_ms() + testspec_blackhole_ms(x->spec));
	report_result(x);
}

/* --- the server --- */

/* Accept the session's peer, from its port, in the direction it requests. Ignore all
 * others. */
static void take_caller(struct exchange *x, const struct head *hello,
			const struct sockaddr_storage *from)
{
	int size = (int)ntohl(hello->size);

	if (!address_same_host(&x->other, from) ||
	    (size && (size < MTU_MIN || size > MTU_MAX)))
		return;
	x->upload = size != 0;
	x->awaited = x->upload ? full_size(x, size) : 0;
	x->other = *from;
	x->heard = connect(x->fd, (const struct sockaddr *)from, address_size(from)) ==
		   0;
}

static void answer_peer(struct exchange *x)
{
	struct sockaddr_storage from;
	struct head head;
	int kind = receive_one(x, &head, &from);

	if (kind == KIND_HELLO && !x->heard)
		take_caller(x, &head, &from);
	if (kind <= 0 || !x->heard)
		return;
	if (kind == KIND_HELLO) {
		send_one(x, KIND_HERE);
		if (!x->upload)
			send_full(x);
	}
	if (kind == KIND_FULL && x->upload && head.nonce == x->nonce)
		send_one(x, KIND_ARRIVED);
	if (kind == KIND_CONFIRM && !x->upload && head.nonce == x->nonce) {
		x->arrived = true;
		send_one(x, KIND_NOTED);
	}
}

static void run_server(struct exchange *x) __attribute__((noreturn));

static void run_server(struct exchange *x)
{
	int64_t deadline_ms = x->began_ms + testspec_deadline_ms(x->spec);
	struct test_report armed;
	struct dir_result result;

	memset(&armed, 0, sizeof(armed));
	armed.armed = true;
	if (io_write_all(x->report_fd, &armed, sizeof(armed)) < 0)
		report_failure(x, "cannot report that the test listens");
	while (!x->arrived && clock_left_ms(deadline_ms) > 0) {
		if (wait_readable(x->fd, deadline_ms))
			answer_peer(x);
	}
	if (x->arrived)
		dir_result_init(&result, TEST_OK, "%s", "");
	else
		dir_result_init(&result, TEST_BLACKHOLE,
				"no full-size datagram was confirmed");
	end_process(x, 0, &result);
}

void fullsize_run(const struct test_spec *spec, int report_fd)
{
	static struct exchange x;

	/* The runner ignores it. */
	signal(SIGTERM, SIG_DFL);
	x.spec = spec;
	x.report_fd = report_fd;
	x.began_ms = clock_boot_ms();
	x.began_at_ms = clock_wall_ms();
	x.nonce = spec->role == ROLE_SERVER ? random_u64() : 0;
	open_socket(&x);
	if (spec->role == ROLE_CLIENT)
		run_client(&x);
	run_server(&x);
}
