/* SPDX-License-Identifier: MIT */
/* Runs for a reader that asks repeatedly. */

#include "report/live.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "report/heatmap.h"
#include "report/live_facts.h"
#include "report/runjson.h"
#include "store/dbfile.h"

/* The page shows two runs side by side. */
#define RUNS 2
/* Reading may take one part in so many of the time, */
#define SHARE 20
/* and so much of that in advance: a run with its rows, or two runs. */
#define IN_ADVANCE_MS 2000
/* The death of the writing process does not change the file: check it so often. */
#define STALE_MS 10000

/* The state of the database file and of its write-ahead log. */
struct stamp {
	ino_t inode;
	off_t size[2];
	struct timespec changed[2];
};

/* A run as of the last reading of the database. */
struct view {
	char name[UUID_SIZE]; /* the name in the request; "": the newest run */
	bool loaded;
	struct stamp stamp;
	int64_t read_at_ms;
	int64_t again_at_ms; /* not before that: the other has its turn */
	int64_t used_at_ms;
	struct query_run run;
	int64_t began_ms;   /* start of its first measurement, by the peer's clock */
	struct heatmap map; /* without panels if it cannot be drawn */
	uint32_t last;      /* number of its last row */
	json_t *facts;
	char revision[20];
};

struct live {
	char *path;         /* dbfile_resolve()'s */
	const char *tunnel; /* NULL: all */
	struct view view[RUNS];
	int64_t paid_until_ms; /* all reading so far, at one part in SHARE */
};

int live_new(const char *path, struct live **ret, struct err *err)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live)
		live->path = dbfile_resolve(path);
	if (!live || !live->path) {
		free(live);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = live;
	return 0;
}

void live_choose_tunnel(struct live *live, const char *name)
{
	live->tunnel = name;
}

static void view_release(struct view *view)
{
	heatmap_release(&view->map);
	json_decref(view->facts);
	memset(view, 0, sizeof(*view));
}

void live_free(struct live *live)
{
	if (!live)
		return;
	for (int i = 0; i < RUNS; i++)
		view_release(&live->view[i]);
	free(live->path);
	free(live);
}

static void set_revision(struct view *view)
{
	cleanup_free char *text = json_dumps(view->facts, JSON_COMPACT);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *c = text ? text : ""; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	snprintf(view->revision, sizeof(view->revision), "%016" PRIx64, hash);
}

/* --- reading --- */

static bool may_read(const struct live *live)
{
	return live->paid_until_ms - clock_boot_ms() <= IN_ADVANCE_MS;
}

static int fail_too_often(struct err *err)
{
	return err_set(err, -EAGAIN,
		       "the database was read for too long just now: ask again later");
}

/* Charge the time since then, with success or without. */
static void pay_time(struct live *live, int64_t began_ms)
{
	int64_t cost_ms = SHARE * (clock_boot_ms() - began_ms);

	if (live->paid_until_ms < began_ms)
		live->paid_until_ms = began_ms;
	live->paid_until_ms += cost_ms;
}

/* Somebody waits for the answer. */
static int open_bounded(struct live *live, struct query **ret, struct err *err)
{
	int r = query_open(live->path, ret, err);

	if (r < 0)
		return r;
	query_bound(*ret, QUERY_ROWS_SERVED);
	return live->tunnel ? query_choose_tunnel(*ret, live->tunnel, err) : 0;
}

static void take_stamp(const char *path, struct stamp *ret)
{
	char log[PATH_MAX + 8];
	struct stat st[2] = {{0}};

	memset(ret, 0, sizeof(*ret));
	snprintf(log, sizeof(log), "%s-wal", path);
	stat(path, &st[0]);
	stat(log, &st[1]);
	ret->inode = st[0].st_ino;
	for (int i = 0; i < 2; i++) {
		ret->size[i] = st[i].st_size;
		ret->changed[i] = st[i].st_mtim;
	}
}

static bool is_fresh(const struct view *view, const struct stamp *now, int64_t now_ms)
{
	if (now_ms < view->again_at_ms)
		return true;
	return memcmp(now, &view->stamp, sizeof(*now)) == 0 &&
	       now_ms - view->read_at_ms < STALE_MS;
}

