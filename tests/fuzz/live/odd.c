/* SPDX-License-Identifier: MIT */
/* Requests of the protocol, with and without faults. */

#include "odd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/path.h"
#include "base/random.h"
#include "base/text.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))
#define BODY_MAX    60000

/* One request before it is put together. */
struct draft {
	uint64_t random;
	const char *host;
	const struct odd_session *session;
	char method[64];
	char path[5000];
	char version[32];
	char headers[8000]; /* beside the three below */
	bool host_line;
	bool type_line;
	bool length_line;
	char *body; /* malloc()ed; NULL: none */
	size_t body_size;
	int faults;
};

static int below(struct draft *d, int bound)
{
	return (int)random_below(&d->random, (uint64_t)bound);
}

static bool chance(struct draft *d, int percent)
{
	return below(d, 100) < percent;
}

static const char *pick(struct draft *d, const char *const *list, int count)
{
	return list[below(d, count)];
}

/* --- valid bodies --- */

static void put_id(struct draft *d, char ret[TOKEN_SIZE])
{
	text_copy(ret, TOKEN_SIZE, d->session->id);
}

static char *body_pair(struct draft *d)
{
	struct msg_pair m = {
		.mtu = 1280 + below(d, 13) * 10,
		.test = (uint32_t)below(d, 3),
		.duration_ms = 100 + below(d, 400),
		.rtt_us = below(d, 20000),
		.from_port = chance(d, 80) ? 0 : below(d, 65536),
		.peer_mtu = 1280 + below(d, 200),
		.visits_left = below(d, 100) - 1,
		.left_ms = below(d, 100000) - 1,
	};

	put_id(d, m.session);
	return msg_pair_encode(&m, NULL);
}

static char *body_arm(struct draft *d)
{
	struct msg_arm m = {
		.full_size = chance(d, 50),
		.test = 1 + (uint32_t)below(d, 3),
		.duration_ms = 100 + below(d, 400),
		.rtt_us = below(d, 20000),
		.precision = below(d, 52) - 1,
	};

	put_id(d, m.session);
	return msg_arm_encode(&m, NULL);
}

static char *body_probe(struct draft *d)
{
	struct msg_probe m = {
		.port = 1 + below(d, 65535),
		.reach = 1280 + below(d, 8000),
		.relayed = chance(d, 20),
	};

	put_id(d, m.session);
	text_copy(m.token, sizeof(m.token), d->session->secret);
	return msg_probe_encode(&m, NULL);
}

static char *body_figures(struct draft *d)
{
	struct msg_ask m = {.test = (uint32_t)below(d, 3)};

	put_id(d, m.session);
	return msg_ask_encode(&m, NULL);
}

static char *body_row(struct draft *d)
{
	struct msg_row m = {.row = {.seq = 1 + (uint32_t)below(d, 40), .pass = 1}};

	put_id(d, m.session);
	m.row.mtu = (struct mtu_pair){1300 + below(d, 3) * 50, 1300 + below(d, 3) * 50};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct dir_result *r = &m.row.dir[dir];
		enum test_status status = (enum test_status)below(d, TEST_STATUS_COUNT);

		dir_result_init(r, chance(d, 60) ? TEST_OK : status, "%s", "");
		r->started_at_ms = INT64_C(1700000000000) + below(d, 100000);
		r->duration_ms = below(d, 10000);
		if (r->status == TEST_OK)
			r->received_bps = r->goodput_bps = below(d, 100000000);
	}
	snprintf(d->path, sizeof(d->path), "/v1/run/%s/row/%u", d->session->run,
		 m.row.seq);
	return msg_row_encode(&m, NULL);
}

