/* SPDX-License-Identifier: MIT */
/* A run's measurements as cells, and the lines of text above them. */
#include "report/heatmap.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/one_end_tests.h"
#include "base/text.h"
#include "report/runjson.h"
#include "store/import.h"

/* Sorted by pair, then by number. */
struct visits {
	struct row_visit *visit;
	size_t count;
};

static int add_pair(void *ctx, struct row_visit *visits, size_t count)
{
	struct visits *all = ctx;

	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = array_append(&all->visit, &all->count, &visits[i], sizeof(*visits));
	return r;
}

/* The axis has the MTUs of the grid and others that were measured; if these are too
 * many, only the measured ones. */
static int make_axis(struct heatmap_axis *axis, const struct mtu_range *range,
		     const struct visits *all, enum direction end, struct err *err)
{
	cleanup_free bool *there = calloc(MTU_MAX + 1, sizeof(*there));
	int cells = mtu_range_count(range);

	axis->count = 0;
	axis->mtu = calloc(HEATMAP_AXIS_MAX, sizeof(int));
	if (!there || !axis->mtu)
		return err_set(err, -ENOMEM, "out of memory");
	for (int i = 0; cells <= HEATMAP_AXIS_MAX && i < cells; i++)
		there[mtu_range_at(range, i)] = true;
	for (size_t i = 0; i < all->count; i++)
		there[end == DIR_UPLOAD ? all->visit[i].mtu.peer
					: all->visit[i].mtu.server] = true;
	for (int mtu = MTU_MIN; mtu <= MTU_MAX; mtu++) {
		if (there[mtu] && axis->count < HEATMAP_AXIS_MAX)
			axis->mtu[axis->count] = mtu;
		axis->count += there[mtu];
	}
	if (axis->count == 0)
		return err_set(err, -ENODATA,
			       "nothing is measured yet, and the run has too many "
			       "planned MTUs to draw all of them");
	if (axis->count > HEATMAP_AXIS_MAX)
		return err_set(err, -E2BIG, "cannot draw %d MTUs on a side: at most %d",
			       axis->count, HEATMAP_AXIS_MAX);
	return 0;
}

static int64_t figure_of(const struct row_visit *visit, enum heatmap_figure figure,
			 enum direction dir)
{
	switch (figure) {
	case HEATMAP_SENT:
		return visit->sent_bps[dir];
	case HEATMAP_LATENCY:
		return visit->latency_us[dir];
	case HEATMAP_RECEIVED:
		break;
	}
	return visit->rate_bps[dir];
}

/* The median of a pair's visits that are ok; `values` has room for all. */
static int64_t median(const struct row_visit *first, size_t count, int64_t *values,
		      enum heatmap_figure figure, enum direction dir)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t value = figure_of(&first[i], figure, dir);

		if (value != NO_FIGURE)
			values[n++] = value;
	}
	return figure == HEATMAP_LATENCY ? query_median_us(values, n)
					 : query_median(values, n);
}

/* Make the cell of a pair in one direction. */
static struct heatmap_cell one_cell(const struct row_visit *first, size_t count,
				    int64_t *values, enum heatmap_figure figure,
				    enum direction dir)
{
	int64_t value = median(first, count, values, figure, dir);
	enum test_status last = first[count - 1].status[dir];

	if (value != NO_FIGURE)
		return (struct heatmap_cell){.kind = HEATMAP_MEASURED, .value = value};
	/* ok without the figure: the cell stays blank. */
	if (last == TEST_OK)
		return (struct heatmap_cell){.kind = HEATMAP_BLANK};
	return (struct heatmap_cell){.kind = HEATMAP_FAILED, .status = last};
}

static void fill_pair(struct heatmap *map, const struct row_visit *first, size_t count,
		      int64_t *rates)
{
	int i, j;

	if (!heatmap_find(map, &first->mtu, &i, &j))
		return;
	for (int p = 0; p < map->panels; p++) {
		const bool *shows = map->panel[p].shows;
		enum heatmap_figure figure = map->panel[p].figure;
		struct heatmap_cell *cell = heatmap_at(map, p, i, j);
		struct heatmap_cell up =
			one_cell(first, count, rates, figure, DIR_UPLOAD);
		struct heatmap_cell down =
			one_cell(first, count, rates, figure, DIR_DOWNLOAD);

		*cell = shows[DIR_UPLOAD] ? up : down;
		if (!shows[DIR_UPLOAD] || !shows[DIR_DOWNLOAD])
			continue;
		if (up.kind == HEATMAP_MEASURED && down.kind == HEATMAP_MEASURED)
			cell->value = (up.value + down.value) / 2;
		else if (up.kind != HEATMAP_FAILED)
			*cell = down.kind == HEATMAP_MEASURED ? up : down;
	}
}

