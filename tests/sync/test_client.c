/* SPDX-License-Identifier: MIT */
/* The client against faulty servers: each request ends, at its deadline at the latest,
 * with an error that names the fault. */

#include "sync/client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "support.h"

#define ADDRESS "127.0.0.5"
#define PORT    5000
#define HELLO_BODY                                                                   \
	"{\"protocol\":3,\"server\":{\"host\":\"h\",\"interface\":\"wg0\","          \
	"\"address\":\"10.0.0.1\",\"mtu\":1420,\"backend\":\"kernel\",\"family\":4," \
	"\"versions\":\"\"},\"range\":{\"min\":1280,\"max\":1500,\"step\":20},"      \
	"\"iperf_port\":5201,\"persist\":\"none\",\"busy\":false}"

/* A server that does one thing to each connection. */
struct server {
	const char *address;
	const char *reply; /* sent for each request; NULL: nothing */
	int drip_ms;       /* pause between its bytes; 0: all at once */
	bool hang_up;      /* closes at once, without reading */
	bool mute;         /* reads one request more than it answers, then closes */
	/* answers per connection, then it is closed; 0: any number */
	int replies;
	bool endless; /* the reply's last byte is repeated for ever */
	int listener;
	int stop_fd;
	pthread_t thread;
	_Atomic int connections;
	_Atomic int requests;
};

/* 0 when the test is over or the client is gone. */
static bool send_reply(struct server *server, int fd)
{
	size_t size = strlen(server->reply);
	char more[1024];

	if (server->drip_ms == 0 && send(fd, server->reply, size, MSG_NOSIGNAL) < 0)
		return false;
	for (size_t i = 0; server->drip_ms > 0 && i < size; i++) {
		if (io_wait(server->stop_fd, -1, clock_boot_ms() + server->drip_ms) !=
		    0)
			return false;
		if (send(fd, server->reply + i, 1, MSG_NOSIGNAL) < 0)
			return false;
	}
	memset(more, server->reply[size - 1], sizeof(more));
	while (server->endless) {
		if (send(fd, more, sizeof(more), MSG_NOSIGNAL) < 0)
			return false;
	}
	return true;
}