static char *body_path(struct draft *d)
{
	struct msg_path m = {
		.download = chance(d, 50),
		.overhead = chance(d, 80) ? 60 : below(d, 1000),
		.probes = below(d, 50),
		.since_seq = (uint32_t)below(d, 10),
		.probe_ms = below(d, 2000),
	};

	put_id(d, m.session);
	snprintf(m.bands, sizeof(m.bands), "%d:whole,65535:%s", 1280 + below(d, 220),
		 chance(d, 50) ? "lost" : "fragmented");
	return msg_path_encode(&m, NULL);
}

static char *body_recommendation(struct draft *d)
{
	struct msg_recommendation m = {
		.mtu = {1300 + below(d, 3) * 50, 1300 + below(d, 3) * 50},
		.status = (enum evidence_status)below(d, 3),
		.settled = chance(d, 50),
		.reason = {.kind = (enum reason_kind)below(d, REASON_TEXT),
			   .margin = below(d, 10),
			   .visits = below(d, 10)},
		.number = (uint32_t)below(d, 10),
	};

	put_id(d, m.session);
	return msg_recommendation_encode(&m, NULL);
}

static char *body_session(struct draft *d)
{
	struct msg_session m;

	put_id(d, m.session);
	return msg_session_encode(&m, NULL);
}

static char *body_close(struct draft *d)
{
	struct msg_close m = {.outcome = RUN_INTERRUPTED};

	put_id(d, m.session);
	text_copy(m.text, sizeof(m.text), "the fuzzer ends it");
	return msg_close_encode(&m, NULL);
}

static char *body_open(struct draft *d)
{
	struct msg_open m = {
		.protocol = MSG_PROTOCOL,
		.lease_ms = 5000,
		.run = {.started_at_ms = INT64_C(1700000000000),
			.server_range = {1300, 1400, 50},
			.peer_range = {1300, 1400, 50},
			.passes = 1,
			.seed = 1,
			.duration_ms = 300,
			.pairs_planned = 9},
	};
	static const char *const strategies[] = {"grid", "smart", "probe", "check",
						 "apply"};

	text_copy(m.secret, sizeof(m.secret), d->session->secret);
	text_copy(m.run.uuid, sizeof(m.run.uuid), d->session->run);
	text_copy(m.run.strategy, sizeof(m.run.strategy),
		  pick(d, strategies, COUNT(strategies)));
	m.run.persist = chance(d, 50) ? PERSIST_NONE : PERSIST_BEST;
	text_copy(m.run.peer.host, sizeof(m.run.peer.host), "fuzz\x1b[31m");
	return msg_open_encode(&m, NULL);
}

/* --- valid requests --- */

static const struct valid {
	const char *method;
	const char *path;
	char *(*body)(struct draft *d);
	int weight;
} reads[] =
	{
		{"GET", "/v1/status", NULL, 30},
		{"GET", "/v1/hello", NULL, 20},
		{"GET", "/progress", NULL, 10},
		{"GET", "/metrics", NULL, 5},
		{"GET", "/", NULL, 5},
		{"GET", "/page.css", NULL, 3},
		{"GET", "/page.js", NULL, 3},
		{"GET", "/runs", NULL, 2},
		{"GET", "/favicon.ico", NULL, 2},
},
  writes[] = {
	  {"POST", "/v1/session", body_open, 4},
	  {"POST", "/v1/pair", body_pair, 14},
	  {"POST", "/v1/arm", body_arm, 10},
	  {"POST", "/v1/probe", body_probe, 6},
	  {"POST", "/v1/figures", body_figures, 8},
	  {"PUT", "/v1/run/", body_row, 20},
	  {"POST", "/v1/path", body_path, 10},
	  {"POST", "/v1/recommendation", body_recommendation, 10},
	  {"POST", "/v1/lease", body_session, 16},
	  {"POST", "/v1/commit", body_session, 5},
	  {"POST", "/v1/close", body_close, 1},
};

static const struct valid *choose(struct draft *d, const struct valid *list, int count)
{
	int sum = 0;
	int at;

	for (int i = 0; i < count; i++)
		sum += list[i].weight;
	at = below(d, sum);
	for (int i = 0;; i++) {
		at -= list[i].weight;
		if (at < 0)
			return &list[i];
	}
}

