/* SPDX-License-Identifier: MIT */
#include "base/path_probe.h"

#include "base/text.h"

static const char *const answer_names[PROBE_ANSWER_COUNT] = {
	[PROBE_OK] = "ok",
	[PROBE_NONE] = "none",
	[PROBE_BUSY] = "busy",
};

static const char *const fit_names[PROBE_FIT_COUNT] = {
	[PROBE_FIT_UNKNOWN] = "unknown",
	[PROBE_FITS] = "fits",
	[PROBE_MISFIT] = "misfit",
};

static const char *const event_names[PROBE_EVENT_COUNT] = {
#define EVENT_NAME(kind, name) [EVENT_##kind] = name,
	PROBE_EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

static const char *const applied_names[PROBE_APPLIED_COUNT] = {
	[PROBE_NOT_TRIED] = "no",
	[PROBE_APPLIED] = "yes",
	[PROBE_NOT_APPLIED] = "failed",
};

TEXT_DEFINE_WORDS(path_probe_answer, path_probe_answer, answer_names,
		  PROBE_ANSWER_COUNT)
TEXT_DEFINE_WORDS(path_probe_fit, path_probe_fit, fit_names, PROBE_FIT_COUNT)
TEXT_DEFINE_WORDS(path_probe_event, path_probe_event, event_names, PROBE_EVENT_COUNT)
TEXT_DEFINE_WORDS(path_probe_applied, path_probe_applied, applied_names,
		  PROBE_APPLIED_COUNT)

const char *path_probe_fit_words(enum path_probe_fit fit, const char *unknown)
{
	switch (fit) {
	case PROBE_FITS:
		return "fits";
	case PROBE_MISFIT:
		return "does not fit";
	case PROBE_FIT_UNKNOWN:
	case PROBE_FIT_COUNT:
		break;
	}
	return unknown;
}

bool path_probe_same(const struct path_probe *a, const struct path_probe *b)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (path_bands_differ(&a->dir[dir], &b->dir[dir]))
			return false;
	}
	return a->fit == b->fit || a->fit == PROBE_FIT_UNKNOWN ||
	       b->fit == PROBE_FIT_UNKNOWN;
}
