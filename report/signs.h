/* SPDX-License-Identifier: MIT */
#ifndef REPORT_SIGNS_H
#define REPORT_SIGNS_H

#include "base/path.h"

/*
 * The signs of marked pairs, the same in every map: PNG, SVG, share, terminal and page.
 * This list is the only one. The page gets it with the facts of a run
 * (report/live_facts.c).
 *
 * X(KIND, name, label, shape, letter, glyph): the name is that of JSON, the label stands in
 * the legend, the shape is drawn. A terminal has the glyph, or the letter where it cannot
 * print that.
 */
#define SIGN_LIST(X)                                                                 \
	X(CURRENT, "current", "current (before the run)", RING, "c", "\xe2\x97\x8b") \
	X(FASTEST, "fastest", "fastest measured", DIAMOND, "f", "\xe2\x97\x87")      \
	X(RECOMMENDED, "recommended", "recommended", FRAME, "r", "\xe2\x96\xa1")

/* The shapes: X(KIND, name). The page draws them by their names. */
#define SIGN_SHAPES(X)        \
	X(RING, "ring")       \
	X(DIAMOND, "diamond") \
	X(FRAME, "frame")

#define SIGN_SHAPE_ENUM(kind, name) SIGN_##kind,
enum sign_shape { SIGN_SHAPES(SIGN_SHAPE_ENUM) };

#define SIGN_KIND_ENUM(kind, ...) HEATMAP_##kind,
enum heatmap_mark_kind { SIGN_LIST(SIGN_KIND_ENUM) HEATMAP_MARKS };

struct sign {
	const char *name;
	const char *label;
	enum sign_shape shape;
	const char *letter;
	const char *glyph; /* UTF-8 */
};

extern const struct sign signs[HEATMAP_MARKS];

/*
 * How the fate of packets is shown on rulers, and faintly in cells that were not measured.
 * The colours differ in lightness, and each but that of whole packets has a pattern, so
 * that they read in grey: dots for fragments, crosses for losses.
 *
 * X(FATE, label, rgb, xterm, letter, glyph), in the order of legends: `xterm` is of 256
 * colours.
 */
#define FATE_SIGN_LIST(X)                                                         \
	X(WHOLE, "arrives whole", 0x57a6a1, 73, "=", "\xe2\x94\x81")              \
	X(FRAGMENTED, "arrives in fragments", 0xf0c75e, 221, "-", "\xe2\x95\x8c") \
	X(LOST, "lost", 0xb5483f, 131, "x", "\xc3\x97")                           \
	X(UNKNOWN, "not known", 0xdddddd, 252, "?", "?")

struct fate_sign {
	const char *label;
	unsigned rgb;
	int xterm;
	const char *letter;
	const char *glyph; /* UTF-8 */
};

extern const struct fate_sign fate_signs[FATE_COUNT];
/* In the order of legends. */
extern const enum fate fate_legend[FATE_COUNT];

/* "ring". Static. */
const char *sign_shape_name(enum sign_shape shape);

#endif
