/* SPDX-License-Identifier: MIT */
#ifndef BASE_PATH_PROBE_H
#define BASE_PATH_PROBE_H

#include "base/path.h"
#include "base/types.h"

/*
 * One probe of a watch (mtusweep-peer --watch): a row of the table path_probe. Plain
 * values. The watch makes them, engine/pathwatch.h judges them, the database stores them.
 */

enum path_probe_answer {
	PROBE_OK,   /* the path is known */
	PROBE_NONE, /* nobody answered, or this host could not probe */
	PROBE_BUSY, /* the server had a session with another peer */
	PROBE_ANSWER_COUNT,
};

/* The MTUs in use, and every packet up to them: all arrive whole, or not. */
enum path_probe_fit {
	PROBE_FIT_UNKNOWN,
	PROBE_FITS,
	PROBE_MISFIT,
	PROBE_FIT_COUNT,
};

/* The news that a probe brings, told once. PROBE_EVENTS(X): X(kind, name) */
#define PROBE_EVENTS(X)                                                    \
	X(QUIET, "quiet")   /* nothing new */                              \
	X(MISFIT, "misfit") /* the MTUs in use do not fit, or no longer */ \
	X(FITS, "fits")     /* they fit again */                           \
	X(MOVED, "moved")   /* an edge moved, and they fit as before */    \
	X(FLAPS, "flaps")   /* it fell again soon after it had risen */    \
	X(SILENT, "silent") /* nobody answers any more */                  \
	X(BACK, "back")     /* somebody answers again */

enum path_probe_event {
#define PROBE_EVENT_KIND(kind, name) EVENT_##kind,
	PROBE_EVENTS(PROBE_EVENT_KIND)
#undef PROBE_EVENT_KIND
		PROBE_EVENT_COUNT,
};

/* The attempt to apply MTUs after a probe. */
enum path_probe_applied {
	PROBE_NOT_TRIED,
	PROBE_APPLIED,
	PROBE_NOT_APPLIED, /* it failed, and the MTUs of before are restored */
	PROBE_APPLIED_COUNT,
};

struct path_probe {
	uint32_t seq;         /* counts the probes of a watch, from 1 */
	int64_t probed_at_ms; /* its begin */
	int64_t took_ms;
	enum path_probe_answer answer;
	bool early; /* brought forward by a sign between two probes */
	/* Fragments that this host made since the probe before, of any traffic; NO_FIGURE:
	 * not known. */
	int64_t fragments;
	/* ICMP messages since then that a packet to the WireGuard endpoint was too big:
	 * "fragmentation needed", "packet too big". NO_FIGURE: not known. */
	int64_t too_big;
	/* The MTUs in use. One end alone does not know the other's, MTU_UNKNOWN; 0: not
	 * known. */
	struct mtu_pair current;
	/* The largest MTUs with which every packet arrives whole; 0: none is known. */
	struct mtu_pair largest;
	enum path_probe_fit fit;
	/* As struct path has them; count 0 without an answer. */
	struct path_bands dir[DIR_COUNT];
	enum path_probe_event event;
	enum path_probe_applied applied;
};

/* The words of the database. Static. */
const char *path_probe_answer_name(enum path_probe_answer answer);
const char *path_probe_fit_name(enum path_probe_fit fit);
const char *path_probe_event_name(enum path_probe_event event);
const char *path_probe_applied_name(enum path_probe_applied applied);
/* "fits" or "does not fit", for people; else `unknown`. Static, or `unknown`. */
const char *path_probe_fit_words(enum path_probe_fit fit, const char *unknown);
/* The reverse: 0, or -EINVAL with *ret untouched. */
int path_probe_answer_parse(const char *name, enum path_probe_answer *ret);
int path_probe_fit_parse(const char *name, enum path_probe_fit *ret);
int path_probe_event_parse(const char *name, enum path_probe_event *ret);
int path_probe_applied_parse(const char *name, enum path_probe_applied *ret);

/* True if both say the same of the path and of the MTUs in use, as far as both know. */
bool path_probe_same(const struct path_probe *a, const struct path_probe *b);

#endif
