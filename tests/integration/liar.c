/* SPDX-License-Identifier: MIT */
/*
 * The other end, as a liar: what it says is what the project's own messages say, but for
 * the lies it is given.
 *
 * liar server ADDRESS LIE ...
 *	Answer on port 5000 until SIGTERM. A LIE is "PATH VERB [ARGUMENT]":
 *	set JSON       the answer's fields, replaced by these
 *	text TEXT      the body is this
 *	status N TEXT  so is the status
 *	claim N        the head claims a body of N bytes, and none follows
 *	endless        a body that never ends
 *	headers        a head that never ends
 *	late MS        the answer comes so late
 *	twice          it comes twice
 *	old            it is the answer to the request before
 *	close          there is none: the connection is closed
 *	shuffle        each text of the answer's warnings is another each time
 * liar peer ADDRESS STEP ...
 *	Ask the server at ADDRESS; print each answer in a line. A STEP is
 *	"NAME[*COUNT] [JSON]": a request by its name, its fields replaced by those of the
 *	JSON; "@path" is the request's path. COUNT requests print how many got which answer.
 *	A "run" is an open and a close.
 *	Each "open" is another run, unless its JSON says which; each row has the next
 *	number.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "sync/code.h"
#include "sync/msg.h"
#include "sync/transport.h"

#define PORT       5000
#define TIMEOUT_MS 10000
#define HEAD_SIZE  4096
#define PIECE      1000

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

/* Replace fields of an object by those of a JSON text. Frees `json`; the caller frees the
 * result. */
static char *patched(char *json, const char *fields)
{
	json_t *object = json_loads(json, 0, NULL);
	json_t *changes = json_loads(fields, JSON_DECODE_ANY, NULL);
	char *text;

	if (!object || !changes || json_object_update_recursive(object, changes) < 0)
		die("no JSON to put into '%s': %s", json, fields);
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	json_decref(changes);
	free(json);
	return text;
}

static struct end_facts facts_of(const char *host, const char *address)
{
	struct end_facts facts = {.link_mtu = 1420, .backend = BACKEND_KERNEL};

	facts.endpoint_family = 4;
	text_copy(facts.host, sizeof(facts.host), host);
	text_copy(facts.interface, sizeof(facts.interface), "wg0");
	text_copy(facts.address, sizeof(facts.address), address);
	return facts;
}

/* --- the server --- */

struct lie {
	const char *path;
	const char *verb;
	const char *argument;
};

static struct lie lies[8];
static size_t lie_count;
static const char *server_address;
static char session_id[TOKEN_SIZE];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *answer_before; /* locked */
static int shuffled;        /* locked */

static char *hello_truth(void)
{
	struct msg_hello hello = {
		.protocol = MSG_PROTOCOL,
		.server = facts_of("liar", server_address),
		.range = {1300, 1350, 50},
		.allow_min = 1280,
		.allow_max = 1500,
		.low_min = NO_FIGURE,
		.iperf_port = 5201,
		.persist = PERSIST_BEST,
	};

	return msg_hello_encode(&hello, NULL);
}

static char *opened_truth(const char *body)
{
	struct msg_opened opened = {.server = facts_of("liar", server_address)};
	struct msg_open open;

	if (msg_open_decode(body, strlen(body), &open, NULL) < 0)
		return NULL;
	opened.lease_ms = open.lease_ms;
	text_copy(opened.session, sizeof(opened.session), session_id);
	return msg_opened_encode(&opened, NULL);
}

static char *probing_truth(void)
{
	struct msg_probing probing = {.overhead = 60,
				      .endpoint = "10.78.0.2",
				      .outer_mtu = 1500,
				      .size_min = 576,
				      .size_max = 1500,
				      .tap = true,
				      .exact = true};

	return msg_probing_encode(&probing, NULL);
}

static char *figures_truth(void)
{
	struct msg_figures figures;

	dir_result_init(&figures.seen, TEST_OK, "%s", "");
	figures.seen.goodput_bps = 100000000;
	figures.seen.goodput_low_bps = 90000000;
	figures.seen.goodput_high_bps = 110000000;
	return msg_figures_encode(&figures, NULL);
}

/* The answer of an honest server; NULL: the request is none. */
static char *truth(const char *path, const char *body)
{
	struct msg_answer answer = {0};
	struct msg_paired paired = {0};

	if (strcmp(path, "/v1/hello") == 0)
		return hello_truth();
	if (strcmp(path, "/v1/session") == 0)
		return opened_truth(body);
	if (strcmp(path, "/v1/pair") == 0)
		return msg_paired_encode(&paired, NULL);
	if (strcmp(path, "/v1/probe") == 0)
		return probing_truth();
	if (strcmp(path, "/v1/figures") == 0)
		return figures_truth();
	return msg_answer_encode(&answer, NULL);
}

