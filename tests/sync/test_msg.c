/* SPDX-License-Identifier: MIT */
/* The messages: an encoded message decodes to the same value and fits, and invalid ones
 * are refused. */

#include "sync/msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define UUID  "11111111-2222-4333-8444-555555555555"

/* Fill a text to its last byte. */
static void fill(char *text, size_t size, char with)
{
	memset(text, with, size - 1);
	text[size - 1] = '\0';
}

#define FILL(field) fill(field, sizeof(field), 'x')

static void set_facts(struct end_facts *facts)
{
	FILL(facts->host);
	FILL(facts->interface);
	FILL(facts->versions);
	strcpy(facts->address, "1111:2222:3333:4444:5555:6666:7777:8888");
	facts->link_mtu = MTU_MAX;
	facts->backend = BACKEND_USERSPACE;
	facts->endpoint_family = 6;
}

static void set_dir(struct dir_result *dir)
{
	dir->status = TEST_UNREACHABLE;
	fill(dir->text, 83, 'x');
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_set(dir, i, figure_list[i].max);
	dir->started_at_ms = INT64_C(253402300799999);
	dir->duration_ms = 999999999;
}

/* Make the largest number of bands, with the longest names that neighbours can have. */
static void set_bands(char ret[PATH_BANDS_TEXT_SIZE])
{
	struct path_bands bands = {0};

	for (int i = 1; i < PATH_BANDS_MAX; i++)
		assert_int_equal(path_bands_add(&bands, 10000 + i,
						i % 2 ? FATE_FRAGMENTED : FATE_UNKNOWN),
				 0);
	assert_int_equal(path_bands_add(&bands, OUTER_SIZE_MAX, FATE_UNKNOWN), 0);
	path_bands_format(&bands, ret);
}

/* Every message with its longest values. */
static struct extremes {
	struct msg_hello hello;
	struct msg_status status;
	struct msg_open open;
	struct msg_opened opened;
	struct msg_pair pair;
	struct msg_arm arm;
	struct msg_probe probe;
	struct msg_probing probing;
	struct msg_ask ask;
	struct msg_figures figures;
	struct msg_row row;
	struct msg_path path;
	struct msg_recommendation recommendation;
	struct msg_session session;
	struct msg_close close;
	struct msg_answer answer;
} longest;

static int set_longest(void **state)
{
	const struct mtu_range range = {MTU_MAX, MTU_MAX, MTU_MAX};
	struct run_info *run = &longest.open.run;

	(void)state;
	memset(&longest, 0, sizeof(longest));
	longest.hello.protocol = MSG_PROTOCOL;
	set_facts(&longest.hello.server);
	longest.hello.range = range;
	longest.hello.allow_min = MTU_MAX;
	longest.hello.allow_max = MTU_MAX;
	longest.hello.low_min = MTU_MAX;
	longest.hello.mtu_unit = 576;
	longest.hello.peers = 1000000;
	longest.hello.iperf_port = 65535;
	longest.hello.persist = PERSIST_BEST;
	FILL(longest.hello.congestion);
	longest.status.open = true;
	strcpy(longest.status.peer, longest.hello.server.address);
	strcpy(longest.status.run, UUID);
	longest.status.rows = UINT32_MAX;
	longest.open.protocol = MSG_PROTOCOL;
	strcpy(longest.open.secret, TOKEN);
	longest.open.lease_ms = 600000;
	strcpy(run->uuid, UUID);
	run->started_at_ms = INT64_C(253402300799999);
	set_facts(&run->peer);
	run->server_range = range;
	run->peer_range = range;
	FILL(run->strategy);
	run->passes = 1000000;
	run->seed = UINT64_MAX;
	run->duration_ms = 3600000;
	FILL(run->congestion);
	run->persist = PERSIST_EACH;
	run->pairs_planned = 100000000;
	strcpy(longest.opened.session, TOKEN);
	longest.opened.lease_ms = 600000;
	set_facts(&longest.opened.server);
	longest.pair = (struct msg_pair){
		TOKEN,     MTU_MAX,    UINT32_MAX, 3600000, INT64_C(3600000000),
		65535,     UINT32_MAX, 65535,      50,      MTU_MAX,
		100000000, 999999999};
	longest.arm = (struct msg_arm){
		TOKEN, false, UINT32_MAX, 3600000, INT64_C(3600000000), 65535, 50};
	strcpy(longest.probe.session, TOKEN);
	strcpy(longest.probe.token, TOKEN);
	longest.probe.port = 65535;
	longest.probe.reach = MTU_MAX;
	longest.probing = (struct msg_probing){.overhead = 1000,
					       .outer_mtu = MTU_MAX,
					       .size_min = 64535,
					       .size_max = 64535,
					       .unit = 576};
	strcpy(longest.probing.endpoint,
	       "2001:db8:ffff:ffff:ffff:ffff:255.255.255.255");
	longest.ask = (struct msg_ask){TOKEN, UINT32_MAX};
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_set(&longest.figures.seen, i, figure_list[i].max);
	strcpy(longest.row.session, TOKEN);
	longest.row.row.seq = UINT32_MAX;
	longest.row.row.pass = 1000000;
	longest.row.row.reference = false;
	longest.row.row.mtu = (struct mtu_pair){MTU_MAX, MTU_MAX};
	set_dir(&longest.row.row.dir[DIR_UPLOAD]);
	set_dir(&longest.row.row.dir[DIR_DOWNLOAD]);
	strcpy(longest.path.session, TOKEN);
	longest.path.overhead = 1000;
	longest.path.probes = 1000000;
	longest.path.probe_ms = 999999999;
	longest.path.since_seq = UINT32_MAX;
	set_bands(longest.path.bands);
	strcpy(longest.recommendation.session, TOKEN);
	longest.recommendation.mtu = (struct mtu_pair){MTU_MAX, MTU_MAX};
	longest.recommendation.reason =
		(struct reason){REASON_MEASURED, 100, 100000000, {MTU_MAX, MTU_MAX}};
	longest.recommendation.number = UINT32_MAX;
	strcpy(longest.session.session, TOKEN);
	strcpy(longest.close.session, TOKEN);
	longest.close.outcome = RUN_INTERRUPTED;
	FILL(longest.close.text);
	longest.close.recommendation = longest.recommendation;
	memset(longest.close.recommendation.session, 0, TOKEN_SIZE);
	longest.answer.code = EADDRNOTAVAIL; /* the longest name */
	FILL(longest.answer.text);
	return 0;
}

