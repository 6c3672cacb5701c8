/* SPDX-License-Identifier: MIT */
/* A heatmap's cells: colours, hatches, figures; and their signs in the key. */
#include <math.h>
#include <stdio.h>

#include "report/colormap.h"
#include "report/heatmap_draw.h"

/* Cells below this size are small: they have no lines between them. */
#define CELL_SMALL    8
#define HATCH_SPACING 5
#define DOT_SPACING   6
#define DOT_LENGTH    0.02
#define LOST_SPACING  9
#define CROSS_ARM     1.6
#define FIGURE_SIZE   10
/* The colour of a predicted fate is fainter than any rate's. */
#define PREDICTED_OPACITY 0.25
/* If fewer than one small cell in this many was measured, each is drawn with larger
 * sides: a single small cell would not be visible. */
#define SCATTERED_BELOW 50
#define SCATTERED_SIDE  9
/* Figures are white on colours darker than this. */
#define LIGHT_FROM 0.5

/* The cells that a path consists of. */
struct choice {
	bool blank;     /* only cells without a measurement */
	bool predicted; /* cells with this prediction, else failed ones of this status */
	enum fate fate;
	enum test_status status;
};

static bool is_chosen(const struct choice *choice, const struct heatmap_cell *cell)
{
	if (choice->predicted)
		return cell->predicted == choice->fate &&
		       (!choice->blank || cell->kind == HEATMAP_BLANK);
	return cell->kind == HEATMAP_FAILED && cell->status == choice->status;
}

static bool same_rows(const struct heatmap *map, int panel, const struct choice *choice,
		      int a, int b)
{
	for (int j = 0; j < map->peer.count; j++) {
		if (is_chosen(choice, heatmap_at(map, panel, a, j)) !=
		    is_chosen(choice, heatmap_at(map, panel, b, j)))
			return false;
	}
	return true;
}

/* Add the chosen cells of `rows` rows that are like the i-th one. */
static bool add_rows(const struct heatmap_drawing *d, int panel,
		     const struct choice *choice, int i, int rows)
{
	const struct heatmap *map = d->map;
	const struct heatmap_rect *at = &d->layout->map[panel];
	double cell = d->layout->cell;
	bool any = false;
	int n = 0;

	for (int j = 0; j <= map->peer.count; j++) {
		if (j < map->peer.count &&
		    is_chosen(choice, heatmap_at(map, panel, i, j))) {
			n++;
			continue;
		}
		if (n > 0)
			cairo_rectangle(d->cr, at->x + (j - n) * cell,
					at->y + at->h - (i + rows) * cell, n * cell,
					rows * cell);
		any |= n > 0;
		n = 0;
	}
	return any;
}

/* Add the chosen cells to the path, adjacent ones as one rectangle: one for each cell makes
 * a large SVG. Return whether there is any. */
static bool cells_path(const struct heatmap_drawing *d, int panel,
		       const struct choice *choice)
{
	const struct heatmap *map = d->map;
	bool any = false;

	cairo_new_path(d->cr);
	for (int i = 0; i < map->server.count;) {
		int rows = 1;

		while (i + rows < map->server.count &&
		       same_rows(map, panel, choice, i, i + rows))
			rows++;
		any |= add_rows(d, panel, choice, i, rows);
		i += rows;
	}
	return any;
}

static void set_rate_color(cairo_t *cr, const struct heatmap_panel *panel,
			   int64_t value)
{
	struct colormap_color c = colormap_at(heatmap_fraction(panel, value));

	cairo_set_source_rgb(cr, c.red, c.green, c.blue);
}

/* As one image: an SVG of a square for each cell is large, and browsers are slow with it.
 * Its resolution is that of a PNG, so that no smoothing is needed. */
static void draw_rates(const struct heatmap_drawing *d, int panel)
{
	const struct heatmap *map = d->map;
	const struct heatmap_rect *at = &d->layout->map[panel];
	int side = (int)d->layout->cell * 2;
	cairo_surface_t *image = cairo_image_surface_create(
		CAIRO_FORMAT_ARGB32, map->peer.count * side, map->server.count * side);
	cairo_t *cr = cairo_create(image);

	cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
	for (int i = 0; i < map->server.count; i++) {
		for (int j = 0; j < map->peer.count; j++) {
			const struct heatmap_cell *cell = heatmap_at(map, panel, i, j);

			if (cell->kind != HEATMAP_MEASURED)
				continue;
			set_rate_color(cr, &map->panel[panel], cell->value);
			cairo_rectangle(cr, j * side,
					(map->server.count - 1 - i) * side, side, side);
			cairo_fill(cr);
		}
	}
	cairo_destroy(cr);
	cairo_save(d->cr);
	cairo_translate(d->cr, at->x, at->y);
	cairo_scale(d->cr, 0.5, 0.5);
	cairo_set_source_surface(d->cr, image, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(d->cr), CAIRO_FILTER_NEAREST);
	cairo_paint(d->cr);
	cairo_restore(d->cr);
	cairo_surface_destroy(image);
}