static const struct lie *lie_about(const char *path)
{
	for (size_t i = 0; i < lie_count; i++) {
		if (strncmp(path, lies[i].path, strlen(lies[i].path)) == 0)
			return &lies[i];
	}
	return NULL;
}

/* `times` answers at once, so that they arrive together. */
static int send_answers(int fd, int status, size_t size, const char *body, int times)
{
	cleanup_free char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (int i = 0; i < times; i++)
		fprintf(out,
			"HTTP/1.1 %d Lie\r\nContent-Type: application/json\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			status, size, body);
	fclose(out);
	return io_write_all(fd, text, length);
}

static int send_answer(int fd, int status, size_t size, const char *body)
{
	return send_answers(fd, status, size, body, 1);
}

/* Until the other end has enough. */
static int send_endless(int fd, const char *head)
{
	char piece[PIECE + 1];

	memset(piece, 'x', PIECE);
	memcpy(piece, "x: ", 3);
	memcpy(piece + PIECE - 2, "\r\n", 3);
	if (io_write_all(fd, head, strlen(head)) < 0)
		return -1;
	while (io_write_all(fd, piece, PIECE) == 0)
		continue;
	return -1;
}

static char *shuffle(char *json)
{
	char fields[400];

	pthread_mutex_lock(&lock);
	snprintf(fields, sizeof(fields),
		 "{\"warnings\":[{\"kind\":\"path_mtu_cached\",\"at_end\":\"server\","
		 "\"detail\":\"lie %d\"}]}",
		 shuffled++);
	pthread_mutex_unlock(&lock);
	return patched(json, fields);
}

/* Return 0: the connection goes on. */
static int tell_lie(int fd, const struct lie *lie, char **json)
{
	const char *verb = lie->verb;

	if (strcmp(verb, "close") == 0)
		return -1;
	if (strcmp(verb, "endless") == 0)
		return send_endless(fd, "HTTP/1.1 200 OK\r\n\r\n");
	if (strcmp(verb, "headers") == 0)
		return send_endless(fd, "HTTP/1.1 200 OK\r\n");
	if (strcmp(verb, "claim") == 0)
		return send_answer(fd, 200, strtoul(lie->argument, NULL, 10), "");
	if (strcmp(verb, "status") == 0)
		return send_answer(fd, atoi(lie->argument), strlen(lie->argument) - 4,
				   lie->argument + 4);
	if (strcmp(verb, "text") == 0)
		return send_answer(fd, 200, strlen(lie->argument), lie->argument);
	if (strcmp(verb, "late") == 0)
		io_wait(-1, -1, clock_boot_ms() + atoi(lie->argument));
	else if (strcmp(verb, "set") == 0)
		*json = patched(*json, lie->argument);
	else if (strcmp(verb, "shuffle") == 0)
		*json = shuffle(*json);
	else if (strcmp(verb, "old") == 0 && answer_before)
		return send_answer(fd, 200, strlen(answer_before), answer_before);
	else if (strcmp(verb, "twice") == 0)
		return send_answers(fd, 200, strlen(*json), *json, 2);
	return send_answer(fd, 200, strlen(*json), *json);
}

static int answer_request(int fd, const char *path, const char *body)
{
	const struct lie *lie = lie_about(path);
	char *json = truth(path, body);
	int r;

	if (!json)
		return send_answer(fd, 400, 2, "{}");
	r = lie ? tell_lie(fd, lie, &json) : send_answer(fd, 200, strlen(json), json);
	pthread_mutex_lock(&lock);
	free(answer_before);
	answer_before = json;
	pthread_mutex_unlock(&lock);
	return r;
}

/* Read until the head, and the body of the length that it names, are there. */
static bool read_request(int fd, char *text, size_t size, char *path, char **body)
{
	size_t used = 0;
	size_t length = 0;
	const char *field;
	ssize_t n;

	*body = NULL;
	for (;;) {
		text[used] = '\0';
		*body = strstr(text, "\r\n\r\n");
		field = strcasestr(text, "content-length:");
		length = *body && field ? strtoul(field + 15, NULL, 10) : 0;
		if (*body && used >= (size_t)(*body + 4 - text) + length)
			break;
		n = recv(fd, text + used, size - used - 1, 0);
		if (n <= 0)
			return false;
		used += (size_t)n;
	}
	*body += 4;
	return sscanf(text, "%*s %99s", path) == 1;
}

static void *serve_connection(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char text[HEAD_SIZE];
	char path[100];
	char *body;

	while (read_request(fd, text, sizeof(text), path, &body) &&
	       answer_request(fd, path, body) == 0)
		continue;
	close(fd);
	return NULL;
}

/* "PATH VERB [ARGUMENT]" in place. */
static struct lie parse_lie(char *text)
{
	struct lie lie = {.path = strsep(&text, " "), .argument = ""};

	lie.verb = strsep(&text, " ");
	if (!lie.verb)
		die("'%s' has no verb", lie.path);
	if (text)
		lie.argument = text;
	return lie;
}

static int run_server(char **argv, int argc)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	for (int i = 1; i < argc && lie_count < sizeof(lies) / sizeof(lies[0]); i++)
		lies[lie_count++] = parse_lie(argv[i]);
	server_address = argv[0];
	token_make(session_id);
	inet_pton(AF_INET, server_address, &name.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 32) < 0)
		die("cannot listen on %s: %s", server_address, strerror(errno));
	for (;;) {
		int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;

		if (caller < 0 || pthread_create(&thread, NULL, serve_connection,
						 (void *)(intptr_t)caller) != 0)
			die("cannot serve: %s", strerror(errno));
		pthread_detach(thread);
	}
}

