/* SPDX-License-Identifier: MIT */
/* The page through a real endpoint: its documents, its request, and readers that delay
 * nobody. */

#include "sync/page.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "support.h"
#include "sync/client.h"

#define ADDRESS          "127.0.0.2"
#define PORT             5000
#define LOCAL            "127.0.0.1"
#define HEAD(path, host) "GET " path " HTTP/1.1\r\nHost: " host "\r\n\r\n"

struct stage {
	struct support_ops ops;
	struct endpoint *endpoint;
	struct client *client;
	struct msg_opened opened;
};

static int setup(void **state)
{
	struct client_config client = {
		.interface = "lo", .address = ADDRESS, .port = PORT, .stop_fd = -1};
	struct stage *stage = calloc(1, sizeof(*stage));
	struct endpoint_config config = {
		.address = ADDRESS,
		.interface = "",
		.port = PORT,
		.lease_max_ms = 30000,
		.ops = &support_endpoint_ops,
		.ctx = &stage->ops,
	};

	support_ops_init(&stage->ops);
	*state = stage;
	if (endpoint_new(&config, &stage->endpoint, NULL) < 0)
		return -1;
	return client_new(&client, &stage->client, NULL);
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	client_free(stage->client);
	endpoint_free(stage->endpoint);
	free(stage);
	return 0;
}

/* Return the answer's status, and the whole answer in `ret`, which the caller frees. */
static int get(const char *to, const char *request, char **ret)
{
	cleanup_fd int fd = support_connect(NULL, to, PORT);

	*ret = calloc(1, HTTP_ANSWER_MAX);
	assert_true(fd >= 0);
	return support_http(fd, request, *ret, HTTP_ANSWER_MAX);
}

static void check_document(const char *request, const char *type, const char *text)
{
	cleanup_free char *answer = NULL;
	char *body;

	assert_int_equal(get(ADDRESS, request, &answer), 200);
	body = strstr(answer, "\r\n\r\n") + 4;
	assert_string_equal(body, text);
	body[-2] = '\0';
	assert_non_null(strstr(answer, type));
	assert_non_null(strstr(answer, "Content-Security-Policy: default-src 'none'; "
				       "script-src 'self'; style-src 'self'; "
				       "connect-src 'self';"));
	assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(answer, "Connection: close\r\n"));
}

static void documents_are_served_as_they_are(void **state)
{
	(void)state;
	check_document(HEAD("/", ADDRESS ":5000"), "Content-Type: text/html",
		       page_html);
	check_document(HEAD("/page.css", ADDRESS), "Content-Type: text/css", page_css);
	check_document(HEAD("/page.js", ADDRESS), "Content-Type: text/javascript",
		       page_js);
	assert_non_null(strstr(page_html, "<script src=\"/page.js\" defer></script>"));
	/* With its header it must leave at once. */
	assert_true(strlen(page_js) < HTTP_ANSWER_MAX - 1000);
}

static void other_sites_and_methods_get_none(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{HEAD("/", "evil.example:5000"), 421},
		{HEAD("/progress", "evil.example"), 421},
		{HEAD("/metrics", "evil.example"), 421},
		{HEAD("/page.txt", ADDRESS), 404},
		{HEAD("/runs", ADDRESS), 404},
		{HEAD("/progress?after=x", ADDRESS), 400},
		{"POST / HTTP/1.1\r\nHost: " ADDRESS "\r\nContent-Length: 2\r\n"
		 "Content-Type: application/json\r\n\r\n{}",
		 405},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *answer = NULL;

		assert_int_equal(get(ADDRESS, cases[i].request, &answer),
				 cases[i].status);
		assert_null(strstr(answer, "<html"));
	}
}

/* --- the page's request --- */

static void queries_are_read_or_refused(void **state)
{
	static const char *const bad[] = {
		"after=-1",        "after=4294967296",
		"after=1x",        "pair=1420",
		"pair=1,",         "pair=575,1400",
		"pair=1420,1400x", "pair=1420,1400,1",
		"pair=70000,1400", "run=../etc",
		"have=%31",        "run=0123456789012345678901234567890123456789",
	};
	struct page_ask ask;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(page_ask_parse("", &ask, &err), 0);
	assert_string_equal(ask.run, "");
	assert_int_equal(ask.after, 0);
	assert_int_equal(page_ask_parse("after=4294967295&have=" SUPPORT_RUN
					"&rev=0a1b&run=7&pair=1420,1400&new=1&x",
					&ask, &err),
			 0);
	assert_int_equal(ask.after, UINT32_MAX);
	assert_string_equal(ask.have, SUPPORT_RUN);
	assert_string_equal(ask.revision, "0a1b");
	assert_string_equal(ask.run, "7");
	assert_int_equal(ask.pair.server, 1420);
	assert_int_equal(ask.pair.peer, 1400);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(page_ask_parse(bad[i], &ask, &err), -EINVAL);
}

static void who_is_near_is_known(void **state)
{
	struct stage *stage = *state;
	cleanup_free char *answer = NULL;

	assert_int_equal(get(LOCAL, HEAD("/progress?after=3", "localhost"), &answer),
			 200);
	assert_non_null(strstr(answer, "{\"run\":null}"));
	assert_true(stage->ops.ask.near);
	assert_int_equal(stage->ops.ask.after, 3);
}

