/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECOMMEND_EVIDENCE_H
#define ENGINE_RECOMMEND_EVIDENCE_H

#include "base/evidence.h"
#include "engine/recommend.h"

/* The facts of a recommendation that the database keeps. `survey`: the probes. Pure. */
void recommend_evidence(const struct recommendation *recommendation,
			const struct path_survey *survey, struct evidence *ret);

#endif
