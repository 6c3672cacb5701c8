/* SPDX-License-Identifier: MIT */
/* The endpoint and strangers: broken and hostile requests, ports in use, and its
 * end. */

#include "sync/endpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "support.h"
#include "sync/client.h"
#include "sync/places.h"

#define ADDRESS "127.0.0.2"
#define PORT    5000
#define HOST    "Host: " ADDRESS ":5000\r\n"
#define JSON    "Content-Type: application/json\r\n"

struct stage {
	struct support_ops ops;
	struct endpoint *endpoint;
};

static int start_on(struct stage *stage, const char *address, int port, struct err *err)
{
	struct endpoint_config config = {
		.address = address,
		.interface = "",
		.port = port,
		.lease_max_ms = 60000,
		.ops = &support_endpoint_ops,
		.ctx = &stage->ops,
	};

	support_ops_init(&stage->ops);
	return endpoint_new(&config, &stage->endpoint, err);
}

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	*state = stage;
	return start_on(stage, ADDRESS, PORT, NULL);
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	endpoint_free(stage->endpoint);
	free(stage);
	return 0;
}

struct stranger {
	const char *what;
	const char *request;
	int status;
};

static const struct stranger strangers[] = {
	{"a good read", "GET /v1/hello HTTP/1.1\r\n" HOST "\r\n", 200},
	{"no port in Host", "GET /v1/hello HTTP/1.1\r\nHost: " ADDRESS "\r\n\r\n", 200},
	{"with a query", "GET /v1/hello?x=1 HTTP/1.1\r\n" HOST "\r\n", 200},
	{"an icon", "GET /favicon.ico HTTP/1.1\r\n" HOST "\r\n", 404},
	{"a file", "GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404},
	{"an encoded file", "GET /%2e%2e/etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404},
	{"longer than a path", "GET /v1/hello/x HTTP/1.1\r\n" HOST "\r\n", 404},
	{"dots to a path", "GET /x/../v1/hello HTTP/1.1\r\n" HOST "\r\n", 404},
	{"no Host", "GET /v1/hello HTTP/1.1\r\n\r\n", 421},
	{"a name made to resolve to us",
	 "GET /v1/hello HTTP/1.1\r\nHost: evil.example:5000\r\n\r\n", 421},
	{"a name that begins like us",
	 "GET /v1/hello HTTP/1.1\r\nHost: " ADDRESS ".evil.example\r\n\r\n", 421},
	{"loopback's name over the tunnel",
	 "GET /v1/hello HTTP/1.1\r\nHost: localhost:5000\r\n\r\n", 421},
	{"a preflight",
	 "OPTIONS /v1/close HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n"
	 "Access-Control-Request-Method: POST\r\n"
	 "Access-Control-Request-Headers: content-type\r\n\r\n",
	 405},
	{"HEAD", "HEAD /v1/hello HTTP/1.1\r\n" HOST "\r\n", 405},
	{"DELETE", "DELETE /v1/hello HTTP/1.1\r\n" HOST "\r\n", 405},
	{"PROPFIND", "PROPFIND / HTTP/1.1\r\n" HOST "\r\n", 405},
	{"a change by GET", "GET /v1/close HTTP/1.1\r\n" HOST "\r\n", 405},
	{"a row by POST",
	 "POST /v1/run/x/row/1 HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}",
	 405},
	{"a form",
	 "POST /v1/close HTTP/1.1\r\n" HOST
	 "Content-Type: application/x-www-form-urlencoded\r\n"
	 "Content-Length: 2\r\n\r\n{}",
	 415},
	{"plain text, which needs no preflight",
	 "POST /v1/close HTTP/1.1\r\n" HOST
	 "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
	 415},
	{"something that begins like JSON",
	 "POST /v1/close HTTP/1.1\r\n" HOST
	 "Content-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}",
	 415},
	{"no type", "POST /v1/close HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}",
	 415},
	{"JSON with a charset",
	 "POST /v1/close HTTP/1.1\r\n" HOST
	 "Content-Type: application/json; charset=utf-8\r\n"
	 "Content-Length: 2\r\n\r\n{}",
	 400},
	{"no length", "POST /v1/close HTTP/1.1\r\n" HOST JSON "\r\n", 411},
	{"chunks",
	 "POST /v1/close HTTP/1.1\r\n" HOST JSON
	 "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	 411},
	{"an empty body",
	 "POST /v1/close HTTP/1.1\r\n" HOST JSON "Content-Length: 0\r\n\r\n", 400},
	{"a negative length",
	 "POST /v1/close HTTP/1.1\r\n" HOST JSON "Content-Length: -1\r\n\r\n", 400},
	{"a length beyond all",
	 "POST /v1/close HTTP/1.1\r\n" HOST JSON
	 "Content-Length: 9999999999999\r\n\r\n{}",
	 413},
	{"a socket for the web",
	 "GET /v1/hello HTTP/1.1\r\n" HOST "Connection: Upgrade\r\n"
	 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	 "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
	 200},
	{"a session that is not there",
	 "POST /v1/lease HTTP/1.1\r\n" HOST JSON "Content-Length: 46\r\n\r\n"
	 "{\"session\":\"0123456789abcdef0123456789abcdef\"}",
	 410},
	{"garbage", "\x16\x03\x01\x02\x01 hello\r\n\r\n", 400},
	{"no version", "GET /v1/hello\r\n\r\n", 400},
};

static void strangers_get_a_json_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		const struct stranger *s = &strangers[i];
		int fd = support_connect(NULL, ADDRESS, PORT);
		struct msg_answer m;
		char answer[4096];
		char *body;

		print_message("%s\n", s->what);
		assert_int_equal(support_http(fd, s->request, answer, sizeof(answer)),
				 s->status);
		close(fd);
		assert_null(strstr(answer, "Access-Control"));
		assert_non_null(strstr(answer, "Content-Type: application/json\r\n"));
		/* A hello's connection is spare, unless its caller wants to end it. */
		assert_non_null(strstr(
			answer, s->status == 200 && !strstr(s->request, "Upgrade")
					? "Connection: keep-alive\r\n"
					: "Connection: close\r\n"));
		body = strstr(answer, "\r\n\r\n");
		assert_non_null(body);
		body += 4;
		if (s->status == 200)
			continue;
		assert_int_equal(msg_answer_decode(body, strlen(body), &m, NULL), 0);
		assert_int_not_equal(m.code, 0);
		assert_string_not_equal(m.text, "");
	}
}

/* Outsiders learn nothing about the server from any request, not even that it is
 * one. */
static void outsiders_get_a_bare_refusal(void **state)
{
	char first[4096] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		const struct stranger *s = &strangers[i];
		int fd = support_connect(SUPPORT_OUTSIDER, ADDRESS, PORT);
		char answer[4096];
		int status = support_http(fd, s->request, answer, sizeof(answer));

		close(fd);
		print_message("%s\n", s->what);
		assert_int_equal(status, 403);
		if (!first[0])
			memcpy(first, answer, sizeof(first));
		assert_string_equal(answer, first);
	}
	assert_non_null(strstr(first, "\"not permitted from here\""));
}

