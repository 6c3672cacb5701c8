#ifndef REPORT_HEATMAP_H
#define REPORT_HEATMAP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/path.h"
#include "base/types.h"
#include "store/query.h"

/*
 * A run as a map: a panel for each direction, server MTUs up the side, peer MTUs along
 * the bottom. A value without I/O, filled from a run by heatmap_load(), completed by
 * whoever predicts, drawn by heatmap_cairo.h and
 * heatmap_term.h.
 *
 *	struct heatmap map;
 *	heatmap_load(query, &run, &options, &map, err);
 *	heatmap_predict(&map, DIR_UPLOAD, i, j, FATE_LOST);
 *	...
 *	heatmap_release(&map);
 */

/* More MTUs on a side than that cannot be told apart. */
#define HEATMAP_AXIS_MAX   1024
#define HEATMAP_PANELS_MAX 4
#define HEATMAP_EDGES_MAX  (2 * PATH_BANDS_MAX)
#define HEATMAP_LINES      3
#define HEATMAP_TEXT       200

enum heatmap_kind {
	HEATMAP_BLANK, /* not measured */
	HEATMAP_RATE,
	HEATMAP_FAILED,
};

struct heatmap_cell {
	int64_t rate_bps; /* of HEATMAP_RATE: the median of the ok visits */
	enum heatmap_kind kind;
	enum test_status status; /* of HEATMAP_FAILED: of the last visit */
	enum fate predicted;     /* FATE_UNKNOWN: nothing is */
};

/* Ascending. */
struct heatmap_axis {
	int count;
	int *mtu;
};

struct heatmap_panel {
	char title[64];
	bool sent;                  /* rates as sent, not as received */
	bool shows[DIR_COUNT];      /* the directions it is of */
	struct heatmap_cell *cells; /* server.count x peer.count, see heatmap_at() */
	int64_t low_bps;            /* the ends of the colours' scale */
	int64_t high_bps;
};

enum heatmap_mark_kind {
	HEATMAP_CURRENT,
	HEATMAP_FASTEST,
	HEATMAP_RECOMMENDED,
	HEATMAP_MARKS,
};

struct heatmap_mark {
	bool set;
	struct mtu_pair mtu;
};

/* Between two sizes of outer packets of one direction that fare differently. */
struct heatmap_edge {
	enum direction dir;
	int size;     /* the largest outer packet below the edge */
	int mtu_sent; /* the largest MTU of the sender whose packets stay below it */
	enum fate below;
	enum fate above;
};

struct heatmap {
	char line[HEATMAP_LINES][HEATMAP_TEXT]; /* which test it is */
	struct heatmap_axis server;
	struct heatmap_axis peer;
	struct heatmap_panel panel[HEATMAP_PANELS_MAX];
	int panels;
	struct heatmap_mark mark[HEATMAP_MARKS];
	struct heatmap_edge edge[HEATMAP_EDGES_MAX];
	int edges;
	bool edges_guessed[DIR_COUNT]; /* from throughput: not probed */
};

struct heatmap_options {
	bool all;       /* sent rates too */
	bool average;   /* one map for both directions: the mean of their rates */
	bool anonymous; /* no host, interface or UUID in the lines */
};

/* -ENOMEM; -E2BIG: more MTUs than HEATMAP_AXIS_MAX on a side were measured; the errors of
 * reading. *ret is to be released only after success. */
int heatmap_load(struct query *query, const struct query_run *run,
		 const struct heatmap_options *options, struct heatmap *ret,
		 struct err *err);
void heatmap_release(struct heatmap *map);

/* Cell of the i-th server MTU and the j-th peer MTU. */
struct heatmap_cell *heatmap_at(const struct heatmap *map, int panel, int i, int j);

/* In each panel that is of this direction alone. */
void heatmap_predict(struct heatmap *map, enum direction dir, int i, int j,
		     enum fate fate);

/* The edges between a direction's bands. */
void heatmap_add_edges(struct heatmap *map, enum direction dir, int overhead,
		       const struct path_bands *bands);

/* 1, 2, 2.5 or 5 times a power of ten, a fifth of `span` or somewhat more: what a scale's
 * ends are multiples of. */
double heatmap_round_step(double span);
/* Scale of one panel's rates: from 0, or, where all are above half of the highest, from a
 * round figure at or below that half; up to a round one. */
void heatmap_scale(const struct heatmap *map, int panel, int64_t *ret_low_bps,
		   int64_t *ret_high_bps);
/* Where on its panel's scale a rate lies, 0 to 1. */
double heatmap_fraction(const struct heatmap_panel *panel, int64_t rate_bps);

/* Index of an MTU on an axis; between two where it lies between them (0.5: halfway), NAN
 * outside. */
double heatmap_position(const struct heatmap_axis *axis, int mtu);
/* The row and the column of a pair: of the MTUs at or just below its own. False where one is
 * below its axis, the rest untouched. */
bool heatmap_find(const struct heatmap *map, const struct mtu_pair *mtu, int *ret_i,
		  int *ret_j);
/* How many MTUs of the axis are at or below this one. */
int heatmap_boundary(const struct heatmap_axis *axis, int mtu);

/* "current", "fastest measured", "recommended". Static. */
const char *heatmap_mark_name(enum heatmap_mark_kind kind);

#endif
