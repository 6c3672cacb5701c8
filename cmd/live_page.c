/* What the page's script is told of a database. */

#include "cmd/live_page.h"

#include <errno.h>

#include "engine/pathmodel.h"

/* On the host itself nothing is saved by small answers. */
#define NEAR_BYTES  40000
#define FAR_VISITS  1
#define NEAR_VISITS 20

static json_t *explain(const struct path *path, const struct mtu_pair *mtu,
		       enum direction dir)
{
	char text[PATHMODEL_TEXT];

	if (path->dir[dir].count == 0)
		return json_null();
	pathmodel_explain(path, mtu, dir, text);
	return json_string(text);
}

static int add_pair(struct live_page *page, const struct page_ask *ask, const char *run,
		    json_t *answer, struct err *err)
{
	int visits = ask->near ? NEAR_VISITS : FAR_VISITS;
	json_t *pair = NULL;
	struct path path;
	int r = live_pair(page->live, run, &ask->pair, visits, &pair, &path, err);

	if (r < 0)
		return r;
	json_object_set_new(pair, "upload", explain(&path, &ask->pair, DIR_UPLOAD));
	json_object_set_new(pair, "download", explain(&path, &ask->pair, DIR_DOWNLOAD));
	json_object_set_new(answer, "pair", pair);
	return 0;
}

/* Takes the answer. */
static int dump(json_t *answer, char **ret_json, struct err *err)
{
	*ret_json = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	return *ret_json ? 0 : err_set(err, -ENOMEM, "out of memory");
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
	json_object_set_new(answer, "now", now && !*run ? now : json_null());
	if (now && *run)
		json_decref(now);
	json_object_set_new(answer, "near", json_boolean(ask->near));
	if (page->choose)
		json_object_set_new(answer, "choose", json_true());
	return dump(answer, ret_json, err);
}

int live_page_runs(struct live_page *page, char **ret_json, struct err *err)
{
	json_t *list = NULL;
	int r = live_runs(page->live, &list, err);

	return r < 0 ? r : dump(list, ret_json, err);
}