static void draft_begin(struct draft *d, uint64_t seed, const char *host,
			const struct odd_session *session, const struct valid *what)
{
	*d = (struct draft){.random = seed, .host = host, .session = session};
	text_copy(d->method, sizeof(d->method), what->method);
	text_copy(d->path, sizeof(d->path), what->path);
	text_copy(d->version, sizeof(d->version), "HTTP/1.1");
	d->host_line = true;
	if (!what->body)
		return;
	d->body = what->body(d);
	if (!d->body)
		d->body = strdup("{}");
	d->body_size = strlen(d->body);
	d->type_line = d->length_line = true;
}

/* --- faults --- */

static void add_header(struct draft *d, const char *line)
{
	size_t used = strlen(d->headers);

	snprintf(d->headers + used, sizeof(d->headers) - used, "%s\r\n", line);
}

static void fault_method(struct draft *d)
{
	static const char *const list[] = {"GET",   "POST",    "PUT",  "DELETE",
					   "HEAD",  "OPTIONS", "BREW", "get",
					   "PATCH", "TRACE",   "",     "CONNECT"};

	text_copy(d->method, sizeof(d->method), pick(d, list, COUNT(list)));
}

static void fault_path(struct draft *d)
{
	static const char *const list[] = {"*",
					   "",
					   "//v1/status",
					   "/v1/status/",
					   "/v1/../v1/hello",
					   "/etc/passwd",
					   "http://10.77.0.1:5000/v1/status",
					   "http://evil.example/",
					   "/%2fetc",
					   "/v1/run/",
					   "/v1/run/x/row/1",
					   "/v1/run/../row/99999999999999999999",
					   "/v1/session",
					   "/v1/close",
					   "/v1/status%00",
					   "/\xc3\xa9",
					   "/v1/status#x",
					   "/progress?run=",
					   "/x.lua",
					   "/\\..\\..",
					   "v1/status"};
	static const char letters[] = "/ab.%?&=*\\:0-_~";

	if (chance(d, 60)) {
		text_copy(d->path, sizeof(d->path), pick(d, list, COUNT(list)));
		return;
	}
	int size = chance(d, 80) ? below(d, 40) : below(d, (int)sizeof(d->path) - 1);

	for (int i = 0; i < size; i++)
		d->path[i] = i ? letters[below(d, COUNT(letters) - 1)] : '/';
	d->path[size] = '\0';
}

static void fault_query(struct draft *d)
{
	static const char *const list[] = {"run=1",
					   "run=ffffffff-1111-4222-8333-444444444444",
					   "run=' OR 1=1--",
					   "after=0",
					   "after=4294967296",
					   "after=-1",
					   "pair=1300,1300",
					   "pair=65535,1",
					   "pair=,",
					   "have=00",
					   "rev=x",
					   "reader=1",
					   "reader=0123456789012345678901",
					   "x",
					   "",
					   "=",
					   "%00",
					   "after=0&after=1",
					   "pair=1300%2C1300",
					   "run=%"};
	size_t used = strlen(d->path);
	char mark = '?';

	for (int i = 1 + below(d, 4); i > 0 && used + 64 < sizeof(d->path); i--) {
		used += (size_t)snprintf(d->path + used, sizeof(d->path) - used, "%c%s",
					 mark, pick(d, list, COUNT(list)));
		mark = '&';
	}
}

static void fault_version(struct draft *d)
{
	static const char *const list[] = {"HTTP/1.0", "HTTP/0.9",   "HTTP/2.0",
					   "HTTP/1.2", "HTTP/",      "RTSP/1.0",
					   "http/1.1", "HTTP/1.1 x", ""};

	text_copy(d->version, sizeof(d->version), pick(d, list, COUNT(list)));
}

