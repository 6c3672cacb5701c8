/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_VERDICT_TEXT_H
#define ENGINE_VERDICT_TEXT_H

#include "base/err.h"
#include "engine/verdict.h"

/*
 * A recommendation in sentences: the recommended pair first ("recommended: server MTU
 * 1420, peer MTU 1380"), then its evidence, one line each. Pure.
 */

#define VERDICT_DRIFT_SIZE 64

/* "upload by -48 %, download by +5 %": the directions whose drift is beyond noise; ""
 * if there is none. */
void verdict_drift_text(const struct drift drift[DIR_COUNT],
			char ret[VERDICT_DRIFT_SIZE]);

/* `survey` holds the number of probes. The caller frees the text. -ENOMEM. */
int verdict_text(const struct verdict *verdict, const struct path_survey *survey,
		 char **ret, struct err *err);

#endif