/* Hatch a rectangle with lines of one direction: dx, dy lead from their left to their
 * right end. */
static void hatch_lines(cairo_t *cr, const struct heatmap_rect *at, int slope)
{
	double side = fmax(at->w, at->h);

	for (int line = 0; line * HATCH_SPACING <= 2 * side; line++) {
		double o = line * HATCH_SPACING;

		if (slope == 0) {
			cairo_move_to(cr, at->x, at->y + o + 2.5);
			cairo_line_to(cr, at->x + at->w, at->y + o + 2.5);
		} else if (slope > 0) {
			cairo_move_to(cr, at->x, at->y + o);
			cairo_line_to(cr, at->x + o, at->y);
		} else {
			cairo_move_to(cr, at->x, at->y + side - o);
			cairo_line_to(cr, at->x + o, at->y + side);
		}
	}
}

static void upright_lines(cairo_t *cr, const struct heatmap_rect *at)
{
	for (int line = 0; line * HATCH_SPACING <= at->w; line++) {
		double o = line * HATCH_SPACING + 2.5;

		cairo_move_to(cr, at->x + o, at->y);
		cairo_line_to(cr, at->x + o, at->y + at->h);
	}
}

/* Fill the clip region. */
static void draw_hatch(cairo_t *cr, const struct heatmap_rect *at,
		       enum test_status status)
{
	cairo_set_source_rgb(cr, 0.94, 0.94, 0.94);
	cairo_paint(cr);
	switch (status) {
	case TEST_BLACKHOLE:
		hatch_lines(cr, at, 1);
		hatch_lines(cr, at, -1);
		break;
	case TEST_TIMEOUT:
		hatch_lines(cr, at, 1);
		break;
	case TEST_UNREACHABLE:
		hatch_lines(cr, at, -1);
		break;
	case TEST_REFUSED:
		hatch_lines(cr, at, 0);
		break;
	case TEST_OK:
	case TEST_ERROR:
	case TEST_STATUS_COUNT:
		upright_lines(cr, at);
		break;
	}
	cairo_set_source_rgb(cr, 0.35, 0.35, 0.35);
	cairo_set_line_width(cr, 0.9);
	cairo_stroke(cr);
}

/* A lattice of signs, whose first is half a spacing from the corner. */
struct lattice {
	double x;
	double y;
	double spacing;
	int columns;
	int rows;
};

/* A row of dots is one dashed line: drawn one by one, the dots of two maps are a megabyte
 * of SVG. */
static void draw_dots(cairo_t *cr, const struct lattice *l)
{
	const double dashes[] = {DOT_LENGTH, l->spacing - DOT_LENGTH};

	for (int row = 0; row < l->rows; row++) {
		cairo_move_to(cr, l->x, l->y + row * l->spacing);
		cairo_rel_line_to(cr, (l->columns - 1) * l->spacing + DOT_LENGTH, 0);
	}
	cairo_set_dash(cr, dashes, 2, 0);
}

/* The arms of one diagonal's crosses from a point of the lattice to the right, down or
 * up. */
static void add_diagonal(cairo_t *cr, const struct lattice *l, int column, int row,
			 int down)
{
	int rows = down > 0 ? l->rows - row : row + 1;
	int count = l->columns - column < rows ? l->columns - column : rows;
	double length = (count - 1) * l->spacing + 2 * CROSS_ARM;

	cairo_move_to(cr, l->x + column * l->spacing - CROSS_ARM,
		      l->y + row * l->spacing - down * CROSS_ARM);
	cairo_rel_line_to(cr, length, down * length);
}

/* The same for crosses, by the diagonals of the lattice. */
static void draw_crosses(cairo_t *cr, const struct lattice *l)
{
	const double dashes[] = {
		2 * CROSS_ARM * M_SQRT2,
		(l->spacing - 2 * CROSS_ARM) * M_SQRT2,
	};

	for (int column = 0; column < l->columns; column++) {
		add_diagonal(cr, l, column, 0, 1);
		add_diagonal(cr, l, column, l->rows - 1, -1);
	}
	for (int row = 1; row < l->rows; row++) {
		add_diagonal(cr, l, 0, row, 1);
		add_diagonal(cr, l, 0, l->rows - 1 - row, -1);
	}
	cairo_set_dash(cr, dashes, 2, 0);
}

