/* SPDX-License-Identifier: MIT */
/* The messages: a table of fields for each. */

#include "sync/msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sync/field.h"

/* Ranges. They are wide, and bounded so that a message's largest size is known. */
#define RTT_MAX_US  FIGURE_RTT_MAX_US
#define AT_MAX_MS   INT64_C(253402300799999) /* the end of year 9999 */
#define TEST_MIN_MS 100
#define TEST_MAX_MS 3600000
#define FOR_MAX_MS  INT64_C(999999999)
/* The room in a row for each of its two sentences. */
#define DIR_TEXT_ROOM 84
#define PAIRS_MAX     100000000
#define PASSES_MAX    1000000
#define OVERHEAD_MAX  1000
#define PROBE_MAX     (MTU_MAX - OVERHEAD_MAX)

static bool address_valid(const char *text)
{
	struct in6_addr parsed;

	return text[0] == '\0' || inet_pton(AF_INET, text, &parsed) == 1 ||
	       inet_pton(AF_INET6, text, &parsed) == 1;
}

static bool bands_valid(const char *text)
{
	struct path_bands bands;

	return path_bands_parse(text, &bands, NULL) == 0;
}

static bool uuid_or_none(const char *text)
{
	return text[0] == '\0' || uuid_valid(text);
}

#define END                  \
	{                    \
		.name = NULL \
	}
#define MEMBER(type, member) .offset = offsetof(type, member)
#define NUMBER(json_name, number_kind, type, member, low, high)                   \
	{                                                                         \
		.name = (json_name), .kind = (number_kind), MEMBER(type, member), \
		.min = (low), .max = (high)                                       \
	}
#define WORD(json_name, word_kind, type, member)                               \
	{                                                                      \
		.name = (json_name), .kind = (word_kind), MEMBER(type, member) \
	}
/* `room` limits the JSON of the text: more than its size where quotes are likely. */
#define TEXT(json_name, type, member, room, check)                                   \
	{                                                                            \
		.name = (json_name), .kind = FIELD_TEXT, MEMBER(type, member),       \
		.size = sizeof(((type *)0)->member), .max = (room), .valid = (check) \
	}
/* Those that earlier versions do not send. */
#define NEW_NUMBER(json_name, number_kind, type, member, low, high)               \
	{                                                                         \
		.name = (json_name), .kind = (number_kind), MEMBER(type, member), \
		.min = (low), .max = (high), .optional = true                     \
	}
#define NEW_BOOL(json_name, type, member)                                      \
	{                                                                      \
		.name = (json_name), .kind = FIELD_BOOL, MEMBER(type, member), \
		.optional = true                                               \
	}
#define NEW_TEXT(json_name, type, member, room)                                      \
	{                                                                            \
		.name = (json_name), .kind = FIELD_TEXT, MEMBER(type, member),       \
		.size = sizeof(((type *)0)->member), .max = (room), .optional = true \
	}
#define OBJECT(json_name, type, member, table)                                   \
	{                                                                        \
		.name = (json_name), .kind = FIELD_OBJECT, MEMBER(type, member), \
		.fields = (table)                                                \
	}
#define SESSION(type)  TEXT("session", type, session, TOKEN_SIZE, token_valid)
#define PROTOCOL(type) NUMBER("protocol", FIELD_INT, type, protocol, 0, 65535)
#define TEST_FIELDS(type, first)                                                 \
	NUMBER("test", FIELD_U32, type, test, first, UINT32_MAX),                \
		NUMBER("duration_ms", FIELD_I64, type, duration_ms, TEST_MIN_MS, \
		       TEST_MAX_MS),                                             \
		NUMBER("rtt_us", FIELD_I64, type, rtt_us, 0, RTT_MAX_US),        \
		NUMBER("from_port", FIELD_INT, type, from_port, 0, 65535)

static const struct field range_fields[] = {
	NUMBER("min", FIELD_INT, struct mtu_range, min, MTU_MIN, MTU_MAX),
	NUMBER("max", FIELD_INT, struct mtu_range, max, MTU_MIN, MTU_MAX),
	NUMBER("step", FIELD_INT, struct mtu_range, step, 1, MTU_MAX),
	END,
};

static const struct field end_fields[] = {
	TEXT("host", struct end_facts, host, 72, NULL),
	TEXT("interface", struct end_facts, interface, 30, NULL),
	TEXT("address", struct end_facts, address, ADDRESS_SIZE, address_valid),
	NUMBER("mtu", FIELD_INT, struct end_facts, link_mtu, 0, MTU_MAX),
	WORD("backend", FIELD_BACKEND, struct end_facts, backend),
	NUMBER("family", FIELD_INT, struct end_facts, endpoint_family, 0, 6),
	TEXT("versions", struct end_facts, versions, 105, NULL),
	END,
};