#define DEFINE_ROUND_TRIP(name)                                                        \
	static void name##_comes_back(void **state)                                    \
	{                                                                              \
		struct err err = ERR_INIT;                                             \
		struct msg_##name back;                                                \
		char *json = msg_##name##_encode(&longest.name, &err);                 \
                                                                                       \
		(void)state;                                                           \
		assert_string_equal(err.text, "");                                     \
		assert_non_null(json);                                                 \
		print_message("%zu bytes\n", strlen(json));                            \
		assert_in_range(strlen(json), 1, MSG_BODY_LIMIT);                      \
		assert_int_equal(msg_##name##_decode(json, strlen(json), &back, &err), \
				 0);                                                   \
		assert_memory_equal(&back, &longest.name, sizeof(back));               \
		free(json);                                                            \
	}

DEFINE_ROUND_TRIP(hello)
DEFINE_ROUND_TRIP(status)
DEFINE_ROUND_TRIP(open)
DEFINE_ROUND_TRIP(opened)
DEFINE_ROUND_TRIP(pair)
DEFINE_ROUND_TRIP(arm)
DEFINE_ROUND_TRIP(probe)
DEFINE_ROUND_TRIP(probing)
DEFINE_ROUND_TRIP(ask)
DEFINE_ROUND_TRIP(figures)
DEFINE_ROUND_TRIP(row)
DEFINE_ROUND_TRIP(path)
DEFINE_ROUND_TRIP(recommendation)
DEFINE_ROUND_TRIP(session)
DEFINE_ROUND_TRIP(close)
DEFINE_ROUND_TRIP(answer)

/* Four warnings of each kind, with their longest values. */
static void warnings_come_back(void **state)
{
	char detail[WARNINGS_DETAIL_SIZE];

	(void)state;
	FILL(detail);
	for (int kind = 0; kind < WARNING_COUNT; kind++) {
		struct warning w = {.kind = (enum warning_kind)kind, .detail = detail};
		struct msg_paired paired = {0};
		struct msg_paired back;
		struct err err = ERR_INIT;
		char *json, *sentence, *again;

		w.at_end = WARNING_END_SERVER;
		w.direction = DIR_DOWNLOAD;
		for (int i = 0; i < WARNING_NUMBER_COUNT; i++)
			*warning_number(&w, i) = warning_numbers[i].max;
		while (warnings_add(&paired.warnings, &w))
			;
		json = msg_paired_encode(&paired, &err);
		assert_string_equal(err.text, "");
		assert_in_range(strlen(json), 1, MSG_BODY_LIMIT);
		assert_int_equal(msg_paired_decode(json, strlen(json), &back, &err), 0);
		assert_int_equal(back.warnings.count, WARNINGS_MAX);
		free(json);
		sentence = warning_sentence(&w);
		w = warnings_get(&back.warnings, WARNINGS_MAX - 1);
		assert_int_equal(w.kind, kind);
		again = warning_sentence(&w);
		assert_string_equal(again, sentence);
		free(again);
		free(sentence);
	}
}