static void whole_messages_stay_below_1_kb(void **state)
{
	char answer[4096];
	int fd = support_connect(NULL, ADDRESS, PORT);

	(void)state;
	assert_int_equal(support_http(fd, "GET /v1/hello HTTP/1.1\r\n" HOST "\r\n",
				      answer, sizeof(answer)),
			 200);
	close(fd);
	/* The head, with a three-digit length, has this much room. */
	assert_true(strstr(answer, "\r\n\r\n") - answer + 4 < 1024 - MSG_BODY_LIMIT);
}

static void too_large_bodies_are_refused(void **state)
{
	static const int sizes[] = {MSG_BODY_LIMIT, MSG_BODY_LIMIT + 1, 10000};
	static const int statuses[] = {400, 413, 413};

	(void)state;
	for (int i = 0; i < 3; i++) {
		char *request = calloc(1, 16384);
		int fd = support_connect(NULL, ADDRESS, PORT);
		char answer[4096];
		int head = sprintf(request,
				   "POST /v1/close HTTP/1.1\r\n" HOST JSON
				   "Content-Length: %d\r\n\r\n",
				   sizes[i]);

		memset(request + head, '[', (size_t)sizes[i]);
		assert_int_equal(support_http(fd, request, answer, sizeof(answer)),
				 statuses[i]);
		close(fd);
		free(request);
	}
}