static int fill_cells(struct heatmap *map, struct visits *all, struct err *err)
{
	cleanup_free int64_t *rates = calloc(all->count + 1, sizeof(*rates));
	struct heatmap_mark *fastest = &map->mark[HEATMAP_FASTEST];
	struct query_result best = {0};
	size_t i = 0;

	if (!rates)
		return err_set(err, -ENOMEM, "out of memory");
	while (i < all->count) {
		const struct row_visit *first = &all->visit[i];
		struct query_result result;
		size_t n = 1;

		while (i + n < all->count && mtu_pair_same(&first[n].mtu, &first->mtu))
			n++;
		fill_pair(map, first, n, rates);
		query_sum_up(first, n, rates, &result);
		if (query_may_rank(&result, QUERY_BY_SUM) &&
		    (!fastest->set || query_rank(&result, &best, QUERY_BY_SUM) < 0)) {
			best = result;
			*fastest = (struct heatmap_mark){true, first->mtu};
		}
		i += n;
	}
	return 0;
}

static int add_panel(struct heatmap *map, const char *title, enum heatmap_figure figure,
		     bool up, bool down)
{
	static const char *const words[] = {
		[HEATMAP_RECEIVED] = "received",
		[HEATMAP_SENT] = "sent",
		[HEATMAP_LATENCY] = "round trip under load",
	};
	struct heatmap_panel *panel = &map->panel[map->panels];

	snprintf(panel->title, sizeof(panel->title), "%s, %s", title, words[figure]);
	panel->figure = figure;
	panel->shows[DIR_UPLOAD] = up;
	panel->shows[DIR_DOWNLOAD] = down;
	panel->cells = calloc((size_t)map->server.count * (size_t)map->peer.count,
			      sizeof(*panel->cells));
	map->panels++;
	return panel->cells ? 0 : -ENOMEM;
}

static int add_figure(struct heatmap *map, enum heatmap_figure figure, bool average)
{
	int r;

	if (average)
		return add_panel(map, "Mean of upload and download", figure, true,
				 true);
	r = add_panel(map, "Upload", figure, true, false);
	return r < 0 ? r : add_panel(map, "Download", figure, false, true);
}

static int add_panels(struct heatmap *map, const struct heatmap_options *options)
{
	int r = add_figure(map, options->latency ? HEATMAP_LATENCY : HEATMAP_RECEIVED,
			   options->average);

	if (r == 0 && options->all)
		r = add_figure(map, HEATMAP_SENT, options->average);
	return r;
}

/* Older programs stored no latency. */
static int check_latency(const struct visits *all, struct err *err)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->visit[i].latency_us[DIR_UPLOAD] != NO_FIGURE ||
		    all->visit[i].latency_us[DIR_DOWNLOAD] != NO_FIGURE)
			return 0;
	}
	return err_set(err, -ENODATA,
		       "the run has no latency under load: nothing was measured, or by "
		       "an older version");
}

/* Add the bands that the recommendation rests on: not what measurements contradict. */
static int add_path(struct query *query, int64_t run, const struct evidence *e,
		    struct heatmap *map, struct err *err)
{
	struct path_survey survey;
	int r = query_path(query, run, &survey, err);

	if (r == -ENODATA)
		return 0;
	if (r == 0)
		map->path = survey.path;
	for (int d = 0; d < DIR_COUNT && r == 0; d++) {
		struct path_bands *bands = &survey.path.dir[d];

		map->edges_guessed[d] =
			evidence_correct_bands(e, (enum direction)d, bands);
		heatmap_add_edges(map, (enum direction)d, survey.path.overhead[d],
				  bands);
	}
	return r;
}

/* A run that only probes has no tests. */
const char *heatmap_proof(const struct query_run *run, const struct evidence *e)
{
	bool goes_on = run->outcome == RUN_RUNNING && run->life == PROCESS_LIVES;

	return evidence_proof(
		e, goes_on && strcmp(run->info.strategy, STRATEGY_PROBE) != 0);
}

/* The pair, and how far it is proved; an older version kept only the pair. */
static void describe_answer(struct heatmap *map, const struct query_run *run,
			    const struct evidence *e)
{
	const struct mtu_pair mtu = evidence_pair(e);
	const char *proof = heatmap_proof(run, e);
	char words[PAIR_WORDS_SIZE];

	if (mtu.server)
		snprintf(map->answer, HEATMAP_TEXT, "Recommended: %s%s%s%s",
			 mtu_pair_words(&mtu, words), *proof ? " (" : "", proof,
			 *proof ? ")" : "");
	else
		snprintf(map->answer, HEATMAP_TEXT, "Recommended: no %s%s",
			 e->one_ended ? "MTU" : "pair",
			 one_end_is_contradicted(e) ? " (tests contradict the probes)"
						    : "");
	/* The reason is that of an MTU which does not hold. */
	if (e->reason.kind == REASON_TEXT || one_end_is_contradicted(e))
		return;
	snprintf(map->reason, HEATMAP_TEXT, "%s.", reason_sentence(e->reason.kind));
	map->reason[0] = (char)toupper((unsigned char)map->reason[0]);
}

