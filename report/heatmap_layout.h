#ifndef REPORT_HEATMAP_LAYOUT_H
#define REPORT_HEATMAP_LAYOUT_H

#include "report/heatmap.h"

/*
 * Where everything of a drawn heatmap goes: pure arithmetic, without a font, so texts
 * are taken to be as wide as those of wide fonts. Units are those of the drawing (1/96
 * inch on paper, half a pixel in a PNG), from the upper left corner.
 */

struct heatmap_rect {
	double x;
	double y;
	double w;
	double h;
};

enum heatmap_key_kind {
	HEATMAP_KEY_FAILED,    /* which: enum test_status */
	HEATMAP_KEY_BLANK,     /* not measured */
	HEATMAP_KEY_PREDICTED, /* which: enum fate */
	HEATMAP_KEY_MARK,      /* which: enum heatmap_mark_kind */
	HEATMAP_KEY_EDGES,     /* which: enum direction */
};

/* What a pattern or sign in the maps means. */
struct heatmap_key {
	enum heatmap_key_kind kind;
	int which;
	char text[224];
	double x; /* of its sign; the text goes to the right of it */
	double y; /* the middle of its line */
};

#define HEATMAP_KEYS_MAX \
	(TEST_STATUS_COUNT + 1 + FATE_COUNT + HEATMAP_MARKS + DIR_COUNT)

#define HEATMAP_MARGIN     20.0
#define HEATMAP_FONT_TITLE 15.0
#define HEATMAP_FONT_TEXT  11.0
#define HEATMAP_FONT_LABEL 10.0
/* From a key's sign to its text. */
#define HEATMAP_SIGN 20.0

struct heatmap_layout {
	double width;
	double height;
	double cell; /* side of one */
	struct heatmap_rect map[HEATMAP_PANELS_MAX];
	struct heatmap_rect scale[HEATMAP_PANELS_MAX]; /* the colours' bar */
	int row_step; /* one MTU of so many has a label */
	int column_step;
	bool values; /* whether cells have room for their figures */
	struct heatmap_key key[HEATMAP_KEYS_MAX];
	int keys;
};

void heatmap_layout(const struct heatmap *map, struct heatmap_layout *ret);

/* No wider than that, in any usual font of that size. */
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
