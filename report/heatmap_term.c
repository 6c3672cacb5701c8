/* SPDX-License-Identifier: MIT */
#include "report/heatmap_term.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "report/colormap.h"
#include "report/heatmap_layout.h"
#include "report/ruler_term.h"

#define LABEL      6 /* columns of a server MTU and a space */
#define CELL       2
#define LIGHT_FROM 0.5
#define RESET      "\033[0m"

/* The indices of an axis that are printed. */
struct shown {
	int count;
	int index[HEATMAP_AXIS_MAX];
};

/* The most MTUs that are shown for predictions alone, and their least step. */
#define ROUND_MAX 16
#define ROUND_MIN 10

struct printing {
	const struct heatmap *map;
	enum heatmap_colors colors;
	bool glyphs;
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

typedef bool measured_fn(const struct printing *p, int i);

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

static bool any_predicted(const struct printing *p)
{
	int count = p->map->server.count * p->map->peer.count;

	for (int i = 0; i < count; i++) {
		if (p->map->panel[p->panel].cells[i].predicted != FATE_UNKNOWN)
			return true;
	}
	return false;
}

/* The measured indices, and those of multiples of the step unless that is 0. */
static void choose_some(const struct printing *p, const struct heatmap_axis *axis,
			int step, measured_fn *measured, struct shown *ret)
{
	ret->count = 0;
	for (int i = 0; i < axis->count; i++) {
		if (measured(p, i) || (step && axis->mtu[i] % step == 0))
			ret->index[ret->count++] = i;
	}
}

/* Choose all indices of an axis, or those measured with round MTUs for the predictions
 * between them, or every n-th of these. */
static void choose_shown(const struct printing *p, const struct heatmap_axis *axis,
			 int room, measured_fn *measured, struct shown *ret)
{
	int step;
	int kept = 0;

	ret->count = 0;
	for (int i = 0; axis->count <= room && i < axis->count; i++)
		ret->index[ret->count++] = i;
	if (axis->count <= room)
		return;
	choose_some(p, axis, 0, measured, ret);
	if (ret->count == 0 || any_predicted(p)) {
		int least = ret->count + ROUND_MAX < room ? ret->count + ROUND_MAX
							  : room;
		struct shown more = {.count = INT_MAX};

		for (int i = 0; i < HEATMAP_ROUND_STEPS && more.count > least; i++) {
			if (heatmap_round_steps[i] >= ROUND_MIN)
				choose_some(p, axis, heatmap_round_steps[i], measured,
					    &more);
		}
		if (more.count <= least)
			*ret = more;
	}
	if (ret->count == 0) { /* no round MTU, and none measured */
		for (int i = 0; i < axis->count; i++)
			ret->index[ret->count++] = i;
	}
	step = (ret->count + room - 1) / room;
	for (int i = 0; i < ret->count; i += step)
		ret->index[kept++] = ret->index[i];
	ret->count = kept;
}

/* Return the nearest of the cube's levels, which are 0, 95, 135, 175, 215 and 255. */
static int cube_level(double channel)
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
			16 + 36 * cube_level(c.red) + 6 * cube_level(c.green) +
				cube_level(c.blue));
}

static bool has_word(const char *text, const char *word)
{
	return text && strcasestr(text, word);
}

bool heatmap_term_glyphs(const char *lc_all, const char *lc_ctype, const char *lang)
{
	const char *locale = lc_all && *lc_all       ? lc_all
			     : lc_ctype && *lc_ctype ? lc_ctype
						     : lang;

	return has_word(locale, "utf-8") || has_word(locale, "utf8");
}

static const char *sign_text(const struct printing *p, int mark)
{
	return p->glyphs ? signs[mark].glyph : signs[mark].letter;
}