static void fault_host(struct draft *d)
{
	static const char *const list[] = {
		"Host: evil.example",    "Host:",
		"Host: 10.77.0.1:5000x", "Host: [::1]",
		"Host: [fd77::1]:5000",  "Host: [fd77::1%wg0]",
		"host: 10.77.0.1",       "Host: [",
		"Host: 10.77.0.1:",      "Host: []"};

	d->host_line = chance(d, 30);
	if (chance(d, 80))
		add_header(d, pick(d, list, COUNT(list)));
}

static void fault_type(struct draft *d)
{
	static const char *const list[] = {
		"Content-Type: text/plain", "Content-Type: application/jsonx",
		"Content-Type: application/json; charset=x",
		"Content-Type:", "Content-Type: multipart/form-data; boundary=x"};

	d->type_line = chance(d, 20);
	add_header(d, pick(d, list, COUNT(list)));
}

static void fault_length(struct draft *d)
{
	static const char *const list[] = {
		"Content-Length: 0",          "Content-Length: -1",
		"Content-Length: +2",         "Content-Length: 0x2",
		"Content-Length: 4294967298", "Content-Length: 18446744073709551618",
		"Content-Length: 2, 2",       "Content-Length:",
		"Content-Length: two",        "Content-Length: 60000"};
	char line[64];

	d->length_line = chance(d, 20);
	if (chance(d, 40)) {
		snprintf(line, sizeof(line), "Content-Length: %zu",
			 d->body_size + (size_t)below(d, 40));
		add_header(d, line);
	} else if (chance(d, 80)) {
		add_header(d, pick(d, list, COUNT(list)));
	}
}

static void fault_header(struct draft *d)
{
	static const char *const list[] = {
		"Transfer-Encoding: chunked",
		"Transfer-Encoding: gzip",
		"Expect: 100-continue",
		"Expect: x",
		"Connection: close",
		"Connection: keep-alive",
		"Connection: Upgrade",
		"Upgrade: websocket",
		"Range: bytes=0-1",
		"Range: bytes=-",
		"Range: bytes=0-,1-2,9-1",
		"If-None-Match: \"x\"",
		"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
		"Accept-Encoding: gzip",
		"Authorization: Digest username=\"x\"",
		"Cookie: a=b",
		"Origin: http://evil.example",
		"nothing",
		": nothing",
		" folded",
		"X:\ttab",
		"X: \x01",
		"X: \xff\xfe",
		"Sec-WebSocket-Key: x",
		"Access-Control-Request-Method: POST",
		"X-Forwarded-For: 127.0.0.1"};

	for (int i = 1 + below(d, 3); i > 0; i--)
		add_header(d, pick(d, list, COUNT(list)));
}

static void fault_many_headers(struct draft *d)
{
	bool large = chance(d, 30);
	char line[4200] = "X: ";

	if (large) {
		memset(line + 3, 'x', 4096);
		add_header(d, line);
		return;
	}
	for (int i = 55 + below(d, 20); i > 0; i--)
		add_header(d, "X: y");
}

/* --- faults of a body --- */

static void set_body(struct draft *d, char *body, size_t size)
{
	free(d->body);
	d->body = body;
	d->body_size = size;
}

static void fault_other_body(struct draft *d)
{
	static const char *const list[] = {"",
					   "{}",
					   "[]",
					   "null",
					   "{\"session\":null}",
					   "\"",
					   "{\"session\":\"",
					   "{\"session\":{},\"mtu\":[]}",
					   "\xff\xfe{",
					   "{\"a\":1,\"a\":2}",
					   "1e999",
					   "{\"mtu\":1e400}",
					   "{\"\\u0000\":1}",
					   "{\"session\":\"\\ud800\"}"};
	bool deep = chance(d, 25);
	size_t size = (size_t)below(d, chance(d, 70) ? 800 : BODY_MAX);
	char *body = deep ? malloc(size + 1) : strdup(pick(d, list, COUNT(list)));

	if (!deep)
		size = strlen(body);
	else
		memset(body, "[{\"0 "[below(d, 5)], size);
	body[size] = '\0';
	set_body(d, body, size);
	d->length_line |= chance(d, 50);
	d->type_line |= chance(d, 50);
}