/* A peer of a version before the page existed. */
static void a_pair_that_says_no_more_is_taken(void **state)
{
	static const char json[] =
		"{\"session\":\"" TOKEN "\",\"mtu\":1400,\"test\":1,"
		"\"duration_ms\":5000,\"rtt_us\":20000,\"from_port\":0}";
	struct msg_pair m;

	(void)state;
	assert_int_equal(msg_pair_decode(json, strlen(json), &m, NULL), 0);
	assert_int_equal(m.next, 0);
	assert_int_equal(m.peer_mtu, 0);
	assert_int_equal(m.visits_left, NO_FIGURE);
	assert_int_equal(m.left_ms, NO_FIGURE);
}

/* A peer of a version before --precision existed. */
static void an_arm_without_precision_is_taken(void **state)
{
	struct msg_arm m = longest.arm;
	struct msg_arm back;
	char *json;

	(void)state;
	m.precision = NO_FIGURE;
	json = msg_arm_encode(&m, NULL);
	assert_null(strstr(json, "precision"));
	assert_int_equal(msg_arm_decode(json, strlen(json), &back, NULL), 0);
	assert_int_equal(back.precision, NO_FIGURE);
	free(json);
}

static void missing_figures_stay_missing(void **state)
{
	struct msg_row back;
	struct msg_row m = longest.row;
	struct dir_result *dir = &m.row.dir[DIR_UPLOAD];
	char *json;

	(void)state;
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_set(dir, i, NO_FIGURE);
	dir->received_bps = 0;
	json = msg_row_encode(&m, NULL);
	assert_non_null(strstr(json, "[null,0,null,"));
	assert_int_equal(msg_row_decode(json, strlen(json), &back, NULL), 0);
	assert_memory_equal(&back, &m, sizeof(back));
	free(json);
}

/* Versions of one protocol may differ in the figures at the end of the list. */
static void figures_of_another_version_are_taken(void **state)
{
	static const struct {
		const char *figures;
		int64_t received, rtt;
	} lists[] = {
		{"[1,2,3,4,5,6,7]", 2, 7},
		{"[1,2,3,4,5,6]", 2, NO_FIGURE},
		{"[]", NO_FIGURE, NO_FIGURE},
		{"[1,2,3,4,5,6,7,8,9,10,11,null,\"x\"]", 2, 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct msg_figures back;
		char json[80];
		int size = snprintf(json, sizeof(json), "{\"figures\":%s}",
				    lists[i].figures);

		assert_int_equal(msg_figures_decode(json, (size_t)size, &back, NULL),
				 0);
		assert_int_equal(back.seen.received_bps, lists[i].received);
		assert_int_equal(back.seen.rtt_us, lists[i].rtt);
	}
}

/* A library's odd figure must never make a row invalid. */
static void wild_figures_are_bounded(void **state)
{
	struct msg_row back;
	struct msg_row m = longest.row;
	struct dir_result *dir = &m.row.dir[DIR_UPLOAD];
	char *json;

	(void)state;
	dir->sent_bps = INT64_MAX;
	dir->rtt_us = INT64_MIN;
	dir->duration_ms = -5;
	dir->started_at_ms = INT64_MAX;
	json = msg_row_encode(&m, NULL);
	assert_non_null(json);
	assert_int_equal(msg_row_decode(json, strlen(json), &back, NULL), 0);
	assert_int_equal(back.row.dir[DIR_UPLOAD].sent_bps, INT64_C(400000000000));
	assert_int_equal(back.row.dir[DIR_UPLOAD].rtt_us, NO_FIGURE);
	assert_int_equal(back.row.dir[DIR_UPLOAD].duration_ms, 0);
	free(json);
}

struct sentence {
	const char *what;
	const char *sent; /* NULL: all of `repeat` */
	char repeat;
	const char *begins; /* beginning of the received text */
};

static const struct sentence sentences[] = {
	{"plain", "port in use", 0, "port in use"},
	{"quotes", "cannot open '/x \"y\"': a\\b", 0, "cannot open '/x \"y\"': a\\b"},
	{"nothing but quotes", NULL, '"', "\"\"\"\""},
	{"nothing but control", NULL, '\x01', "????"},
	{"terminal escape", "a\x1b[2Jb\x7f", 0, "a?[2Jb?"},
	{"UTF-8", "J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x98\x80", 0,
	 "J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x98\x80"},
	{"not UTF-8", "a\xff\xc3(\xc0\x80z", 0, "a?\?(?\?z"},
	{"cut UTF-8", "a\xe2\x82", 0, "a??"},
};

static void sentences_arrive_or_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		const struct sentence *s = &sentences[i];
		struct msg_row row = longest.row;
		struct msg_answer m = {.code = EIO};
		struct msg_answer back;
		char *json;

		print_message("%s\n", s->what);
		if (s->sent)
			strcpy(m.text, s->sent);
		else
			fill(m.text, sizeof(m.text), s->repeat);
		json = msg_answer_encode(&m, NULL);
		assert_non_null(json);
		assert_in_range(strlen(json), 1, MSG_BODY_LIMIT);
		assert_int_equal(msg_answer_decode(json, strlen(json), &back, NULL), 0);
		assert_memory_equal(back.text, s->begins, strlen(s->begins));
		free(json);

		/* In a row as well, where there is least room. */
		memcpy(row.row.dir[DIR_UPLOAD].text, m.text, RESULT_TEXT - 1);
		memcpy(row.row.dir[DIR_DOWNLOAD].text, m.text, RESULT_TEXT - 1);
		json = msg_row_encode(&row, NULL);
		assert_non_null(json);
		free(json);
	}
}