/* --- metrics --- */

static void metrics_are_text(void **state)
{
	cleanup_free char *answer = NULL;

	(void)state;
	assert_int_equal(get(LOCAL, HEAD("/metrics", "localhost:5000"), &answer), 200);
	assert_non_null(strstr(answer, "\r\n\r\nmtusweep_near 1\n"));
	assert_non_null(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4; "
				       "charset=utf-8\r\n"));
}

static void failed_metrics_are_an_error(void **state)
{
	struct stage *stage = *state;
	cleanup_free char *answer = NULL;

	stage->ops.fail = ENOSPC;
	stage->ops.text = "no room";
	assert_int_equal(get(ADDRESS, HEAD("/metrics", ADDRESS), &answer), 507);
	assert_non_null(strstr(answer, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(answer, "no room"));
	assert_null(strstr(answer, "mtusweep_near"));
}

/* --- readers that delay nobody --- */

static void *ask_in_thread(void *ctx)
{
	int *status = ctx;
	cleanup_free char *answer = NULL;

	*status = get(ADDRESS, HEAD("/progress", ADDRESS), &answer);
	return NULL;
}

static void open_session(struct stage *stage)
{
	struct msg_open m = support_open(SUPPORT_RUN, 30000);

	assert_int_equal(client_open(stage->client, &m, 2000, &stage->opened, NULL), 0);
}

/* Return the longest of ten renewals and as many hellos on new connections. */
static int64_t longest_wait_ms(struct stage *stage)
{
	struct client_config config = {
		.interface = "lo", .address = ADDRESS, .port = PORT, .stop_fd = -1};
	int64_t longest_ms = 0;

	for (int i = 0; i < 10; i++) {
		struct client *another = NULL;
		int64_t began_ms = clock_boot_ms();
		struct msg_hello hello;

		assert_int_equal(client_new(&config, &another, NULL), 0);
		assert_int_equal(
			client_renew(stage->client, stage->opened.session, 2000, NULL),
			0);
		assert_int_equal(client_hello(another, 2000, &hello, NULL), 0);
		client_free(another);
		if (clock_boot_ms() - began_ms > longest_ms)
			longest_ms = clock_boot_ms() - began_ms;
	}
	return longest_ms;
}

/* A request that takes long, as reading a disk may: others are refused meanwhile, and
 * the peer's requests are not delayed. */
static void one_question_at_a_time(void **state)
{
	struct stage *stage = *state;
	int gate[2];
	pthread_t thread;
	int status = 0;

	open_session(stage);
	assert_int_equal(pipe(gate), 0);
	stage->ops.page_gate = gate[0];
	assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, &status), 0);
	while (stage->ops.asked == 0)
		usleep(1000);
	for (int i = 0; i < 10; i++) {
		cleanup_free char *answer = NULL;

		assert_int_equal(get(ADDRESS,
				     i % 2 ? HEAD("/progress", ADDRESS)
					   : HEAD("/metrics", ADDRESS),
				     &answer),
				 503);
	}
	assert_true(longest_wait_ms(stage) < 500);
	assert_int_equal(stage->ops.asked, 1);
	assert_int_equal(write(gate[1], "x", 1), 1);
	pthread_join(thread, NULL);
	assert_int_equal(status, 200);
	close(gate[0]);
	close(gate[1]);
}

#define READERS 40

/* Make a connection with almost no room for an answer. */
static int connect_small(void)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int small = 1;

	inet_pton(AF_INET, "127.0.0.9", &from.sin_addr);
	inet_pton(AF_INET, ADDRESS, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The readers ask, and read no byte of the answer. */
static void check_slow_readers(struct stage *stage, const char *request)
{
	int reader[READERS];
	int64_t ms;

	for (int i = 0; i < READERS; i++) {
		reader[i] = connect_small();
		assert_true(send(reader[i], request, strlen(request), MSG_NOSIGNAL) >
			    0);
	}
	ms = longest_wait_ms(stage);
	print_message("the longest wait beside %d readers: %d ms\n", READERS, (int)ms);
	assert_true(ms < 500);
	for (int i = 0; i < READERS; i++)
		close(reader[i]);
}

static void slow_readers_delay_nobody(void **state)
{
	struct stage *stage = *state;

	open_session(stage);
	check_slow_readers(stage, HEAD("/page.js", ADDRESS));
	stage->ops.page_size = HTTP_ANSWER_MAX - 1000;
	check_slow_readers(stage, HEAD("/progress", ADDRESS));
}

/* Use a tunnel's packet size: the capacity of a socket depends on it. */
static int network(void **state)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = 1420};
	cleanup_fd int fd = -1;

	if (support_own_network(state) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return ioctl(fd, SIOCSIFMTU, &request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(documents_are_served_as_they_are, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_sites_and_methods_get_none, setup,
						teardown),
		cmocka_unit_test(queries_are_read_or_refused),
		cmocka_unit_test_setup_teardown(who_is_near_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(metrics_are_text, setup, teardown),
		cmocka_unit_test_setup_teardown(failed_metrics_are_an_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_question_at_a_time, setup,
						teardown),
		cmocka_unit_test_setup_teardown(slow_readers_delay_nobody, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, network, NULL);
}