/* Put `text` in the place of `cut` bytes at `at`. */
static void splice(struct draft *d, size_t at, size_t cut, const char *text)
{
	size_t size = d->body_size - cut + strlen(text);
	char *body = malloc(size + 1);

	memcpy(body, d->body, at);
	memcpy(body + at, text, strlen(text));
	memcpy(body + at + strlen(text), d->body + at + cut, d->body_size - at - cut);
	body[size] = '\0';
	set_body(d, body, size);
}

/* Put another value in the place of a number or a text behind a colon. */
static void fault_value(struct draft *d)
{
	static const char *const list[] = {"0",
					   "-1",
					   "1",
					   "65535",
					   "65536",
					   "4294967295",
					   "4294967296",
					   "9223372036854775807",
					   "9223372036854775808",
					   "1e308",
					   "-0.0",
					   "1.5",
					   "null",
					   "true",
					   "[]",
					   "{}",
					   "\"\"",
					   "\"x\"",
					   "\"\\u0000\"",
					   "\"\\u001b[2J\"",
					   "\"00000000000000000000000000000000\"",
					   "\"'; DROP TABLE run; --\"",
					   "\"<script>\"",
					   "\"=1+1\"",
					   "\"../../etc/passwd\"",
					   "[1,2,3,4,5,6,7]",
					   "1280",
					   "253402300800000",
					   "NaN",
					   "Infinity",
					   "0x10",
					   "01"};
	size_t colons[64];
	int count = 0;
	size_t at;

	for (size_t i = 0; i < d->body_size && count < COUNT(colons); i++)
		if (d->body[i] == ':')
			colons[count++] = i + 1;
	if (!count) {
		fault_other_body(d);
		return;
	}
	at = colons[below(d, count)];
	splice(d, at, strcspn(d->body + at, ",}]"), pick(d, list, COUNT(list)));
}

static void fault_bytes(struct draft *d)
{
	for (int i = 1 + below(d, 4); d->body_size && i > 0; i--) {
		size_t at = (size_t)below(d, (int)d->body_size);

		if (chance(d, 50))
			d->body[at] = (char)below(d, 256);
		else
			splice(d, at, 1, "");
	}
}

static void fault_body(struct draft *d)
{
	int kind = d->body ? below(d, 10) : 0;

	if (kind < 1)
		fault_other_body(d);
	else if (kind < 7)
		fault_value(d);
	else
		fault_bytes(d);
}

static void add_fault(struct draft *d)
{
	static void (*const faults[])(struct draft * d) = {
		fault_method, fault_path,  fault_query,       fault_version,
		fault_host,   fault_type,  fault_length,      fault_header,
		fault_header, fault_body,  fault_body,        fault_body,
		fault_body,   fault_query, fault_many_headers};

	faults[below(d, COUNT(faults))](d);
	d->faults++;
}

/* --- putting together --- */

static void append(struct odd *ret, const char *data, size_t size)
{
	if (size > sizeof(ret->bytes) - ret->size)
		size = sizeof(ret->bytes) - ret->size;
	memcpy(ret->bytes + ret->size, data, size);
	ret->size += size;
}

static void append_text(struct odd *ret, const char *text)
{
	append(ret, text, strlen(text));
}