/* Dots where the model predicts fragments, crosses where it predicts loss. Not stroked
 * yet. */
static void faint_path(cairo_t *cr, const struct heatmap_rect *at, enum fate fate)
{
	double spacing = fate == FATE_LOST ? LOST_SPACING : DOT_SPACING;
	const struct lattice lattice = {
		.x = at->x + spacing / 2,
		.y = at->y + spacing / 2,
		.spacing = spacing,
		.columns = (int)ceil(at->w / spacing),
		.rows = (int)ceil(at->h / spacing),
	};

	if (fate == FATE_LOST)
		draw_crosses(cr, &lattice);
	else
		draw_dots(cr, &lattice);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
}

/* Dark strokes within light ones are visible on any colour. */
static void draw_faint(cairo_t *cr, const struct heatmap_rect *at, enum fate fate)
{
	faint_path(cr, at, fate);
	cairo_set_source_rgba(cr, 1, 1, 1, 0.55);
	cairo_set_line_width(cr, 2);
	cairo_stroke_preserve(cr);
	cairo_set_source_rgba(cr, 0, 0, 0, 0.5);
	cairo_set_line_width(cr, 0.9);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
}

static void set_fate_color(cairo_t *cr, enum fate fate, double opacity)
{
	unsigned rgb = fate_signs[fate].rgb;

	cairo_set_source_rgba(cr, (rgb >> 16) / 255.0, (rgb >> 8 & 0xff) / 255.0,
			      (rgb & 0xff) / 255.0, opacity);
}

/* The pattern on the fate's own colour: light on dark, dark on light. */
static void draw_strong(cairo_t *cr, const struct heatmap_rect *at, enum fate fate)
{
	double ink = fate == FATE_LOST;

	faint_path(cr, at, fate);
	cairo_set_source_rgb(cr, ink, ink, ink);
	cairo_set_line_width(cr, fate == FATE_LOST ? 1.2 : 2.2);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
}

void heatmap_draw_fate(cairo_t *cr, const struct heatmap_rect *at, enum fate fate,
		       double opacity)
{
	cairo_save(cr);
	cairo_rectangle(cr, at->x, at->y, at->w, at->h);
	cairo_clip(cr);
	set_fate_color(cr, fate, opacity);
	cairo_paint(cr);
	if (fate == FATE_FRAGMENTED || fate == FATE_LOST) {
		if (opacity < 1)
			draw_faint(cr, at, fate);
		else
			draw_strong(cr, at, fate);
	}
	cairo_restore(cr);
}

static void draw_failures(const struct heatmap_drawing *d, int panel)
{
	for (int s = TEST_OK + 1; s < TEST_STATUS_COUNT; s++) {
		struct choice failed = {.status = (enum test_status)s};

		cairo_save(d->cr);
		if (cells_path(d, panel, &failed)) {
			cairo_clip(d->cr);
			draw_hatch(d->cr, &d->layout->map[panel], failed.status);
		}
		cairo_restore(d->cr);
	}
}

/* Cells that were not measured have the fate's faint colour, all cells its pattern. */
static void draw_predictions(const struct heatmap_drawing *d, int panel)
{
	for (int f = FATE_WHOLE; f <= FATE_LOST; f++) {
		struct choice choice = {
			.blank = true, .predicted = true, .fate = (enum fate)f};

		if (cells_path(d, panel, &choice)) {
			set_fate_color(d->cr, choice.fate, PREDICTED_OPACITY);
			cairo_fill(d->cr);
		}
		choice.blank = false;
		cairo_save(d->cr);
		if (f != FATE_WHOLE && cells_path(d, panel, &choice)) {
			cairo_clip(d->cr);
			draw_faint(d->cr, &d->layout->map[panel], choice.fate);
		}
		cairo_restore(d->cr);
	}
	cairo_new_path(d->cr);
}

static void draw_grid(const struct heatmap_drawing *d, const struct heatmap_rect *at)
{
	double cell = d->layout->cell;

	for (int i = 1; i < d->map->server.count; i++) {
		cairo_move_to(d->cr, at->x, at->y + i * cell);
		cairo_line_to(d->cr, at->x + at->w, at->y + i * cell);
	}
	for (int j = 1; j < d->map->peer.count; j++) {
		cairo_move_to(d->cr, at->x + j * cell, at->y);
		cairo_line_to(d->cr, at->x + j * cell, at->y + at->h);
	}
	cairo_set_source_rgb(d->cr, 0.88, 0.88, 0.88);
	cairo_set_line_width(d->cr, 0.5);
	cairo_stroke(d->cr);
}