static void serve_connection(struct server *server, int fd)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	char request[4096];
	int done = 0;

	while (!server->hang_up && (server->replies == 0 || done < server->replies)) {
		if (io_wait(fd, server->stop_fd, clock_boot_ms() + 10000) != 1)
			return;
		if (recv(fd, request, sizeof(request), 0) <= 0)
			return;
		server->requests++;
		done++;
		if (server->reply && !send_reply(server, fd))
			return;
	}
	if (!server->mute || io_wait(fd, server->stop_fd, clock_boot_ms() + 10000) != 1)
		return;
	server->requests += recv(fd, request, sizeof(request), 0) > 0;
	/* Reset every other connection. */
	if (server->connections % 2 == 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

static void *serve(void *ctx)
{
	struct server *server = ctx;

	while (io_wait(server->listener, server->stop_fd, clock_boot_ms() + 30000) ==
	       1) {
		cleanup_fd int fd = accept(server->listener, NULL, NULL);

		server->connections++;
		serve_connection(server, fd);
	}
	return NULL;
}

static void start_server(struct server *server)
{
	server->listener =
		support_listen(server->address ? server->address : ADDRESS, PORT, 16);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_true(server->listener >= 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop_server(struct server *server)
{
	uint64_t one = 1;

	io_write_all(server->stop_fd, &one, sizeof(one));
	pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->stop_fd);
}

static struct client *make_client(const char *address, const char *interface,
				  int stop_fd)
{
	struct client_config config = {.port = PORT, .stop_fd = stop_fd};
	struct client *client = NULL;

	snprintf(config.address, sizeof(config.address), "%s", address);
	snprintf(config.interface, sizeof(config.interface), "%s", interface);
	assert_int_equal(client_new(&config, &client, NULL), 0);
	return client;
}

#define OK_REPLY(body, length)                                                         \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " length \
	"\r\n\r\n" body

struct bad_server {
	const char *what;
	struct server server;
	int rc; /* -ETIMEDOUT: at the deadline, of 400 ms */
	const char *says;
};

static struct bad_server bad_servers[] = {
	{"says nothing", {.reply = NULL}, -ETIMEDOUT, "'127.0.0.5:5000'"},
	{"drips", {.reply = OK_REPLY("{}", "2"), .drip_ms = 30}, -ETIMEDOUT, ""},
	{"drips a body for ever",
	 {.reply = "HTTP/1.1 200 OK\r\n\r\n                              ",
	  .drip_ms = 15},
	 -ETIMEDOUT,
	 ""},
	{"hangs up", {.hang_up = true}, -ECONNRESET, "'127.0.0.5:5000'"},
	{"hangs up in the middle",
	 {.reply = OK_REPLY("{\"protocol\"", "400"), .replies = 1},
	 -ECONNRESET,
	 ""},
	{"is no HTTP server",
	 {.reply = "SSH-2.0-x\r\n", .replies = 1},
	 -EPROTO,
	 "not an mtusweep server"},
	{"says things that are no JSON",
	 {.reply = OK_REPLY("<html>", "6")},
	 -EPROTO,
	 "not an mtusweep server"},
	{"says another message",
	 {.reply = OK_REPLY("{\"protocol\":3}", "14")},
	 -EPROTO,
	 "not an mtusweep server"},
	{"is of a later version",
	 {.reply = OK_REPLY("{\"protocol\":4}", "14")},
	 -EPROTO,
	 "the other end speaks protocol 4, this one 3: install the same version"},
	{"is of an earlier version",
	 {.reply = OK_REPLY("{\"protocol\":2}", "14")},
	 -EPROTO,
	 "the other end speaks protocol 2, this one 3: install the same version"},
	{"sends too much",
	 {.reply = "HTTP/1.1 200 OK\r\n\r\n ", .endless = true},
	 -EPROTO,
	 ""},
	{"announces too much", {.reply = OK_REPLY("{", "99999999")}, -ETIMEDOUT, ""},
	{"sends headers without end",
	 {.reply = "HTTP/1.1 200 OK\r\nX: xx\r\nX: x", .endless = true},
	 -EPROTO,
	 ""},
	{"sends elsewhere",
	 {.reply = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.6:5000/\r\n"
		   "Content-Length: 0\r\n\r\n"},
	 -EPROTO,
	 "not an mtusweep server"},
	{"fails without a message",
	 {.reply = "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"},
	 -EPROTO,
	 "not an mtusweep server"},
	{"fails, and says OK",
	 {.reply = "HTTP/1.1 409 Conflict\r\nContent-Length: 23\r\n\r\n"
		   "{\"code\":\"OK\",\"text\":\"\"}"},
	 -EPROTO,
	 "not an mtusweep server"},
	{"is busy",
	 {.reply = "HTTP/1.1 409 Conflict\r\nContent-Length: 28\r\n\r\n"
		   "{\"code\":\"EBUSY\",\"text\":\"so\"}"},
	 -EBUSY,
	 "so"},
};

static void every_request_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_servers) / sizeof(bad_servers[0]); i++) {
		struct bad_server *bad = &bad_servers[i];
		struct client *client;
		struct msg_hello hello;
		struct err err = ERR_INIT;
		bool timed_out = bad->rc == -ETIMEDOUT;
		int64_t started_ms;
		int took_ms;

		print_message("a server that %s\n", bad->what);
		start_server(&bad->server);
		client = make_client(ADDRESS, "lo", -1);
		started_ms = clock_boot_ms();
		/* The other faults are detected before a distant deadline. */
		assert_int_equal(
			client_hello(client, timed_out ? 400 : 5000, &hello, &err),
			bad->rc);
		took_ms = (int)(clock_boot_ms() - started_ms);
		print_message("  %d ms: %s\n", took_ms, err.text);
		if (timed_out)
			assert_in_range(took_ms, 390, 2000);
		assert_non_null(strstr(err.text, bad->says));
		assert_int_equal(client_answered(client),
				 bad->rc == -EBUSY ||
					 strstr(err.text, "speaks protocol"));
		client_free(client);
		stop_server(&bad->server);
	}
}

/* A server that grants a longer lease than requested would delay this end's restore. */
static void a_lease_is_never_longer_than_asked_for(void **state)
{
	static const char end[] =
		"{\"host\":\"h\",\"interface\":\"wg0\",\"address\":\"\",\"mtu\":0,"
		"\"backend\":\"kernel\",\"family\":4,\"versions\":\"\"}";
	char body[512];
	char reply[1024];
	struct server server = {.reply = reply};
	struct msg_open m = support_open(SUPPORT_RUN, 2000);
	struct client *client;
	struct msg_opened opened;

	(void)state;
	snprintf(body, sizeof(body),
		 "{\"session\":\"" SUPPORT_SECRET
		 "\",\"lease_ms\":600000,\"server\":%s}",
		 end);
	snprintf(reply, sizeof(reply),
		 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
		 body);
	start_server(&server);
	client = make_client(ADDRESS, "lo", -1);
	assert_int_equal(client_open(client, &m, 5000, &opened, NULL), 0);
	assert_int_equal(opened.lease_ms, 2000);
	client_free(client);
	stop_server(&server);
}

