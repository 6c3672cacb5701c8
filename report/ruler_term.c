/* SPDX-License-Identifier: MIT */
#include "report/ruler_term.h"

#include <math.h>
#include <string.h>

/* The name of a line; a label may reach into it from the right. */
#define NAME           10
#define OVERHANG       3
#define LEFT           (NAME + 1 + OVERHANG)
#define LABEL          7 /* columns of "[1460]" and a space */
#define RULER_LINE_MAX 1024
#define RESET          "\033[0m"

struct printing {
	const struct ruler *ruler;
	enum direction dir;
	enum heatmap_colors colors;
	bool glyphs;
	int width; /* columns of the bar */
	FILE *out;
};

static int column_of(const struct printing *p, double size)
{
	return (int)lround(ruler_place(p->ruler, size) * (p->width - 1));
}

/* A band narrower than a column has one nevertheless. */
static void choose_fates(const struct printing *p, enum fate ret[RULER_LINE_MAX])
{
	const struct ruler_dir *d = &p->ruler->dir[p->dir];
	int from = -1;

	for (int c = 0; c < p->width; c++)
		ret[c] = FATE_UNKNOWN;
	for (int b = 0; b < d->bands; b++) {
		from = (int)fmax(from + 1, column_of(p, d->band[b].from));
		for (int c = from; c < p->width; c++)
			ret[c] = d->band[b].fate;
	}
}

static void print_bar(const struct printing *p)
{
	enum fate fates[RULER_LINE_MAX];

	choose_fates(p, fates);
	fprintf(p->out, "%*s", LEFT, "");
	for (int c = 0; c < p->width; c++) {
		const struct fate_sign *sign = &fate_signs[fates[c]];

		if (p->colors != HEATMAP_LETTERS &&
		    (c == 0 || fates[c] != fates[c - 1]))
			fprintf(p->out, "\033[30;48;5;%dm", sign->xterm);
		fputs(p->glyphs ? sign->glyph : sign->letter, p->out);
	}
	fprintf(p->out, "%s\n", p->colors == HEATMAP_LETTERS ? "" : RESET);
}

/* Print sizes above the bar, or the MTUs beside them. */
static void print_labels(const struct printing *p, const char *name, int less)
{
	struct ruler_label labels[RULER_LABELS_MAX];
	int count = ruler_labels(p->ruler, p->dir, p->width - 1, LABEL, labels);
	char line[RULER_LINE_MAX];
	size_t used = (size_t)snprintf(line, sizeof(line), "%-*s", NAME, name);

	for (int i = 0; i < count; i++) {
		char text[16];
		int mtu = labels[i].size - less;
		int length = snprintf(text, sizeof(text),
				      labels[i].edge ? "[%d]" : "%d", mtu);
		int from = LEFT + (int)lround(labels[i].at) - length / 2;

		if (mtu < 0)
			continue;
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%*s%s",
					 from - (int)used, "", text);
	}
	fprintf(p->out, "%s\n", line);
}

static const char *mark_sign(const struct printing *p, int mark)
{
	return p->glyphs ? signs[mark].glyph : signs[mark].letter;
}

/* Return the sign below a column of a direction's bar; " ": there is none. */
static const char *sign_at(const struct printing *p, int dir, int column)
{
	const int *mark = p->ruler->dir[dir].mark;
	const char *sign = " ";

	for (int m = 0; m < HEATMAP_MARKS; m++) {
		if (mark[m] && column_of(p, mark[m]) == column)
			sign = *sign == ' ' ? mark_sign(p, m) : MARK_SHARED;
	}
	return sign;
}

static void print_marks(const struct printing *p)
{
	const int *mark = p->ruler->dir[p->dir].mark;
	int last = -1;

	for (int m = 0; m < HEATMAP_MARKS; m++) {
		if (mark[m])
			last = (int)fmax(last, column_of(p, mark[m]));
	}
	if (last < 0)
		return;
	fprintf(p->out, "%*s", LEFT, "");
	for (int c = 0; c <= last; c++)
		fputs(sign_at(p, p->dir, c), p->out);
	fputc('\n', p->out);
}

static bool has_shared_mark(const struct printing *p)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		for (int c = 0; c < p->width; c++) {
			if (strcmp(sign_at(p, d, c), MARK_SHARED) == 0)
				return true;
		}
	}
	return false;
}

static void append(char line[RULER_LINE_MAX], const char *sign, const char *text,
		   const char *more)
{
	size_t used = strlen(line);

	snprintf(line + used, RULER_LINE_MAX - used, "%s%s %s%s", used ? ", " : "",
		 sign, text, more);
}

/* "= arrives whole, x lost", and the marks. */
static void print_legend(const struct printing *p, int columns)
{
	char line[RULER_LINE_MAX] = "";

	for (int f = 0; f < FATE_COUNT; f++) {
		const struct fate_sign *sign = &fate_signs[fate_legend[f]];

		if (ruler_has_fate(p->ruler, fate_legend[f]))
			append(line, p->glyphs ? sign->glyph : sign->letter,
			       sign->label, "");
	}
	for (int m = 0; m < HEATMAP_MARKS; m++) {
		bool predicted = m == HEATMAP_RECOMMENDED && p->ruler->predicted;

		if (p->ruler->dir[DIR_UPLOAD].mark[m] ||
		    p->ruler->dir[DIR_DOWNLOAD].mark[m])
			append(line, mark_sign(p, m), signs[m].label,
			       predicted ? " (predicted)" : "");
	}
	if (has_shared_mark(p))
		append(line, MARK_SHARED, "more than one of these", "");
	fputc('\n', p->out);
	heatmap_print_wrapped(line, columns, p->out);
}

static void print_title(const struct printing *p, int columns)
{
	char line[RULER_LINE_MAX];

	snprintf(line, sizeof(line), "%s%s", ruler_title(p->dir),
		 ruler_doubt(&p->ruler->dir[p->dir]));
	if (p->dir > 0)
		fputc('\n', p->out);
	heatmap_print_wrapped(line, columns, p->out);
}

void ruler_print(const struct ruler *ruler, enum heatmap_colors colors, bool glyphs,
		 int columns, FILE *out)
{
	struct printing p = {
		.ruler = ruler, .colors = colors, .glyphs = glyphs, .out = out};

	if (!ruler->to)
		return;
	if (columns > RULER_LINE_MAX - 1)
		columns = RULER_LINE_MAX - 1;
	if (columns < HEATMAP_COLUMNS_MIN)
		columns = HEATMAP_COLUMNS_MIN;
	p.width = columns - LEFT - OVERHANG;
	for (int d = 0; d < DIR_COUNT; d++) {
		const struct ruler_dir *dir = &ruler->dir[d];
		char name[NAME + 1];

		p.dir = (enum direction)d;
		print_title(&p, columns);
		print_labels(&p, "outer size", 0);
		print_bar(&p);
		print_marks(&p);
		snprintf(name, sizeof(name), "%s MTU", direction_sender(p.dir));
		print_labels(&p, name, dir->overhead);
	}
	print_legend(&p, columns);
}
