/* SPDX-License-Identifier: MIT */
#include "recorded.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/io.h"
#include "store/import.h"

#define LOST_SHARE 0.01
/* The log has no times: one visit follows the other. */
#define VISIT_MS 3000

static int compare_records(const void *a, const void *b)
{
	const struct measurement *x = *(struct measurement *const *)a;
	const struct measurement *y = *(struct measurement *const *)b;
	int order = mtu_pair_compare(&x->mtu, &y->mtu);

	return order ? order : x->pass - y->pass;
}

static int compare_cells(const void *a, const void *b)
{
	const struct recorded_cell *x = a;
	const struct recorded_cell *y = b;

	return mtu_pair_compare(&x->mtu, &y->mtu);
}

double recorded_median(double *values, size_t count)
{
	if (!count)
		return 0;
	array_sort_doubles(values, count);
	return count % 2 ? values[count / 2]
			 : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static bool has_rate(const struct dir_result *r)
{
	return r->status == TEST_OK && r->received_bps != NO_FIGURE;
}

/* Return the rate up to which a pair counts as lost. */
static double find_floor(const struct csv_log *log, enum direction dir, double *space)
{
	size_t n = 0;

	for (size_t i = 0; i < log->count; i++) {
		const struct dir_result *r = &log->m[i].dir[dir];

		if (has_rate(r) && r->received_bps > 0)
			space[n++] = (double)r->received_bps;
	}
	return LOST_SHARE * recorded_median(space, n);
}

static int name_losses(struct csv_log *log)
{
	cleanup_free double *space = calloc(log->count, sizeof(*space));

	if (!space)
		return -ENOMEM;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		double floor_bps = find_floor(log, (enum direction)dir, space);

		for (size_t i = 0; i < log->count; i++) {
			struct dir_result *r = &log->m[i].dir[dir];

			if (has_rate(r) && (double)r->received_bps <= floor_bps)
				dir_result_init(r, TEST_BLACKHOLE, "%s",
						"recorded as next to nothing");
		}
	}
	return 0;
}

static void average_cell(struct recorded_cell *cell)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		for (size_t i = 0; i < cell->records; i++) {
			const struct dir_result *r = &cell->record[i]->dir[dir];

			if (has_rate(r))
				cell->rate[dir] +=
					(double)r->received_bps / (double)cell->records;
		}
	}
}

static void gather_cells(struct recorded *recorded)
{
	for (size_t i = 0; i < recorded->log.count; i++)
		recorded->sorted[i] = &recorded->log.m[i];
	qsort(recorded->sorted, recorded->log.count, sizeof(recorded->sorted[0]),
	      compare_records);
	for (size_t i = 0; i < recorded->log.count; i++) {
		struct recorded_cell *cell = &recorded->cells[recorded->count];

		if (i == 0 || mtu_pair_compare(&recorded->sorted[i]->mtu,
					       &recorded->sorted[i - 1]->mtu) != 0) {
			*cell = (struct recorded_cell){.mtu = recorded->sorted[i]->mtu,
						       .record = &recorded->sorted[i]};
			recorded->count++;
		}
		recorded->cells[recorded->count - 1].records++;
	}
	for (size_t i = 0; i < recorded->count; i++)
		average_cell(&recorded->cells[i]);
}

int recorded_load(const char *file, struct recorded *recorded, struct err *err)
{
	int64_t written_at_ms;
	int r = import_read(file, &recorded->log, &written_at_ms, err);

	if (r < 0)
		return r;
	recorded->sorted = calloc(recorded->log.count, sizeof(struct measurement *));
	recorded->cells = calloc(recorded->log.count, sizeof(*recorded->cells));
	if (!recorded->sorted || !recorded->cells || name_losses(&recorded->log) < 0)
		return err_set(err, -ENOMEM, "out of memory for '%s'", file);
	gather_cells(recorded);
	csvread_ranges(&recorded->log, &recorded->server, &recorded->peer);
	return 0;
}

void recorded_release(struct recorded *recorded)
{
	csvread_release(&recorded->log);
	free(recorded->sorted);
	free(recorded->cells);
}

struct recorded_cell *recorded_find(const struct recorded *recorded,
				    const struct mtu_pair *mtu)
{
	const struct recorded_cell key = {.mtu = *mtu};

	return bsearch(&key, recorded->cells, recorded->count, sizeof(key),
		       compare_cells);
}

void recorded_visit(const struct recorded *recorded, const struct visit *visit,
		    size_t seq, struct measurement *ret)
{
	struct recorded_cell *cell = recorded_find(recorded, &visit->mtu);

	if (cell) {
		*ret = *cell->record[cell->used++ % cell->records];
	} else {
		*ret = (struct measurement){.mtu = visit->mtu};
		for (int dir = 0; dir < DIR_COUNT; dir++)
			dir_result_init(&ret->dir[dir], TEST_ERROR, "%s",
					"not recorded");
	}
	ret->seq = (uint32_t)seq;
	ret->pass = visit->pass;
	ret->reference = visit->reference;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		ret->dir[dir].started_at_ms =
			(int64_t)seq * VISIT_MS + dir * VISIT_MS / 2;
}
