/* SPDX-License-Identifier: MIT */
/* A probe of a watch as a row and back. */
#include "store/row.h"

/* Far above what there is. */
#define TOOK_MAX_MS 1000000000
#define PACKETS_MAX INT64_C(1000000000000000)
#define SEQ_MAX     INT64_C(4294967295)

/* NULL: one end alone does not know the other's, and 0 is not known either. */
static void bind_mtu(struct row *row, int mtu)
{
	row_bind_int_unless(row, mtu == MTU_UNKNOWN ? 0 : mtu, 0);
}

static void bind_bands(struct row *row, const struct path_bands *bands)
{
	char text[PATH_BANDS_TEXT_SIZE];

	path_bands_format(bands, text);
	row_bind_text(row, bands->count ? text : NULL);
}

static void bind_whole(struct row *row, const struct path_bands *bands)
{
	row_bind_int_unless(row, bands->count ? path_bands_whole_max(bands) : -1, -1);
}

void row_bind_probe(struct row *row, const struct path_probe *probe)
{
	row_bind_int(row, probe->seq);
	row_bind_time(row, probe->probed_at_ms);
	row_bind_int(row, probe->took_ms);
	row_bind_text(row, path_probe_answer_name(probe->answer));
	row_bind_int(row, probe->early);
	row_bind_int_unless(row, probe->fragments, NO_FIGURE);
	row_bind_int_unless(row, probe->too_big, NO_FIGURE);
	bind_mtu(row, probe->current.server);
	bind_mtu(row, probe->current.peer);
	bind_mtu(row, probe->largest.server);
	bind_mtu(row, probe->largest.peer);
	row_bind_text(row, path_probe_fit_name(probe->fit));
	bind_bands(row, &probe->dir[DIR_UPLOAD]);
	bind_bands(row, &probe->dir[DIR_DOWNLOAD]);
	row_bind_text(row, path_probe_event_name(probe->event));
	row_bind_text(row, path_probe_applied_name(probe->applied));
	bind_whole(row, &probe->dir[DIR_UPLOAD]);
	bind_whole(row, &probe->dir[DIR_DOWNLOAD]);
}

static void read_bands(struct row *row, struct path_bands *ret)
{
	char text[PATH_BANDS_TEXT_SIZE];

	row_read_text_or_none(row, text, sizeof(text));
	if (path_bands_parse(text, ret, NULL) < 0 && !row->wrong)
		row->wrong = row->column;
}

static int read_mtu(struct row *row)
{
	return (int)row_read_int_or(row, 0, 1, MTU_MAX);
}

void row_read_probe(struct row *row, struct path_probe *ret)
{
	*ret = (struct path_probe){0};
	ret->seq = (uint32_t)row_read_int(row, 1, SEQ_MAX);
	ret->probed_at_ms = row_read_time(row);
	ret->took_ms = row_read_small(row, 0, TOOK_MAX_MS);
	ret->answer = row_read_probe_answer(row);
	ret->early = row_read_small(row, 0, 1) != 0;
	ret->fragments = row_read_int_or(row, NO_FIGURE, 0, PACKETS_MAX);
	ret->too_big = row_read_int_or(row, NO_FIGURE, 0, PACKETS_MAX);
	ret->current.server = read_mtu(row);
	ret->current.peer = read_mtu(row);
	ret->largest.server = read_mtu(row);
	ret->largest.peer = read_mtu(row);
	ret->fit = row_read_probe_fit(row);
	read_bands(row, &ret->dir[DIR_UPLOAD]);
	read_bands(row, &ret->dir[DIR_DOWNLOAD]);
	ret->event = row_read_probe_event(row);
	ret->applied = row_read_probe_applied(row);
}
