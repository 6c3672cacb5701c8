/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HEATMAP_LAYOUT_H
#define REPORT_HEATMAP_LAYOUT_H

#include "report/heatmap.h"

/*
 * The positions in a drawn heatmap: pure arithmetic without a font, so texts count as
 * wide as in a wide font. Units are those of the drawing (1/96 inch on paper, half a
 * pixel in a PNG), from the upper left corner.
 */

struct heatmap_rect {
	double x;
	double y;
	double w;
	double h;
};

enum heatmap_key_kind {
	HEATMAP_KEY_FAILED,    /* enum test_status in `which` */
	HEATMAP_KEY_BLANK,     /* not measured */
	HEATMAP_KEY_PREDICTED, /* enum fate in `which` */
	HEATMAP_KEY_MARK,      /* enum heatmap_mark_kind in `which` */
	HEATMAP_KEY_EDGES,     /* enum direction in `which` */
	HEATMAP_KEY_FATE,      /* a band of the ruler, enum fate in `which` */
};

/* Round MTUs are the multiples of one of these steps, ascending. */
#define HEATMAP_ROUND_STEPS 12
extern const int heatmap_round_steps[HEATMAP_ROUND_STEPS];

/* The labelled indices of an axis: its round MTUs where not all of them have room. */
#define HEATMAP_LABELS_MAX 256

struct heatmap_axis_labels {
	int count;
	int index[HEATMAP_LABELS_MAX];
};

/* The meaning of a pattern or sign in the maps. */
struct heatmap_key {
	enum heatmap_key_kind kind;
	int which;
	char text[224];
	double x; /* left end of the sign; the text is to its right */
	double y; /* the middle of the line */
};

#define HEATMAP_KEYS_MAX \
	(TEST_STATUS_COUNT + 1 + 2 * FATE_COUNT + HEATMAP_MARKS + DIR_COUNT)

#define HEATMAP_MARGIN      20.0
#define HEATMAP_FONT_ANSWER 21.0
#define HEATMAP_FONT_TITLE  15.0
#define HEATMAP_FONT_TEXT   11.0
#define HEATMAP_FONT_LABEL  10.0
/* The distance from a key's sign to its text. */
#define HEATMAP_SIGN 20.0

struct heatmap_layout {
	double width;
	double height;
	double cell;   /* side of a cell */
	double header; /* the middle of the first of the map's lines */
	struct ruler ruler;
	struct heatmap_rect bar[DIR_COUNT]; /* of the rulers, if there are any */
	struct heatmap_rect map[HEATMAP_PANELS_MAX];
	struct heatmap_rect scale[HEATMAP_PANELS_MAX]; /* bar with the colours */
	struct heatmap_axis_labels rows;
	struct heatmap_axis_labels columns;
	bool values; /* cells have room for their figures */
	/* Those of the ruler, which are below it, then those of the maps. */
	struct heatmap_key key[HEATMAP_KEYS_MAX];
	int keys;
	int ruler_keys;
};

void heatmap_layout(const struct heatmap *map, struct heatmap_layout *ret);

/* Choose labels of an axis that are `room` apart at least, with cells of this side. */
void heatmap_axis_labels(const struct heatmap_axis *axis, double cell, double room,
			 struct heatmap_axis_labels *ret);

/* An upper limit of the text's width in any usual font of that size. */
double heatmap_text_width(const char *text, double size);

/* A mark below a panel's scale. */
struct heatmap_tick {
	double x;
	double left; /* no text reaches beyond these */
	double right;
	char text[40]; /* "": there is no room for it between the others' */
};

#define HEATMAP_TICKS_MAX 16

/* The multiples of a round rate on a panel's scale, from its low end to its high one.
 * Returns how many there are. The last has the unit, and ends at its `right`; the others
 * stand around their `x`. */
int heatmap_ticks(const struct heatmap_panel *panel, const struct heatmap_rect *scale,
		  struct heatmap_tick ret[HEATMAP_TICKS_MAX]);

#endif
