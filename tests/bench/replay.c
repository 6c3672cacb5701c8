/* SPDX-License-Identifier: MIT */
/*
 * replay: runs a plan over a recorded sweep, in nr-wg-mtu-finder's format, in place of
 * a network.
 *
 * usage: replay FILE.csv [--up BANDS] [--down BANDS] [--strategy smart|grid] [--seed N]
 *
 * recorded.h describes the answers to visits.
 *
 * BANDS, such as "1460:whole,1500:lost,65535:fragmented", is the fate of outer packets.
 * The search for bands runs over it. In a direction without BANDS, probes are filtered.
 * The tunnel is assumed to run over IPv4.
 *
 * The output is one JSON object. probes: sizes sent, both ways. predicted: the number
 * of pairs whose full-size segments are whole, and so on, by the recommendation's
 * bands. misclassified: pairs that are lost in the file and not in the prediction, or
 * the reverse. regret_pct: how far the recommended pair's recorded rates, added, are
 * below the median of all pairs that fit whole by BANDS, or, without BANDS for a
 * direction, of all pairs that work both ways; null if the pair was not recorded or
 * none is recommended.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/io.h"
#include "base/options.h"
#include "engine/plan_grid.h"
#include "engine/plan_smart.h"
#include "engine/recommend.h"
#include "netctl/bandfind.h"
#include "recorded.h"

#define MARGIN      0.05
#define ETHERNET    1500
#define ABOVE_OUTER 60

struct world {
	struct recorded sweep;
	struct path path; /* the path of BANDS */
	int probes;
};

struct arguments {
	const char *file;
	const char *bands[DIR_COUNT]; /* NULL: probes filtered */
	int strategy;                 /* index into strategies */
	uint64_t seed;
};

static const char *const strategies[] = {"smart", "grid", NULL};

/* --- probes --- */

/* Run the search for bands over a path of these bands. */
static void probe(struct world *w, enum direction dir, struct path_bands *ret)
{
	const struct path_bands *bands = &w->path.dir[dir];
	int top = w->sweep.server.max > w->sweep.peer.max ? w->sweep.server.max
							  : w->sweep.peer.max;
	struct bandfind_config config = {
		.min = w->path.overhead[dir] + MTU_MIN,
		.max = w->path.overhead[dir] + top,
		.sender_mtu = ETHERNET,
	};
	struct bandfind find;
	int sizes[BANDFIND_ROUND];
	int copies;
	int count;

	if (config.max < ETHERNET + ABOVE_OUTER)
		config.max = ETHERNET + ABOVE_OUTER;
	if (config.max > OUTER_SIZE_MAX)
		config.max = OUTER_SIZE_MAX;
	bandfind_init(&find, &config);
	while ((count = bandfind_next(&find, sizes, &copies)) > 0) {
		for (int i = 0; i < count; i++)
			bandfind_learn(&find, sizes[i],
				       path_bands_fate(bands, sizes[i]), copies,
				       copies);
	}
	bandfind_result(&find, ret);
	w->probes += find.sent;
}

static int read_bands(struct world *w, const struct arguments *args, struct err *err)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		w->path.overhead[dir] = PATH_OVERHEAD_IPV4;
		int r;

		if (!args->bands[dir])
			continue;
		r = path_bands_parse(args->bands[dir], &w->path.dir[dir], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the plan --- */

static int make_plan(const struct world *w, const struct arguments *args,
		     const struct path *found, struct plan **ret, struct err *err)
{
	if (strcmp(strategies[args->strategy], "grid") == 0)
		return plan_grid_new(
			&(struct plan_grid_options){
				.server = w->sweep.server,
				.peer = w->sweep.peer,
				.passes = 1,
				.order = GRID_SHUFFLED,
				.seed = args->seed,
			},
			ret, err);
	return plan_smart_new(
		&(struct plan_smart_options){
			.path = *found,
			.server = w->sweep.server,
			.peer = w->sweep.peer,
			.margin = MARGIN,
			.seed = args->seed,
		},
		ret, err);
}

/* Collect all visits of a plan; the caller frees *ret. */
static int drive(const struct world *w, struct plan *plan, struct measurement **ret,
		 size_t *ret_count)
{
	cleanup_free struct measurement *known = NULL;
	size_t count = 0;
	struct visit visit;

	while (plan_next(plan, &visit)) {
		struct measurement m;

		recorded_visit(&w->sweep, &visit, count + 1, &m);
		if (array_append(&known, &count, &m, sizeof(m)) < 0)
			return -ENOMEM;
		plan_learn(plan, &m);
	}
	*ret = known;
	*ret_count = count;
	known = NULL;
	return 0;
}

static int run_plan(struct world *w, const struct arguments *args,
		    struct recommendation *ret, struct err *err)
{
	struct path found = {.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};
	cleanup_free struct measurement *known = NULL;
	struct recommend_input input = {
		.server = w->sweep.server,
		.peer = w->sweep.peer,
		.margin = MARGIN,
	};
	struct plan *plan;
	int r;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (w->path.dir[dir].count)
			probe(w, (enum direction)dir, &found.dir[dir]);
	}
	r = make_plan(w, args, &found, &plan, err);
	if (r < 0)
		return r;
	r = drive(w, plan, &known, &input.count);
	plan_free(plan);
	input.path = found;
	input.m = known;
	if (r == 0)
		r = recommend_find(&input, ret);
	return r < 0 ? err_set(err, r, "out of memory for the visits") : 0;
}

/* --- quality of the result --- */