static void headers_without_end_are_refused(void **state)
{
	char *request = calloc(1, 16384);
	int fd = support_connect(NULL, ADDRESS, PORT);
	char answer[4096];
	int head = sprintf(request, "GET /v1/hello HTTP/1.1\r\n" HOST "X: ");

	(void)state;
	memset(request + head, 'x', 8000);
	assert_int_equal(support_http(fd, request, answer, sizeof(answer)), 400);
	close(fd);
	free(request);
}

/* At a byte every 50 ms this body takes 38 s. */
static void dripping_bodies_are_given_up(void **state)
{
	static const char head[] = "POST /v1/close HTTP/1.1\r\n" HOST JSON
				   "Content-Length: 760\r\n\r\n";
	int64_t started_ms = clock_boot_ms();
	int fd = support_connect(NULL, ADDRESS, PORT);
	char answer[64] = "";
	ssize_t n = -1;

	(void)state;
	assert_int_equal(send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL),
			 sizeof(head) - 1);
	while (n < 0 && clock_boot_ms() - started_ms < 10000) {
		if (send(fd, " ", 1, MSG_NOSIGNAL) < 0)
			break;
		usleep(50000);
		n = recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	}
	assert_memory_equal(answer, "HTTP/1.1 408", 12);
	assert_in_range(clock_boot_ms() - started_ms, PLACES_REST_MS - 200, 2500);
	close(fd);
}

