/* SPDX-License-Identifier: MIT */
#ifndef CMD_WATCH_WATCH_SAY_H
#define CMD_WATCH_WATCH_SAY_H

#include "engine/pathwatch.h"

/* The sentences of a watch. */

#define WATCH_SENTENCE_SIZE 480

/* Write the sentence of the news and return its priority as syslog(3) has it, or -1:
 * there is none. `why` nobody answers, or "". */
int watch_say_event(const struct pathwatch_step *step, const struct path_probe *probe,
		    const char *why, int64_t silent_ms, bool applies,
		    char ret[WATCH_SENTENCE_SIZE]);

/* "probe 12: upload whole up to 1440 bytes, download up to 1500; peer MTU 1380 fits". */
void watch_say_probe(const struct path_probe *probe, char ret[WATCH_SENTENCE_SIZE]);

#endif
