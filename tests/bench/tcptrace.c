/* SPDX-License-Identifier: MIT */
/*
 * tcptrace: one TCP connection that sends all it can, and its TCP_INFO over time.
 *
 * usage: tcptrace sink PORT
 *        tcptrace send ADDRESS PORT CONGESTION SECONDS
 *
 * The sink discards what it receives, until it is ended. The sender prints a line "mss
 * BYTES", then a line for each sample, every 20 ms up to FINE_US, every 100 ms after that,
 * where it has the first two columns only. The columns are differences to the last sample
 * where they say so:
 *
 *   microseconds (difference), segments delivered (difference), smoothed RTT in
 *   microseconds, minimum RTT in microseconds, congestion window in segments, the kernel's
 *   delivery rate in kbit/s, segments retransmitted (difference), state of the congestion
 *   control (TCP_CA_...), plus 8 if the delivery rate was limited by the application
 *
 * The record begins with the first data sent. At the end the connection is reset.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FINE_US     INT64_C(2500000)
#define FINE_STEP   20000
#define COARSE_STEP 100000
#define BLOCK       (128 * 1024)
#define SINKS_MAX   64

static char block[BLOCK];

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int fail(const char *what)
{
	fprintf(stderr, "tcptrace: %s: %s\n", what, strerror(errno));
	return 1;
}

static void drain(struct pollfd *fds, int *count)
{
	for (int i = 1; i < *count; i++) {
		if (!fds[i].revents || read(fds[i].fd, block, sizeof(block)) > 0)
			continue;
		close(fds[i].fd);
		fds[i--] = fds[--*count];
	}
}

static int run_sink(int port)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port)};
	struct pollfd fds[SINKS_MAX] = {{.events = POLLIN}};
	int count = 1;
	int on = 1;

	fds[0].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fds[0].fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fds[0].fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    listen(fds[0].fd, SINKS_MAX) < 0)
		return fail("listen");
	for (;;) {
		if (poll(fds, (nfds_t)count, -1) < 0)
			return fail("poll");
		drain(fds, &count);
		if (!fds[0].revents || count == SINKS_MAX)
			continue;
		fds[count].fd = accept(fds[0].fd, NULL, NULL);
		fds[count].events = POLLIN;
		fds[count].revents = 0;
		count += fds[count].fd >= 0;
	}
}

static int open_sender(char **words)
{
	struct sockaddr_in there = {.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)atoi(words[1]))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, words[0], &there.sin_addr);
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, words[2],
		       (socklen_t)strlen(words[2])) < 0 ||
	    connect(fd, (struct sockaddr *)&there, sizeof(there)) < 0)
		return -1;
	return fd;
}

static bool read_info(int fd, struct tcp_info *ret)
{
	socklen_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret, &size) == 0;
}

static void print_sample(const struct tcp_info *info, const struct tcp_info *last,
			 int64_t us, bool whole)
{
	printf("%lld %u", (long long)us, info->tcpi_delivered - last->tcpi_delivered);
	if (!whole) {
		putchar('\n');
		return;
	}
	printf(" %u %u %u %llu %u %d\n", info->tcpi_rtt, info->tcpi_min_rtt,
	       info->tcpi_snd_cwnd,
	       (unsigned long long)(info->tcpi_delivery_rate / 125),
	       info->tcpi_total_retrans - last->tcpi_total_retrans,
	       info->tcpi_ca_state + 8 * info->tcpi_delivery_rate_app_limited);
}

/* Write until `until_us` all that the socket takes. */
static bool send_until(int fd, int64_t until_us)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};

	for (;;) {
		struct timespec left = {0};
		int64_t us = until_us - now_us();

		if (us <= 0)
			return true;
		left.tv_nsec = us * 1000;
		if (ppoll(&wait, 1, &left, NULL) > 0 &&
		    send(fd, block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			return false;
	}
}

static void reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static int run_sender(char **words)
{
	int64_t end_us = (int64_t)(atof(words[3]) * 1e6);
	struct tcp_info info, last;
	int64_t began_us, last_us;
	int fd = open_sender(words);

	if (fd < 0 || !read_info(fd, &last))
		return fail("connect");
	printf("mss %u\n", last.tcpi_snd_mss);
	began_us = last_us = now_us();
	for (int64_t at_us = FINE_STEP; at_us <= end_us;
	     at_us += at_us < FINE_US ? FINE_STEP : COARSE_STEP) {
		int64_t us;

		if (!send_until(fd, began_us + at_us))
			return fail("send");
		us = now_us();
		if (!read_info(fd, &info))
			return fail("TCP_INFO");
		print_sample(&info, &last, us - last_us, at_us <= FINE_US);
		last = info;
		last_us = us;
	}
	reset(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return run_sink(atoi(argv[2]));
	if (argc == 6 && strcmp(argv[1], "send") == 0)
		return run_sender(argv + 2);
	fprintf(stderr,
		"usage: tcptrace sink PORT | send ADDRESS PORT CONGESTION SECONDS\n");
	return 2;
}
