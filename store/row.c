/* SPDX-License-Identifier: MIT */
#include "store/row.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/random.h"
#include "base/text.h"
#include "base/tunnel.h"

int row_bound(const struct row *row, const struct db *db, struct err *err)
{
	if (!row->failed)
		return 0;
	return err_set(err, row->failed == SQLITE_NOMEM ? -ENOMEM : -EINVAL,
		       "database '%s' refused a value: %s", db->path,
		       sqlite3_errstr(row->failed));
}

int row_step(const struct row *row, struct db *db, struct err *err)
{
	int r = row_bound(row, db, err);

	return r < 0 ? r : db_step(db, row->stmt, err);
}

static void keep_failure(struct row *row, int code)
{
	if (!row->failed)
		row->failed = code;
}

static void bind_null(struct row *row)
{
	keep_failure(row, sqlite3_bind_null(row->stmt, row->column++));
}

void row_bind_int(struct row *row, int64_t value)
{
	keep_failure(row, sqlite3_bind_int64(row->stmt, row->column++, value));
}

void row_bind_int_unless(struct row *row, int64_t value, int64_t unknown)
{
	if (value == unknown)
		bind_null(row);
	else
		row_bind_int(row, value);
}

void row_bind_text(struct row *row, const char *value)
{
	keep_failure(row, sqlite3_bind_text(row->stmt, row->column++, value, -1,
					    SQLITE_TRANSIENT));
}

void row_bind_text_or_none(struct row *row, const char *value)
{
	if (*value)
		row_bind_text(row, value);
	else
		bind_null(row);
}

void row_bind_time(struct row *row, int64_t at_ms)
{
	char text[CLOCK_ISO_SIZE] = "";

	if (at_ms > 0)
		clock_iso(at_ms, text);
	row_bind_text_or_none(row, text);
}

/* --- reading --- */

/* The most bytes of an invalid value that a message shows. */
#define SHOWN 60

int row_check(const struct row *row, const struct db *db, const char *what,
	      struct err *err)
{
	const char *name, *value;
	int column = row->wrong - 1;

	if (!row->wrong)
		return 0;
	name = sqlite3_column_name(row->stmt, column);
	value = (const char *)sqlite3_column_text(row->stmt, column);
	return err_set(err, -EUCLEAN,
		       "database '%s' has %s that cannot be: its %s is %s%.*s%s; the "
		       "file is damaged, or was made by something else",
		       db->path, what, name ? name : "?", value ? "'" : "NULL", SHOWN,
		       value ? value : "", value ? "'" : "");
}

static void mark_wrong(struct row *row)
{
	if (!row->wrong)
		row->wrong = row->column + 1;
}

/* The value that was read last. */
static void mark_wrong_before(struct row *row)
{
	if (!row->wrong)
		row->wrong = row->column;
}

int64_t row_read_int_or(struct row *row, int64_t if_null, int64_t min, int64_t max)
{
	int type = sqlite3_column_type(row->stmt, row->column);
	int64_t value = if_null;

	if (type == SQLITE_INTEGER)
		value = sqlite3_column_int64(row->stmt, row->column);
	if ((type != SQLITE_INTEGER && type != SQLITE_NULL) ||
	    (type == SQLITE_INTEGER && (value < min || value > max))) {
		mark_wrong(row);
		value = if_null;
	}
	row->column++;
	return value;
}

int64_t row_read_int(struct row *row, int64_t min, int64_t max)
{
	if (sqlite3_column_type(row->stmt, row->column) == SQLITE_NULL)
		mark_wrong(row);
	return row_read_int_or(row, min, min, max);
}

int row_read_small(struct row *row, int min, int max)
{
	return (int)row_read_int(row, min, max);
}

static int read_small_or_0(struct row *row, int min, int max)
{
	return (int)row_read_int_or(row, 0, min, max);
}

