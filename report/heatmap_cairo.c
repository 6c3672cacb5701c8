/* SPDX-License-Identifier: MIT */
/* The parts of the picture around the maps, and its files. */
#include "report/heatmap_cairo.h"

#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "report/colormap.h"
#include "report/heatmap_draw.h"
#include "report/svgsmall.h"

#define SCALE_STOPS 32

static void draw_answer(const struct heatmap_drawing *d)
{
	double width = d->layout->width - 2 * HEATMAP_MARGIN;
	double y = HEATMAP_MARGIN + HEATMAP_FONT_ANSWER / 2;

	heatmap_set_font(d->cr, HEATMAP_FONT_ANSWER, true);
	heatmap_draw_text(d->cr, d->map->answer, HEATMAP_MARGIN, y, HEATMAP_LEFT,
			  width);
	heatmap_set_font(d->cr, HEATMAP_FONT_TEXT, false);
	heatmap_draw_text(d->cr, d->map->reason, HEATMAP_MARGIN,
			  y + HEATMAP_FONT_ANSWER, HEATMAP_LEFT, width);
}

static void draw_header(const struct heatmap_drawing *d)
{
	double width = d->layout->width - 2 * HEATMAP_MARGIN;
	double y = d->layout->header;

	heatmap_set_font(d->cr, HEATMAP_FONT_TITLE, true);
	for (int i = 0; i < HEATMAP_LINES; i++) {
		heatmap_draw_text(d->cr, d->map->line[i], HEATMAP_MARGIN, y,
				  HEATMAP_LEFT, width);
		heatmap_set_font(d->cr, HEATMAP_FONT_TEXT, false);
		y += i == 0 ? 21 : 17;
	}
}

static void draw_axis_labels(const struct heatmap_drawing *d,
			     const struct heatmap_rect *at)
{
	const struct heatmap *map = d->map;
	const struct heatmap_axis_labels *rows = &d->layout->rows;
	const struct heatmap_axis_labels *columns = &d->layout->columns;
	double cell = d->layout->cell;
	char text[16];

	heatmap_set_font(d->cr, HEATMAP_FONT_LABEL, false);
	for (int l = 0; l < rows->count; l++) {
		int i = rows->index[l];

		mtu_text(map->server.mtu[i], text);
		heatmap_draw_text(d->cr, text, at->x - 6,
				  at->y + at->h - (i + 0.5) * cell, HEATMAP_RIGHT, 0);
	}
	for (int l = 0; l < columns->count; l++) {
		int j = columns->index[l];

		mtu_text(map->peer.mtu[j], text);
		heatmap_draw_text(d->cr, text, at->x + (j + 0.5) * cell,
				  at->y + at->h + 10, HEATMAP_CENTER, 0);
	}
}

static void draw_axis_names(const struct heatmap_drawing *d,
			    const struct heatmap_rect *at)
{
	heatmap_set_font(d->cr, HEATMAP_FONT_TEXT, false);
	heatmap_draw_text(d->cr, "peer MTU", at->x + at->w / 2, at->y + at->h + 26,
			  HEATMAP_CENTER, 0);
	cairo_save(d->cr);
	cairo_translate(d->cr, at->x - 50, at->y + at->h / 2);
	cairo_rotate(d->cr, -M_PI / 2);
	heatmap_draw_text(d->cr, "server MTU", 0, 0, HEATMAP_CENTER, 0);
	cairo_restore(d->cr);
}

static void draw_scale_bar(cairo_t *cr, const struct heatmap_rect *at)
{
	cairo_pattern_t *bar = cairo_pattern_create_linear(at->x, 0, at->x + at->w, 0);

	for (int i = 0; i <= SCALE_STOPS; i++) {
		double t = (double)i / SCALE_STOPS;
		struct colormap_color c = colormap_at(t);

		cairo_pattern_add_color_stop_rgb(bar, t, c.red, c.green, c.blue);
	}
	cairo_set_source(cr, bar);
	cairo_rectangle(cr, at->x, at->y, at->w, at->h);
	cairo_fill(cr);
	cairo_pattern_destroy(bar);
}