static const struct field hello_fields[] = {
	PROTOCOL(struct msg_hello),
	OBJECT("server", struct msg_hello, server, end_fields),
	OBJECT("range", struct msg_hello, range, range_fields),
	NUMBER("allow_min", FIELD_FIGURE, struct msg_hello, allow_min, MTU_MIN,
	       MTU_MAX),
	NUMBER("allow_max", FIELD_FIGURE, struct msg_hello, allow_max, MTU_MIN,
	       MTU_MAX),
	NUMBER("low_min", FIELD_FIGURE, struct msg_hello, low_min, MTU_MIN, MTU_MAX),
	NUMBER("iperf_port", FIELD_INT, struct msg_hello, iperf_port, 1, 65535),
	WORD("persist", FIELD_PERSIST, struct msg_hello, persist),
	WORD("busy", FIELD_BOOL, struct msg_hello, busy),
	NEW_NUMBER("unit", FIELD_INT, struct msg_hello, mtu_unit, 0, MTU_MIN),
	NEW_NUMBER("peers", FIELD_INT, struct msg_hello, peers, 0, 1000000),
	NEW_BOOL("by_route", struct msg_hello, by_route),
	NEW_BOOL("live_only", struct msg_hello, live_only),
	NEW_TEXT("congestion", struct msg_hello, congestion, 100),
	END,
};

static const struct field status_fields[] = {
	WORD("open", FIELD_BOOL, struct msg_status, open),
	TEXT("peer", struct msg_status, peer, ADDRESS_SIZE, address_valid),
	TEXT("run", struct msg_status, run, UUID_SIZE, uuid_or_none),
	NUMBER("rows", FIELD_U32, struct msg_status, rows, 0, UINT32_MAX),
	END,
};

static const struct field run_fields[] = {
	TEXT("uuid", struct run_info, uuid, UUID_SIZE, uuid_valid),
	NUMBER("started_at_ms", FIELD_I64, struct run_info, started_at_ms, 0,
	       AT_MAX_MS),
	OBJECT("peer", struct run_info, peer, end_fields),
	OBJECT("server_range", struct run_info, server_range, range_fields),
	OBJECT("peer_range", struct run_info, peer_range, range_fields),
	TEXT("strategy", struct run_info, strategy, 20, NULL),
	NUMBER("passes", FIELD_INT, struct run_info, passes, 1, PASSES_MAX),
	WORD("seed", FIELD_U64, struct run_info, seed),
	NUMBER("duration_ms", FIELD_I64, struct run_info, duration_ms, 0, TEST_MAX_MS),
	NEW_TEXT("congestion", struct run_info, congestion, 20),
	WORD("persist", FIELD_PERSIST, struct run_info, persist),
	NUMBER("pairs", FIELD_INT, struct run_info, pairs_planned, 0, PAIRS_MAX),
	END,
};

static const struct field open_fields[] = {
	PROTOCOL(struct msg_open),
	TEXT("secret", struct msg_open, secret, TOKEN_SIZE, token_valid),
	NUMBER("lease_ms", FIELD_I64, struct msg_open, lease_ms, LEASE_MIN_MS,
	       LEASE_MAX_MS),
	OBJECT("run", struct msg_open, run, run_fields),
	END,
};

static const struct field opened_fields[] = {
	SESSION(struct msg_opened),
	NUMBER("lease_ms", FIELD_I64, struct msg_opened, lease_ms, LEASE_MIN_MS,
	       LEASE_MAX_MS),
	OBJECT("server", struct msg_opened, server, end_fields),
	END,
};

static const struct field pair_fields[] = {
	SESSION(struct msg_pair),
	NUMBER("mtu", FIELD_INT, struct msg_pair, mtu, MTU_MIN, MTU_MAX),
	TEST_FIELDS(struct msg_pair, 0),
	NEW_NUMBER("next", FIELD_U32, struct msg_pair, next, 0, UINT32_MAX),
	NEW_NUMBER("next_port", FIELD_INT, struct msg_pair, next_port, 0, 65535),
	NEW_NUMBER("precision", FIELD_FIGURE, struct msg_pair, precision, 0, 50),
	NEW_NUMBER("peer_mtu", FIELD_INT, struct msg_pair, peer_mtu, 0, MTU_MAX),
	NUMBER("visits_left", FIELD_FIGURE, struct msg_pair, visits_left, 0, PAIRS_MAX),
	NUMBER("left_ms", FIELD_FIGURE, struct msg_pair, left_ms, 0, FOR_MAX_MS),
	END,
};