static void draw_figures(const struct heatmap_drawing *d, int panel)
{
	const struct heatmap *map = d->map;
	const struct heatmap_rect *at = &d->layout->map[panel];
	const struct heatmap_unit unit = heatmap_unit(&map->panel[panel]);
	double cell = d->layout->cell;

	cairo_set_font_size(d->cr, FIGURE_SIZE);
	for (int i = 0; i < map->server.count; i++) {
		for (int j = 0; j < map->peer.count; j++) {
			const struct heatmap_cell *c = heatmap_at(map, panel, i, j);
			double ink = heatmap_fraction(&map->panel[panel], c->value) <
				     LIGHT_FROM;
			double figure = (double)c->value / unit.size;
			char text[24];

			if (c->kind != HEATMAP_MEASURED)
				continue;
			snprintf(text, sizeof(text), "%.*f",
				 figure < 0.9995  ? 2
				 : figure < 99.95 ? 1
						  : 0,
				 figure);
			cairo_set_source_rgb(d->cr, ink, ink, ink);
			heatmap_draw_text(d->cr, text, at->x + (j + 0.5) * cell,
					  at->y + at->h - (i + 0.5) * cell + 4,
					  HEATMAP_CENTER, cell - 4);
		}
	}
}

static bool is_scattered(const struct heatmap_drawing *d, int panel)
{
	int count = d->map->server.count * d->map->peer.count;
	int measured = 0;

	for (int i = 0; i < count; i++)
		measured += d->map->panel[panel].cells[i].kind != HEATMAP_BLANK;
	return d->layout->cell < CELL_SMALL && measured < count / SCATTERED_BELOW;
}

static void draw_scattered(const struct heatmap_drawing *d, int panel, int i, int j)
{
	const struct heatmap_cell *cell = heatmap_at(d->map, panel, i, j);
	const struct heatmap_rect *map = &d->layout->map[panel];
	struct heatmap_rect at = {
		map->x + (j + 0.5) * d->layout->cell - SCATTERED_SIDE / 2.0,
		map->y + map->h - (i + 0.5) * d->layout->cell - SCATTERED_SIDE / 2.0,
		SCATTERED_SIDE,
		SCATTERED_SIDE,
	};

	cairo_save(d->cr);
	cairo_rectangle(d->cr, at.x, at.y, at.w, at.h);
	cairo_clip(d->cr);
	if (cell->kind == HEATMAP_FAILED) {
		draw_hatch(d->cr, &at, cell->status);
	} else {
		set_rate_color(d->cr, &d->map->panel[panel], cell->value);
		cairo_paint(d->cr);
	}
	cairo_restore(d->cr);
}

static void draw_all_scattered(const struct heatmap_drawing *d, int panel)
{
	for (int i = 0; i < d->map->server.count; i++) {
		for (int j = 0; j < d->map->peer.count; j++) {
			if (heatmap_at(d->map, panel, i, j)->kind != HEATMAP_BLANK)
				draw_scattered(d, panel, i, j);
		}
	}
}

void heatmap_draw_cells(const struct heatmap_drawing *d, int panel)
{
	const struct heatmap_rect *at = &d->layout->map[panel];

	cairo_save(d->cr);
	cairo_set_antialias(d->cr, CAIRO_ANTIALIAS_NONE);
	draw_rates(d, panel);
	cairo_restore(d->cr);
	draw_failures(d, panel);
	draw_predictions(d, panel);
	if (is_scattered(d, panel))
		draw_all_scattered(d, panel);
	if (d->layout->cell >= CELL_SMALL)
		draw_grid(d, at);
	if (d->layout->values)
		draw_figures(d, panel);
}

void heatmap_draw_swatch(cairo_t *cr, const struct heatmap_key *key, double x, double y)
{
	struct heatmap_rect at = {x - 6, y - 6, 13, 12};

	cairo_save(cr);
	cairo_rectangle(cr, at.x, at.y, at.w, at.h);
	cairo_clip_preserve(cr);
	cairo_new_path(cr);
	if (key->kind == HEATMAP_KEY_FAILED)
		draw_hatch(cr, &at, (enum test_status)key->which);
	else if (key->kind == HEATMAP_KEY_PREDICTED)
		heatmap_draw_fate(cr, &at, (enum fate)key->which, PREDICTED_OPACITY);
	else if (key->kind == HEATMAP_KEY_FATE)
		heatmap_draw_fate(cr, &at, (enum fate)key->which, 1);
	cairo_restore(cr);
	cairo_set_source_rgb(cr, 0.5, 0.5, 0.5);
	cairo_set_line_width(cr, 1);
	cairo_rectangle(cr, at.x, at.y, at.w, at.h);
	cairo_stroke(cr);
}
