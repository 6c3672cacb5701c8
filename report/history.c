/* SPDX-License-Identifier: MIT */
#include "report/history.h"

#include <errno.h>

#include "report/runjson.h"

/* --- stretches --- */

struct reading {
	bool each;
	int (*stretch)(void *ctx, const struct history_stretch *stretch);
	void *ctx;
	struct history_stretch now; /* probes 0: none begun */
};

/* The largest sizes that arrive whole are what a reader compares. */
static bool is_same(const struct path_probe *a, const struct path_probe *b)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (path_bands_whole_max(&a->dir[dir]) !=
		    path_bands_whole_max(&b->dir[dir]))
			return false;
	}
	return a->answer == b->answer && a->fit == b->fit &&
	       mtu_pair_same(&a->current, &b->current) &&
	       mtu_pair_same(&a->largest, &b->largest) && path_probe_same(a, b);
}

static bool goes_on(const struct reading *reading, const struct path_probe *probe)
{
	const struct history_stretch *now = &reading->now;

	return now->probes && !reading->each && probe->event == EVENT_QUIET &&
	       now->last.applied == PROBE_NOT_TRIED && is_same(&now->last, probe);
}

static int hand_on(struct reading *reading)
{
	return reading->now.probes ? reading->stretch(reading->ctx, &reading->now) : 0;
}

static int take_probe(void *ctx, const struct path_probe *probe)
{
	struct reading *reading = ctx;
	struct history_stretch *now = &reading->now;
	int r = 0;

	if (!goes_on(reading, probe)) {
		r = hand_on(reading);
		*now = (struct history_stretch){
			.from_ms = probe->probed_at_ms,
			.first = *probe,
		};
	}
	now->probes++;
	now->to_ms = probe->probed_at_ms;
	now->last = *probe;
	return r;
}

int history_read(struct query *query, int64_t run, bool each,
		 int (*stretch)(void *ctx, const struct history_stretch *stretch),
		 void *ctx, struct err *err)
{
	struct reading reading = {.each = each, .stretch = stretch, .ctx = ctx};
	int r = query_probes(query, run, take_probe, &reading, err);

	return r == 0 ? hand_on(&reading) : r;
}

/* --- JSON --- */

static json_t *known_json(int mtu)
{
	return mtu && mtu != MTU_UNKNOWN ? json_integer(mtu) : json_null();
}

static json_t *whole_json(const struct path_bands *bands)
{
	return bands->count ? json_integer(path_bands_whole_max(bands)) : json_null();
}

static json_t *bands_json(const struct path_bands *bands)
{
	return bands->count ? runjson_bands(bands) : json_null();
}

/* The columns that a stretch shares. */
static json_t *state_json(const struct path_probe *probe)
{
	return json_pack("{ss so so so so ss so so ss}", "answer",
			 path_probe_answer_name(probe->answer), "server_mtu",
			 known_json(probe->current.server), "peer_mtu",
			 known_json(probe->current.peer), "largest_server_mtu",
			 known_json(probe->largest.server), "largest_peer_mtu",
			 known_json(probe->largest.peer), "fit",
			 path_probe_fit_name(probe->fit), "upload_whole",
			 whole_json(&probe->dir[DIR_UPLOAD]), "download_whole",
			 whole_json(&probe->dir[DIR_DOWNLOAD]), "applied",
			 path_probe_applied_name(probe->applied));
}

static json_t *count_json(int64_t count)
{
	return count == NO_FIGURE ? json_null() : json_integer(count);
}

json_t *history_probe_json(const struct path_probe *probe)
{
	json_t *object = state_json(probe);
	json_t *rest = json_pack(
		"{sI so sI sb so so so so ss}", "seq", (json_int_t)probe->seq,
		"probed_at", runjson_time(probe->probed_at_ms), "took_ms",
		(json_int_t)probe->took_ms, "early", probe->early, "fragments",
		count_json(probe->fragments), "too_big", count_json(probe->too_big),
		"upload_bands", bands_json(&probe->dir[DIR_UPLOAD]), "download_bands",
		bands_json(&probe->dir[DIR_DOWNLOAD]), "event",
		path_probe_event_name(probe->event));

	if (object && rest && json_object_update(object, rest) == 0) {
		json_decref(rest);
		return object;
	}
	json_decref(object);
	json_decref(rest);
	return NULL;
}

json_t *history_stretch_json(const struct history_stretch *stretch)
{
	json_t *object = state_json(&stretch->last);

	if (!object)
		return NULL;
	json_object_set_new(object, "from", runjson_time(stretch->from_ms));
	json_object_set_new(object, "to", runjson_time(stretch->to_ms));
	json_object_set_new(object, "probes", json_integer(stretch->probes));
	json_object_set_new(object, "event",
			    json_string(path_probe_event_name(stretch->first.event)));
	return object;
}

json_t *history_change_json(const struct path_probe *probe)
{
	json_t *object = state_json(probe);

	if (!object)
		return NULL;
	json_object_set_new(object, "probed_at", runjson_time(probe->probed_at_ms));
	json_object_set_new(object, "event",
			    json_string(path_probe_event_name(probe->event)));
	return object;
}