/* One column. */
static const char *mark_text(const struct printing *p, int i, int j)
{
	const char *text = " ";

	for (int m = 0; m < HEATMAP_MARKS; m++) {
		const struct heatmap_mark *mark = &p->map->mark[m];

		if (mark->set && mark->mtu.server == p->map->server.mtu[i] &&
		    mark->mtu.peer == p->map->peer.mtu[j])
			text = *text == ' ' ? sign_text(p, m) : MARK_SHARED;
	}
	return text;
}

static char failed_letter(enum test_status status)
{
	static const char letters[TEST_STATUS_COUNT] = {
		[TEST_OK] = '?',          [TEST_BLACKHOLE] = 'B', [TEST_TIMEOUT] = 'T',
		[TEST_UNREACHABLE] = 'U', [TEST_REFUSED] = 'R',   [TEST_ERROR] = 'E',
	};

	return letters[status];
}

/* The letter of the predicted fate, also where signs are glyphs: each cell is two
 * columns, and letters differ more from the figures. */
static const char *predicted_letter(enum fate fate)
{
	return fate == FATE_FRAGMENTED || fate == FATE_LOST ? fate_signs[fate].letter
							    : ".";
}

static void print_cell(const struct printing *p, int i, int j)
{
	const struct heatmap_cell *cell = heatmap_at(p->map, p->panel, i, j);
	const char *mark = mark_text(p, i, j);
	double t;

	switch (cell->kind) {
	case HEATMAP_BLANK:
		fprintf(p->out, "%s%s", predicted_letter(cell->predicted), mark);
		return;
	case HEATMAP_FAILED:
		fprintf(p->out, "%c%s", failed_letter(cell->status), mark);
		return;
	case HEATMAP_MEASURED:
		break;
	}
	t = heatmap_fraction(&p->map->panel[p->panel], cell->value);
	if (p->colors == HEATMAP_LETTERS) {
		fprintf(p->out, "%d%s", (int)fmin(t * 10, 9), mark);
		return;
	}
	set_colors(p, t);
	fprintf(p->out, " %s" RESET, mark);
}

/* Print the digits below one another: an MTU is wider than its column. */
static void print_peer_mtus(const struct printing *p)
{
	const struct shown *shown = &p->columns;
	int largest = p->map->peer.mtu[shown->index[shown->count - 1]];
	bool wide = largest > 9999 && largest != MTU_UNKNOWN;

	for (int power = wide ? 10000 : 1000; power > 0; power /= 10) {
		fprintf(p->out, "%*s", LABEL, power == 1 ? "peer " : "");
		for (int c = 0; c < p->columns.count; c++) {
			int mtu = p->map->peer.mtu[p->columns.index[c]];
			char digit = (char)('0' + mtu / power % 10);

			if (mtu == MTU_UNKNOWN)
				digit = power == 1 ? '-' : ' ';
			fprintf(p->out, "%c%s", mtu < power ? ' ' : digit,
				c + 1 < p->columns.count ? " " : "");
		}
		fputc('\n', p->out);
	}
}

static void print_scale(const struct printing *p)
{
	const struct heatmap_panel *panel = &p->map->panel[p->panel];
	const struct heatmap_unit unit = heatmap_unit(panel);
	double low = (double)panel->low / unit.size;
	double high = (double)panel->high / unit.size;

	fprintf(p->out, "%*s", LABEL, "");
	if (p->colors == HEATMAP_LETTERS) {
		fprintf(p->out, "0: from %.4g, 9: up to %.4g %s\n", low, high,
			unit.name);
		return;
	}
	fprintf(p->out, "%.4g ", low);
	for (int i = 0; i < 8; i++) {
		set_colors(p, i / 7.0);
		fputc(' ', p->out);
	}
	fprintf(p->out, RESET " %.4g %s\n", high, unit.name);
}