static int load_map(struct query *query, struct view *view, struct err *err)
{
	static const struct heatmap_options options = {0};
	int r = heatmap_load(query, &view->run, &options, &view->map, err);

	/* No measurements yet, or more than can be drawn. */
	if (r == -ENODATA || r == -E2BIG) {
		memset(&view->map, 0, sizeof(view->map));
		return 0;
	}
	return r;
}

static int take_began(void *ctx, const struct measurement *m)
{
	int64_t *began_ms = ctx;

	if (m->dir[DIR_UPLOAD].started_at_ms)
		*began_ms = m->dir[DIR_UPLOAD].started_at_ms;
	return 1;
}

static int load_rows(struct query *query, struct view *view, struct err *err)
{
	int r = query_last_visit(query, view->run.id, &view->last, err);

	view->began_ms = view->run.info.started_at_ms;
	if (r == 0)
		r = load_map(query, view, err);
	if (r == 0)
		r = query_visits_after(query, view->run.id, 0, take_began,
				       &view->began_ms, err);
	return r == -E2BIG || r > 0 ? 0 : r;
}

static int load_view(struct query *query, const char *name, struct view *ret,
		     struct err *err)
{
	int r = query_run(query, *name ? name : NULL, &ret->run, err);

	/* The name is the caller's mistake. */
	if (r == -ENOTUNIQ || (r == -ENOENT && *name))
		r = -EINVAL;
	if (r == 0)
		r = load_rows(query, ret, err);
	if (r < 0)
		return r;
	ret->loaded = true;
	r = live_facts(query, &ret->run, &ret->map, &ret->facts, err);
	if (r == 0)
		set_revision(ret);
	return r;
}

/* Return the view of that name, or else the least recently used one. */
static struct view *find_view(struct live *live, const char *name)
{
	struct view *oldest = &live->view[0];

	for (int i = 0; i < RUNS; i++) {
		struct view *view = &live->view[i];

		if (view->loaded && strcmp(view->name, name) == 0)
			return view;
		if (view->used_at_ms < oldest->used_at_ms)
			oldest = view;
	}
	return oldest;
}

/* Refresh the view. *query is open if the database was read; the caller closes it. */
static int refresh_view(struct live *live, const char *name, struct query **query,
			struct view **ret, struct err *err)
{
	struct view *view = find_view(live, name);
	bool same = view->loaded && strcmp(view->name, name) == 0;
	struct view fresh = {0};
	int64_t now_ms = clock_boot_ms();
	int r;

	*ret = view;
	take_stamp(live->path, &fresh.stamp);
	if (same)
		view->used_at_ms = now_ms;
	if (same && (is_fresh(view, &fresh.stamp, now_ms) || !may_read(live)))
		return 0;
	if (!may_read(live))
		return fail_too_often(err);
	r = open_bounded(live, query, err);
	if (r == 0)
		r = load_view(*query, name, &fresh, err);
	pay_time(live, now_ms);
	if (r < 0) {
		view_release(&fresh);
		return r;
	}
	text_copy(fresh.name, sizeof(fresh.name), name);
	fresh.read_at_ms = clock_boot_ms();
	fresh.again_at_ms = clock_again_ms(now_ms, RUNS * SHARE);
	fresh.used_at_ms = now_ms;
	view_release(view);
	*view = fresh;
	return 0;
}

/* --- rows --- */

struct rows {
	const struct view *view;
	json_t *list;
	json_t *references;
	size_t used;
	size_t room;
	uint32_t next; /* number of the next row; all rows before it are in the list */
};

static json_t *cell_value(const struct heatmap_cell *cell)
{
	switch (cell->kind) {
	case HEATMAP_MEASURED:
		return json_integer(cell->value);
	case HEATMAP_FAILED:
		return json_string(test_status_name(cell->status));
	case HEATMAP_BLANK:
		break;
	}
	return json_null();
}

static json_t *rate_value(const struct dir_result *dir)
{
	int64_t rate = dir_result_rate(dir);

	return dir->status == TEST_OK && rate != NO_FIGURE ? json_integer(rate)
							   : json_null();
}

