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
	(TEST_STATUS_COUNT + 1 + FATE_COUNT + HEATMAP_MARKS + DIR_COUNT)

#define HEATMAP_MARGIN     20.0
#define HEATMAP_FONT_TITLE 15.0
#define HEATMAP_FONT_TEXT  11.0
#define HEATMAP_FONT_LABEL 10.0
/* The distance from a key's sign to its text. */
#define HEATMAP_SIGN 20.0

struct heatmap_layout {
	double width;
	double height;
	double cell; /* side of a cell */
	struct heatmap_rect map[HEATMAP_PANELS_MAX];
	struct heatmap_rect scale[HEATMAP_PANELS_MAX]; /* bar with the colours */
	int row_step; /* every row_step-th MTU has a label */
	int column_step;
	bool values; /* cells have room for their figures */
	struct heatmap_key key[HEATMAP_KEYS_MAX];
	int keys;
};

void heatmap_layout(const struct heatmap *map, struct heatmap_layout *ret);

/* An upper limit of the text's width in any usual font of that size. */
double heatmap_text_width(const char *text, double size);

/* Return the rate between two ticks of a panel's scale; the first tick is the multiple
 * at or above its low end. */
double heatmap_tick_bps(const struct heatmap_panel *panel);

#endif