/* "" for NULL, which is wrong where it `must` be there. */
static const char *read_text(struct row *row, bool must)
{
	int type = sqlite3_column_type(row->stmt, row->column);
	const char *text = NULL;

	if (type == SQLITE_TEXT)
		text = (const char *)sqlite3_column_text(row->stmt, row->column);
	/* SQLite's text may have a NUL within. */
	if ((type == SQLITE_NULL && must) || (type != SQLITE_NULL && !text) ||
	    (text &&
	     strlen(text) != (size_t)sqlite3_column_bytes(row->stmt, row->column)))
		mark_wrong(row);
	return text ? text : "";
}

const char *row_read_words(struct row *row)
{
	const char *text = read_text(row, true);

	row->column++;
	return text;
}

static void read_name(struct row *row, char *ret, size_t size, bool must)
{
	if (!text_copy(ret, size, read_text(row, must)))
		mark_wrong(row);
	row->column++;
}

void row_read_text(struct row *row, char *ret, size_t size)
{
	read_name(row, ret, size, true);
}

void row_read_text_or_none(struct row *row, char *ret, size_t size)
{
	read_name(row, ret, size, false);
}

void row_read_key(struct row *row, char ret[KEY_SIZE])
{
	read_name(row, ret, KEY_SIZE, false);
	if (*ret && !key_valid(ret))
		mark_wrong_before(row);
}

void row_read_sentence(struct row *row, char *ret, size_t size)
{
	text_copy(ret, size, row_read_words(row));
}

/* The end of year 9999. */
#define AT_MAX_MS INT64_C(253402300799999)

/* `digits` digits at *text, then `after` ('\0': anything), into *ret; moves on. */
static bool take_number(const char **text, int digits, char after, int *ret)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		value = value * 10 + (**text - '0');
	}
	*ret = value;
	if (!after)
		return true;
	return *(*text)++ == after;
}

/* timegm() takes 31 February for a day in March. */
static bool has_same_parts(const struct tm *a, const struct tm *b)
{
	return a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min &&
	       a->tm_sec == b->tm_sec;
}

/* "2026-11-22T12:20:39.123Z", or without the fraction. */
static bool parse_time(const char *text, int64_t *ret)
{
	struct tm parts = {0}, normal;
	int ms = 0;

	if (!take_number(&text, 4, '-', &parts.tm_year) ||
	    !take_number(&text, 2, '-', &parts.tm_mon) ||
	    !take_number(&text, 2, 'T', &parts.tm_mday) ||
	    !take_number(&text, 2, ':', &parts.tm_hour) ||
	    !take_number(&text, 2, ':', &parts.tm_min) ||
	    !take_number(&text, 2, '\0', &parts.tm_sec))
		return false;
	if (*text == '.' && (text++, !take_number(&text, 3, '\0', &ms)))
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon--;
	normal = parts;
	*ret = (int64_t)timegm(&normal) * 1000 + ms;
	return strcmp(text, "Z") == 0 && *ret > 0 && *ret <= AT_MAX_MS &&
	       has_same_parts(&parts, &normal);
}

static int64_t read_time(struct row *row, bool must)
{
	const char *text = read_text(row, must);
	bool known = sqlite3_column_type(row->stmt, row->column) != SQLITE_NULL;
	int64_t at_ms = 0;

	if (known && !parse_time(text, &at_ms)) {
		mark_wrong(row);
		at_ms = 0;
	}
	row->column++;
	return at_ms;
}

int64_t row_read_time(struct row *row)
{
	return read_time(row, false);
}

/* A word of a list. */
#define READ_WORD(row, parse, ret)                          \
	do {                                                \
		if (parse(read_text(row, true), (ret)) < 0) \
			mark_wrong(row);                    \
		(row)->column++;                            \
	} while (0)

#define DEFINE_READ(type, name, parse, otherwise) \
	type name(struct row *row)                \
	{                                         \
		type value = otherwise;           \
                                                  \
		READ_WORD(row, parse, &value);    \
		return value;                     \
	}

DEFINE_READ(enum test_status, row_read_status, test_status_parse, TEST_ERROR)

