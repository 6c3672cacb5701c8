/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HEATMAP_H
#define REPORT_HEATMAP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/path.h"
#include "base/types.h"
#include "report/ruler.h"
#include "report/signs.h"
#include "store/query.h"

/*
 * A run as a map: a panel for each direction, server MTUs up the side, peer MTUs along
 * the bottom. It is a value without I/O: heatmap_load() fills it from a run, the caller
 * adds predictions, and heatmap_cairo.h and heatmap_term.h draw it.
 *
 *	struct heatmap map;
 *	heatmap_load(query, &run, &options, &map, err);
 *	heatmap_predict(&map, DIR_UPLOAD, i, j, FATE_LOST);
 *	...
 *	heatmap_release(&map);
 */

/* The most MTUs on a side: more could not be distinguished. */
#define HEATMAP_AXIS_MAX   1024
#define HEATMAP_PANELS_MAX 4
#define HEATMAP_EDGES_MAX  (2 * PATH_BANDS_MAX)
#define HEATMAP_LINES      3
#define HEATMAP_TEXT       200

enum heatmap_kind {
	HEATMAP_BLANK, /* not measured */
	HEATMAP_MEASURED,
	HEATMAP_FAILED,
};

enum heatmap_figure {
	HEATMAP_RECEIVED, /* rates, in bit/s */
	HEATMAP_SENT,
	HEATMAP_LATENCY, /* round trips under load, in microseconds */
};

/* How a figure is written: its value is divided by `size`. */
struct heatmap_unit {
	const char *name; /* "Mbit/s" */
	double size;
};

struct heatmap_cell {
	int64_t value; /* for HEATMAP_MEASURED: the median of the ok measurements */
	enum heatmap_kind kind;
	/* for HEATMAP_FAILED: status of the last measurement */
	enum test_status status;
	enum fate predicted; /* FATE_UNKNOWN: no prediction */
};

/* Ascending. */
struct heatmap_axis {
	int count;
	int *mtu;
};

struct heatmap_panel {
	char title[64];
	enum heatmap_figure figure;
	bool shows[DIR_COUNT];      /* directions that the panel shows */
	struct heatmap_cell *cells; /* server.count x peer.count, see heatmap_at() */
	int64_t low;                /* the ends of the colours' scale */
	int64_t high;
};

struct heatmap_mark {
	bool set;
	struct mtu_pair mtu;
};

/* An edge: outer packets of one direction below and above it have different fates. */
struct heatmap_edge {
	enum direction dir;
	int size;     /* the largest outer packet below the edge */
	int mtu_sent; /* the largest MTU of the sender whose packets stay below it */
	enum fate below;
	enum fate above;
};

/* Without panels it has the path alone. */
struct heatmap {
	/* The recommendation and its reason in one sentence; "": there is none. */
	char answer[HEATMAP_TEXT];
	char reason[HEATMAP_TEXT];
	char line[HEATMAP_LINES][HEATMAP_TEXT]; /* description of the run */
	struct heatmap_axis server;
	struct heatmap_axis peer;
	struct heatmap_panel panel[HEATMAP_PANELS_MAX];
	int panels;
	struct heatmap_mark mark[HEATMAP_MARKS];
	struct heatmap_edge edge[HEATMAP_EDGES_MAX];
	int edges;
	bool edges_guessed[DIR_COUNT]; /* derived from throughput, not from probes */
	struct path path; /* the same as bands; without any where unknown */
	bool predicted;   /* probes alone show the recommended pair to work */
};

struct heatmap_options {
	bool all;       /* also panels of the sent rates */
	bool average;   /* one map for both directions: the mean of their figures */
	bool latency;   /* in place of rates */
	bool anonymous; /* no host, interface or UUID in the lines */
};

/* -ENOMEM; -E2BIG: more than HEATMAP_AXIS_MAX MTUs on a side were measured; -ENODATA:
 * nothing is measured, the ranges have more, and no path is stored, or no latency is
 * stored; errors of reading.
 * Release *ret only after success. */
int heatmap_load(struct query *query, const struct query_run *run,
		 const struct heatmap_options *options, struct heatmap *ret,
		 struct err *err);
/* How far a run's recommendation is proved (base/evidence.h). Static. */
const char *heatmap_proof(const struct query_run *run, const struct evidence *e);
/* The lines alone of a run that cannot be drawn: a map without panels. */
void heatmap_describe(const struct query_run *run, bool anonymous, struct heatmap *ret);
void heatmap_release(struct heatmap *map);

/* Return the cell of the i-th server MTU and the j-th peer MTU. */
struct heatmap_cell *heatmap_at(const struct heatmap *map, int panel, int i, int j);

/* Set the prediction in each panel that shows only this direction. */
void heatmap_predict(struct heatmap *map, enum direction dir, int i, int j,
		     enum fate fate);

/* Make the ruler of the map's path and marks. */
void heatmap_ruler(const struct heatmap *map, struct ruler *ret);

/* The confidence in percent of an edge where rates alone show that fragments begin; 0: it
 * is another edge. */
int heatmap_edge_confidence(const struct heatmap *map, const struct heatmap_edge *edge);

/* Set a direction's bands, and add the edges between them. */
void heatmap_add_edges(struct heatmap *map, enum direction dir, int overhead,
		       const struct path_bands *bands);

/* Return 1, 2, 2.5 or 5 times a power of ten, at or somewhat above a fifth of `span`: a
 * scale's ends are multiples of it. */
double heatmap_round_step(double span);
/* Get the scale of one panel's values. It starts at 0 or, if all values are above half of
 * the highest, at a round figure at or below that half. It ends at a round figure. */
void heatmap_scale(const struct heatmap *map, int panel, int64_t *ret_low,
		   int64_t *ret_high);
/* Return the position of a value on its panel's scale, 0 to 1. */
double heatmap_fraction(const struct heatmap_panel *panel, int64_t value);
struct heatmap_unit heatmap_unit(const struct heatmap_panel *panel);

/* Return the index of an MTU on an axis; a fraction if it is between two (0.5:
 * halfway), NAN outside. */
double heatmap_position(const struct heatmap_axis *axis, int mtu);
/* Find the row and the column of a pair: those of the MTUs at or just below its own.
 * False if one is below its axis, *ret_* untouched. */
bool heatmap_find(const struct heatmap *map, const struct mtu_pair *mtu, int *ret_i,
		  int *ret_j);
/* Return the number of MTUs of the axis at or below this one. */
int heatmap_boundary(const struct heatmap_axis *axis, int mtu);

#endif