static int append_row(struct rows *rows, json_t *list, json_t *value)
{
	rows->used += json_dumpb(value, NULL, 0, JSON_COMPACT) + 1;
	return json_array_append_new(list, value) < 0 ? -ENOMEM : 0;
}

/* The row shows the pair's median over all its measurements, not this one's rates. */
static int add_row(void *ctx, const struct measurement *m)
{
	struct rows *rows = ctx;
	const struct view *view = rows->view;
	const struct heatmap *map = &view->map;
	int i, j;
	int r = 0;

	if (rows->used >= rows->room || m->seq > view->last)
		return 1;
	if (map->panels == 2 && heatmap_find(map, &m->mtu, &i, &j))
		r = append_row(rows, rows->list,
			       json_pack("[Ioooo]", (json_int_t)m->seq,
					 runjson_mtu(m->mtu.server),
					 runjson_mtu(m->mtu.peer),
					 cell_value(heatmap_at(map, 0, i, j)),
					 cell_value(heatmap_at(map, 1, i, j))));
	if (r == 0 && m->reference)
		r = append_row(rows, rows->references,
			       json_pack("[IIoo]", (json_int_t)m->seq,
					 (json_int_t)(m->dir[DIR_UPLOAD].started_at_ms -
						      view->began_ms),
					 rate_value(&m->dir[DIR_UPLOAD]),
					 rate_value(&m->dir[DIR_DOWNLOAD])));
	rows->next = m->seq;
	return r;
}

static int read_rows(struct live *live, bool near, struct query **query,
		     struct rows *rows, struct err *err)
{
	const struct view *view = rows->view;
	int64_t began_ms = clock_boot_ms();
	int r = 0;

	/* Rows that are never sent count as sent. */
	if (!view->run.counted)
		rows->next = view->last;
	if (rows->next >= view->last || (!near && !may_read(live)))
		return 0;
	if (!*query)
		r = open_bounded(live, query, err);
	if (r == 0)
		r = query_visits_after(*query, view->run.id, rows->next, add_row, rows,
				       err);
	if (!near)
		pay_time(live, began_ms);
	return r == -ENOMEM ? err_set(err, r, "out of memory") : r < 0 ? r : 0;
}

/* --- answers --- */

static json_t *fastest_json(const struct heatmap *map)
{
	const struct heatmap_mark *mark = &map->mark[HEATMAP_FASTEST];
	int i, j;

	if (!mark->set || map->panels != 2 || !heatmap_find(map, &mark->mtu, &i, &j))
		return json_null();
	return json_pack("{so so so so}", "server_mtu", runjson_mtu(mark->mtu.server),
			 "peer_mtu", runjson_mtu(mark->mtu.peer), "upload_bps",
			 cell_value(heatmap_at(map, 0, i, j)), "download_bps",
			 cell_value(heatmap_at(map, 1, i, j)));
}

static json_t *scale_json(const struct heatmap *map)
{
	if (map->panels != 2)
		return json_null();
	return json_pack("[[II][II]]", (json_int_t)map->panel[0].low,
			 (json_int_t)map->panel[0].high, (json_int_t)map->panel[1].low,
			 (json_int_t)map->panel[1].high);
}

static json_t *make_answer(const struct view *view, const struct live_ask *ask,
			   const struct rows *rows)
{
	const struct query_run *run = &view->run;
	json_t *object = json_pack(
		"{ss ss ss so so so so so sO sO sI sb}", "run", run->info.uuid,
		"revision", view->revision, "state", query_run_state(run),
		"outcome_text", row_text_json(run->text), "visits",
		runjson_count(run, run->measured), "visits_failed",
		runjson_count(run, run->failed), "fastest", fastest_json(&view->map),
		"scale", scale_json(&view->map), "rows", rows->list, "references",
		rows->references, "next", (json_int_t)rows->next, "more",
		rows->next < view->last);

	if (strcmp(ask->revision, view->revision) != 0 ||
	    strcmp(ask->have, run->info.uuid) != 0)
		json_object_set(object, "facts", view->facts);
	return object;
}