static void put_together(struct odd *ret, const struct draft *d)
{
	char line[64];

	append_text(ret, d->method);
	append_text(ret, " ");
	append_text(ret, d->path);
	append_text(ret, " ");
	append_text(ret, d->version);
	append_text(ret, "\r\n");
	if (d->host_line) {
		append_text(ret, "Host: ");
		append_text(ret, d->host);
		append_text(ret, ":5000\r\n");
	}
	if (d->type_line)
		append_text(ret, "Content-Type: application/json\r\n");
	if (d->length_line) {
		snprintf(line, sizeof(line), "Content-Length: %zu\r\n", d->body_size);
		append_text(ret, line);
	}
	append_text(ret, d->headers);
	append_text(ret, "\r\n");
	append(ret, d->body ? d->body : "", d->body_size);
}

/* True if the first request announces more of a body than is sent. */
static bool is_endless(const struct odd *odd)
{
	static const char name[] = "\nContent-Length:";
	const char *end = memmem(odd->bytes, odd->size, "\r\n\r\n", 4);
	const char *at = odd->bytes;

	while (end && (at = memmem(at, (size_t)(end - at), name, strlen(name)))) {
		at += strlen(name);
		if (strtoul(at, NULL, 10) > odd->size - (size_t)(end + 4 - odd->bytes))
			return true;
	}
	return false;
}

static void choose_way(struct odd *ret, struct draft *d)
{
	static const enum odd_way ways[] = {ODD_IN_PIECES, ODD_IN_PIECES, ODD_DRIPPING,
					    ODD_CUT,       ODD_CUT,       ODD_LEFT_OPEN,
					    ODD_RESET};

	ret->way = chance(d, 75) ? ODD_AT_ONCE : ways[below(d, COUNT(ways))];
	if (ret->way == ODD_AT_ONCE && is_endless(ret)) {
		ret->way = ODD_LEFT_OPEN;
		return;
	}
	if (ret->way != ODD_CUT && ret->way != ODD_LEFT_OPEN && ret->way != ODD_RESET)
		return;
	ret->size = 1 + (size_t)below(d, (int)ret->size - 1);
	ret->valid = false;
}

static void pipeline(struct odd *ret, struct draft *d)
{
	struct draft next;

	for (int i = 1 + below(d, 3); i > 0; i--) {
		draft_begin(&next, d->random + (uint64_t)i, d->host, d->session,
			    choose(d, reads, COUNT(reads)));
		if (chance(d, 50))
			add_fault(&next);
		put_together(ret, &next);
		free(next.body);
	}
}

void odd_make(struct odd *ret, uint64_t seed, const char *host, bool may_write,
	      const struct odd_session *session)
{
	uint64_t random = seed;
	struct draft d = {.random = random_next(&random)};
	const struct valid *what = may_write && chance(&d, 70)
					   ? choose(&d, writes, COUNT(writes))
					   : choose(&d, reads, COUNT(reads));

	ret->size = 0;
	draft_begin(&d, d.random, host, session, what);
	if (chance(&d, 70))
		for (int i = 1 + below(&d, 3); i > 0; i--)
			add_fault(&d);
	put_together(ret, &d);
	/* Those of the session depend on its state. */
	ret->valid = !d.faults && strncmp(d.path, "/v1/", 4) == 0 && !d.body;
	if (chance(&d, 6))
		pipeline(ret, &d);
	choose_way(ret, &d);
	free(d.body);
}

static void make_valid(struct odd *ret, const char *host,
		       const struct odd_session *session, const char *path)
{
	struct draft d;

	for (int i = 0; i < COUNT(writes); i++)
		if (strcmp(writes[i].path, path) == 0)
			draft_begin(&d, (uint64_t)session->run[0], host, session,
				    &writes[i]);
	ret->size = 0;
	put_together(ret, &d);
	ret->way = ODD_AT_ONCE;
	ret->valid = false;
	free(d.body);
}

void odd_open(struct odd *ret, const char *host, const struct odd_session *session)
{
	make_valid(ret, host, session, "/v1/session");
}

void odd_close(struct odd *ret, const char *host, const struct odd_session *session)
{
	make_valid(ret, host, session, "/v1/close");
}
