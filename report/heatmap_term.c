/* SPDX-License-Identifier: MIT */
#include "report/heatmap_term.h"

#include <math.h>
#include <string.h>

#include "report/colormap.h"
#include "report/heatmap_layout.h"

#define LABEL       6 /* columns of a server MTU and a space */
#define CELL        2
#define COLUMNS_MIN 40
#define LIGHT_FROM  0.5
#define RESET       "\033[0m"

/* The indices of an axis that are printed. */
struct shown {
	int count;
	int index[HEATMAP_AXIS_MAX];
};

struct printing {
	const struct heatmap *map;
	enum heatmap_colors colors;
	FILE *out;
	int panel;
	struct shown rows;
	struct shown columns;
};

enum heatmap_colors heatmap_term_colors(bool is_terminal, const char *no_color,
					const char *term, const char *colorterm)
{
	if (!is_terminal || (no_color && *no_color) || !term || !*term ||
	    strcmp(term, "dumb") == 0)
		return HEATMAP_LETTERS;
	if (colorterm &&
	    (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0))
		return HEATMAP_TRUE;
	return strstr(term, "256color") ? HEATMAP_256 : HEATMAP_LETTERS;
}

static bool row_measured(const struct printing *p, int i)
{
	for (int j = 0; j < p->map->peer.count; j++) {
		if (heatmap_at(p->map, p->panel, i, j)->kind != HEATMAP_BLANK)
			return true;
	}
	return false;
}

static bool column_measured(const struct printing *p, int j)
{
	for (int i = 0; i < p->map->server.count; i++) {
		if (heatmap_at(p->map, p->panel, i, j)->kind != HEATMAP_BLANK)
			return true;
	}
	return false;
}

/* Choose all indices of an axis, or those measured, or every n-th of these. */
static void choose(const struct printing *p, int count, int room,
		   bool (*measured)(const struct printing *p, int i), struct shown *ret)
{
	int step;
	int kept = 0;

	ret->count = 0;
	for (int i = 0; i < count; i++) {
		if (count <= room || measured(p, i))
			ret->index[ret->count++] = i;
	}
	if (ret->count == 0) { /* without measurements any index will do */
		for (int i = 0; i < count; i++)
			ret->index[ret->count++] = i;
	}
	step = (ret->count + room - 1) / room;
	for (int i = 0; i < ret->count; i += step)
		ret->index[kept++] = ret->index[i];
	ret->count = kept;
}

/* Return the nearest of the cube's levels, which are 0, 95, 135, 175, 215 and 255. */
static int cube(double channel)
{
	double value = channel * 255;

	if (value < 115)
		return value < 48 ? 0 : 1;
	return (int)((value - 35) / 40);
}

static void set_colors(const struct printing *p, double t)
{
	struct colormap_color c = colormap_at(t);
	const char *ink = t < LIGHT_FROM ? "97" : "30";

	if (p->colors == HEATMAP_TRUE)
		fprintf(p->out, "\033[%s;48;2;%.0f;%.0f;%.0fm", ink, c.red * 255,
			c.green * 255, c.blue * 255);
	else
		fprintf(p->out, "\033[%s;48;5;%dm", ink,
			16 + 36 * cube(c.red) + 6 * cube(c.green) + cube(c.blue));
}

static const char mark_letters[HEATMAP_MARKS] = {
	[HEATMAP_CURRENT] = 'c',
	[HEATMAP_FASTEST] = 'f',
	[HEATMAP_RECOMMENDED] = 'r',
};

#define MARK_SHARED '*'

static char mark_letter(const struct heatmap *map, int i, int j)
{
	char letter = ' ';

	for (int m = 0; m < HEATMAP_MARKS; m++) {
		const struct heatmap_mark *mark = &map->mark[m];

		if (mark->set && mark->mtu.server == map->server.mtu[i] &&
		    mark->mtu.peer == map->peer.mtu[j])
			letter = letter == ' ' ? mark_letters[m] : MARK_SHARED;
	}
	return letter;
}

static char failed_letter(enum test_status status)
{
	static const char letters[TEST_STATUS_COUNT] = {
		[TEST_OK] = '?',          [TEST_BLACKHOLE] = 'B', [TEST_TIMEOUT] = 'T',
		[TEST_UNREACHABLE] = 'U', [TEST_REFUSED] = 'R',   [TEST_ERROR] = 'E',
	};

	return letters[status];
}

static void print_cell(const struct printing *p, int i, int j)
{
	const struct heatmap_cell *cell = heatmap_at(p->map, p->panel, i, j);
	char mark = mark_letter(p->map, i, j);
	double t;

	switch (cell->kind) {
	case HEATMAP_BLANK:
		fprintf(p->out, ".%c", mark);
		return;
	case HEATMAP_FAILED:
		fprintf(p->out, "%c%c", failed_letter(cell->status), mark);
		return;
	case HEATMAP_RATE:
		break;
	}
	t = heatmap_fraction(&p->map->panel[p->panel], cell->rate_bps);
	if (p->colors == HEATMAP_LETTERS) {
		fprintf(p->out, "%d%c", (int)fmin(t * 10, 9), mark);
		return;
	}
	set_colors(p, t);
	fprintf(p->out, " %c" RESET, mark);
}