static void print_panel(const struct printing *p)
{
	const struct heatmap *map = p->map;
	char server[MTU_TEXT_SIZE];

	fprintf(p->out, "\n%s\n", map->panel[p->panel].title);
	for (int r = p->rows.count - 1; r >= 0; r--) {
		int i = p->rows.index[r];

		fprintf(p->out, "%*s ", LABEL - 1,
			mtu_text(map->server.mtu[i], server));
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

void heatmap_print_wrapped(const char *text, int columns, FILE *out)
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

/* "": the key has no sign here. */
static void key_sign(const struct printing *p, const struct heatmap_key *key,
		     char ret[8])
{
	ret[0] = '\0';
	switch (key->kind) {
	case HEATMAP_KEY_FAILED:
		snprintf(ret, 8, "%c", failed_letter((enum test_status)key->which));
		break;
	case HEATMAP_KEY_BLANK:
		snprintf(ret, 8, ".");
		break;
	case HEATMAP_KEY_MARK:
		snprintf(ret, 8, "%s", sign_text(p, key->which));
		break;
	case HEATMAP_KEY_PREDICTED:
		/* A whole one looks like any that was not measured. */
		if (key->which != FATE_WHOLE)
			snprintf(ret, 8, "%s", predicted_letter((enum fate)key->which));
		break;
	case HEATMAP_KEY_EDGES:
	case HEATMAP_KEY_FATE:
		break;
	}
}

static bool has_shared_mark(const struct printing *p)
{
	for (int i = 0; i < p->map->server.count; i++) {
		for (int j = 0; j < p->map->peer.count; j++) {
			if (strcmp(mark_text(p, i, j), MARK_SHARED) == 0)
				return true;
		}
	}
	return false;
}

static void print_keys(const struct printing *p, int columns)
{
	struct heatmap_layout layout;

	heatmap_layout(p->map, &layout);
	fputc('\n', p->out);
	for (int k = 0; k < layout.keys; k++) {
		const struct heatmap_key *key = &layout.key[k];
		char text[sizeof(key->text) + 8];
		char sign[8];

		key_sign(p, key, sign);
		if (!sign[0])
			continue;
		snprintf(text, sizeof(text), "%s %s", sign, key->text);
		heatmap_print_wrapped(text, columns, p->out);
	}
	if (!has_shared_mark(p))
		return;
	fprintf(p->out, "%s more than one of", MARK_SHARED);
	for (int m = 0; m < HEATMAP_MARKS; m++)
		fprintf(p->out, "%s %s", m ? "," : "", sign_text(p, m));
	fputc('\n', p->out);
}

/* The recommendation comes first, then the path. */
static void print_answer(const struct printing *p, int columns)
{
	struct ruler ruler;

	heatmap_ruler(p->map, &ruler);
	if (p->map->answer[0])
		heatmap_print_wrapped(p->map->answer, columns, p->out);
	if (p->map->reason[0])
		heatmap_print_wrapped(p->map->reason, columns, p->out);
	if (p->map->answer[0] && ruler.to)
		fputc('\n', p->out);
	ruler_print(&ruler, p->colors, p->glyphs, columns, p->out);
	if (p->map->answer[0] || ruler.to)
		fputc('\n', p->out);
}

void heatmap_print(const struct heatmap *map, enum heatmap_colors colors, bool glyphs,
		   int columns, FILE *out)
{
	struct printing p = {
		.map = map, .colors = colors, .glyphs = glyphs, .out = out};
	int room;

	if (columns < HEATMAP_COLUMNS_MIN)
		columns = HEATMAP_COLUMNS_MIN;
	room = (columns - LABEL) / CELL;
	print_answer(&p, columns);
	for (int i = 0; i < HEATMAP_LINES; i++)
		heatmap_print_wrapped(map->line[i], columns, out);
	for (p.panel = 0; p.panel < map->panels; p.panel++) {
		choose_shown(&p, &map->server, room, row_measured, &p.rows);
		choose_shown(&p, &map->peer, room, column_measured, &p.columns);
		print_panel(&p);
	}
	print_keys(&p, columns);
}
