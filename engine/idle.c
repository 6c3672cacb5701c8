/* SPDX-License-Identifier: MIT */
#include "engine/idle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/thread.h"
#include "engine/udp.h"

#define MAGIC      UINT32_C(0x4d545549) /* "MTUI" */
#define SPARE_US   20000
#define STACK_SIZE (64 * 1024)

/* An echo, and its answer. Big-endian. */
struct datagram {
	uint32_t magic;
	uint32_t test; /* late datagrams of another test do not count */
	uint32_t number;
	uint32_t zero;
};

/* --- sending and waiting, over any kind of echo --- */

struct trips {
	const struct idle_way *way;
	int sent;
	int answered;
	int64_t sent_us[IDLE_ECHOES];
	int64_t took_us[IDLE_ECHOES]; /* 0: not answered yet */
};

static int take_answers(struct trips *t)
{
	uint16_t number;
	int r;

	while ((r = t->way->receive(t->way->ctx, &number)) == 1) {
		int64_t took_us;

		if (number >= t->sent || t->took_us[number])
			continue;
		took_us = clock_boot_us() - t->sent_us[number];
		t->took_us[number] = took_us > 0 ? took_us : 1;
		t->answered++;
	}
	return r;
}

/* Take the answers that come until then. Negative: no more can come. */
static int listen_until(struct trips *t, int64_t until_us, int stop_fd)
{
	struct pollfd waits[] = {{.fd = t->way->fd, .events = POLLIN},
				 {.fd = stop_fd, .events = POLLIN}};
	int r = 0;

	while (r == 0 && t->answered < t->sent) {
		int64_t left_us = until_us - clock_boot_us();
		struct timespec left = {.tv_sec = left_us / 1000000,
					.tv_nsec = left_us % 1000000 * 1000};

		if (left_us <= 0)
			return 0;
		if (ppoll(waits, 2, &left, NULL) < 0 && errno != EINTR)
			return -errno;
		if (waits[1].revents)
			return -EINTR;
		r = take_answers(t);
	}
	return r;
}

/* The answers came early: wait for the time of the next echo. */
static int pause_until(int64_t until_us, int stop_fd)
{
	int64_t left_us = until_us - clock_boot_us();
	struct timespec left = {.tv_nsec = left_us * 1000};
	struct pollfd wait = {.fd = stop_fd, .events = POLLIN};

	return left_us > 0 && ppoll(&wait, 1, &left, NULL) > 0 ? -EINTR : 0;
}

static int send_next(struct trips *t)
{
	t->sent_us[t->sent] = clock_boot_us();
	return t->way->send(t->way->ctx, (uint16_t)t->sent++);
}

static int by_time(const void *a, const void *b)
{
	const int64_t *one = a;
	const int64_t *other = b;

	return (*one > *other) - (*one < *other);
}

static void take_figures(struct trips *t, struct idle_figures *ret)
{
	int n = t->answered;
	/* Those without an answer are the first, being 0. */
	const int64_t *sorted = t->took_us + IDLE_ECHOES - n;

	qsort(t->took_us, IDLE_ECHOES, sizeof(*t->took_us), by_time);
	if (2 * n < IDLE_ECHOES || sorted[n - 1] > FIGURE_RTT_MAX_US)
		return;
	ret->median_us = sorted[(n * 50 + 99) / 100 - 1];
	ret->p95_us = sorted[(n * 95 + 99) / 100 - 1];
}

void idle_measure(const struct idle_way *way, int64_t rtt_us, int stop_fd,
		  struct idle_figures *ret)
{
	struct trips t = {.way = way};
	int r = 0;

	*ret = IDLE_UNKNOWN;
	while (r == 0 && t.sent < IDLE_ECHOES) {
		int64_t next_us = clock_boot_us() + IDLE_GAP_US;

		r = send_next(&t);
		if (r == 0)
			r = listen_until(&t, next_us, stop_fd);
		if (r == 0)
			r = pause_until(next_us, stop_fd);
	}
	if (r == 0)
		r = listen_until(&t, clock_boot_us() + 2 * rtt_us + SPARE_US, stop_fd);
	if (r == 0)
		take_figures(&t, ret);
}