static void bind_end(struct row *row, const struct end_facts *end,
		     const struct mtu_range *range)
{
	row_bind_text_or_none(row, end->host);
	row_bind_text_or_none(row, end->interface);
	row_bind_text_or_none(row, end->address);
	row_bind_int_unless(row, end->link_mtu, 0);
	row_bind_text(row, backend_name(end->backend));
	row_bind_int_unless(row, end->endpoint_family, 0);
	row_bind_text_or_none(row, end->versions);
	row_bind_int(row, range->min);
	row_bind_int(row, range->max);
	row_bind_int(row, range->step);
}

DEFINE_READ(enum fate, row_read_fate, fate_parse, FATE_UNKNOWN)

DEFINE_READ(enum run_outcome, row_read_outcome, run_outcome_parse, RUN_FAILED)

DEFINE_READ(enum reason_kind, row_read_reason, reason_parse, REASON_NOTHING)

DEFINE_READ(enum one_end_small, row_read_small_answers, one_end_small_parse,
	    ONE_END_SMALL_NONE)

DEFINE_READ(enum one_end_proof, row_read_proof, one_end_proof_parse, ONE_END_NOTHING)

DEFINE_READ(enum evidence_status, row_read_evidence_status, evidence_status_parse,
	    EVIDENCE_PREDICTED)

DEFINE_READ(enum path_probe_answer, row_read_probe_answer, path_probe_answer_parse,
	    PROBE_NONE)
DEFINE_READ(enum path_probe_fit, row_read_probe_fit, path_probe_fit_parse,
	    PROBE_FIT_UNKNOWN)
DEFINE_READ(enum path_probe_event, row_read_probe_event, path_probe_event_parse,
	    EVENT_QUIET)
DEFINE_READ(enum path_probe_applied, row_read_probe_applied, path_probe_applied_parse,
	    PROBE_NOT_TRIED)

static int parse_direction(const char *name, enum direction *ret)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (strcmp(name, direction_name((enum direction)dir)) == 0) {
			*ret = (enum direction)dir;
			return 0;
		}
	}
	return -EINVAL;
}

DEFINE_READ(enum direction, row_read_direction, parse_direction, DIR_UPLOAD)

void row_read_role(struct row *row, char *ret, size_t size)
{
	row_read_text(row, ret, size);
	if (strcmp(ret, "peer") != 0 && strcmp(ret, "server") != 0)
		mark_wrong_before(row);
}

static void read_range(struct row *row, struct mtu_range *ret)
{
	ret->min = row_read_small(row, MTU_MIN, MTU_MAX);
	ret->max = row_read_small(row, MTU_MIN, MTU_MAX);
	ret->step = row_read_small(row, 1, MTU_MAX);
}

static void read_end(struct row *row, struct end_facts *ret,
		     struct mtu_range *ret_range)
{
	row_read_text_or_none(row, ret->host, sizeof(ret->host));
	row_read_text_or_none(row, ret->interface, sizeof(ret->interface));
	row_read_text_or_none(row, ret->address, sizeof(ret->address));
	ret->link_mtu = read_small_or_0(row, 1, MTU_MAX);
	ret->backend = BACKEND_NONE;
	READ_WORD(row, backend_parse, &ret->backend);
	ret->endpoint_family = read_small_or_0(row, 4, 6);
	if (ret->endpoint_family == 5)
		mark_wrong_before(row);
	row_read_text_or_none(row, ret->versions, sizeof(ret->versions));
	read_range(row, ret_range);
}

void row_bind_run(struct row *row, const struct run_info *info)
{
	char seed[24];

	/* SQLite's integers have a sign, the seed has none. */
	snprintf(seed, sizeof(seed), "%" PRIu64, info->seed);
	row_bind_text(row, info->uuid);
	row_bind_time(row, info->started_at_ms);
	row_bind_text(row, info->strategy);
	row_bind_int(row, info->passes);
	row_bind_text(row, seed);
	row_bind_int_unless(row, info->duration_ms, 0);
	row_bind_text_or_none(row, info->congestion);
	row_bind_text(row, persist_name(info->persist));
	row_bind_int_unless(row, info->pairs_planned, 0);
	bind_end(row, &info->server, &info->server_range);
	bind_end(row, &info->peer, &info->peer_range);
}