/* --- the peer --- */

static struct transport *transport;
static char run_uuid[UUID_SIZE];
static char run_secret[TOKEN_SIZE];
static uint32_t next_seq = 1;

static char *open_message(void)
{
	struct msg_open m = {.protocol = MSG_PROTOCOL, .lease_ms = 10000};
	struct run_info *run = &m.run;

	uuid_make(run_uuid);
	token_make(run_secret);
	text_copy(m.secret, sizeof(m.secret), run_secret);
	text_copy(run->uuid, sizeof(run->uuid), run_uuid);
	run->started_at_ms = clock_wall_ms();
	run->peer = facts_of("liar", "10.77.0.2");
	run->server_range = (struct mtu_range){1300, 1400, 50};
	run->peer_range = run->server_range;
	text_copy(run->strategy, sizeof(run->strategy), "grid");
	run->passes = 1;
	run->duration_ms = 300;
	run->pairs_planned = 9;
	return msg_open_encode(&m, NULL);
}

static char *pair_message(void)
{
	struct msg_pair m = {.mtu = 1300,
			     .test = 1,
			     .duration_ms = 300,
			     .visits_left = NO_FIGURE,
			     .left_ms = NO_FIGURE};

	text_copy(m.session, sizeof(m.session), session_id);
	return msg_pair_encode(&m, NULL);
}

static char *arm_message(void)
{
	struct msg_arm m = {.test = 2, .duration_ms = 300};

	text_copy(m.session, sizeof(m.session), session_id);
	return msg_arm_encode(&m, NULL);
}

static char *probe_message(void)
{
	struct msg_probe m = {.port = 40000, .reach = 1500};

	text_copy(m.session, sizeof(m.session), session_id);
	token_make(m.token);
	return msg_probe_encode(&m, NULL);
}

static char *figures_message(void)
{
	struct msg_ask m = {.test = 2};

	text_copy(m.session, sizeof(m.session), session_id);
	return msg_ask_encode(&m, NULL);
}

static char *row_message(void)
{
	struct msg_row m = {.row = {.seq = next_seq++, .pass = 1, .mtu = {1300, 1300}}};

	text_copy(m.session, sizeof(m.session), session_id);
	for (int i = 0; i < DIR_COUNT; i++) {
		dir_result_init(&m.row.dir[i], TEST_OK, "%s", "");
		m.row.dir[i].received_bps = 100000000;
		m.row.dir[i].started_at_ms = clock_wall_ms();
		m.row.dir[i].duration_ms = 300;
	}
	return msg_row_encode(&m, NULL);
}

static char *path_message(void)
{
	struct msg_path m = {.overhead = 60, .bands = "1500:whole,65535:lost"};

	text_copy(m.session, sizeof(m.session), session_id);
	return msg_path_encode(&m, NULL);
}

static char *recommendation_message(void)
{
	struct msg_recommendation m = {
		.mtu = {1400, 1400},
		.status = EVIDENCE_CONFIRMED,
		.reason = {.kind = REASON_FITS, .margin = 5, .visits = 1},
		.number = 1};

	text_copy(m.session, sizeof(m.session), session_id);
	return msg_recommendation_encode(&m, NULL);
}

static char *session_message(void)
{
	struct msg_session m = {0};

	text_copy(m.session, sizeof(m.session), session_id);
	return msg_session_encode(&m, NULL);
}

static char *close_message(void)
{
	struct msg_close m = {.outcome = RUN_DONE};

	text_copy(m.session, sizeof(m.session), session_id);
	return msg_close_encode(&m, NULL);
}

static const struct request {
	const char *name;
	const char *path; /* NULL: that of a row */
	char *(*message)(void);
} requests[] = {
	{"open", "/v1/session", open_message},
	{"run", "/v1/session", open_message},
	{"pair", "/v1/pair", pair_message},
	{"arm", "/v1/arm", arm_message},
	{"probe", "/v1/probe", probe_message},
	{"figures", "/v1/figures", figures_message},
	{"row", NULL, row_message},
	{"path", "/v1/path", path_message},
	{"recommendation", "/v1/recommendation", recommendation_message},
	{"lease", "/v1/lease", session_message},
	{"commit", "/v1/commit", session_message},
	{"close", "/v1/close", close_message},
};