static void out_of_range_is_not_sent(void **state)
{
	struct msg_pair m = longest.pair;
	struct err err = ERR_INIT;

	(void)state;
	m.mtu = 575;
	assert_null(msg_pair_encode(&m, &err));
	assert_non_null(strstr(err.text, "'mtu' is out of range"));
	m = longest.pair;
	m.duration_ms = 99;
	assert_null(msg_pair_encode(&m, &err));
	assert_non_null(strstr(err.text, "'duration_ms'"));
}

/* --- hostile input --- */

static int decode_pair(const char *json, size_t size, struct err *err)
{
	struct msg_pair m;

	return msg_pair_decode(json, size, &m, err);
}

static int decode_open(const char *json, size_t size, struct err *err)
{
	struct msg_open m;

	return msg_open_decode(json, size, &m, err);
}

static int decode_hello(const char *json, size_t size, struct err *err)
{
	struct msg_hello m;

	return msg_hello_decode(json, size, &m, err);
}

static int decode_row(const char *json, size_t size, struct err *err)
{
	struct msg_row m;

	return msg_row_decode(json, size, &m, err);
}

static int decode_close(const char *json, size_t size, struct err *err)
{
	struct msg_close m;

	return msg_close_decode(json, size, &m, err);
}

static int decode_paired(const char *json, size_t size, struct err *err)
{
	struct msg_paired m;

	return msg_paired_decode(json, size, &m, err);
}

static int decode_path(const char *json, size_t size, struct err *err)
{
	struct msg_path m;

	return msg_path_decode(json, size, &m, err);
}

static int decode_recommendation(const char *json, size_t size, struct err *err)
{
	struct msg_recommendation m;

	return msg_recommendation_decode(json, size, &m, err);
}

static int decode_answer(const char *json, size_t size, struct err *err)
{
	struct msg_answer m;

	return msg_answer_decode(json, size, &m, err);
}

#define PAIR(session, mtu, test, rest)                            \
	"{\"session\":" session ",\"mtu\":" mtu ",\"test\":" test \
	",\"duration_ms\":5000,\"rtt_us\":1000,\"from_port\":0" rest "}"
#define GOOD_ID "\"" TOKEN "\""
#define FACTS(host)                                                          \
	"{\"host\":" host ",\"interface\":\"wg0\",\"address\":\"10.0.0.2\"," \
	"\"mtu\":1420,\"backend\":\"kernel\",\"family\":4,\"versions\":\"\"}"
#define RUN(uuid, peer, seed)                                       \
	"{\"uuid\":" uuid ",\"started_at_ms\":1,\"peer\":" peer     \
	",\"server_range\":{\"min\":1280,\"max\":1500,\"step\":20}" \
	",\"peer_range\":{\"min\":1280,\"max\":1500,\"step\":20}"   \
	",\"strategy\":\"grid\",\"passes\":1,\"seed\":" seed        \
	",\"duration_ms\":5000,\"persist\":\"none\",\"pairs\":4}"