static void draw_scale(const struct heatmap_drawing *d, int panel)
{
	const struct heatmap_rect *at = &d->layout->scale[panel];
	struct heatmap_tick ticks[HEATMAP_TICKS_MAX];
	int count = heatmap_ticks(&d->map->panel[panel], at, ticks);

	draw_scale_bar(d->cr, at);
	heatmap_set_font(d->cr, HEATMAP_FONT_LABEL, false);
	cairo_set_line_width(d->cr, 1);
	for (int i = 0; i < count; i++) {
		bool last = i == count - 1;

		cairo_move_to(d->cr, ticks[i].x, at->y + at->h);
		cairo_line_to(d->cr, ticks[i].x, at->y + at->h + 4);
		cairo_stroke(d->cr);
		heatmap_draw_text(
			d->cr, ticks[i].text, last ? ticks[i].right : ticks[i].x,
			at->y + at->h + 12, last ? HEATMAP_RIGHT : HEATMAP_CENTER, 0);
	}
}

static void draw_panel(const struct heatmap_drawing *d, int panel)
{
	const struct heatmap_rect *at = &d->layout->map[panel];

	heatmap_set_font(d->cr, HEATMAP_FONT_LABEL, false);
	heatmap_draw_cells(d, panel);
	cairo_set_source_rgb(d->cr, 0.5, 0.5, 0.5);
	cairo_set_line_width(d->cr, 1);
	cairo_rectangle(d->cr, at->x - 0.5, at->y - 0.5, at->w + 1, at->h + 1);
	cairo_stroke(d->cr);
	draw_axis_labels(d, at);
	draw_axis_names(d, at);
	heatmap_set_font(d->cr, HEATMAP_FONT_LABEL, false);
	heatmap_draw_edges(d, panel);
	heatmap_draw_marks(d, panel);
	draw_scale(d, panel);
	heatmap_set_font(d->cr, HEATMAP_FONT_TEXT + 2, true);
	heatmap_draw_text(d->cr, d->map->panel[panel].title, at->x, at->y - 30,
			  HEATMAP_LEFT, d->layout->scale[panel].w);
}

static void draw_keys(const struct heatmap_drawing *d)
{
	const struct heatmap_layout *layout = d->layout;

	for (int k = 0; k < layout->keys; k++) {
		const struct heatmap_key *key = &layout->key[k];

		heatmap_draw_sign(d, key, key->x + 7, key->y);
		heatmap_set_font(d->cr, HEATMAP_FONT_TEXT, false);
		heatmap_draw_text(
			d->cr, key->text, key->x + HEATMAP_SIGN, key->y, HEATMAP_LEFT,
			layout->width - HEATMAP_MARGIN - HEATMAP_SIGN - key->x);
	}
}

static int draw_map(const struct heatmap *map, const struct heatmap_layout *layout,
		    cairo_surface_t *surface, struct err *err)
{
	struct heatmap_drawing d = {cairo_create(surface), map, layout};
	cairo_status_t status;

	cairo_set_source_rgb(d.cr, 1, 1, 1);
	cairo_paint(d.cr);
	draw_answer(&d);
	if (layout->ruler.to)
		heatmap_draw_rulers(&d);
	draw_header(&d);
	for (int p = 0; p < map->panels; p++)
		draw_panel(&d, p);
	draw_keys(&d);
	status = cairo_status(d.cr);
	cairo_destroy(d.cr);
	if (status == CAIRO_STATUS_SUCCESS)
		return 0;
	return err_set(err, status == CAIRO_STATUS_NO_MEMORY ? -ENOMEM : -EIO,
		       "cannot draw the heatmap: %s", cairo_status_to_string(status));
}

static cairo_status_t write_out(void *out, const unsigned char *data, unsigned int size)
{
	return fwrite(data, 1, size, out) == size ? CAIRO_STATUS_SUCCESS
						  : CAIRO_STATUS_WRITE_ERROR;
}

