/* SPDX-License-Identifier: MIT */
/* Crowds of slow clients: whatever they do, a request that comes in one piece is
 * answered soon, a bystander's and the peer's. */

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "support.h"
#include "sync/client.h"

#define ADDRESS   "127.0.0.2"
#define NEIGHBOUR "127.0.0.9"
#define BYSTANDER "127.0.0.8"
#define PORT      5000
#define HOST      "Host: " ADDRESS ":5000\r\n"
#define STATUS    "GET /v1/status HTTP/1.1\r\n" HOST "\r\n"

/* More than the kernel's queue of a listener with the library's default. */
#define CROWD    400
#define REQUESTS 10
/* A lost SYN is sent again after 1, 3 and 7 s. An answer takes less than 0.5 s here,
 * and longer on a busy machine. */
#define SOON_MS 3000

/* --- a crowd --- */

struct crowd {
	const char *what;
	const char *begins; /* the first bytes, sent at once */
	bool drips;         /* then sends a byte at intervals */
	bool reads;         /* reads the answer; else leaves it in the socket */
};

static const struct crowd crowds[] = {
	{"silent", "", false, true},
	{"a head by drips", "GET /v1/status HTTP/1.1\r\n" HOST "X: ", true, true},
	{"a body by drips",
	 "POST /v1/lease HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
	 "Content-Length: 700\r\n\r\n{",
	 true, true},
	{"a refused body by drips",
	 "POST /v1/lease HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: 60000\r\n\r\n{",
	 true, true},
	{"a document that is not read", "GET /page.js HTTP/1.1\r\n" HOST "\r\n", false,
	 false},
	{"a page that is not read", "GET /progress HTTP/1.1\r\n" HOST "\r\n", false,
	 false},
	{"a page that is read", "GET /progress HTTP/1.1\r\n" HOST "\r\n", false, true},
	{"requests in one piece", STATUS, false, true},
};

/* One caller of the crowd. */
struct caller {
	int fd;
	bool begun;
};