#define OPEN(protocol, run)                              \
	"{\"protocol\":" protocol ",\"secret\":\"" TOKEN \
	"\",\"lease_ms\":30000,\"run\":" run "}"
#define NO_FIGURES "[null,null,null,null,null,null,null]"
#define DIR_WITH(status, list)                                                   \
	"{\"status\":" status ",\"text\":\"\",\"figures\":" list ",\"at_ms\":0," \
	"\"for_ms\":0}"
#define DIR_JSON(status) DIR_WITH(status, NO_FIGURES)
#define ROW(seq, up)                                                           \
	"{\"session\":" GOOD_ID ",\"seq\":" seq ",\"pass\":1,\"server\":1420," \
	"\"peer\":1420,\"up\":" up ",\"down\":" DIR_JSON("\"ok\"") "}"

#define PATH(download, overhead, bands)                                             \
	"{\"session\":" GOOD_ID ",\"download\":" download ",\"overhead\":" overhead \
	",\"relayed\":false,\"unseen\":true,\"since_seq\":0,\"probes\":15,\"probe_" \
	"ms\":120,"                                                                 \
	"\"bands\":" bands "}"
#define RECOMMEND(server, settled, margin)                                     \
	"{\"session\":" GOOD_ID ",\"server\":" server ",\"peer\":1400"         \
	",\"status\":\"confirmed\",\"settled\":" settled ",\"margin\":" margin \
	",\"visits\":7"                                                        \
	",\"why\":\"fits\",\"rival_server\":0,\"rival_peer\":0"                \
	",\"number\":1}"
#define RECOMMEND_WHY(why, rival)                                              \
	"{\"session\":" GOOD_ID ",\"server\":1440,\"peer\":1400,"              \
	"\"status\":\"confirmed\",\"settled\":true,\"margin\":5,\"visits\":7," \
	"\"why\":" why ",\"rival_server\":" rival ",\"rival_peer\":0,\"number\":1}"

#define WARNINGS(list) "{\"warnings\":[" list "]}"
#define ROUTE(end, mtu, detail)                                   \
	"{\"kind\":\"route_mtu\",\"at_end\":" end ",\"mtu\":" mtu \
	",\"detail\":" detail "}"
#define NOISY "{\"kind\":\"noisy\"}"

struct hostile {
	int (*decode)(const char *json, size_t size, struct err *err);
	const char *json;
	int rc;           /* 0 or -errno */
	const char *says; /* part of the sentence */
};