static const struct field paired_fields[] = {
	WORD("warnings", FIELD_WARNINGS, struct msg_paired, warnings),
	END,
};

static const struct field arm_fields[] = {
	SESSION(struct msg_arm),
	WORD("full_size", FIELD_BOOL, struct msg_arm, full_size),
	TEST_FIELDS(struct msg_arm, 1),
	NUMBER("precision", FIELD_FIGURE, struct msg_arm, precision, 0, 50),
	END,
};

static const struct field ask_fields[] = {
	SESSION(struct msg_ask),
	NUMBER("test", FIELD_U32, struct msg_ask, test, 1, UINT32_MAX),
	END,
};

static const struct field figures_fields[] = {
	WORD("figures", FIELD_FIGURES, struct msg_figures, seen),
	END,
};

static const struct field probe_fields[] = {
	SESSION(struct msg_probe),
	TEXT("token", struct msg_probe, token, TOKEN_SIZE, token_valid),
	NUMBER("port", FIELD_INT, struct msg_probe, port, 1, 65535),
	NUMBER("reach", FIELD_INT, struct msg_probe, reach, MTU_MIN, MTU_MAX),
	WORD("relayed", FIELD_BOOL, struct msg_probe, relayed),
	END,
};

static const struct field probing_fields[] = {
	NUMBER("overhead", FIELD_INT, struct msg_probing, overhead, 1, OVERHEAD_MAX),
	WORD("relayed", FIELD_BOOL, struct msg_probing, relayed),
	TEXT("endpoint", struct msg_probing, endpoint, ADDRESS_SIZE, address_valid),
	NUMBER("outer_mtu", FIELD_INT, struct msg_probing, outer_mtu, 0, MTU_MAX),
	NUMBER("size_min", FIELD_INT, struct msg_probing, size_min, 1, PROBE_MAX),
	NUMBER("size_max", FIELD_INT, struct msg_probing, size_max, 1, PROBE_MAX),
	WORD("tap", FIELD_BOOL, struct msg_probing, tap),
	WORD("exact", FIELD_BOOL, struct msg_probing, exact),
	WORD("unseen", FIELD_BOOL, struct msg_probing, unseen),
	NEW_NUMBER("unit", FIELD_INT, struct msg_probing, unit, 0, MTU_MIN),
	END,
};

/* Two of them, each with a sentence, must fit one message, so the figures are an array. */
static const struct field dir_fields[] = {
	WORD("status", FIELD_STATUS, struct dir_result, status),
	TEXT("text", struct dir_result, text, DIR_TEXT_ROOM, NULL),
	{.name = "figures", .kind = FIELD_FIGURES},
	NUMBER("at_ms", FIELD_AMOUNT, struct dir_result, started_at_ms, 0, AT_MAX_MS),
	NUMBER("for_ms", FIELD_AMOUNT, struct dir_result, duration_ms, 0, FOR_MAX_MS),
	END,
};

static const struct field row_fields[] = {
	SESSION(struct msg_row),
	NUMBER("seq", FIELD_U32, struct msg_row, row.seq, 1, UINT32_MAX),
	NUMBER("pass", FIELD_INT, struct msg_row, row.pass, 1, PASSES_MAX),
	{.name = "ref",
	 .kind = FIELD_BOOL,
	 .offset = offsetof(struct msg_row, row.reference),
	 .optional = true},
	NUMBER("server", FIELD_INT, struct msg_row, row.mtu.server, MTU_MIN, MTU_MAX),
	NUMBER("peer", FIELD_INT, struct msg_row, row.mtu.peer, MTU_MIN, MTU_MAX),
	OBJECT("up", struct msg_row, row.dir[DIR_UPLOAD], dir_fields),
	OBJECT("down", struct msg_row, row.dir[DIR_DOWNLOAD], dir_fields),
	END,
};

static const struct field path_fields[] = {
	SESSION(struct msg_path),
	WORD("download", FIELD_BOOL, struct msg_path, download),
	NUMBER("overhead", FIELD_INT, struct msg_path, overhead, 1, OVERHEAD_MAX),
	WORD("relayed", FIELD_BOOL, struct msg_path, relayed),
	WORD("unseen", FIELD_BOOL, struct msg_path, unseen),
	NUMBER("since_seq", FIELD_U32, struct msg_path, since_seq, 0, UINT32_MAX),
	NUMBER("probes", FIELD_INT, struct msg_path, probes, 0, PASSES_MAX),
	NUMBER("probe_ms", FIELD_AMOUNT, struct msg_path, probe_ms, 0, FOR_MAX_MS),
	TEXT("bands", struct msg_path, bands, PATH_BANDS_TEXT_SIZE, bands_valid),
	END,
};