static const struct request *find_request(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strlen(requests[i].name) == size &&
		    strncmp(requests[i].name, name, size) == 0)
			return &requests[i];
	}
	die("'%.*s' is no request", (int)size, name);
}

/* The message, with the lies; what begins with '@' is not of the body. */
static char *make_body(const struct request *request, const char *fields, char *path,
		       size_t size)
{
	char *body = request->message();
	json_t *object;

	if (!body)
		die("no message '%s'", request->name);
	body = patched(body, fields ? fields : "{}");
	object = json_loads(body, 0, NULL);
	if (request->path)
		snprintf(path, size, "%s", request->path);
	else
		snprintf(path, size, "/v1/run/%s/row/%" JSON_INTEGER_FORMAT, run_uuid,
			 json_integer_value(json_object_get(object, "seq")));
	if (json_object_get(object, "@path"))
		snprintf(path, size, "%s",
			 json_string_value(json_object_get(object, "@path")));
	json_object_del(object, "@path");
	free(body);
	body = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return body;
}

/* From now on the other requests are of this session. */
static void note_session(const char *body, const char *sent)
{
	json_t *answer = json_loads(body, 0, NULL);
	const char *id = json_string_value(json_object_get(answer, "session"));
	json_t *open = json_loads(sent, 0, NULL);
	const char *uuid = json_string_value(
		json_object_get(json_object_get(open, "run"), "uuid"));

	if (id)
		text_copy(session_id, sizeof(session_id), id);
	if (id && uuid)
		text_copy(run_uuid, sizeof(run_uuid), uuid);
	if (id)
		next_seq = 1;
	json_decref(answer);
	json_decref(open);
}

/* "200 OK", with the text behind it; an open's answer is none of a session's facts. */
static void ask(const struct request *request, const char *fields, char *ret,
		size_t size)
{
	char path[120];
	char *body = make_body(request, fields, path, sizeof(path));
	struct transport_exchange x = {
		.method = request->path ? "POST" : "PUT",
		.path = path,
		.body = body,
		.deadline_ms = clock_boot_ms() + TIMEOUT_MS,
	};
	struct transport_answer got;
	struct msg_answer answer;
	struct err err = ERR_INIT;
	char text[MSG_BODY_LIMIT + 1];

	if (transport_run(transport, &x, &got, &err) < 0) {
		snprintf(ret, size, "none: %s", err.text);
	} else if (msg_answer_decode(got.body, got.size, &answer, NULL) < 0) {
		snprintf(text, sizeof(text), "%.*s", (int)got.size, got.body);
		note_session(text, body);
		snprintf(ret, size, "%d OK", got.status);
	} else {
		snprintf(ret, size, "%d %s%s%s", got.status,
			 answer.code ? code_name(answer.code) : "OK",
			 answer.text[0] ? " " : "", answer.text);
	}
	free(body);
}

/* Where many are asked, only how many got the same answer in a row is printed. */
static void run_step(const char *step)
{
	size_t size = strcspn(step, "* ");
	const struct request *request = find_request(step, size);
	int count = step[size] == '*' ? atoi(step + size + 1) : 1;
	const char *fields = strchr(step, ' ');
	char before[600] = "";
	char text[600];
	char closed[600];
	int same = 0;

	for (int i = 0; i < count; i++) {
		ask(request, fields, text, sizeof(text));
		if (strcmp(request->name, "run") == 0)
			ask(find_request("close", 5), NULL, closed, sizeof(closed));
		if (i > 0 && strncmp(text, before, 10) != 0) {
			printf("%d of %s: %s\n", same, request->name, before);
			same = 0;
		}
		same++;
		text_copy(before, sizeof(before), text);
	}
	printf("%d of %s: %s\n", same, request->name, before);
	fflush(stdout);
}

static int run_peer(char **argv, int argc)
{
	struct transport_config config = {
		.interface = "", .address = argv[0], .port = PORT, .stop_fd = -1};
	struct err err = ERR_INIT;

	token_make(session_id);
	uuid_make(run_uuid);
	if (transport_new(&config, &transport, &err) < 0)
		die("%s", err.text);
	for (int i = 1; i < argc; i++)
		run_step(argv[i]);
	transport_free(transport);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && strcmp(argv[1], "server") == 0)
		return run_server(argv + 2, argc - 2);
	if (argc > 2 && strcmp(argv[1], "peer") == 0)
		return run_peer(argv + 2, argc - 2);
	die("usage: liar server ADDRESS LIE ... | liar peer ADDRESS STEP ...");
}