static const struct hostile hostiles[] = {
	{decode_pair, PAIR(GOOD_ID, "1420", "1", ""), 0, ""},
	{decode_pair, PAIR(GOOD_ID, "1420", "0", ",\"later\":[1,{}]"), 0, ""},
	{decode_path, PATH("true", "60", "\"1460:whole,65535:lost\""), 0, ""},
	/* An unknown path. */
	{decode_path, PATH("false", "80", "\"\""), 0, ""},
	{decode_path, PATH("true", "0", "\"\""), -EBADMSG,
	 "'overhead' is out of range"},
	{decode_path, PATH("1", "60", "\"\""), -EBADMSG, "'download'"},
	{decode_path, PATH("true", "60", "null"), -EBADMSG, "'bands'"},
	{decode_path, PATH("true", "60", "\"1460:gone\""), -EBADMSG, "'bands'"},
	{decode_path, PATH("true", "60", "\"1460:whole,1400:lost\""), -EBADMSG,
	 "'bands'"},
	{decode_paired, WARNINGS(""), 0, ""},
	{decode_paired, WARNINGS(ROUTE("\"peer\"", "1400", "\"10.0.0.1\"")), 0, ""},
	/* A later version's. */
	{decode_paired, WARNINGS("{\"kind\":\"moon\",\"full\":true}," NOISY), 0, ""},
	{decode_paired, "{}", -EBADMSG, "'warnings' is missing"},
	{decode_paired, "{\"warnings\":{}}", -EBADMSG, "'warnings' is not an array"},
	{decode_paired, WARNINGS("7"), -EBADMSG, "'warnings' has one without a kind"},
	{decode_paired, WARNINGS("{\"kind\":1}"), -EBADMSG, "without a kind"},
	{decode_paired, WARNINGS(NOISY "," NOISY "," NOISY "," NOISY "," NOISY),
	 -EBADMSG, "'warnings' has too many"},
	{decode_paired, WARNINGS(ROUTE("\"\"", "1400", "\"\"")), -EBADMSG,
	 "'at_end' is not an allowed word"},
	{decode_paired, WARNINGS(ROUTE("\"moon\"", "1400", "\"\"")), -EBADMSG,
	 "'at_end'"},
	{decode_paired, WARNINGS(ROUTE("\"peer\"", "0", "\"\"")), -EBADMSG,
	 "'mtu' is out of range"},
	{decode_paired, WARNINGS(ROUTE("\"peer\"", "65536", "\"\"")), -EBADMSG,
	 "'mtu' is out of range"},
	{decode_paired, WARNINGS(ROUTE("\"peer\"", "null", "\"\"")), -EBADMSG, "'mtu'"},
	{decode_paired, WARNINGS(ROUTE("\"peer\"", "1400", "7")), -EBADMSG, "'detail'"},
	{decode_paired, WARNINGS(ROUTE("\"peer\"", "1400", "\"\\u001b\"")), -EBADMSG,
	 "'detail' contains a control character"},
	{decode_paired, WARNINGS("{\"kind\":\"drift\",\"rate_percent\":50}"), -EBADMSG,
	 "'direction' is missing"},
	{decode_paired,
	 WARNINGS("{\"kind\":\"drift\",\"direction\":\"upload\",\"rate_percent\":-1}"),
	 -EBADMSG, "'rate_percent' is out of range"},
	{decode_recommendation, RECOMMEND("1440", "true", "5"), 0, ""},
	{decode_recommendation, RECOMMEND("65536", "true", "5"), -EBADMSG,
	 "'server' is out of range"},
	{decode_recommendation, RECOMMEND("1440", "\"yes\"", "5"), -EBADMSG,
	 "'settled'"},
	{decode_recommendation, RECOMMEND("1440", "true", "101"), -EBADMSG,
	 "'margin' is out of range"},
	{decode_recommendation, RECOMMEND_WHY("\"measured\"", "1400"), 0, ""},
	{decode_recommendation, RECOMMEND_WHY("\"text\"", "0"), -EBADMSG,
	 "'why' is not an allowed word"},
	{decode_recommendation, RECOMMEND_WHY("3", "0"), -EBADMSG, "'why'"},
	{decode_recommendation, RECOMMEND_WHY("\"fits\"", "65536"), -EBADMSG,
	 "'rival_server' is out of range"},
	{decode_recommendation, RECOMMEND_WHY("\"fits\"", "null"), -EBADMSG,
	 "'rival_server'"},
	{decode_pair, "", -EBADMSG, "bad message"},
	{decode_pair, "null", -EBADMSG, "bad message"},
	{decode_pair, "[]", -EBADMSG, "not a JSON object"},
	{decode_pair, "\"x\"", -EBADMSG, "bad message"},
	{decode_pair, "{}", -EBADMSG, "'session' is missing"},
	{decode_pair, "{\"session\":" GOOD_ID, -EBADMSG, "bad message"},
	{decode_pair, "{\"session\":" GOOD_ID "}", -EBADMSG, "'mtu' is missing"},
	{decode_pair, PAIR(GOOD_ID, "1420", "1", "") "x", -EBADMSG, "bad message"},
	{decode_pair, PAIR(GOOD_ID, "1420", "1", ",\"mtu\":1400"), -EBADMSG,
	 "duplicate"},
	{decode_pair, PAIR("null", "1420", "1", ""), -EBADMSG,
	 "'session' is not a string"},
	{decode_pair, PAIR("[" GOOD_ID "]", "1420", "1", ""), -EBADMSG, "'session'"},
	{decode_pair, PAIR("\"\"", "1420", "1", ""), -EBADMSG, "'session'"},
	{decode_pair, PAIR("\"" TOKEN "0\"", "1420", "1", ""), -EBADMSG, "'session'"},
	{decode_pair, PAIR("\"0123456789ABCDEF0123456789abcdef\"", "1420", "1", ""),
	 -EBADMSG, "'session'"},
	{decode_pair,
	 PAIR("\"0123456789abcdef\\u0000123456789abcdef\"", "1420", "1", ""), -EBADMSG,
	 "bad message"},
	{decode_pair, PAIR("\"\xff\"", "1420", "1", ""), -EBADMSG, "bad message"},
	{decode_pair, PAIR(GOOD_ID, "\"1420\"", "1", ""), -EBADMSG,
	 "'mtu' is not a whole number"},
	{decode_pair, PAIR(GOOD_ID, "1420.5", "1", ""), -EBADMSG,
	 "'mtu' is not a whole"},
	{decode_pair, PAIR(GOOD_ID, "true", "1", ""), -EBADMSG, "'mtu' is not a whole"},
	{decode_pair, PAIR(GOOD_ID, "575", "1", ""), -EBADMSG, "'mtu' is out of range"},
	{decode_pair, PAIR(GOOD_ID, "65536", "1", ""), -EBADMSG,
	 "'mtu' is out of range"},
	{decode_pair, PAIR(GOOD_ID, "4294968716", "1", ""), -EBADMSG,
	 "'mtu' is out of range"},
	{decode_pair, PAIR(GOOD_ID, "-1420", "1", ""), -EBADMSG,
	 "'mtu' is out of range"},
	{decode_pair, PAIR(GOOD_ID, "99999999999999999999", "1", ""), -EBADMSG,
	 "bad message"},
	{decode_pair, PAIR(GOOD_ID, "1e999", "1", ""), -EBADMSG, "bad message"},
	{decode_pair, PAIR(GOOD_ID, "1420", "-1", ""), -EBADMSG,
	 "'test' is out of range"},
	{decode_pair, PAIR(GOOD_ID, "1420", "4294967296", ""), -EBADMSG,
	 "'test' is out of"},
	{decode_open, OPEN("3", RUN("\"" UUID "\"", FACTS("\"h\""), "\"7\"")), 0, ""},
	{decode_open, OPEN("1", "{}"), -EPROTO, "protocol 1, this one 3"},
	{decode_open, OPEN("\"1\"", "{}"), -EBADMSG,
	 "'protocol' is not a whole number"},
	{decode_open, "{\"run\":{}}", -EBADMSG, "'protocol' is missing"},
	{decode_open, OPEN("3", "7"), -EBADMSG, "'run' is not an object"},
	{decode_open, OPEN("3", RUN("\"x\"", FACTS("\"h\""), "\"7\"")), -EBADMSG,
	 "'uuid'"},
	{decode_open, OPEN("3", RUN("\"" UUID "\"", "[]", "\"7\"")), -EBADMSG,
	 "'peer' is not"},
	{decode_open, OPEN("3", RUN("\"" UUID "\"", FACTS("\"a\\u001b[2J\""), "\"7\"")),
	 -EBADMSG, "'host' contains a control character"},
	{decode_open,
	 OPEN("3", RUN("\"" UUID "\"",
		       FACTS("\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""),
		       "\"7\"")),
	 -EBADMSG, "'host' is too long"},
	{decode_open, OPEN("3", RUN("\"" UUID "\"", FACTS("\"h\""), "7")), -EBADMSG,
	 "'seed'"},
	{decode_open, OPEN("3", RUN("\"" UUID "\"", FACTS("\"h\""), "\"-7\"")),
	 -EBADMSG, "'seed' is not a number"},
	{decode_open, OPEN("3", RUN("\"" UUID "\"", FACTS("\"h\""), "\" 7\"")),
	 -EBADMSG, "'seed' is not a number"},
	{decode_open,
	 OPEN("3", RUN("\"" UUID "\"", FACTS("\"h\""), "\"18446744073709551616\"")),
	 -EBADMSG, "'seed' is out of range"},
	{decode_hello, "{\"protocol\":7,\"new\":\"world\"}", -EPROTO, "protocol 7"},
	{decode_hello, "{\"protocol\":3}", -EBADMSG, "'server' is missing"},
	{decode_row, ROW("1", DIR_WITH("\"ok\"", "[1,2,3,4,5,6,7]")), 0, ""},
	{decode_row, ROW("1", DIR_WITH("\"ok\"", "{}")), -EBADMSG,
	 "'figures' is not an array"},
	{decode_row, ROW("1", DIR_WITH("\"ok\"", "[1,-1,3,4,5,6,7]")), -EBADMSG,
	 "'received_bps' is out of range"},
	{decode_row, ROW("1", DIR_WITH("\"ok\"", "[1,2,3,4,5,6,3600000001]")), -EBADMSG,
	 "'rtt_us' is out of range"},
	{decode_row, ROW("1", DIR_WITH("\"ok\"", "[1,2,\"3\",4,5,6,7]")), -EBADMSG,
	 "'goodput_bps' is not a whole number"},
	{decode_row, ROW("1", DIR_JSON("\"ok\"")), 0, ""},
	{decode_row, ROW("0", DIR_JSON("\"ok\"")), -EBADMSG, "'seq' is out of range"},
	{decode_row, ROW("1", DIR_JSON("\"great\"")), -EBADMSG,
	 "'status' is not an allowed"},
	{decode_row, ROW("1", DIR_JSON("0")), -EBADMSG, "'status' is not a string"},
	{decode_row, ROW("1", "null"), -EBADMSG, "'up' is not an object"},
	{decode_close, "{\"session\":" GOOD_ID ",\"outcome\":\"done\",\"text\":\"\"}",
	 0, ""},
	{decode_close,
	 "{\"session\":" GOOD_ID ",\"outcome\":\"done\",\"text\":\"\\n\"}", -EBADMSG,
	 "'text' contains a control character"},
	{decode_close,
	 "{\"session\":" GOOD_ID ",\"outcome\":\"running\",\"text\":\"\"}", -EBADMSG,
	 "'outcome' is not an allowed"},
	{decode_answer, "{\"code\":\"EBUSY\",\"text\":\"\"}", 0, ""},
	{decode_answer, "{\"code\":\"ENEWER\",\"text\":\"\"}", 0, ""},
	{decode_answer, "{\"code\":16,\"text\":\"\"}", -EBADMSG,
	 "'code' is not a string"},
};

static void hostile_input_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostiles) / sizeof(hostiles[0]); i++) {
		const struct hostile *h = &hostiles[i];
		struct err err = ERR_INIT;
		char *exact = malloc(strlen(h->json) + 1);

		/* A copy without a NUL after it, so that a sanitizer detects a read
		 * beyond its end. */
		print_message("%s\n", h->json);
		memcpy(exact, h->json, strlen(h->json));
		assert_int_equal(h->decode(exact, strlen(h->json), &err), h->rc);
		if (!strstr(err.text, h->says))
			fail_msg("'%s' is not in '%s'", h->says, err.text);
		free(exact);
	}
}