static const struct field recommendation_fields[] = {
	SESSION(struct msg_recommendation),
	/* 0: there is none. */
	NUMBER("server", FIELD_INT, struct msg_recommendation, mtu.server, 0, MTU_MAX),
	NUMBER("peer", FIELD_INT, struct msg_recommendation, mtu.peer, 0, MTU_MAX),
	WORD("status", FIELD_EVIDENCE, struct msg_recommendation, status),
	WORD("settled", FIELD_BOOL, struct msg_recommendation, settled),
	WORD("why", FIELD_REASON, struct msg_recommendation, reason.kind),
	NUMBER("margin", FIELD_INT, struct msg_recommendation, reason.margin, 0, 100),
	NUMBER("visits", FIELD_INT, struct msg_recommendation, reason.visits, 0,
	       PAIRS_MAX),
	/* 0: there is none. */
	NUMBER("rival_server", FIELD_INT, struct msg_recommendation,
	       reason.rival.server, 0, MTU_MAX),
	NUMBER("rival_peer", FIELD_INT, struct msg_recommendation, reason.rival.peer, 0,
	       MTU_MAX),
	NUMBER("number", FIELD_U32, struct msg_recommendation, number, 0, UINT32_MAX),
	END,
};

static const struct field session_fields[] = {
	SESSION(struct msg_session),
	END,
};

static const struct field close_fields[] = {
	SESSION(struct msg_close),
	/* A run that is closed is not running. */
	{.name = "outcome",
	 .kind = FIELD_OUTCOME,
	 MEMBER(struct msg_close, outcome),
	 .min = RUN_DONE},
	TEXT("text", struct msg_close, text, 400, NULL),
	/* All but the session, which the close has. */
	{.name = "recommendation",
	 .kind = FIELD_OBJECT,
	 MEMBER(struct msg_close, recommendation),
	 .fields = recommendation_fields + 1,
	 .optional = true},
	END,
};

static const struct field answer_fields[] = {
	WORD("code", FIELD_CODE, struct msg_answer, code),
	TEXT("text", struct msg_answer, text, 700, NULL),
	END,
};

static const struct field protocol_fields[] = {
	{.name = "protocol", .kind = FIELD_INT, .min = 0, .max = 65535},
	END,
};

/* Another version's other fields are not ours to judge: its number comes first. */
static int check_protocol(const json_t *object, struct err *err)
{
	int protocol = 0;
	int r = field_decode(protocol_fields, object, &protocol, err);

	if (r < 0)
		return r;
	if (protocol != MSG_PROTOCOL)
		return err_set(err, -EPROTO,
			       "the other end speaks protocol %d, this one %d: install "
			       "the same version of mtusweep on both",
			       protocol, MSG_PROTOCOL);
	return 0;
}

static int decode_message(const struct field *fields, const char *json, size_t size,
			  void *into, struct err *err)
{
	json_t *object;
	int r = field_parse(json, size, MSG_BODY_LIMIT, &object, err);

	if (r < 0)
		return r;
	if (fields == hello_fields || fields == open_fields)
		r = check_protocol(object, err);
	if (r == 0)
		r = field_decode(fields, object, into, err);
	json_decref(object);
	return r;
}

#define DEFINE_MESSAGE(name)                                                           \
	char *msg_##name##_encode(const struct msg_##name *m, struct err *err)         \
	{                                                                              \
		return field_encode(name##_fields, m, MSG_BODY_LIMIT, err);            \
	}                                                                              \
	int msg_##name##_decode(const char *json, size_t size, struct msg_##name *ret, \
				struct err *err)                                       \
	{                                                                              \
		memset(ret, 0, sizeof(*ret));                                          \
		return decode_message(name##_fields, json, size, ret, err);            \
	}

DEFINE_MESSAGE(hello)
DEFINE_MESSAGE(status)
DEFINE_MESSAGE(open)
DEFINE_MESSAGE(opened)
DEFINE_MESSAGE(pair)
DEFINE_MESSAGE(paired)
DEFINE_MESSAGE(arm)
DEFINE_MESSAGE(probe)
DEFINE_MESSAGE(probing)
DEFINE_MESSAGE(ask)
DEFINE_MESSAGE(figures)
DEFINE_MESSAGE(row)
DEFINE_MESSAGE(path)
DEFINE_MESSAGE(recommendation)
DEFINE_MESSAGE(session)
DEFINE_MESSAGE(close)
DEFINE_MESSAGE(answer)