/* The view is fresh. */
static int answer_ask(struct live *live, const struct live_ask *ask,
		      struct query **query, const struct view *view, json_t **ret,
		      struct err *err)
{
	bool same = strcmp(ask->have, view->run.info.uuid) == 0;
	struct rows rows = {
		.view = view,
		.list = json_array(),
		.references = json_array(),
		.room = ask->room,
		.next = same ? ask->after : 0,
	};
	int r = read_rows(live, ask->near, query, &rows, err);

	if (r == 0)
		*ret = make_answer(view, ask, &rows);
	json_decref(rows.list);
	json_decref(rows.references);
	if (r == 0 && !*ret)
		return err_set(err, -ENOMEM, "out of memory");
	return r;
}

int live_progress(struct live *live, const struct live_ask *ask, json_t **ret,
		  struct err *err)
{
	struct query *query = NULL;
	struct view *view;
	int r = refresh_view(live, ask->run, &query, &view, err);

	if (r == 0) {
		r = answer_ask(live, ask, &query, view, ret, err);
	} else if (r == -ENOENT && !*ask->run) {
		*ret = json_pack("{so}", "run", json_null());
		r = *ret ? 0 : -ENOMEM;
	}
	query_close(query);
	return r;
}

/* --- one pair, and the list of runs --- */

struct visits {
	json_t *list;
	size_t max;
};

static int add_visit(void *ctx, const struct measurement *m)
{
	struct visits *visits = ctx;

	if (json_array_append_new(visits->list, runjson_measurement(m)) < 0)
		return -ENOMEM;
	return json_array_size(visits->list) >= visits->max;
}

static int read_pair(struct query *query, int64_t run, const struct mtu_pair *mtu,
		     struct visits *visits, json_t **ret, struct err *err)
{
	struct query_result result;
	int r = query_result(query, run, mtu, &result, err);

	if (r < 0 && r != -ENODATA && r != -E2BIG)
		return r;
	*ret = json_pack("{so so so so sO}", "server_mtu", runjson_mtu(mtu->server),
			 "peer_mtu", runjson_mtu(mtu->peer), "result",
			 r == 0 ? runjson_result(&result) : json_null(), "figures",
			 runjson_figures(), "visits", visits->list);
	if (!*ret)
		return err_set(err, -ENOMEM, "out of memory");
	r = query_visits(query, run, mtu, add_visit, visits, err);
	return r < 0 && r != -E2BIG ? r : 0;
}

int live_pair(struct live *live, const struct live_pair_ask *ask, json_t **ret,
	      struct err *err)
{
	struct visits visits = {.list = json_array(), .max = (size_t)ask->visits_max};
	struct query *query = NULL;
	json_t *pair = NULL;
	struct view *view;
	int r = refresh_view(live, ask->run, &query, &view, err);
	int64_t began_ms = clock_boot_ms();

	if (r == 0 && !ask->near && !may_read(live))
		r = fail_too_often(err);
	if (r == 0 && !query)
		r = open_bounded(live, &query, err);
	if (r == 0)
		r = read_pair(query, view->run.id, &ask->mtu, &visits, &pair, err);
	if (r == 0)
		r = ask->look(ask->ctx, query, &view->run, err);
	if (query && !ask->near)
		pay_time(live, began_ms);
	query_close(query);
	json_decref(visits.list);
	if (r < 0) {
		json_decref(pair);
		return r;
	}
	*ret = pair;
	return 0;
}

static int add_run(void *ctx, const struct query_run *run)
{
	return json_array_append_new(ctx, runjson_run(run)) < 0 ? -ENOMEM : 0;
}

int live_runs(struct live *live, json_t **ret, struct err *err)
{
	int64_t began_ms = clock_boot_ms();
	json_t *list = json_array();
	struct query *query = NULL;
	int r = may_read(live) ? open_bounded(live, &query, err) : fail_too_often(err);

	if (r == 0)
		r = query_runs(query, add_run, list, err);
	if (r != -EAGAIN)
		pay_time(live, began_ms);
	query_close(query);
	if (r < 0) {
		json_decref(list);
		return r;
	}
	*ret = list;
	return 0;
}