static void nobody_there(void **state)
{
	struct msg_hello hello;
	struct err err = ERR_INIT;
	struct client *client = make_client("127.0.0.77", "", -1);

	(void)state;
	assert_int_equal(client_hello(client, 400, &hello, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "'127.0.0.77:5000'"));
	client_free(client);
	client = make_client("192.0.2.1", "", -1);
	assert_int_equal(client_hello(client, 400, &hello, &err), -EHOSTUNREACH);
	client_free(client);
	client = make_client(ADDRESS, "wg99", -1);
	assert_int_equal(client_hello(client, 400, &hello, &err), -ENODEV);
	assert_non_null(strstr(err.text, "'wg99'"));
	client_free(client);
}

/* A full backlog drops further SYNs: the connect itself gets no answer. */
static void a_connect_has_the_deadline_too(void **state)
{
	int listener = support_listen(ADDRESS, PORT, 0);
	int first = support_connect(NULL, ADDRESS, PORT);
	struct client *client = make_client(ADDRESS, "", -1);
	int64_t started_ms = clock_boot_ms();
	struct msg_hello hello;

	(void)state;
	assert_int_equal(client_hello(client, 400, &hello, NULL), -ETIMEDOUT);
	assert_in_range(clock_boot_ms() - started_ms, 390, 600);
	client_free(client);
	close(first);
	close(listener);
}

/* The kernel of a closed connection would still send its undelivered data, long after
 * the next request. */
static void what_is_given_up_is_reset(void **state)
{
	int listener = support_listen(ADDRESS, PORT, 16);
	struct client *client = make_client(ADDRESS, "lo", -1);
	struct msg_hello hello;
	char byte[256];
	ssize_t n;
	int fd;

	(void)state;
	assert_int_equal(client_hello(client, 200, &hello, NULL), -ETIMEDOUT);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	while ((n = recv(fd, byte, sizeof(byte), 0)) > 0)
		;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	close(listener);
	client_free(client);
}

static void a_stop_ends_a_request(void **state)
{
	struct server server = {.reply = NULL};
	int stop_fd = eventfd(0, EFD_CLOEXEC);
	struct client *client = make_client(ADDRESS, "lo", stop_fd);
	uint64_t one = 1;
	struct msg_hello hello;
	int64_t started_ms;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		usleep(150000);
		_exit(write(stop_fd, &one, sizeof(one)) < 0);
	}
	start_server(&server);
	started_ms = clock_boot_ms();
	assert_int_equal(client_hello(client, 5000, &hello, NULL), -EINTR);
	assert_in_range(clock_boot_ms() - started_ms, 0, 500);
	assert_int_equal(server.requests, 1);
	/* After the stop not even a request is sent, */
	assert_int_equal(client_hello(client, 5000, &hello, NULL), -EINTR);
	assert_int_equal(server.requests, 1);
	/* except those that restore the server. */
	client_ignore_stop(client);
	assert_int_equal(client_hello(client, 200, &hello, NULL), -ETIMEDOUT);
	client_free(client);
	stop_server(&server);
	close(stop_fd);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void no_proxy_is_used(void **state)
{
	struct server server = {.reply = OK_REPLY(HELLO_BODY, "220")};
	struct msg_hello hello;
	struct client *client;

	(void)state;
	setenv("http_proxy", "http://127.0.0.99:9/", 1);
	setenv("HTTP_PROXY", "http://127.0.0.99:9/", 1);
	setenv("ALL_PROXY", "socks5://127.0.0.99:9/", 1);
	setenv("all_proxy", "socks5://127.0.0.99:9/", 1);
	start_server(&server);
	client = make_client(ADDRESS, "lo", -1);
	assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	assert_string_equal(hello.server.host, "h");
	client_free(client);
	stop_server(&server);
	unsetenv("http_proxy");
	unsetenv("HTTP_PROXY");
	unsetenv("ALL_PROXY");
	unsetenv("all_proxy");
}

