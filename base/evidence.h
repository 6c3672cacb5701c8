/* SPDX-License-Identifier: MIT */
#ifndef BASE_EVIDENCE_H
#define BASE_EVIDENCE_H

#include "base/err.h"
#include "base/one_end.h"
#include "base/path.h"
#include "base/reason.h"
#include "base/types.h"
#include "base/warning.h"

/*
 * A recommendation and its evidence, as facts. The engine finds them, the database keeps
 * them, and the sentences are made from them when they are read. Plain values.
 */

/*
 * The figures of one direction: X(name, max), from 0; NO_FIGURE: not known. A ratio is the
 * recommended pair's rate in permille of the current pair's. An interval is of 95 %.
 */
#define EVIDENCE_FIGURES(X)                                         \
	X(bps, EVIDENCE_RATE_MAX) /* the recommended pair's rate */ \
	X(low_bps, EVIDENCE_RATE_MAX)                               \
	X(high_bps, EVIDENCE_RATE_MAX)                              \
	X(current_bps, EVIDENCE_RATE_MAX) /* the current pair's */  \
	X(ratio_permille, EVIDENCE_RATIO_MAX)                       \
	X(ratio_low_permille, EVIDENCE_RATIO_MAX)                   \
	X(ratio_high_permille, EVIDENCE_RATIO_MAX)

#define EVIDENCE_RATE_MAX  INT64_C(1000000000000000)
#define EVIDENCE_RATIO_MAX INT64_C(1000000000)

/*
 * How far a recommendation is proved. X(status, name): the database, its CHECK, the wire
 * and JSON know the names.
 */
#define EVIDENCE_STATUSES(X)                                                          \
	X(PREDICTED, "predicted") /* by probes; no test has shown the pair to work */ \
	X(CONFIRMED, "confirmed") /* the pair was measured: it works both ways */     \
	X(CONTRADICTED, "contradicted") /* measurements contradict the probes */

enum evidence_status {
#define EVIDENCE_STATUS_ENUM(status, ...) EVIDENCE_##status,
	EVIDENCE_STATUSES(EVIDENCE_STATUS_ENUM)
#undef EVIDENCE_STATUS_ENUM
		EVIDENCE_STATUS_COUNT,
};

struct evidence_dir {
#define EVIDENCE_MEMBER(name, ...) int64_t name;
	EVIDENCE_FIGURES(EVIDENCE_MEMBER)
#undef EVIDENCE_MEMBER
	bool guessed; /* the path's bands are told from throughput, not from probes */
};

/* More than twice as many as a recommendation has. */
#define EVIDENCE_WARNINGS_MAX 24

struct evidence {
	/* the recommended pair; 0, 0: none; the far end's is MTU_UNKNOWN if
	 * `one_ended` */
	struct mtu_pair mtu;
	enum evidence_status status;
	/* other pairs were tested, and none of them can be faster by more than the
	 * margin */
	bool settled;
	struct reason reason;
	struct mtu_pair current;   /* before the run; 0, 0: unknown */
	struct path_survey survey; /* overhead 0: unknown */
	struct evidence_dir dir[DIR_COUNT];
	int warnings;
	struct warning warning[EVIDENCE_WARNINGS_MAX]; /* without details */
	bool one_ended;
	struct one_end one_end; /* zeros unless one_ended */
};

/* Without figures. */
void evidence_init(struct evidence *e);
/* Append a warning; none beyond EVIDENCE_WARNINGS_MAX. */
void evidence_warn(struct evidence *e, struct warning w);
/* True if the copy of a run lacks a part of the evidence: WARNING_INCOMPLETE. */
bool evidence_incomplete(const struct evidence *e);

/* "predicted". Static. */
const char *evidence_status_name(enum evidence_status status);
/* -EINVAL: no status has that name. */
int evidence_status_parse(const char *name, enum evidence_status *ret);

/* The pair to set. 0, 0: none is known, or tests contradict that of one end alone. */
struct mtu_pair evidence_pair(const struct evidence *e);

/* True if probes alone show the pair to work: no test has confirmed or contradicted it. */
bool evidence_is_predicted(const struct evidence *e);

/* Replace probed bands that measurements contradict by those that throughput tells. Return
 * false if the probes hold, or there are none. */
bool evidence_correct_bands(const struct evidence *e, enum direction dir,
			    struct path_bands *bands);

/* "; predicted by probes, ..." where no test has confirmed the pair, else "". Static. */
const char *evidence_doubt(const struct evidence *e);

/* "confirmed by tests", of a pair that is; "confirmed by tests of smaller packets" if TCP's
 * largest ones were smaller than its MTUs allow. Static. */
const char *evidence_confirmation(const struct evidence *e);

/* How far the recommendation is proved, in a few words: "predicted, tests follow" if
 * `tests_follow`, "confirmed by tests"; "" if an older version kept the pair alone.
 * Static. */
const char *evidence_proof(const struct evidence *e, bool tests_follow);

/* What a run says between its probes and its tests: the pair, its reason and the path. As
 * evidence_text(). */
int evidence_prediction_text(const struct evidence *e, char **ret, struct err *err);

/* The sentences: the pair first ("recommended: server MTU 1420, peer MTU 1380"), then its
 * evidence, one line each; those of one_end_print() if `one_ended`. The caller frees the
 * text. -ENOMEM. */
int evidence_text(const struct evidence *e, char **ret, struct err *err);

#endif
