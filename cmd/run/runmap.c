/* SPDX-License-Identifier: MIT */
#include "cmd/run/runmap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/run/runpath.h"
#include "engine/pathmodel.h"
#include "report/heatmap_term.h"
#include "report/ruler_term.h"

/* The width of output that is no terminal. */
#define COLUMNS 80
/* Some 50 ms. */
#define GUESS_VISITS_MAX 4000

static void add_predictions(struct heatmap *map, const struct path *path,
			    enum direction dir)
{
	if (path->dir[dir].count == 0)
		return;
	for (int i = 0; i < map->server.count; i++) {
		for (int j = 0; j < map->peer.count; j++) {
			struct mtu_pair mtu = {map->server.mtu[i], map->peer.mtu[j]};

			heatmap_predict(map, dir, i, j,
					pathmodel_predict(path, &mtu, dir).tcp);
		}
	}
}

/* A direction known from rates alone has edges but no predictions; heatmap_load() adds its
 * edges where measurements contradict the probes. */
static int add_known(struct query *query, const struct query_run *run,
		     struct heatmap *map, struct err *err)
{
	struct runpath known;
	int r = runpath_read(query, run, GUESS_VISITS_MAX, &known, err);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	for (int i = 0; i < DIR_COUNT; i++) {
		enum direction dir = (enum direction)i;

		/* The marks of a direction without bands need it, too. */
		map->path.overhead[dir] = known.path.overhead[dir];
		if (map->edges_guessed[dir])
			continue;
		if (!known.guessed[dir]) {
			add_predictions(map, &known.path, dir);
			continue;
		}
		heatmap_add_edges(map, dir, known.path.overhead[dir],
				  &known.path.dir[dir]);
		map->edges_guessed[dir] = true;
	}
	return 0;
}

int runmap_load(struct query *query, const struct query_run *run,
		const struct heatmap_options *options, struct heatmap *ret,
		struct err *err)
{
	int r = heatmap_load(query, run, options, ret, err);

	if (r < 0)
		return r;
	r = add_known(query, run, ret, err);
	if (r < 0)
		heatmap_release(ret);
	return r;
}

static int terminal_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return COLUMNS;
}

static enum heatmap_colors terminal_colors(int fd)
{
	return heatmap_term_colors(isatty(fd), getenv("NO_COLOR"), getenv("TERM"),
				   getenv("COLORTERM"));
}

static bool terminal_glyphs(int fd)
{
	return isatty(fd) && heatmap_term_glyphs(getenv("LC_ALL"), getenv("LC_CTYPE"),
						 getenv("LANG"));
}

void runmap_print(const struct heatmap *map, int fd, FILE *out)
{
	heatmap_print(map, terminal_colors(fd), terminal_glyphs(fd),
		      terminal_columns(fd), out);
}

void runmap_print_path(const struct heatmap *map, int fd, FILE *out)
{
	struct ruler ruler;

	heatmap_ruler(map, &ruler);
	if (!ruler.to)
		return;
	fputc('\n', out);
	ruler_print(&ruler, terminal_colors(fd), terminal_glyphs(fd),
		    terminal_columns(fd), out);
}