static void call_in(struct caller *caller)
{
	struct sockaddr_storage from;
	struct sockaddr_storage to;
	int small = 1;

	address_parse(NEIGHBOUR, 0, &from);
	address_parse(ADDRESS, PORT, &to);
	*caller = (struct caller){
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	setsockopt(caller->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(caller->fd, (struct sockaddr *)&from, address_size(&from)) < 0 ||
	    (connect(caller->fd, (struct sockaddr *)&to, address_size(&to)) < 0 &&
	     errno != EINPROGRESS))
		fd_close(&caller->fd);
}

static void act(const struct crowd *crowd, struct caller *caller, short events,
		bool drip)
{
	char bytes[4096];
	int fd = caller->fd;

	if (!caller->begun && (events & POLLOUT)) {
		caller->begun = true;
		send(fd, crowd->begins, strlen(crowd->begins), MSG_NOSIGNAL);
	} else if (events & (POLLERR | POLLHUP | POLLRDHUP)) {
		fd_close(&caller->fd);
	} else if (events & POLLIN) {
		recv(fd, bytes, sizeof(bytes), 0);
	} else if (caller->begun && drip) {
		send(fd, "x", 1, MSG_NOSIGNAL);
	}
}

/* Run in a process of its own until it is killed: each connection that ends is
 * replaced. Report when as many have called as there are. */
static void run_crowd(const struct crowd *crowd, int tell_fd)
{
	static struct caller callers[CROWD];
	static struct pollfd fds[CROWD];
	int64_t drip_ms = 0;
	int begun = 0;

	for (int i = 0; i < CROWD; i++)
		callers[i].fd = -1;
	for (;;) {
		bool drip = crowd->drips && clock_boot_ms() >= drip_ms;

		if (drip)
			drip_ms = clock_boot_ms() + 20;
		for (int i = 0; i < CROWD; i++) {
			if (callers[i].fd < 0)
				call_in(&callers[i]);
			fds[i] = (struct pollfd){.fd = callers[i].fd};
			fds[i].events = callers[i].begun ? POLLRDHUP : POLLOUT;
			if (callers[i].begun && crowd->reads)
				fds[i].events |= POLLIN;
		}
		poll(fds, CROWD, 20);
		for (int i = 0; i < CROWD; i++) {
			bool was = callers[i].begun;

			act(crowd, &callers[i], fds[i].revents, drip);
			begun += callers[i].begun && !was;
		}
		if (begun >= CROWD && tell_fd >= 0) {
			io_write_all(tell_fd, "x", 1);
			fd_close(&tell_fd);
		}
	}
}

static pid_t gather(const struct crowd *crowd)
{
	int gate[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(gate), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(gate[0]);
		run_crowd(crowd, gate[1]);
	}
	close(gate[1]);
	assert_true(child > 0);
	assert_int_equal(read(gate[0], &byte, 1), 1);
	close(gate[0]);
	return child;
}

static void disperse(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* --- the peer and a bystander --- */

struct stage {
	struct support_ops ops;
	struct endpoint *endpoint;
	struct client *client;
	struct msg_opened opened;
	pid_t crowd;
};

static int setup(void **state)
{
	struct client_config client = {
		.interface = "lo", .address = ADDRESS, .port = PORT, .stop_fd = -1};
	struct msg_open m = support_open(SUPPORT_RUN, 60000);
	struct stage *stage = calloc(1, sizeof(*stage));
	struct endpoint_config config = {
		.address = ADDRESS,
		.interface = "",
		.port = PORT,
		.lease_max_ms = 60000,
		.ops = &support_endpoint_ops,
		.ctx = &stage->ops,
	};

	support_ops_init(&stage->ops);
	stage->ops.page_size = 60000;
	*state = stage;
	if (endpoint_new(&config, &stage->endpoint, NULL) < 0 ||
	    client_new(&client, &stage->client, NULL) < 0)
		return -1;
	return client_open(stage->client, &m, 2000, &stage->opened, NULL);
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	if (stage->crowd > 0)
		disperse(stage->crowd);
	client_free(stage->client);
	endpoint_free(stage->endpoint);
	free(stage);
	return 0;
}

/* Return the number of connections that this namespace's kernel had no room for.
 * /proc/net/netstat has a line of names before each line of figures. */
static long lost_connections(void)
{
	FILE *file = fopen("/proc/self/net/netstat", "re");
	char names[8192];
	char figures[8192];
	long lost = -1;

	assert_non_null(file);
	while (lost < 0 && fgets(names, sizeof(names), file) &&
	       fgets(figures, sizeof(figures), file)) {
		char *name_rest = NULL;
		char *figure_rest = NULL;
		char *name = strtok_r(names, " ", &name_rest);
		char *figure = strtok_r(figures, " ", &figure_rest);

		for (; name && figure; name = strtok_r(NULL, " ", &name_rest),
				       figure = strtok_r(NULL, " ", &figure_rest)) {
			if (strcmp(name, "ListenDrops") == 0)
				lost = atol(figure);
		}
	}
	fclose(file);
	return lost;
}

static int64_t since_ms(int64_t began_ms, int64_t longest_ms)
{
	int64_t ms = clock_boot_ms() - began_ms;

	return ms > longest_ms ? ms : longest_ms;
}

/* A busy machine may stop the bystander for so long between connect() and send() that the
 * server takes it for one of the crowd. It asks again then, as browsers do. */
static int ask_status(void)
{
	int status = -1;

	for (int i = 0; i < 3 && status < 0; i++) {
		cleanup_fd int fd = support_connect(BYSTANDER, ADDRESS, PORT);
		char answer[4096];

		if (fd >= 0)
			status = support_http(fd, STATUS, answer, sizeof(answer));
	}
	return status;
}

static void crowds_delay_nobody(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		long lost = lost_connections();
		int64_t longest_ms = 0;
		int64_t renewal_ms = 0;

		stage->crowd = gather(&crowds[i]);
		for (int j = 0; j < REQUESTS; j++) {
			int64_t began_ms = clock_boot_ms();

			assert_int_equal(client_renew(stage->client,
						      stage->opened.session, 1000,
						      NULL),
					 0);
			renewal_ms = since_ms(began_ms, renewal_ms);
			began_ms = clock_boot_ms();
			assert_int_equal(ask_status(), 200);
			longest_ms = since_ms(began_ms, longest_ms);
		}
		disperse(stage->crowd);
		stage->crowd = 0;
		print_message("%s: the longest answer took %d ms, renewal %d ms\n",
			      crowds[i].what, (int)longest_ms, (int)renewal_ms);
		assert_int_equal(lost_connections(), lost);
		assert_in_range(longest_ms, 0, SOON_MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(crowds_delay_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}