/* Print the digits below one another: an MTU is wider than its column. */
static void print_peer_mtus(const struct printing *p)
{
	const struct shown *shown = &p->columns;
	int largest = p->map->peer.mtu[shown->index[shown->count - 1]];

	for (int power = largest > 9999 ? 10000 : 1000; power > 0; power /= 10) {
		fprintf(p->out, "%*s", LABEL, power == 1 ? "peer " : "");
		for (int c = 0; c < p->columns.count; c++) {
			int mtu = p->map->peer.mtu[p->columns.index[c]];
			char digit = (char)('0' + mtu / power % 10);

			fprintf(p->out, "%c%s", mtu < power ? ' ' : digit,
				c + 1 < p->columns.count ? " " : "");
		}
		fputc('\n', p->out);
	}
}

static void print_scale(const struct printing *p)
{
	const struct heatmap_panel *panel = &p->map->panel[p->panel];
	double low = (double)panel->low_bps / 1e6;
	double high = (double)panel->high_bps / 1e6;

	fprintf(p->out, "%*s", LABEL, "");
	if (p->colors == HEATMAP_LETTERS) {
		fprintf(p->out, "0: from %.4g, 9: up to %.4g Mbit/s\n", low, high);
		return;
	}
	fprintf(p->out, "%.4g ", low);
	for (int i = 0; i < 8; i++) {
		set_colors(p, i / 7.0);
		fputc(' ', p->out);
	}
	fprintf(p->out, RESET " %.4g Mbit/s\n", high);
}

static void print_panel(const struct printing *p)
{
	const struct heatmap *map = p->map;

	fprintf(p->out, "\n%s\n", map->panel[p->panel].title);
	for (int r = p->rows.count - 1; r >= 0; r--) {
		int i = p->rows.index[r];

		fprintf(p->out, "%*d ", LABEL - 1, map->server.mtu[i]);
		for (int c = 0; c < p->columns.count; c++)
			print_cell(p, i, p->columns.index[c]);
		fputc('\n', p->out);
	}
	print_peer_mtus(p);
	print_scale(p);
	if (p->rows.count < map->server.count || p->columns.count < map->peer.count)
		fprintf(p->out, "Shown: %d of %d server MTUs,\n%d of %d peer MTUs\n",
			p->rows.count, map->server.count, p->columns.count,
			map->peer.count);
}

/* Break long lines at spaces. */
static void print_wrapped(const char *text, int columns, FILE *out)
{
	while ((int)strlen(text) > columns) {
		int n = columns;

		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0)
			n = columns;
		fprintf(out, "%.*s\n", n, text);
		text += n + (text[n] == ' ');
	}
	fprintf(out, "%s\n", text);
}

/* 0: the key has no letter here. */
static char key_letter(const struct heatmap_key *key)
{
	switch (key->kind) {
	case HEATMAP_KEY_FAILED:
		return failed_letter((enum test_status)key->which);
	case HEATMAP_KEY_BLANK:
		return '.';
	case HEATMAP_KEY_MARK:
		return mark_letters[key->which];
	case HEATMAP_KEY_PREDICTED:
	case HEATMAP_KEY_EDGES:
		break;
	}
	return 0;
}

static bool has_shared_mark(const struct heatmap *map)
{
	for (int i = 0; i < map->server.count; i++) {
		for (int j = 0; j < map->peer.count; j++) {
			if (mark_letter(map, i, j) == MARK_SHARED)
				return true;
		}
	}
	return false;
}

static void print_keys(const struct heatmap *map, int columns, FILE *out)
{
	struct heatmap_layout layout;

	heatmap_layout(map, &layout);
	fputc('\n', out);
	for (int k = 0; k < layout.keys; k++) {
		const struct heatmap_key *key = &layout.key[k];
		char letter = key_letter(key);
		char text[sizeof(key->text) + 2];

		if (letter) {
			snprintf(text, sizeof(text), "%c %s", letter, key->text);
			print_wrapped(text, columns, out);
		}
	}
	if (has_shared_mark(map))
		fprintf(out, "%c more than one of c, f, r\n", MARK_SHARED);
}

void heatmap_print(const struct heatmap *map, enum heatmap_colors colors, int columns,
		   FILE *out)
{
	struct printing p = {.map = map, .colors = colors, .out = out};
	int room;

	if (columns < COLUMNS_MIN)
		columns = COLUMNS_MIN;
	room = (columns - LABEL) / CELL;
	for (int i = 0; i < HEATMAP_LINES; i++)
		print_wrapped(map->line[i], columns, out);
	for (p.panel = 0; p.panel < map->panels; p.panel++) {
		choose(&p, map->server.count, room, row_measured, &p.rows);
		choose(&p, map->peer.count, room, column_measured, &p.columns);
		print_panel(&p);
	}
	print_keys(map, columns, out);
}
