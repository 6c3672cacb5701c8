#ifndef ENGINE_VERDICT_TEXT_H
#define ENGINE_VERDICT_TEXT_H

#include "base/err.h"
#include "engine/verdict.h"

/*
 * A verdict in sentences, for people: the recommended pair first ("recommended: server MTU
 * 1420, peer MTU 1380"), then what it rests on, a line each. Pure.
 */

#define VERDICT_DRIFT_SIZE 64

/* "upload by -48 %, download by +5 %": what drifts beyond noise; "" where nothing does. */
void verdict_drift_text(const struct drift drift[DIR_COUNT],
			char ret[VERDICT_DRIFT_SIZE]);

/* `survey` says how often the path was probed. The text is the caller's to free. -ENOMEM. */
int verdict_text(const struct verdict *verdict, const struct path_survey *survey,
		 char **ret, struct err *err);

#endif
