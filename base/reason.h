/* SPDX-License-Identifier: MIT */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include "base/types.h"

/*
 * The reason of a recommendation as facts: a kind and its figures. The sentence is made
 * when it is read. Plain values: the engine finds them, the database keeps them.
 */

/* X(kind, name, sentence): the database, its CHECK and JSON know the names. */
#define REASON_KINDS(X)                                                              \
	X(NOTHING, "nothing", "no measured pair worked both ways")                   \
	X(FITS, "fits",                                                              \
	  "the largest allowed pair at which every packet, TCP or not, arrives "     \
	  "whole both ways")                                                         \
	X(FASTER, "faster",                                                          \
	  "every packet arrives whole both ways, and it was measured faster than "   \
	  "the largest pair of which that is true")                                  \
	X(RELAYED, "relayed",                                                        \
	  "the largest allowed pair at which every packet arrives both ways, and "   \
	  "none was seen in fragments; whole on the line is not proved")             \
	X(ARRIVES, "arrives",                                                        \
	  "the largest allowed pair at which data was seen to arrive undiminished; " \
	  "whether other packets than TCP's do is not proved")                       \
	X(MEASURED, "measured",                                                      \
	  "no pair is known to fit; of those measured it is the fastest that works " \
	  "both ways")                                                               \
	X(UNSENT, "unsent",                                                          \
	  "no pair is known to fit, and no test that worked sent packets as large "  \
	  "as its MTUs, since the MSS of TCP is lowered")                            \
	X(IN_FRAGMENTS, "in_fragments",                                              \
	  "no allowed pair fits whole; it is the smallest that is allowed, and its " \
	  "full-size packets are proved to arrive, in fragments")                    \
	X(NONE_ARRIVES, "none_arrives",                                              \
	  "no allowed pair fits whole, and full-size packets of each are lost")      \
	X(OWN_WHOLE, "own_whole",                                                    \
	  "the largest MTU of this end at which every packet that it sends is "      \
	  "proved to arrive whole")                                                  \
	X(OWN_ARRIVES, "own_arrives",                                                \
	  "the largest MTU of this end at which every packet that it sends is "      \
	  "proved to arrive; whether a router fragments them is not visible to one " \
	  "end alone")                                                               \
	X(OWN_ASSUMED, "own_assumed",                                                \
	  "the largest MTU of this end at which every packet that it sends arrives " \
	  "whole, if routers fragment what it sends as they fragment what it gets")  \
	X(OWN_NONE, "own_none", "no MTU of this end is known to fit")                \
	X(TEXT, "text", "the run's own text says it: an older version kept no figures")

enum reason_kind {
#define REASON_ENUM(kind, name, sentence) REASON_##kind,
	REASON_KINDS(REASON_ENUM)
#undef REASON_ENUM
		REASON_COUNT,
};

struct reason {
	enum reason_kind kind;
	int margin;            /* percent; 0 with REASON_TEXT */
	int visits;            /* that the recommendation rests on */
	struct mtu_pair rival; /* the pair that may still be faster; 0, 0: none */
};

/* "fits". Static. */
const char *reason_name(enum reason_kind kind);
/* -EINVAL: no kind has that name. */
int reason_parse(const char *name, enum reason_kind *ret);
/* Without an end of line. Static. */
const char *reason_sentence(enum reason_kind kind);

#endif
