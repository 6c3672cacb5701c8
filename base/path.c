/* SPDX-License-Identifier: MIT */
/* Bands of outer sizes, and their text form. */
#include "base/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"

static const char *const fate_names[FATE_COUNT] = {
	[FATE_UNKNOWN] = "unknown",
	[FATE_WHOLE] = "whole",
	[FATE_FRAGMENTED] = "fragmented",
	[FATE_LOST] = "lost",
};

TEXT_DEFINE_WORDS(fate, fate, fate_names, FATE_COUNT)

const char *fate_phrase(enum fate fate, bool doubted)
{
	switch (fate) {
	case FATE_WHOLE:
		return doubted ? "arrive, not seen in fragments" : "arrive whole";
	case FATE_FRAGMENTED:
		return "arrive in fragments";
	case FATE_LOST:
		return "are lost";
	case FATE_UNKNOWN:
	case FATE_COUNT:
		break;
	}
	return "could not be judged";
}

bool path_is_relayed(const struct path *path)
{
	return path->relayed[DIR_UPLOAD] || path->relayed[DIR_DOWNLOAD];
}

bool path_is_doubted(const struct path *path, enum direction dir)
{
	return path_is_relayed(path) || path->unseen[dir];
}

int path_overhead(int family)
{
	return family == 6 ? PATH_OVERHEAD_IPV6 : PATH_OVERHEAD_IPV4;
}

enum fate path_bands_fate(const struct path_bands *bands, int outer_size)
{
	for (int i = 0; i < bands->count; i++) {
		if (outer_size <= bands->band[i].max)
			return bands->band[i].fate;
	}
	return FATE_UNKNOWN;
}

int path_bands_whole_max(const struct path_bands *bands)
{
	/* Neighbours differ in fate, so no second band can continue the first one. */
	if (bands->count == 0 || bands->band[0].fate != FATE_WHOLE)
		return 0;
	return bands->band[0].max;
}

bool path_bands_slowed(const struct path_bands *bands)
{
	for (int i = 0; i < bands->count && bands->band[i].fate != FATE_LOST; i++) {
		if (bands->band[i].fate == FATE_FRAGMENTED)
			return true;
	}
	return false;
}

int path_bands_differ(const struct path_bands *a, const struct path_bands *b)
{
	int i = 0;
	int j = 0;
	int size = 1;

	while (i < a->count && j < b->count) {
		enum fate x = a->band[i].fate;
		enum fate y = b->band[j].fate;

		if (x != y && x != FATE_UNKNOWN && y != FATE_UNKNOWN)
			return size;
		size = 1 + (a->band[i].max < b->band[j].max ? a->band[i].max
							    : b->band[j].max);
		i += a->band[i].max < size;
		j += b->band[j].max < size;
	}
	return 0;
}

int path_bands_add(struct path_bands *bands, int max, enum fate fate)
{
	struct path_band *last = bands->count > 0 ? &bands->band[bands->count - 1]
						  : NULL;

	if (max < 1 || max > OUTER_SIZE_MAX || (last && max <= last->max))
		return -ERANGE;
	if (last && last->fate == fate) {
		last->max = max;
		return 0;
	}
	if (bands->count == PATH_BANDS_MAX)
		return -ENOSPC;
	bands->band[bands->count++] = (struct path_band){max, fate};
	return 0;
}

/* "1460:whole" */
static int add_band(struct path_bands *bands, char *text, struct err *err)
{
	char *colon = strchr(text, ':');
	enum fate fate;
	int64_t max;
	int r;

	if (!colon)
		return err_set(err, -EINVAL,
			       "band '%.40s' has no colon: expected SIZE:FATE", text);
	*colon = '\0';
	if (text_to_int(text, 1, OUTER_SIZE_MAX, &max) < 0)
		return err_set(err, -EINVAL,
			       "invalid packet size '%.40s': expected 1 to %d", text,
			       OUTER_SIZE_MAX);
	if (fate_parse(colon + 1, &fate) < 0)
		return err_set(err, -EINVAL,
			       "invalid fate '%.40s': expected whole, fragmented, lost "
			       "or unknown",
			       colon + 1);
	r = path_bands_add(bands, (int)max, fate);
	if (r == -ERANGE)
		return err_set(err, -EINVAL,
			       "band '%s:%s' is not larger than the one before it",
			       text, colon + 1);
	if (r < 0)
		return err_set(err, -EINVAL, "more than %d bands", PATH_BANDS_MAX);
	return 0;
}

int path_bands_parse(const char *text, struct path_bands *ret, struct err *err)
{
	cleanup_free char *copy = strdup(text);
	struct path_bands bands = {0};
	char *rest = copy;
	char *band;

	if (!copy)
		return err_set(err, -ENOMEM, "out of memory");
	while (text[0] && (band = strsep(&rest, ","))) {
		int r = add_band(&bands, band, err);

		if (r < 0)
			return r;
	}
	if (bands.count > 0)
		bands.band[bands.count - 1].max = OUTER_SIZE_MAX;
	*ret = bands;
	return 0;
}

void path_bands_format(const struct path_bands *bands, char ret[PATH_BANDS_TEXT_SIZE])
{
	size_t used = 0;

	ret[0] = '\0';
	for (int i = 0; i < bands->count; i++)
		used += (size_t)snprintf(ret + used, PATH_BANDS_TEXT_SIZE - used,
					 "%s%d:%s", i ? "," : "", bands->band[i].max,
					 fate_name(bands->band[i].fate));
}

int path_bands_known_above(const struct path_bands *bands, int size)
{
	int from = 1;

	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].max > size && bands->band[i].fate != FATE_UNKNOWN)
			return from > size ? from : size + 1;
		from = bands->band[i].max + 1;
	}
	return 0;
}