static void nesting_is_counted_before_parsing(void **state)
{
	static const char quoted[] = "{\"code\":\"OK\",\"text\":\"[[[[[[[[[[\\\"[\"}";
	char deep[MSG_BODY_LIMIT];
	struct err err = ERR_INIT;

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(decode_pair(deep, sizeof(deep), &err), -EBADMSG);
	assert_non_null(strstr(err.text, "nested too deeply"));
	/* Brackets in a string are not nesting. */
	assert_int_equal(decode_answer(quoted, sizeof(quoted) - 1, &err), 0);
}

static void oversize_and_nul_are_refused(void **state)
{
	static const char with_nul[] = "{\"code\":\"OK\",\"text\":\"a\0b\"}";
	char large[MSG_BODY_LIMIT + 1];
	struct err err = ERR_INIT;

	(void)state;
	memset(large, ' ', sizeof(large));
	memcpy(large, "{\"code\":\"OK\",\"text\":\"\"}", 23);
	assert_int_equal(decode_answer(large, MSG_BODY_LIMIT, &err), 0);
	assert_int_equal(decode_answer(large, sizeof(large), &err), -EBADMSG);
	assert_int_equal(decode_answer(with_nul, sizeof(with_nul) - 1, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_comes_back),
		cmocka_unit_test(status_comes_back),
		cmocka_unit_test(open_comes_back),
		cmocka_unit_test(opened_comes_back),
		cmocka_unit_test(pair_comes_back),
		cmocka_unit_test(arm_comes_back),
		cmocka_unit_test(probe_comes_back),
		cmocka_unit_test(probing_comes_back),
		cmocka_unit_test(ask_comes_back),
		cmocka_unit_test(figures_comes_back),
		cmocka_unit_test(a_pair_that_says_no_more_is_taken),
		cmocka_unit_test(an_arm_without_precision_is_taken),
		cmocka_unit_test(row_comes_back),
		cmocka_unit_test(figures_of_another_version_are_taken),
		cmocka_unit_test(path_comes_back),
		cmocka_unit_test(recommendation_comes_back),
		cmocka_unit_test(warnings_come_back),
		cmocka_unit_test(session_comes_back),
		cmocka_unit_test(close_comes_back),
		cmocka_unit_test(answer_comes_back),
		cmocka_unit_test(missing_figures_stay_missing),
		cmocka_unit_test(wild_figures_are_bounded),
		cmocka_unit_test(sentences_arrive_or_are_cut),
		cmocka_unit_test(out_of_range_is_not_sent),
		cmocka_unit_test(hostile_input_is_refused),
		cmocka_unit_test(nesting_is_counted_before_parsing),
		cmocka_unit_test(oversize_and_nul_are_refused),
	};

	return cmocka_run_group_tests(tests, set_longest, NULL);
}
