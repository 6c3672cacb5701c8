#include "store/row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

void row_bind_int(struct row *row, int64_t value)
{
	sqlite3_bind_int64(row->stmt, row->column++, value);
}

static void bind_int_unless(struct row *row, int64_t value, int64_t unknown)
{
	if (value == unknown)
		sqlite3_bind_null(row->stmt, row->column++);
	else
		row_bind_int(row, value);
}

void row_bind_text(struct row *row, const char *value)
{
	sqlite3_bind_text(row->stmt, row->column++, value, -1, SQLITE_TRANSIENT);
}

static void bind_text_unless_empty(struct row *row, const char *value)
{
	if (*value)
		row_bind_text(row, value);
	else
		sqlite3_bind_null(row->stmt, row->column++);
}

void row_bind_time(struct row *row, int64_t at_ms)
{
	char text[CLOCK_ISO_SIZE] = "";

	if (at_ms > 0)
		clock_iso(at_ms, text);
	bind_text_unless_empty(row, text);
}

int64_t row_read_int(struct row *row, int64_t if_null)
{
	int column = row->column++;

	if (sqlite3_column_type(row->stmt, column) == SQLITE_NULL)
		return if_null;
	return sqlite3_column_int64(row->stmt, column);
}

static const char *read_text(struct row *row)
{
	const char *text = (const char *)sqlite3_column_text(row->stmt, row->column++);

	return text ? text : "";
}

void row_read_text(struct row *row, char *ret, size_t size)
{
	text_copy(ret, size, read_text(row));
}

int64_t row_read_time(struct row *row)
{
	struct tm parts = {0};
	const char *rest = strptime(read_text(row), "%Y-%m-%dT%H:%M:%S", &parts);
	int ms = 0;

	if (!rest)
		return 0;
	if (*rest == '.')
		ms = (int)(strtod(rest, NULL) * 1000 + 0.5);
	return (int64_t)timegm(&parts) * 1000 + ms;
}

enum test_status row_read_status(struct row *row)
{
	enum test_status status = TEST_ERROR;

	test_status_parse(read_text(row), &status);
	return status;
}

static void bind_end(struct row *row, const struct end_facts *end,
		     const struct mtu_range *range)
{
	bind_text_unless_empty(row, end->host);
	bind_text_unless_empty(row, end->interface);
	bind_text_unless_empty(row, end->address);
	bind_int_unless(row, end->link_mtu, 0);
	row_bind_text(row, backend_name(end->backend));
	bind_int_unless(row, end->endpoint_family, 0);
	bind_text_unless_empty(row, end->versions);
	row_bind_int(row, range->min);
	row_bind_int(row, range->max);
	row_bind_int(row, range->step);
}

static void read_end(struct row *row, struct end_facts *ret,
		     struct mtu_range *ret_range)
{
	row_read_text(row, ret->host, sizeof(ret->host));
	row_read_text(row, ret->interface, sizeof(ret->interface));
	row_read_text(row, ret->address, sizeof(ret->address));
	ret->link_mtu = (int)row_read_int(row, 0);
	ret->backend = BACKEND_NONE;
	backend_parse(read_text(row), &ret->backend);
	ret->endpoint_family = (int)row_read_int(row, 0);
	row_read_text(row, ret->versions, sizeof(ret->versions));
	ret_range->min = (int)row_read_int(row, 0);
	ret_range->max = (int)row_read_int(row, 0);
	ret_range->step = (int)row_read_int(row, 0);
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
	bind_int_unless(row, info->duration_ms, 0);
	bind_text_unless_empty(row, info->congestion);
	row_bind_text(row, persist_name(info->persist));
	bind_int_unless(row, info->pairs_planned, 0);
	bind_end(row, &info->server, &info->server_range);
	bind_end(row, &info->peer, &info->peer_range);
}

void row_read_run(struct row *row, struct run_info *ret)
{
	row_read_text(row, ret->uuid, sizeof(ret->uuid));
	ret->started_at_ms = row_read_time(row);
	row_read_text(row, ret->strategy, sizeof(ret->strategy));
	ret->passes = (int)row_read_int(row, 0);
	ret->seed = strtoull(read_text(row), NULL, 10);
	ret->duration_ms = row_read_int(row, 0);
	row_read_text(row, ret->congestion, sizeof(ret->congestion));
	ret->persist = PERSIST_NONE;
	persist_parse(read_text(row), &ret->persist);
	ret->pairs_planned = (int)row_read_int(row, 0);
	read_end(row, &ret->server, &ret->server_range);
	read_end(row, &ret->peer, &ret->peer_range);
}

static void bind_result(struct row *row, const struct dir_result *result)
{
	row_bind_text(row, test_status_name(result->status));
	row_bind_text(row, result->text);
	bind_int_unless(row, result->sent_bps, NO_FIGURE);
	bind_int_unless(row, result->received_bps, NO_FIGURE);
	bind_int_unless(row, result->goodput_bps, NO_FIGURE);
	bind_int_unless(row, result->goodput_low_bps, NO_FIGURE);
	bind_int_unless(row, result->goodput_high_bps, NO_FIGURE);
	bind_int_unless(row, result->retransmits, NO_FIGURE);
	bind_int_unless(row, result->rtt_us, NO_FIGURE);
	row_bind_time(row, result->started_at_ms);
	bind_int_unless(row, result->duration_ms > 0 ? result->duration_ms : 0, 0);
}

static void read_result(struct row *row, struct dir_result *ret)
{
	ret->status = row_read_status(row);
	row_read_text(row, ret->text, sizeof(ret->text));
	ret->sent_bps = row_read_int(row, NO_FIGURE);
	ret->received_bps = row_read_int(row, NO_FIGURE);
	ret->goodput_bps = row_read_int(row, NO_FIGURE);
	ret->goodput_low_bps = row_read_int(row, NO_FIGURE);
	ret->goodput_high_bps = row_read_int(row, NO_FIGURE);
	ret->retransmits = row_read_int(row, NO_FIGURE);
	ret->rtt_us = row_read_int(row, NO_FIGURE);
	ret->started_at_ms = row_read_time(row);
	ret->duration_ms = row_read_int(row, 0);
}

void row_bind_measurement(struct row *row, const struct measurement *m)
{
	row_bind_int(row, m->seq);
	row_bind_int(row, m->pass);
	row_bind_int(row, m->reference);
	row_bind_int(row, m->mtu.server);
	row_bind_int(row, m->mtu.peer);
	bind_result(row, &m->dir[DIR_UPLOAD]);
	bind_result(row, &m->dir[DIR_DOWNLOAD]);
}

void row_read_measurement(struct row *row, struct measurement *ret)
{
	ret->seq = (uint32_t)row_read_int(row, 0);
	ret->pass = (int)row_read_int(row, 0);
	ret->reference = row_read_int(row, 0) != 0;
	ret->mtu.server = (int)row_read_int(row, 0);
	ret->mtu.peer = (int)row_read_int(row, 0);
	read_result(row, &ret->dir[DIR_UPLOAD]);
	read_result(row, &ret->dir[DIR_DOWNLOAD]);
}
