/* SPDX-License-Identifier: MIT */
/* The probes of a watch, in columns. */
#include "base/text.h"
#include "cmd/read/table.h"

#define CELL_SIZE 16

static const char *put_whole(const struct path_bands *bands, char ret[CELL_SIZE])
{
	if (bands->count)
		snprintf(ret, CELL_SIZE, "%d", path_bands_whole_max(bands));
	else
		text_copy(ret, CELL_SIZE, "-");
	return ret;
}

/* An MTU that is not known is 0 in a row. */
static const char *put_pair(const struct mtu_pair *mtu, char ret[PAIR_TEXT_SIZE])
{
	const struct mtu_pair known = {mtu->server ? mtu->server : MTU_UNKNOWN,
				       mtu->peer ? mtu->peer : MTU_UNKNOWN};

	return mtu_pair_text(&known, ret);
}

static const char *state_words(const struct path_probe *probe)
{
	switch (probe->answer) {
	case PROBE_NONE:
		return "no answer";
	case PROBE_BUSY:
		return "server busy";
	case PROBE_OK:
	case PROBE_ANSWER_COUNT:
		break;
	}
	return path_probe_fit_words(probe->fit, "not known");
}

static const char *applied_words(enum path_probe_applied applied)
{
	switch (applied) {
	case PROBE_APPLIED:
		return "applied";
	case PROBE_NOT_APPLIED:
		return "not applied";
	case PROBE_NOT_TRIED:
	case PROBE_APPLIED_COUNT:
		break;
	}
	return "";
}

void table_history_heading(FILE *out, const struct query_run *run)
{
	table_run(out, run);
	fprintf(out, "\n%-19s  %-19s  %6s  %6s  %8s  %-9s  %-9s  %-12s  %s\n",
		"from (UTC)", "to", "probes", "upload", "download", "in use", "largest",
		"fit", "news");
}

void table_stretch(FILE *out, const struct history_stretch *stretch)
{
	const struct path_probe *last = &stretch->last;
	enum path_probe_event event = stretch->first.event;
	const char *applied = applied_words(last->applied);
	char from[CLOCK_ISO_SIZE];
	char to[CLOCK_ISO_SIZE];
	char up[CELL_SIZE];
	char down[CELL_SIZE];
	char current[PAIR_TEXT_SIZE];
	char largest[PAIR_TEXT_SIZE];

	table_time(stretch->from_ms, from);
	table_time(stretch->to_ms, to);
	fprintf(out, "%-19s  %-19s  %6d  %6s  %8s  %-9s  %-9s  %-12s  %s%s%s\n", from,
		to, stretch->probes, put_whole(&last->dir[DIR_UPLOAD], up),
		put_whole(&last->dir[DIR_DOWNLOAD], down),
		put_pair(&last->current, current), put_pair(&last->largest, largest),
		state_words(last),
		event == EVENT_QUIET ? "" : path_probe_event_name(event),
		event != EVENT_QUIET && *applied ? ", " : "", applied);
}
