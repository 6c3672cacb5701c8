/* SPDX-License-Identifier: MIT */
#include "cmd/watch/watch_say.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/text.h"

#define CHANGE_SIZE 160

/* "upload: whole to lost at 1441 bytes", for each direction that differs. */
static void put_change(const struct path_probe *before, const struct path_probe *now,
		       char ret[CHANGE_SIZE])
{
	size_t used = 0;

	ret[0] = '\0';
	for (int dir = 0; dir < DIR_COUNT && used < CHANGE_SIZE; dir++) {
		const struct path_bands *was = &before->dir[dir];
		const struct path_bands *is = &now->dir[dir];
		int size = path_bands_differ(was, is);

		if (size)
			used += (size_t)snprintf(
				ret + used, CHANGE_SIZE - used,
				"%s%s: %s to %s at %d bytes", used ? ", " : "",
				direction_name((enum direction)dir),
				fate_name(path_bands_fate(was, size)),
				fate_name(path_bands_fate(is, size)), size);
	}
	if (used == 0)
		text_copy(ret, CHANGE_SIZE, "the edges are as before");
}

static bool is_known(const struct mtu_pair *mtu)
{
	return mtu->server && mtu->peer;
}

/* "; the largest that fits: peer MTU 1380" */
static void put_largest(const struct path_probe *probe, char *ret, size_t size)
{
	char words[PAIR_WORDS_SIZE];

	if (is_known(&probe->largest))
		snprintf(ret, size, "; the largest that fits: %s",
			 mtu_pair_words(&probe->largest, words));
	else
		snprintf(ret, size, "; no MTU is known to fit");
}

static const char *current_words(const struct path_probe *probe,
				 char ret[PAIR_WORDS_SIZE])
{
	if (is_known(&probe->current))
		return mtu_pair_words(&probe->current, ret);
	text_copy(ret, PAIR_WORDS_SIZE, "the MTUs in use");
	return ret;
}

static void say_flaps(const struct path_probe *probe, bool applies,
		      char ret[WATCH_SENTENCE_SIZE])
{
	char words[PAIR_WORDS_SIZE];
	int days = (int)(PATHWATCH_MEMORY_MS / 1000 / 3600 / 24);

	snprintf(ret, WATCH_SENTENCE_SIZE,
		 "the path flaps: it fell again, soon after it had risen; %s %s; this "
		 "is "
		 "not told again unless it falls lower%s",
		 applies && is_known(&probe->largest) ? "the smaller MTUs stay:"
						      : "it now carries",
		 is_known(&probe->largest) ? mtu_pair_words(&probe->largest, words)
					   : "no known MTU",
		 applies ? "" : ": use the smaller MTUs");
	if (applies)
		snprintf(ret + strlen(ret), WATCH_SENTENCE_SIZE - strlen(ret),
			 ", and larger ones are applied after %d days without a fall",
			 days);
}

int watch_say_event(const struct pathwatch_step *step, const struct path_probe *probe,
		    const char *why, int64_t silent_ms, bool applies,
		    char ret[WATCH_SENTENCE_SIZE])
{
	char change[CHANGE_SIZE];
	char current[PAIR_WORDS_SIZE];
	char largest[80];

	put_change(&step->before, probe, change);
	put_largest(probe, largest, sizeof(largest));
	current_words(probe, current);
	switch (step->event) {
	case EVENT_MISFIT:
		if (step->before.seq)
			snprintf(ret, WATCH_SENTENCE_SIZE, "%s no longer fits: %s%s",
				 current, change, largest);
		else
			snprintf(ret, WATCH_SENTENCE_SIZE, "%s does not fit%s", current,
				 largest);
		return LOG_WARNING;
	case EVENT_FITS:
		snprintf(ret, WATCH_SENTENCE_SIZE, "%s fits again: %s%s", current,
			 change, largest);
		return LOG_NOTICE;
	case EVENT_MOVED:
		snprintf(ret, WATCH_SENTENCE_SIZE, "the path changed: %s; in use: %s%s",
			 change, current, largest);
		return LOG_NOTICE;
	case EVENT_FLAPS:
		say_flaps(probe, applies, ret);
		return LOG_WARNING;
	case EVENT_SILENT:
		snprintf(ret, WATCH_SENTENCE_SIZE,
			 "no answer: %.350s; the watch goes on", why);
		return LOG_WARNING;
	case EVENT_BACK:
		snprintf(ret, WATCH_SENTENCE_SIZE,
			 "probes are answered again, after %.1f s; the path is as "
			 "before",
			 (double)silent_ms / 1000);
		return LOG_NOTICE;
	case EVENT_QUIET:
	case PROBE_EVENT_COUNT:
		break;
	}
	ret[0] = '\0';
	return -1;
}

void watch_say_probe(const struct path_probe *probe, char ret[WATCH_SENTENCE_SIZE])
{
	char current[PAIR_WORDS_SIZE];
	char whole[DIR_COUNT][16] = {"not known", "not known"};

	if (probe->answer != PROBE_OK) {
		snprintf(ret, WATCH_SENTENCE_SIZE, "probe %u: %s", probe->seq,
			 probe->answer == PROBE_BUSY ? "the server is busy"
						     : "no answer");
		return;
	}
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (probe->dir[dir].count)
			snprintf(whole[dir], sizeof(whole[dir]), "%d",
				 path_bands_whole_max(&probe->dir[dir]));
	}
	snprintf(ret, WATCH_SENTENCE_SIZE,
		 "probe %u: arrives whole up to: upload %s, download %s; %s %s",
		 probe->seq, whole[DIR_UPLOAD], whole[DIR_DOWNLOAD],
		 current_words(probe, current),
		 path_probe_fit_words(probe->fit, "cannot be judged"));
}
