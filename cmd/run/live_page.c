/* SPDX-License-Identifier: MIT */
/* The data that the page's script gets from a database. */

#include "cmd/run/live_page.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/pathmodel.h"
#include "report/runjson.h"

/* On the host itself, small answers save nothing. */
#define NEAR_BYTES  40000
#define FAR_VISITS  1
#define NEAR_VISITS 20
/* With more measurements it takes too long to guess a path that was not probed. */
#define GUESS_VISITS_MAX 5000
/* Reading the path may take one part in so many of the time. */
#define SHARE 20

/* Read the path model. Without probes this reads all rows, so it is not repeated for
 * every new row. */
static int learn_path(void *ctx, struct query *query, const struct query_run *run,
		      struct err *err)
{
	struct live_page *page = ctx;
	struct live_page_path *known = &page->path;
	int64_t began_ms = clock_boot_ms();
	bool same = strcmp(known->run, run->info.uuid) == 0;
	struct live_page_path fresh = {.visits = run->measured};
	int r;

	if (same && (known->visits == run->measured || began_ms < known->again_at_ms))
		return 0;
	r = runpath_read(query, run, GUESS_VISITS_MAX, &fresh.path, err);
	if (r < 0 && r != -ENODATA)
		return r;
	text_copy(fresh.run, sizeof(fresh.run), run->info.uuid);
	fresh.again_at_ms = clock_again_ms(began_ms, SHARE);
	*known = fresh;
	return 0;
}

static json_t *explain_pair(const struct live_page *page, const struct mtu_pair *mtu,
			    enum direction dir)
{
	const struct runpath *known = &page->path.path;
	char text[PATHMODEL_TEXT];

	if (known->path.dir[dir].count == 0)
		return json_null();
	pathmodel_explain(&known->path, mtu, dir, known->guessed[dir], text);
	return json_sprintf("%s%s", known->guessed[dir] ? "by throughput alone: " : "",
			    text);
}

static int add_pair(struct live_page *page, const struct page_ask *ask, const char *run,
		    json_t *answer, struct err *err)
{
	struct live_pair_ask wish = {
		.run = run,
		.near = ask->near,
		.mtu = ask->pair,
		.visits_max = ask->near ? NEAR_VISITS : FAR_VISITS,
		.look = learn_path,
		.ctx = page,
	};
	json_t *pair = NULL;
	int r = live_pair(page->live, &wish, &pair, err);

	/* The page asks again. */
	if (r == -EAGAIN)
		return 0;
	if (r < 0)
		return r;
	json_object_set_new(pair, "upload", explain_pair(page, &ask->pair, DIR_UPLOAD));
	json_object_set_new(pair, "download",
			    explain_pair(page, &ask->pair, DIR_DOWNLOAD));
	json_object_set_new(answer, "pair", pair);
	return 0;
}

/* Takes the answer. */
static int dump_answer(json_t *answer, char **ret_json, struct err *err)
{
	*ret_json = runjson_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	return *ret_json ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static bool is_end(const json_t *answer)
{
	const char *state = json_string_value(json_object_get(answer, "state"));

	return state && strcmp(state, run_outcome_name(RUN_RUNNING)) != 0 &&
	       !json_is_true(json_object_get(answer, "more"));
}

int live_page_progress(struct live_page *page, const struct page_ask *ask, json_t *now,
		       char **ret_json, struct err *err)
{
	const char *run = *ask->run ? ask->run : page->run ? page->run : "";
	struct live_ask wish = {
		.run = run,
		.have = ask->have,
		.revision = ask->revision,
		.after = ask->after,
		.room = ask->near ? NEAR_BYTES : LIVE_PAGE_FAR_BYTES,
		.near = ask->near,
	};
	json_t *answer = NULL;
	int r = live_progress(page->live, &wish, &answer, err);

	if (r == 0 && ask->pair.server && !json_is_null(json_object_get(answer, "run")))
		r = add_pair(page, ask, run, answer, err);
	if (r < 0) {
		json_decref(now);
		json_decref(answer);
		return r;
	}
	page->told_end = is_end(answer);
	json_object_set_new(answer, "now", now && !*run ? now : json_null());
	if (now && *run)
		json_decref(now);
	json_object_set_new(answer, "near", json_boolean(ask->near));
	if (page->choose)
		json_object_set_new(answer, "choose", json_true());
	return dump_answer(answer, ret_json, err);
}

int live_page_runs(struct live_page *page, char **ret_json, struct err *err)
{
	json_t *list = NULL;
	int r = live_runs(page->live, &list, err);

	return r < 0 ? r : dump_answer(list, ret_json, err);
}