int64_t idle_longest_ms(int64_t rtt_us)
{
	return (IDLE_ECHOES * IDLE_GAP_US + 2 * rtt_us + SPARE_US) / 1000 + 1;
}

bool idle_goes_beside(int64_t rtt_us)
{
	return idle_longest_ms(rtt_us) <= rtt_us * SETUP_TRIPS / 1000;
}

/* --- UDP between two ends of mtusweep --- */

struct asking {
	const struct test_spec *spec;
	int fd;
};

static int send_datagram(void *ctx, uint16_t number)
{
	const struct asking *a = ctx;
	struct datagram datagram = {
		.magic = htonl(MAGIC),
		.test = htonl(a->spec->id),
		.number = htonl(number),
	};

	/* Any other failure is a loss. */
	return send(a->fd, &datagram, sizeof(datagram), 0) < 0 && errno == ECONNREFUSED
		       ? -ECONNREFUSED
		       : 0;
}

static bool is_of_test(const struct datagram *datagram, ssize_t size,
		       const struct test_spec *spec)
{
	return size == (ssize_t)sizeof(*datagram) && ntohl(datagram->magic) == MAGIC &&
	       ntohl(datagram->test) == spec->id &&
	       ntohl(datagram->number) < IDLE_ECHOES;
}

static int receive_datagram(void *ctx, uint16_t *ret_number)
{
	const struct asking *a = ctx;
	struct datagram datagram;
	ssize_t size;

	while ((size = recv(a->fd, &datagram, sizeof(datagram), MSG_TRUNC)) >= 0) {
		if (!is_of_test(&datagram, size, a->spec))
			continue;
		*ret_number = (uint16_t)ntohl(datagram.number);
		return 1;
	}
	return errno == ECONNREFUSED ? -ECONNREFUSED : 0;
}

void idle_ask(const struct test_spec *spec, struct idle_figures *ret)
{
	struct asking a = {.spec = spec};
	struct idle_way way = {
		.ctx = &a,
		.send = send_datagram,
		.receive = receive_datagram,
	};
	struct sockaddr_storage other;
	const char *what;

	*ret = IDLE_UNKNOWN;
	if (!spec->echo_port)
		return;
	a.fd = way.fd = udp_open(spec, spec->echo_port, &other, &what);
	if (a.fd < 0)
		return;
	idle_measure(&way, spec->rtt_us, -1, ret);
	close(a.fd);
}

/* --- the server's answers --- */

struct answering {
	const struct test_spec *spec;
	struct sockaddr_storage other;
	int fd;
};

static void answer_one(const struct answering *a)
{
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	struct datagram datagram;
	ssize_t size = recvfrom(a->fd, &datagram, sizeof(datagram), MSG_TRUNC,
				(struct sockaddr *)&from, &from_size);

	if (is_of_test(&datagram, size, a->spec) && address_same_host(&from, &a->other))
		sendto(a->fd, &datagram, sizeof(datagram), 0, (struct sockaddr *)&from,
		       from_size);
}

static void *answer_all(void *ctx)
{
	const struct answering *a = ctx;
	struct pollfd wait = {.fd = a->fd, .events = POLLIN};

	while (poll(&wait, 1, -1) >= 0 || errno == EINTR)
		answer_one(a);
	return NULL;
}

void idle_answer(const struct test_spec *spec)
{
	static struct answering a;
	const char *what;
	pthread_t thread;

	if (!spec->echo_port)
		return;
	a.spec = spec;
	a.fd = udp_open(spec, spec->echo_port, &a.other, &what);
	if (a.fd >= 0 && thread_start(&thread, STACK_SIZE, answer_all, &a) < 0)
		fd_close(&a.fd);
}