static void one_connection_is_kept(void **state)
{
	struct server server = {.reply = OK_REPLY(HELLO_BODY, "220")};
	struct msg_hello hello;
	struct client *client;

	(void)state;
	start_server(&server);
	client = make_client(ADDRESS, "lo", -1);
	assert_int_equal(client_rtt_us(client), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	assert_int_equal(server.requests, 5);
	assert_int_equal(server.connections, 1);
	assert_in_range(client_rtt_us(client), 1, 100000);
	client_free(client);
	stop_server(&server);
}

/* Its connection is there before the request, which is sent once; a client that goes no
 * further leaves nothing. */
static void a_hello_can_begin_early(void **state)
{
	struct server server = {.reply = OK_REPLY(HELLO_BODY, "220")};
	struct msg_hello hello;
	struct client *client;

	(void)state;
	start_server(&server);
	client = make_client(ADDRESS, "lo", -1);
	client_hello_begin(client);
	for (int i = 0; i < 2000 && server.connections == 0; i++)
		usleep(1000);
	assert_int_equal(server.connections, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	assert_int_equal(server.connections, 1);
	assert_int_equal(server.requests, 2);
	client_free(client);
	client = make_client(ADDRESS, "lo", -1);
	client_hello_begin(client);
	client_free(client);
	stop_server(&server);
	/* Nobody is there: that is seen when it goes on. */
	client = make_client(ADDRESS, "lo", -1);
	client_hello_begin(client);
	assert_int_equal(client_hello(client, 400, &hello, NULL), -ECONNREFUSED);
	client_free(client);
}

/* The server closes after each answer without a notice, like one whose keep-alive time
 * is over: the request uses a new connection. */
static void a_dead_kept_connection_is_replaced(void **state)
{
	struct server server = {.reply = OK_REPLY(HELLO_BODY, "220"), .replies = 1};
	struct msg_session session = {.session = "0123456789abcdef0123456789abcdef"};
	struct msg_hello hello;
	struct client *client;

	(void)state;
	start_server(&server);
	client = make_client(ADDRESS, "lo", -1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	assert_int_equal(server.connections, 4);
	/* A POST as well: it has no answer, but it arrived. */
	assert_int_equal(client_renew(client, session.session, 400, NULL), -EPROTO);
	assert_int_equal(server.connections, 5);
	client_free(client);
	stop_server(&server);
}

/* The server was closing the connection when the request arrived there. */
static void a_request_into_a_closing_connection_is_repeated(void **state)
{
	struct server server = {
		.reply = OK_REPLY(HELLO_BODY, "220"), .replies = 1, .mute = true};
	struct msg_hello hello;
	struct client *client;

	(void)state;
	start_server(&server);
	client = make_client(ADDRESS, "lo", -1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	/* One answered, one not, and one again on the next connection. */
	assert_int_equal(server.requests, 4 + 3);
	assert_int_equal(server.connections, 4);
	client_free(client);
	stop_server(&server);
}

static void a_stop_that_is_there_sends_nothing(void **state)
{
	struct server server = {.reply = OK_REPLY(HELLO_BODY, "220")};
	int stop_fd = eventfd(0, EFD_CLOEXEC);
	struct client *client = make_client(ADDRESS, "lo", stop_fd);
	uint64_t one = 1;
	struct msg_hello hello;

	(void)state;
	start_server(&server);
	assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	io_write_all(stop_fd, &one, sizeof(one));
	assert_int_equal(client_hello(client, 400, &hello, NULL), -EINTR);
	usleep(50000);
	assert_int_equal(server.requests, 1);
	client_ignore_stop(client);
	assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	client_free(client);
	stop_server(&server);
	close(stop_fd);
}

static void ipv6_addresses_are_bracketed(void **state)
{
	struct server server = {.address = "::1", .reply = OK_REPLY(HELLO_BODY, "220")};
	struct msg_hello hello;
	struct client *client;

	(void)state;
	start_server(&server);
	client = make_client("::1", "lo", -1);
	assert_int_equal(client_hello(client, 400, &hello, NULL), 0);
	client_free(client);
	stop_server(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_ends),
		cmocka_unit_test(a_lease_is_never_longer_than_asked_for),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(a_connect_has_the_deadline_too),
		cmocka_unit_test(what_is_given_up_is_reset),
		cmocka_unit_test(a_stop_ends_a_request),
		cmocka_unit_test(no_proxy_is_used),
		cmocka_unit_test(one_connection_is_kept),
		cmocka_unit_test(a_hello_can_begin_early),
		cmocka_unit_test(a_dead_kept_connection_is_replaced),
		cmocka_unit_test(a_request_into_a_closing_connection_is_repeated),
		cmocka_unit_test(a_stop_that_is_there_sends_nothing),
		cmocka_unit_test(ipv6_addresses_are_bracketed),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}
