/* SPDX-License-Identifier: MIT */
#ifndef REPORT_RULER_H
#define REPORT_RULER_H

#include <stdbool.h>

#include "base/path.h"
#include "base/types.h"
#include "report/signs.h"

/*
 * The path as a ruler for each direction: bands of outer packet sizes with the same fate,
 * the edges between them, and the marked MTUs of the sender. Both rulers have one scale.
 * Plain values without I/O: heatmap_ruler() makes one of a run's map, and the renderers of
 * pictures, terminal and page draw it.
 *
 * Sizes are those of outer packets. The MTU beside a size is that of the sender whose
 * largest packet has this size: the size without the sender's overhead.
 */

/* The sizes from `from` to `to`, both included. */
struct ruler_band {
	int from;
	int to;
	enum fate fate;
};

struct ruler_dir {
	int overhead;
	bool guessed; /* inferred from throughput: the bands are not proved */
	bool doubted; /* nobody saw outer packets: whole ones may have been fragments */
	/* Within the range, ascending, without gaps. 0: nothing is known. */
	int bands;
	struct ruler_band band[PATH_BANDS_MAX];
	int mark[HEATMAP_MARKS]; /* as a size; 0: not set, or outside the range */
};

struct ruler {
	int from; /* multiples of `step` */
	int to;   /* 0: nothing is known of either direction, there is no ruler */
	int step;
	bool predicted; /* probes alone show the recommended pair to work */
	struct ruler_dir dir[DIR_COUNT];
};

struct ruler_facts {
	struct path path; /* overhead 0: unknown, as IPv4's */
	bool guessed[DIR_COUNT];
	struct mtu_pair mark[HEATMAP_MARKS]; /* 0, 0: not set */
	bool predicted;
};

/* The range has room for every edge and for the current and the recommended MTUs. The
 * fastest pair, which changes during a run, does not widen it. */
void ruler_make(const struct ruler_facts *facts, struct ruler *ret);

/* Return the place of a size, from 0 to 1. */
double ruler_place(const struct ruler *ruler, double size);

/* A size written beside the ruler. */
struct ruler_label {
	double at; /* the middle of its text, in the units of `width` */
	int size;
	bool edge; /* the largest size of a band, else a multiple of the step */
};

#define RULER_LABELS_MAX (PATH_BANDS_MAX + 64)

/* Place labels of this much room along a ruler of this width, ascending; the first and the
 * last may reach half of it beyond the ends. Edges come first and are moved apart where
 * they are close; multiples of the step take the room between them. Edges without room are
 * omitted. Returns the number of labels. */
int ruler_labels(const struct ruler *ruler, enum direction dir, double width,
		 double room, struct ruler_label ret[RULER_LABELS_MAX]);

/* True if a band has that fate: the legend explains it. */
bool ruler_has_fate(const struct ruler *ruler, enum fate fate);
/* "Upload, peer to server". Static. */
const char *ruler_title(enum direction dir);
/* What limits the proof of a direction's bands, as the end of a title: " (inferred from
 * throughput)"; "": nothing does. Static. */
const char *ruler_doubt(const struct ruler_dir *dir);

#endif