/* 64 bits without a sign. */
static uint64_t read_seed(struct row *row)
{
	const char *text = read_text(row, true);
	unsigned long long seed;

	errno = 0;
	seed = strtoull(text, NULL, 10);
	if (errno || !*text || text[strspn(text, "0123456789")])
		mark_wrong(row);
	row->column++;
	return seed;
}

/* Longer than any test or run takes. */
#define DURATION_MAX_MS INT64_C(1000000000000)

void row_read_run(struct row *row, struct run_info *ret)
{
	row_read_text(row, ret->uuid, sizeof(ret->uuid));
	if (!uuid_valid(ret->uuid))
		mark_wrong_before(row);
	ret->started_at_ms = read_time(row, true);
	row_read_text(row, ret->strategy, sizeof(ret->strategy));
	ret->passes = row_read_small(row, 0, INT_MAX);
	ret->seed = read_seed(row);
	ret->duration_ms = row_read_int_or(row, 0, 0, DURATION_MAX_MS);
	row_read_text_or_none(row, ret->congestion, sizeof(ret->congestion));
	ret->persist = PERSIST_NONE;
	READ_WORD(row, persist_parse, &ret->persist);
	ret->pairs_planned = read_small_or_0(row, 0, INT_MAX);
	read_end(row, &ret->server, &ret->server_range);
	read_end(row, &ret->peer, &ret->peer_range);
}

static void bind_figures(struct row *row, const struct dir_result *result, int first,
			 int end)
{
	for (int i = first; i < end; i++)
		row_bind_int_unless(row, figure_get(result, i), NO_FIGURE);
}

/* `figures`: how many of the list. */
static void bind_result(struct row *row, const struct dir_result *result, int figures)
{
	row_bind_text(row, test_status_name(result->status));
	row_bind_text(row, result->text);
	bind_figures(row, result, 0, figures);
	row_bind_time(row, result->started_at_ms);
	row_bind_int_unless(row, result->duration_ms > 0 ? result->duration_ms : 0, 0);
}

static int64_t read_rate(struct row *row)
{
	return row_read_int_or(row, NO_FIGURE, 0, ROW_RATE_MAX);
}

static int64_t read_figure(struct row *row, int i)
{
	if (i < FIGURE_COUNT_1)
		return read_rate(row);
	return row_read_int_or(row, NO_FIGURE, 0, figure_list[i].max);
}

static void read_result(struct row *row, struct dir_result *ret)
{
	ret->status = row_read_status(row);
	row_read_text(row, ret->text, sizeof(ret->text));
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_set(ret, i, read_figure(row, i));
	ret->started_at_ms = row_read_time(row);
	ret->duration_ms = row_read_int_or(row, 0, 0, DURATION_MAX_MS);
}

static void bind_row(struct row *row, const struct measurement *m, int figures)
{
	row_bind_int(row, m->seq);
	row_bind_int(row, m->pass);
	row_bind_int(row, m->reference);
	row_bind_int(row, m->mtu.server);
	row_bind_int(row, m->mtu.peer);
	bind_result(row, &m->dir[DIR_UPLOAD], figures);
	bind_result(row, &m->dir[DIR_DOWNLOAD], figures);
}

void row_bind_measurement(struct row *row, const struct measurement *m)
{
	bind_row(row, m, FIGURE_COUNT);
}

void row_bind_main(struct row *row, const struct measurement *m)
{
	bind_row(row, m, FIGURE_COUNT_1);
}

void row_bind_detail(struct row *row, const struct measurement *m)
{
	for (int dir = 0; dir < DIR_COUNT; dir++)
		bind_figures(row, &m->dir[dir], FIGURE_COUNT_1, FIGURE_COUNT);
	row_bind_int(row, m->seq);
}