static int mark_recommended(struct query *query, const struct query_run *run,
			    struct heatmap *map, struct evidence *ret, struct err *err)
{
	struct query_recommendation recommended = {0};
	const struct evidence *e = &recommended.evidence;
	int r = query_recommended(query, run->id, &recommended, err);

	if (r == 0) {
		const struct mtu_pair mtu = evidence_pair(e);

		map->mark[HEATMAP_RECOMMENDED] =
			(struct heatmap_mark){mtu.server > 0, mtu};
		map->predicted = evidence_is_predicted(e);
		describe_answer(map, run, e);
		*ret = *e;
	}
	free(recommended.text);
	return r == -ENODATA ? 0 : r;
}

static void mark_current(struct heatmap *map, const struct run_info *info)
{
	struct mtu_pair current = run_info_current(info);

	map->mark[HEATMAP_CURRENT] = (struct heatmap_mark){current.peer > 0, current};
}

/* Copy a text so that it can be printed, and drawn, which requires UTF-8. */
static void copy_words(char *ret, size_t size, const char *text)
{
	text_copy(ret, size, text);
	text_printable(ret);
}

static void describe_end(char *ret, size_t size, const struct end_facts *end)
{
	char host[HOST_NAME_SIZE];
	char interface[IF_NAME_SIZE];

	copy_words(host, sizeof(host), *end->host ? end->host : "?");
	copy_words(interface, sizeof(interface), end->interface);
	snprintf(ret, size, "%s%s%s", host, *interface ? " " : "", interface);
}

/* Write "server - peer"; if an end's name is unknown, as in a log, write nothing. */
static void describe_ends(struct heatmap *map, const struct run_info *info,
			  bool anonymous)
{
	char server[HEATMAP_TEXT / 2 - 12] = "server";
	char peer[HEATMAP_TEXT / 2 - 12] = "peer";

	if (run_info_is_one_ended(info)) {
		bool is_peer = run_info_own_direction(info) == DIR_UPLOAD;

		if (!anonymous)
			describe_end(peer, sizeof(peer),
				     is_peer ? &info->peer : &info->server);
		snprintf(map->line[0], HEATMAP_TEXT, "WireGuard MTU: %s, one end alone",
			 anonymous && !is_peer ? server : peer);
		return;
	}
	if (!anonymous) {
		if (!*info->server.host && !*info->peer.host) {
			text_copy(map->line[0], HEATMAP_TEXT, "WireGuard MTUs");
			return;
		}
		describe_end(server, sizeof(server), &info->server);
		describe_end(peer, sizeof(peer), &info->peer);
	}
	snprintf(map->line[0], HEATMAP_TEXT, "WireGuard MTUs: %s - %s", server, peer);
}

/* A strategy is a word of ours. Another program may have stored any text, a name too. */
static void describe_strategy(char *ret, size_t size, const char *strategy,
			      bool anonymous)
{
	bool is_word = !strategy[strspn(strategy, "abcdefghijklmnopqrstuvwxyz")];

	copy_words(ret, size, anonymous && !is_word ? "[omitted]" : strategy);
}

/* Write "endpoints over IPv6, WireGuard: server kernel, peer userspace; grid, 5 s a
 * test", omitting unknown facts; without an end's name its WireGuard is unknown,
 * too. */
static void describe_tunnel(struct heatmap *map, const struct run_info *info,
			    bool anonymous)
{
	const struct end_facts *const ends[] = {&info->server, &info->peer};
	static const char *const names[] = {"server", "peer"};
	int server = info->server.endpoint_family;
	int peer = info->peer.endpoint_family;
	const char *before = "WireGuard: ";
	char strategy[sizeof(info->strategy)];
	char text[HEATMAP_TEXT] = "";
	size_t used = 0;

	if (server && peer && server != peer)
		used = (size_t)snprintf(text, sizeof(text),
					"endpoints: server over IPv%d, peer over IPv%d",
					server, peer);
	else if (server || peer)
		used = (size_t)snprintf(text, sizeof(text), "endpoints over IPv%d",
					peer ? peer : server);
	if (used)
		before = ", WireGuard: ";
	for (int e = 0; e < 2; e++) {
		if (!*ends[e]->host)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s",
					 before, names[e],
					 backend_name(ends[e]->backend));
		before = ", ";
	}
	describe_strategy(strategy, sizeof(strategy), info->strategy, anonymous);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				 used ? "; " : "", strategy);
	if (info->duration_ms)
		snprintf(text + used, sizeof(text) - used, ", %g s a test",
			 (double)info->duration_ms / 1000);
	text_copy(map->line[2], HEATMAP_TEXT, text);
}