static json_t *count_fates(const struct world *w, const struct path *path,
			   enum direction dir)
{
	json_t *object = json_object();
	int count[FATE_COUNT] = {0};

	for (size_t i = 0; i < w->sweep.count; i++)
		count[pathmodel_predict(path, &w->sweep.cells[i].mtu, dir).tcp]++;
	for (int fate = FATE_WHOLE; fate < FATE_COUNT; fate++)
		json_object_set_new(object, fate_name((enum fate)fate),
				    json_integer(count[fate]));
	json_object_set_new(object, fate_name(FATE_UNKNOWN),
			    json_integer(count[FATE_UNKNOWN]));
	return object;
}

static int count_misclassified(const struct world *w, const struct path *path,
			       enum direction dir)
{
	int count = 0;

	for (size_t i = 0; i < w->sweep.count; i++) {
		bool lost = w->sweep.cells[i].rate[dir] <= 0;
		enum fate fate =
			pathmodel_predict(path, &w->sweep.cells[i].mtu, dir).tcp;

		count += lost != (fate == FATE_LOST);
	}
	return count;
}

/* True for a pair of the standard; it does not depend on the plan's results. */
static bool is_measure(const struct world *w, const struct recorded_cell *cell)
{
	if (w->path.dir[DIR_UPLOAD].count && w->path.dir[DIR_DOWNLOAD].count)
		return pathmodel_fits(&w->path, &cell->mtu);
	return cell->rate[DIR_UPLOAD] > 0 && cell->rate[DIR_DOWNLOAD] > 0;
}

static json_t *find_regret(const struct world *w, const struct mtu_pair *mtu)
{
	cleanup_free double *sums = calloc(w->sweep.count, sizeof(*sums));
	const struct recorded_cell *best = recorded_find(&w->sweep, mtu);
	double usual, share;
	size_t n = 0;

	for (size_t i = 0; sums && i < w->sweep.count; i++) {
		const struct recorded_cell *cell = &w->sweep.cells[i];

		if (is_measure(w, cell))
			sums[n++] = cell->rate[DIR_UPLOAD] + cell->rate[DIR_DOWNLOAD];
	}
	usual = n ? recorded_median(sums, n) : 0;
	if (!best || usual <= 0)
		return json_null();
	share = (best->rate[DIR_UPLOAD] + best->rate[DIR_DOWNLOAD]) / usual;
	return json_real(share < 1 ? 100 * (1 - share) : 0);
}

static json_t *make_report(const struct world *w, const struct recommendation *v)
{
	const struct mtu_pair *best = &v->recommended.mtu;
	json_t *pair = best->server ? json_pack("[i,i]", best->server, best->peer)
				    : json_null();

	return json_pack("{s:i, s:i, s:i, s:o, s:{s:o, s:o}, s:{s:i, s:i}, s:o}",
			 "pairs_total", (int)w->sweep.count, "probes", w->probes,
			 "tests", v->visits, "recommended", pair, "predicted", "up",
			 count_fates(w, &v->path, DIR_UPLOAD), "down",
			 count_fates(w, &v->path, DIR_DOWNLOAD), "misclassified", "up",
			 count_misclassified(w, &v->path, DIR_UPLOAD), "down",
			 count_misclassified(w, &v->path, DIR_DOWNLOAD), "regret_pct",
			 find_regret(w, best));
}

static int print_report(const struct world *w, const struct recommendation *v,
			struct err *err)
{
	json_t *report = make_report(w, v);
	int r = report ? json_dumpf(report, stdout,
				    JSON_INDENT(2) | JSON_REAL_PRECISION(4))
		       : -1;

	json_decref(report);
	if (r < 0 || putchar('\n') == EOF || fflush(stdout) == EOF)
		return err_set(err, -EIO, "cannot write the result");
	return 0;
}

static int replay(const struct arguments *args, struct err *err)
{
	struct world world = {.sweep.log = CSV_LOG_INIT};
	struct recommendation recommendation;
	int r = read_bands(&world, args, err);

	if (r == 0)
		r = recorded_load(args->file, &world.sweep, err);
	if (r == 0 && world.sweep.log.cut_line)
		fprintf(stderr, "replay: '%s': line %zu is half written: left out\n",
			args->file, world.sweep.log.cut_line);
	if (r == 0)
		r = run_plan(&world, args, &recommendation, err);
	if (r == 0)
		r = print_report(&world, &recommendation, err);
	recorded_release(&world.sweep);
	return r;
}

int main(int argc, char **argv)
{
	struct arguments args = {.seed = 1};
	const struct option_spec table[] = {
		{.name = "up", .kind = OPTION_STRING, .into = &args.bands[DIR_UPLOAD]},
		{.name = "down",
		 .kind = OPTION_STRING,
		 .into = &args.bands[DIR_DOWNLOAD]},
		{.name = "strategy",
		 .kind = OPTION_CHOICE,
		 .into = &args.strategy,
		 .choices = strategies},
		{.name = "seed", .kind = OPTION_U64, .into = &args.seed},
		{0},
	};
	struct err err = ERR_INIT;
	int count;

	if (options_parse(table, argc, argv, &count, &err) < 0 || count != 1) {
		fprintf(stderr,
			"replay: %s\nusage: replay FILE.csv [--up BANDS] [--down "
			"BANDS] [--strategy smart|grid] [--seed N]\n",
			err.text[0] ? err.text : "one FILE.csv is needed");
		return 2;
	}
	args.file = argv[1];
	if (replay(&args, &err) == 0)
		return 0;
	fprintf(stderr, "replay: %s\n", err.text);
	return 1;
}