/* cairo's status after the last byte as a result; `error` is the errno of the write. */
static int write_result(cairo_status_t status, int error, struct err *err)
{
	if (status == CAIRO_STATUS_SUCCESS)
		return 0;
	if (status == CAIRO_STATUS_WRITE_ERROR)
		return err_sys(err, error ? error : EIO, "cannot write the heatmap");
	return err_set(err, status == CAIRO_STATUS_NO_MEMORY ? -ENOMEM : -EIO,
		       "cannot make the heatmap: %s", cairo_status_to_string(status));
}

const char *heatmap_cairo_version(void)
{
	return cairo_version_string();
}

int heatmap_write_png(const struct heatmap *map, FILE *out, struct err *err)
{
	struct heatmap_layout layout;
	cairo_surface_t *surface;
	cairo_status_t status;
	int r;

	heatmap_layout(map, &layout);
	surface = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)ceil(layout.width) * HEATMAP_PNG_SCALE,
		(int)ceil(layout.height) * HEATMAP_PNG_SCALE);
	cairo_surface_set_device_scale(surface, HEATMAP_PNG_SCALE, HEATMAP_PNG_SCALE);
	r = draw_map(map, &layout, surface, err);
	if (r == 0) {
		errno = 0;
		status = cairo_surface_write_to_png_stream(surface, write_out, out);
		if (status == CAIRO_STATUS_SUCCESS && fflush(out) == EOF)
			status = CAIRO_STATUS_WRITE_ERROR;
		r = write_result(status, errno, err);
	}
	cairo_surface_destroy(surface);
	return r;
}

/* Write the lines above the map and the keys below it as text. */
static void write_words(const struct heatmap *map, FILE *out)
{
	struct heatmap_layout layout;

	heatmap_layout(map, &layout);
	fputs("\n<title>", out);
	if (map->answer[0]) {
		text_put_markup(out, map->answer);
		fputs("; ", out);
	}
	for (int i = 0; i < HEATMAP_LINES; i++) {
		if (i > 0)
			fputs("; ", out);
		text_put_markup(out, map->line[i]);
	}
	fputs("</title>\n<desc>", out);
	for (int k = 0; k < layout.keys; k++) {
		if (k > 0)
			fputs("; ", out);
		text_put_markup(out, layout.key[k].text);
	}
	fputs("</desc>", out);
}

/* Write cairo's SVG, whose letters are shapes, with the words as text after its first
 * tag. */
static int write_described(const struct heatmap *map, const char *svg, size_t size,
			   FILE *out, struct err *err)
{
	const char *tag = strstr(svg, "<svg");
	const char *end = tag ? strchr(tag, '>') : NULL;

	if (!end)
		return err_set(err, -EIO, "cannot make the heatmap: no drawing");
	end++;
	errno = 0;
	fwrite(svg, 1, (size_t)(end - svg), out);
	write_words(map, out);
	svgsmall_write(end, size - (size_t)(end - svg), out);
	if (fflush(out) == EOF || ferror(out))
		return err_sys(err, errno ? errno : EIO, "cannot write the heatmap");
	return 0;
}

int heatmap_write_svg(const struct heatmap *map, FILE *out, struct err *err)
{
	cleanup_free char *svg = NULL;
	struct heatmap_layout layout;
	cairo_surface_t *surface;
	size_t size = 0;
	FILE *memory = open_memstream(&svg, &size);
	int r;

	if (!memory)
		return err_set(err, -ENOMEM, "out of memory");
	heatmap_layout(map, &layout);
	surface = cairo_svg_surface_create_for_stream(write_out, memory, layout.width,
						      layout.height);
	cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
	r = draw_map(map, &layout, surface, err);
	cairo_surface_finish(surface);
	if (r == 0)
		r = write_result(cairo_surface_status(surface), ENOMEM, err);
	cairo_surface_destroy(surface);
	if (fclose(memory) == EOF && r == 0)
		r = err_set(err, -ENOMEM, "out of memory");
	return r < 0 ? r : write_described(map, svg, size, out, err);
}
