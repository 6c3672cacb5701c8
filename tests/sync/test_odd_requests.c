/* SPDX-License-Identifier: MIT */
/* Malformed and odd requests over raw sockets: each gets one answer, with the documented
 * status, in JSON, and nothing of civetweb's own; an outsider gets the bare refusal. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../child_check.h"
#include "base/address.h"
#include "base/io.h"
#include "support.h"

#define ADDRESS "127.0.0.2"
#define LOCAL   "127.0.0.1"
#define PORT    5000
#define HOST    "Host: " ADDRESS ":5000\r\n"
#define JSON    "Content-Type: application/json\r\n"
#define LENGTH  "Content-Length: 2\r\n"
#define CLOSE   "POST /v1/close HTTP/1.1\r\n" HOST JSON
#define GET     "GET /v1/status HTTP/1.1\r\n" HOST

struct odd {
	const char *what;
	const char *request;
	size_t size;
	int status;
};

/* The request with its NUL bytes. */
#define ODD(what, request, status)                         \
	{                                                  \
		what, request, sizeof(request) - 1, status \
	}

static const struct odd odds[] = {
	ODD("a good read", GET "\r\n", 200),
	ODD("a good read in HTTP/1.0", "GET /v1/status HTTP/1.0\r\n" HOST "\r\n", 200),
	ODD("empty lines first", "\r\n\r\n" GET "\r\n", 200),
	ODD("line feeds alone", "GET /v1/status HTTP/1.1\nHost: " ADDRESS "\n\n", 200),
	/* targets */
	ODD("an asterisk", "GET * HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("options of an asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("an asterisk with a body", "POST * HTTP/1.1\r\n" HOST JSON LENGTH "\r\n{}",
	    400),
	ODD("our own URI",
	    "GET http://" ADDRESS ":5000/v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("our own URI without its port",
	    "GET http://" ADDRESS "/v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("another server's URI",
	    "GET http://evil.example/v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("the URI of the library's default domain",
	    "GET http://mydomain.com:5000/v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("a URI of TLS", "GET https://" ADDRESS ":5000/ HTTP/1.1\r\n" HOST "\r\n",
	    400),
	ODD("a web socket's URI",
	    "GET ws://" ADDRESS ":5000/v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("a URI without a path", "GET http://" ADDRESS " HTTP/1.1\r\n" HOST "\r\n",
	    400),
	ODD("a file's URI", "GET file:///etc/passwd HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("a proxy's tunnel", "CONNECT " ADDRESS ":22 HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("no slash", "GET v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("no target", "GET  HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("a letter that is not ASCII", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n",
	    400),
	ODD("two slashes", "GET //v1/status HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("a slash at the end", "GET /v1/status/ HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("dots", "GET /v1/../v1/status HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("dots alone", "GET /.. HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("a directory of the host", "GET /etc HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("a script", "GET /x.lua HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("backslashes", "GET /..\\..\\etc HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("an encoded path", "GET /v1/%73tatus HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("encoded slashes", "GET /%2fetc%2fpasswd HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("an encoded NUL", "GET /v1/status%00 HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("a broken encoding", "GET /% HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("a fragment", "GET /v1/status#x HTTP/1.1\r\n" HOST "\r\n", 404),
	ODD("a query of a query", "GET /v1/status??x=*&%00 HTTP/1.1\r\n" HOST "\r\n",
	    200),
	/* methods and versions */
	ODD("a small method", "get /v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("an unknown method", "BREW /v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("TRACE", "TRACE /v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("PATCH", "PATCH /v1/status HTTP/1.1\r\n" HOST "\r\n", 405),
	ODD("PATCH with a body",
	    "PATCH /v1/status HTTP/1.1\r\n" HOST JSON LENGTH "\r\n{}", 405),
	ODD("MKCOL", "MKCOL /x HTTP/1.1\r\n" HOST "\r\n", 405),
	ODD("a space first", " GET /v1/status HTTP/1.1\r\n" HOST "\r\n", 200),
	ODD("HTTP/0.9", "GET /v1/status HTTP/0.9\r\n" HOST "\r\n", 400),
	ODD("HTTP/0.9 without its name", "GET /v1/status\r\n\r\n", 400),
	ODD("HTTP/1.2", "GET /v1/status HTTP/1.2\r\n" HOST "\r\n", 400),
	ODD("HTTP/1", "GET /v1/status HTTP/1\r\n" HOST "\r\n", 400),
	ODD("HTTP/2.0", "GET /v1/status HTTP/2.0\r\n" HOST "\r\n", 400),
	ODD("no version", "GET /v1/status HTTP/\r\n" HOST "\r\n", 400),
	ODD("another protocol", "GET /v1/status RTSP/1.0\r\n" HOST "\r\n", 400),
	ODD("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
	ODD("an upgrade to HTTP/2",
	    GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
	    200),
	ODD("TLS", "\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03", 400),
	ODD("SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 400),
	/* bytes */
	ODD("a NUL in the method", "G\0T /v1/status HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("a NUL in the path", "GET /v1/status\0 HTTP/1.1\r\n" HOST "\r\n", 400),
	ODD("a NUL in a header", "GET /v1/status HTTP/1.1\r\nX: \0\r\n" HOST "\r\n",
	    400),
	ODD("a control character", GET "X: \x01\r\n\r\n", 400),
	ODD("a return alone", "GET /v1/status HTTP/1.1\r" HOST "\r\n", 200),
	/* headers */
	ODD("no Host", "GET /v1/status HTTP/1.1\r\n\r\n", 421),
	ODD("an empty Host", "GET /v1/status HTTP/1.1\r\nHost:\r\n\r\n", 421),
	ODD("a port that is none",
	    "GET /v1/status HTTP/1.1\r\nHost: " ADDRESS ":5000x\r\n\r\n", 421),
	ODD("the same Host twice", GET HOST "\r\n", 400),
	ODD("another Host behind", GET "Host: evil.example\r\n\r\n", 400),
	ODD("another Host before",
	    "GET /v1/status HTTP/1.1\r\nhost: evil.example\r\n" HOST "\r\n", 400),
	ODD("a header without a colon", GET "nothing\r\n\r\n", 400),
	ODD("Expect", CLOSE LENGTH "Expect: 100-continue\r\n\r\n{}", 417),
	ODD("Expect before a body that waits",
	    CLOSE LENGTH "Expect: 100-continue\r\n\r\n", 417),
	ODD("Expect of a read", GET "Expect: 100-continue\r\n\r\n", 417),
	ODD("another Expect", CLOSE LENGTH "Expect: the worst\r\n\r\n{}", 417),
	/* bodies */
	ODD("a read with a body", GET LENGTH "\r\n{}", 200),
	ODD("a read with a large one", GET "Content-Length: 9999\r\n\r\n{}", 413),
	ODD("a length twice", CLOSE LENGTH LENGTH "\r\n{}", 400),
	ODD("two lengths", CLOSE LENGTH "Content-Length: 700\r\n\r\n{}", 400),
	ODD("a list of lengths", CLOSE "Content-Length: 2, 2\r\n\r\n{}", 400),
	ODD("a negative length", CLOSE "Content-Length: -1\r\n\r\n", 400),
	ODD("a signed length", CLOSE "Content-Length: +2\r\n\r\n{}", 400),
	ODD("a length with a unit", CLOSE "Content-Length: 2k\r\n\r\n{}", 400),
	ODD("a hexadecimal length", CLOSE "Content-Length: 0x2\r\n\r\n{}", 400),
	ODD("an empty length", CLOSE "Content-Length:\r\n\r\n{}", 400),
	ODD("a word for a length", CLOSE "Content-Length: two\r\n\r\n{}", 400),
	ODD("a length beyond 32 bits", CLOSE "Content-Length: 4294967298\r\n\r\n{}",
	    413),
	ODD("a length beyond 64 bits",
	    CLOSE "Content-Length: 18446744073709551618\r\n\r\n{}", 413),
	ODD("chunks", CLOSE "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	    411),
	ODD("chunks that are none", CLOSE "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
	    411),
	ODD("chunks and a length",
	    CLOSE LENGTH "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 411),
	ODD("a read with chunks", GET "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    411),
	ODD("no encoding", CLOSE "Transfer-Encoding: identity\r\n\r\n{}", 411),
	ODD("an encoding unknown", CLOSE "Transfer-Encoding: gzip\r\n\r\n{}", 400),
	ODD("encodings", CLOSE "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	    400),
};

#define ODD_COUNT (sizeof(odds) / sizeof(odds[0]))

struct stage {
	struct support_ops ops;
	struct endpoint *endpoint;
};

static int setup(void **state)
{
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
	*state = stage;
	return endpoint_new(&config, &stage->endpoint, NULL);
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	endpoint_free(stage->endpoint);
	free(stage);
	return 0;
}

/* Ask on a new connection and read to the end of the answer; return its status. */
static int ask(const char *from, const char *to, const char *request, size_t size,
	       char ret[4096])
{
	cleanup_fd int fd = support_connect(from, to, PORT);
	size_t used = 0;
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, request, size, MSG_NOSIGNAL), size);
	while (used < 4095 && (n = recv(fd, ret + used, 4095 - used, 0)) > 0)
		used += (size_t)n;
	ret[used] = '\0';
	return strncmp(ret, "HTTP/1.1 ", 9) == 0 ? atoi(ret + 9) : -1;
}

/* Print each wrong one: there are many. */
static int count_wrong(const struct odd *o, int expected, int status)
{
	if (status == expected)
		return 0;
	print_message("%s: expected %d, found %d\n", o->what, expected, status);
	return 1;
}

/* Check that there is one answer, and that it is the endpoint's. */
static void check_answer(const char *answer, int status)
{
	const char *body = strstr(answer, "\r\n\r\n");
	struct msg_answer m;

	assert_null(strstr(answer + 1, "HTTP/1.1 "));
	assert_non_null(strstr(answer, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
	assert_null(strstr(answer, "\r\nLocation:"));
	assert_non_null(body);
	if (status == 200)
		return;
	assert_int_equal(msg_answer_decode(body + 4, strlen(body + 4), &m, NULL), 0);
	assert_int_not_equal(m.code, 0);
	assert_string_not_equal(m.text, "");
}

static void odd_requests_get_their_status(void **state)
{
	char answer[4096];
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ODD_COUNT; i++) {
		const struct odd *o = &odds[i];
		int status = ask(NULL, ADDRESS, o->request, o->size, answer);

		wrong += count_wrong(o, o->status, status);
		if (status == o->status)
			check_answer(answer, status);
	}
	assert_int_equal(wrong, 0);
}

/* Outsiders get the same refusal for every request, and for a failed lookup. */
static void outsiders_get_one_refusal(void **state)
{
	struct stage *stage = *state;
	char answer[4096];
	int wrong = 0;

	for (int lookup = 0; lookup < 2; lookup++) {
		char first[4096] = "";

		stage->ops.lookup = lookup ? EAGAIN : 0;
		for (size_t i = 0; i < ODD_COUNT; i++) {
			const struct odd *o = &odds[i];
			int status = ask(SUPPORT_OUTSIDER, ADDRESS, o->request, o->size,
					 answer);

			wrong += count_wrong(o, lookup ? 503 : 403, status);
			if (!first[0])
				memcpy(first, answer, sizeof(first));
			wrong += strcmp(answer, first) != 0;
		}
		check_answer(first, 0);
	}
	assert_int_equal(wrong, 0);
}

/* The loopback answers the same way, under another name. */
static void loopback_answers_in_json(void **state)
{
	char answer[4096];
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ODD_COUNT; i++) {
		const struct odd *o = &odds[i];
		int expected = o->status == 400 ? 400 : 421;
		int status = ask(NULL, LOCAL, o->request, o->size, answer);

		wrong += count_wrong(o, expected, status);
		if (status == expected)
			check_answer(answer, status);
	}
	assert_int_equal(wrong, 0);
}

struct large {
	const char *what;
	const char *head;
	size_t filler;
	const char *tail;
	int status;
};

/* The first two are below 4096 bytes in total. */
static const struct large larges[] = {
	{"a long path", "GET /", 3900, " HTTP/1.1\r\n" HOST "\r\n", 404},
	{"a long query", "GET /v1/status?", 3900, " HTTP/1.1\r\n" HOST "\r\n", 200},
	{"a longer path", "GET /", 4096, " HTTP/1.1\r\n" HOST "\r\n", 400},
	{"a path beyond all", "GET /", 60000, " HTTP/1.1\r\n" HOST "\r\n", 400},
	{"a path without an end", "GET /", 60000, "", 400},
	{"a long method", "", 60000, " / HTTP/1.1\r\n" HOST "\r\n", 400},
	{"a long version", "GET / HTTP/1.1", 60000, "\r\n" HOST "\r\n", 400},
	{"a long header", GET "X: ", 60000, "\r\n\r\n", 400},
	{"a large body", CLOSE "Content-Length: 60000\r\n\r\n", 60000, "", 413},
	{"a large body of a read", GET "Content-Length: 60000\r\n\r\n", 60000, "", 413},
	{"a large body of an unknown site",
	 "POST /v1/close HTTP/1.1\r\nContent-Length: 60000\r\n\r\n", 60000, "", 421},
	{"large chunks", CLOSE "Transfer-Encoding: chunked\r\n\r\nea60\r\n", 60000, "",
	 411},
};

/* A request that is not read completely is still answered. */
static void large_requests_get_their_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(larges) / sizeof(larges[0]); i++) {
		const struct large *l = &larges[i];
		cleanup_free char *request = NULL;
		cleanup_free char *filler = calloc(1, l->filler + 1);
		char answer[4096];
		int size;

		print_message("%s\n", l->what);
		memset(filler, 'x', l->filler);
		size = asprintf(&request, "%s%s%s", l->head, filler, l->tail);
		for (int j = 0; j < 2; j++) {
			int status = j ? 403 : l->status;

			assert_int_equal(ask(j ? SUPPORT_OUTSIDER : NULL, ADDRESS,
					     request, (size_t)size, answer),
					 status);
			check_answer(answer, status);
		}
	}
}

/* The library has room for this many headers; of more it drops some. */
static void too_many_headers_are_refused(void **state)
{
	char request[4096];
	char answer[4096];

	(void)state;
	for (int headers = 62; headers < 66; headers++) {
		int used = snprintf(request, sizeof(request), "%s", GET);

		for (int i = 1; i < headers; i++)
			used += snprintf(request + used, sizeof(request) - (size_t)used,
					 "X: y\r\n");
		used += snprintf(request + used, sizeof(request) - (size_t)used,
				 "\r\n");
		assert_int_equal(ask(NULL, ADDRESS, request, (size_t)used, answer),
				 headers < 64 ? 200 : 400);
	}
}

/* The request ends before its head is complete. */
static void requests_that_are_cut_short(void **state)
{
	static const char *const beginnings[] = {"G", "GET /v1/status HTTP/1.1\r\n",
						 GET, GET "X"};
	(void)state;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		cleanup_fd int fd = support_connect(NULL, ADDRESS, PORT);
		char answer[4096] = "";
		size_t size = strlen(beginnings[i]);

		assert_int_equal(send(fd, beginnings[i], size, MSG_NOSIGNAL), size);
		shutdown(fd, SHUT_WR);
		assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
		assert_memory_equal(answer, "HTTP/1.1 400 ", 13);
		check_answer(answer, 400);
	}
}

/* Read an answer, not the connection's end. */
static int read_status(int fd)
{
	char answer[4096];
	ssize_t n = recv(fd, answer, sizeof(answer) - 1, 0);

	answer[n > 0 ? n : 0] = '\0';
	return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : -1;
}

static int call_with(const char *request, int *ret_fd)
{
	*ret_fd = support_connect(NULL, ADDRESS, PORT);
	send(*ret_fd, request, strlen(request), MSG_NOSIGNAL);
	return read_status(*ret_fd);
}

/* The end of a refused connection is not taken for that of the next one in its place,
 * whose request comes a moment after it has connected. */
static void a_refused_caller_ends_nobody_else(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		int refused;
		int next;

		assert_int_equal(call_with("GET /v1/hello HTTP/1.1\r\n\r\n", &refused),
				 421);
		close(refused);
		next = support_connect(NULL, ADDRESS, PORT);
		usleep((useconds_t)(i % 10) * 50);
		assert_int_equal(send(next, GET "\r\n", strlen(GET) + 2, MSG_NOSIGNAL),
				 strlen(GET) + 2);
		assert_int_equal(read_status(next), 200);
		close(next);
	}
}

/* With room for a small part of an answer. */
static int connect_small(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage name;
	int small = 1;

	address_parse(ADDRESS, PORT, &name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(fd, (struct sockaddr *)&name, address_size(&name)) < 0)
		fd_close(&fd);
	return fd;
}

/* The answer is not lost in a reset, which what is not read would bring about. */
static void bytes_behind_a_request_cost_no_answer(void **state)
{
	static const char request[] = "GET /page.js HTTP/1.1\r\n" HOST "\r\n";
	static char sent[60000];
	static char got[100000];

	(void)state;
	memset(sent, 'x', sizeof(sent));
	memcpy(sent, request, strlen(request));
	for (int i = 0; i < 3; i++) {
		cleanup_fd int fd = connect_small();
		const char *body;
		size_t used = 0;
		ssize_t n;

		assert_int_equal(send(fd, sent, sizeof(sent), MSG_NOSIGNAL),
				 sizeof(sent));
		while ((n = recv(fd, got + used, sizeof(got) - 1 - used, 0)) > 0)
			used += (size_t)n;
		got[used] = '\0';
		body = strstr(got, "\r\n\r\n");
		assert_non_null(body);
		assert_int_equal(strlen(body + 4), strlen(page_js));
	}
}

/* One of the callers who ask at once: each request is one piece, so none is ended for
 * another one's. */
static int call_again_and_again(void)
{
	static const char request[] = "GET /v1/status HTTP/1.1\r\nHost: " LOCAL
				      "\r\nConnection: close\r\n" LENGTH "\r\n{}";

	for (int i = 0; i < 400; i++) {
		int fd = support_connect(NULL, LOCAL, PORT);

		CHILD_CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
		CHILD_CHECK(read_status(fd) == 200);
		close(fd);
	}
	return 0;
}

static void callers_with_bodies_are_all_answered(void **state)
{
	pid_t callers[6];
	int status;

	(void)state;
	fflush(NULL);
	for (int i = 0; i < 6; i++) {
		callers[i] = fork();
		if (callers[i] == 0)
			_exit(call_again_and_again());
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(waitpid(callers[i], &status, 0), callers[i]);
		assert_int_equal(status, 0);
	}
}

/* A refused request is the last of its connection, also of the session's own. */
static void a_kept_connection_ends_with_an_odd_request(void **state)
{
	struct msg_open m = support_open(SUPPORT_RUN, 30000);
	cleanup_free char *json = msg_open_encode(&m, NULL);
	cleanup_free char *request = NULL;
	char answer[4096];
	int size;
	char *second;

	(void)state;
	size = asprintf(&request,
			"POST /v1/session HTTP/1.1\r\n" HOST JSON
			"Content-Length: %zu\r\n\r\n%sGET * HTTP/1.1\r\n" HOST
			"\r\n" GET "\r\n",
			strlen(json), json);
	assert_int_equal(ask(NULL, ADDRESS, request, (size_t)size, answer), 200);
	assert_non_null(strstr(answer, "\r\nConnection: keep-alive\r\n"));
	second = strstr(answer + 1, "HTTP/1.1 ");
	assert_non_null(second);
	assert_memory_equal(second, "HTTP/1.1 400 ", 13);
	check_answer(second, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(odd_requests_get_their_status, setup,
						teardown),
		cmocka_unit_test_setup_teardown(outsiders_get_one_refusal, setup,
						teardown),
		cmocka_unit_test_setup_teardown(loopback_answers_in_json, setup,
						teardown),
		cmocka_unit_test_setup_teardown(large_requests_get_their_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(too_many_headers_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(requests_that_are_cut_short, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_refused_caller_ends_nobody_else,
						setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_behind_a_request_cost_no_answer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(callers_with_bodies_are_all_answered,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_kept_connection_ends_with_an_odd_request, setup, teardown),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}