/* The rest of a head, or of a body, never comes. */
static void a_rest_is_not_waited_for_long(void **state)
{
	static const struct {
		const char *begin;
		const char *answer;
	} requests[] = {
		{"GET /v1/hello HTTP/1.1\r\n" HOST, "HTTP/1.1 400"},
		{"POST /v1/close HTTP/1.1\r\n" HOST JSON "Content-Length: 9\r\n\r\n{",
		 "HTTP/1.1 408"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int64_t started_ms = clock_boot_ms();
		int fd = support_connect(NULL, ADDRESS, PORT);
		char answer[4096];

		support_http(fd, requests[i].begin, answer, sizeof(answer));
		assert_memory_equal(answer, requests[i].answer, 12);
		assert_in_range(clock_boot_ms() - started_ms, PLACES_REST_MS - 200,
				PLACES_PATIENCE_MS - 500);
		close(fd);
	}
}

/* --- ports --- */

static void ports_that_cannot_be_had(void **state)
{
	struct stage second;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(start_on(&second, ADDRESS, PORT, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "'127.0.0.2' port 5000"));
	assert_int_equal(start_on(&second, "10.9.9.9", PORT, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "'10.9.9.9' port 5000"));
	assert_int_equal(start_on(&second, "wg0", PORT, &err), -EINVAL);
	assert_int_equal(start_on(&second, "fd00::1", PORT, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "'fd00::1' port 5000"));
}

static void a_low_port_needs_privileges(void **state)
{
	int status = -1;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		struct stage stage;
		struct err err = ERR_INIT;

		if (setresuid(65534, 65534, 65534) < 0)
			_exit(3);
		if (start_on(&stage, "127.0.0.4", 80, &err) != -EACCES)
			_exit(1);
		_exit(strstr(err.text, "'127.0.0.4' port 80") ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void loopback_is_no_condition(void **state)
{
	struct stage stage;
	int other = support_listen("127.0.0.1", 5001, 1);
	int fd;
	char answer[4096];

	(void)state;
	assert_true(other >= 0);
	assert_int_equal(start_on(&stage, "127.0.0.3", 5001, NULL), 0);
	fd = support_connect(NULL, "127.0.0.3", 5001);
	assert_int_equal(support_http(fd,
				      "GET /v1/hello HTTP/1.1\r\n"
				      "Host: 127.0.0.3\r\n\r\n",
				      answer, sizeof(answer)),
			 200);
	close(fd);
	close(other);
	endpoint_free(stage.endpoint);
}

/* --- IPv6 --- */

struct spelling {
	const char *host;
	int status;
};

static const struct spelling spellings[] = {
	{"[::1]:5003", 200},      {"[::1]", 200},
	{"[0:0:0::1]:5003", 200}, {"[::1%25wg0]:5003", 200},

	{"[::2]:5003", 421},      {"[::1", 421},
	{"[::1]x", 421},          {"[]", 421},
	{"localhost", 421},       {"127.0.0.1", 421},
};

/* Debian's civetweb has no IPv6 of its own. */
static void an_ipv6_address_is_served(void **state)
{
	struct stage stage;
	char request[256];
	char answer[4096];
	struct client_config config = {
		.interface = "", .address = "::1", .port = 5003, .stop_fd = -1};
	struct msg_open m = support_open(SUPPORT_RUN, 30000);
	struct client *client;
	struct msg_opened opened;

	(void)state;
	assert_int_equal(start_on(&stage, "::1", 5003, NULL), 0);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		int fd = support_connect(NULL, "::1", 5003);

		print_message("%s\n", spellings[i].host);
		snprintf(request, sizeof(request),
			 "GET /v1/hello HTTP/1.1\r\nHost: %s\r\n\r\n",
			 spellings[i].host);
		assert_int_equal(support_http(fd, request, answer, sizeof(answer)),
				 spellings[i].status);
		close(fd);
	}
	assert_int_equal(client_new(&config, &client, NULL), 0);
	assert_int_equal(client_open(client, &m, 1000, &opened, NULL), 0);
	assert_string_equal(stage.ops.address, "::1");
	assert_int_equal(client_renew(client, opened.session, 1000, NULL), 0);
	client_free(client);
	endpoint_free(stage.endpoint);
}

/* --- the end --- */

/* Neither its own threads nor kept connections delay the end. */
static void the_end_is_prompt(void **state)
{
	struct stage stage;
	struct client_config config = {
		.address = "127.0.0.3", .port = 5002, .stop_fd = -1};
	struct msg_open m = support_open(SUPPORT_RUN, 30000);
	struct client *client;
	struct msg_opened opened;
	struct msg_hello hello;
	int64_t started_ms;

	(void)state;
	assert_int_equal(start_on(&stage, "127.0.0.3", 5002, NULL), 0);
	assert_int_equal(client_new(&config, &client, NULL), 0);
	assert_int_equal(client_open(client, &m, 1000, &opened, NULL), 0);
	assert_int_equal(client_renew(client, opened.session, 1000, NULL), 0);
	started_ms = clock_boot_ms();
	endpoint_free(stage.endpoint);
	assert_in_range(clock_boot_ms() - started_ms, 0, 500);
	assert_int_equal(client_hello(client, 500, &hello, NULL), -ECONNREFUSED);
	assert_false(client_answered(client));
	/* Its port is free at once. */
	assert_int_equal(start_on(&stage, "127.0.0.3", 5002, NULL), 0);
	/* The kept connection is gone, and is replaced without an error. */
	assert_int_equal(client_hello(client, 500, &hello, NULL), 0);
	endpoint_free(stage.endpoint);
	client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strangers_get_a_json_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(outsiders_get_a_bare_refusal, setup,
						teardown),
		cmocka_unit_test_setup_teardown(whole_messages_stay_below_1_kb, setup,
						teardown),
		cmocka_unit_test_setup_teardown(too_large_bodies_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(headers_without_end_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_rest_is_not_waited_for_long, setup,
						teardown),
		cmocka_unit_test_setup_teardown(dripping_bodies_are_given_up, setup,
						teardown),
		cmocka_unit_test_setup_teardown(ports_that_cannot_be_had, setup,
						teardown),
		cmocka_unit_test(a_low_port_needs_privileges),
		cmocka_unit_test(loopback_is_no_condition),
		cmocka_unit_test(an_ipv6_address_is_served),
		cmocka_unit_test(the_end_is_prompt),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}