static void describe_run(struct heatmap *map, const struct query_run *run,
			 bool anonymous)
{
	const struct run_info *info = &run->info;
	char at[CLOCK_ISO_SIZE];
	char planned[16] = "";

	describe_ends(map, info, anonymous);
	describe_tunnel(map, info, anonymous);
	clock_iso(info->started_at_ms, at);
	if (info->pairs_planned)
		snprintf(planned, sizeof(planned), " of %d", info->pairs_planned);
	snprintf(map->line[1], HEATMAP_TEXT,
		 "%.10s %.5s UTC, run %" PRId64
		 "%s%.*s%s, %s: %d%s measurement%s, %d failed",
		 at, at + 11, run->id, anonymous ? "" : " (", anonymous ? 0 : 8,
		 info->uuid, anonymous ? "" : ")", query_run_state(run), run->measured,
		 planned, *planned ? "s" : text_plural(run->measured), run->failed);
}

void heatmap_describe(const struct query_run *run, bool anonymous, struct heatmap *ret)
{
	memset(ret, 0, sizeof(*ret));
	describe_run(ret, run, anonymous);
}

static bool has_path(const struct heatmap *map)
{
	return map->path.dir[DIR_UPLOAD].count || map->path.dir[DIR_DOWNLOAD].count;
}

/* The ranges of a run that only probed may have too many MTUs to draw: then the path alone
 * is shown. */
static int add_maps(struct heatmap *map, const struct query_run *run,
		    struct visits *all, const struct heatmap_options *options,
		    struct err *err)
{
	struct err none = ERR_INIT;
	int r = make_axis(&map->server, &run->info.server_range, all, DIR_DOWNLOAD,
			  &none);

	if (r == 0)
		r = make_axis(&map->peer, &run->info.peer_range, all, DIR_UPLOAD,
			      &none);
	if (r == -ENODATA && has_path(map)) {
		map->server.count = 0;
		map->peer.count = 0;
		return 0;
	}
	if (r < 0)
		return err_set(err, r, "%s", none.text);
	if (add_panels(map, options) < 0)
		return -ENOMEM;
	r = fill_cells(map, all, err);
	for (int p = 0; p < map->panels; p++)
		heatmap_scale(map, p, &map->panel[p].low, &map->panel[p].high);
	return r;
}

static int load_map(struct query *query, const struct query_run *run,
		    const struct heatmap_options *options, struct heatmap *map,
		    struct err *err)
{
	cleanup_free struct row_visit *visit = NULL;
	struct evidence evidence;
	struct visits all = {0};
	int r = (options->latency ? query_latencies : query_pairs)(query, run->id,
								   add_pair, &all, err);

	visit = all.visit;
	evidence_init(&evidence);
	if (r == 0 && options->latency)
		r = check_latency(&all, err);
	if (r == 0)
		r = mark_recommended(query, run, map, &evidence, err);
	if (r == 0)
		r = add_path(query, run->id, &evidence, map, err);
	mark_current(map, &run->info);
	if (r == 0)
		r = add_maps(map, run, &all, options, err);
	return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
}

/* A log names no hosts: its file name distinguishes the pictures. */
static int name_log(struct query *query, int64_t run, struct heatmap *map,
		    struct err *err)
{
	cleanup_free char *text = NULL;
	char name[HEATMAP_TEXT / 2];
	const char *file;
	json_t *options;
	int r = query_options(query, run, &text, err);

	if (r < 0)
		return r;
	options = json_loads(text, 0, NULL);
	file = json_string_value(json_object_get(options, "file"));
	if (file) {
		const char *slash = strrchr(file, '/');

		copy_words(name, sizeof(name), slash ? slash + 1 : file);
		snprintf(map->line[0], HEATMAP_TEXT, "WireGuard MTUs: %s", name);
	}
	json_decref(options);
	return 0;
}

int heatmap_load(struct query *query, const struct query_run *run,
		 const struct heatmap_options *options, struct heatmap *ret,
		 struct err *err)
{
	struct heatmap map = {0};
	int r = load_map(query, run, options, &map, err);

	if (r == 0) {
		describe_run(&map, run, options->anonymous);
		if (strcmp(run->info.strategy, STRATEGY_IMPORTED) == 0 &&
		    !options->anonymous)
			r = name_log(query, run->id, &map, err);
	}
	if (r < 0) {
		heatmap_release(&map);
		return r;
	}
	*ret = map;
	return 0;
}