void row_read_measurement(struct row *row, struct measurement *ret)
{
	ret->seq = (uint32_t)row_read_int(row, 1, UINT32_MAX);
	ret->pass = row_read_small(row, 1, INT_MAX);
	ret->reference = row_read_small(row, 0, 1) != 0;
	ret->mtu.server = row_read_small(row, MTU_MIN, MTU_MAX);
	ret->mtu.peer = row_read_small(row, MTU_MIN, MTU_MAX);
	read_result(row, &ret->dir[DIR_UPLOAD]);
	read_result(row, &ret->dir[DIR_DOWNLOAD]);
}

void row_read_visit(struct row *row, struct row_visit *ret)
{
	ret->seq = (uint32_t)row_read_int(row, 1, UINT32_MAX);
	ret->pass = row_read_small(row, 1, INT_MAX);
	ret->mtu.server = row_read_small(row, MTU_MIN, MTU_MAX);
	ret->mtu.peer = row_read_small(row, MTU_MIN, MTU_MAX);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct dir_result result;
		bool ok;

		result.status = row_read_status(row);
		result.sent_bps = read_rate(row);
		result.received_bps = read_rate(row);
		result.goodput_bps = read_rate(row);
		result.latency_us = read_figure(row, FIGURE_latency_us);
		ok = result.status == TEST_OK;
		ret->status[dir] = result.status;
		ret->sent_bps[dir] = ok ? result.sent_bps : NO_FIGURE;
		ret->rate_bps[dir] = ok ? dir_result_rate(&result) : NO_FIGURE;
		ret->latency_us[dir] = ok ? result.latency_us : NO_FIGURE;
	}
}

json_t *row_text_json(const char *text)
{
	json_t *value = json_string(text);
	cleanup_free char *copy = value ? NULL : strdup(text);

	if (!copy)
		return value;
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	return json_string(copy);
}

/* --- warnings --- */

static void bind_word(struct row *row, const struct warning *w, const char *column,
		      const char *word)
{
	row_bind_text_or_none(row, warning_use(w->kind, column) ? word : "");
}

void row_bind_warning(struct row *row, const struct warning *w)
{
	struct warning copy = *w;

	row_bind_text(row, warning_name(w->kind));
	bind_word(row, w, "at_end", warning_end_name(w->at_end));
	bind_word(row, w, "direction", direction_name(w->direction));
	for (int i = 0; i < WARNING_NUMBER_COUNT; i++) {
		enum warning_use use = warning_use(w->kind, warning_numbers[i].name);
		int64_t value = *warning_number(&copy, i);

		if (use == WARNING_UNUSED || (use == WARNING_OPTIONAL && !value))
			bind_null(row);
		else
			row_bind_int(row, value);
	}
	bind_word(row, w, "detail", w->detail);
}

/* A column that the kind does not use means nothing: true. */
static bool skip_unused(struct row *row, enum warning_kind kind, const char *column)
{
	bool unused = warning_use(kind, column) == WARNING_UNUSED;

	row->column += unused;
	return unused;
}

void row_read_warning(struct row *row, struct warning *ret)
{
	*ret = (struct warning){.detail = ""};
	READ_WORD(row, warning_parse, &ret->kind);
	if (!skip_unused(row, ret->kind, "at_end"))
		READ_WORD(row, warning_end_parse, &ret->at_end);
	if (!skip_unused(row, ret->kind, "direction"))
		ret->direction = row_read_direction(row);
	for (int i = 0; i < WARNING_NUMBER_COUNT; i++) {
		const struct warning_number *number = &warning_numbers[i];

		if (skip_unused(row, ret->kind, number->name))
			continue;
		*warning_number(ret, i) =
			warning_use(ret->kind, number->name) == WARNING_NEEDED
				? row_read_int(row, number->min, number->max)
				: row_read_int_or(row, 0, number->min, number->max);
	}
	if (!skip_unused(row, ret->kind, "detail"))
		ret->detail = row_read_words(row);
}
