/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_SURVEY_H
#define CMD_PEER_PEER_SURVEY_H

#include "base/err.h"
#include "base/path.h"
#include "netctl/bandfind.h"

/*
 * What probes say about the path of a run: asked before its first pair, stored with the
 * run, and sent for the server's copy.
 */

struct peer;
struct peer_config;
struct peer_session;

struct peer_findings {
	struct path_survey survey; /* the path, by the last probes */
	/* the endpoint of each direction's sender at that time; "": unknown */
	char endpoint[DIR_COUNT][ADDRESS_SIZE];
	bool path_shared; /* the server has the path */
	int path_handed;  /* the session beside which it was sent; 0: none */
	bool lowered;     /* the run's ranges are, and the server does not know yet */
	bool closed;      /* no probe was answered, though both ends could send */
	int rounds;
	bool counters[DIR_COUNT]; /* fates come from the kernel's counters */
	/* sizes that passed sometimes; lost in the survey */
	struct bandfind_sometimes sometimes[DIR_COUNT];
};

/* True if a run of these options probes its path before it measures. */
bool peer_survey_wanted(const struct peer_config *config);

/* Probe the path. 0 also where probes tell nothing; that is told. -ENODATA: the same, and
 * the strategy has nothing but probes. Other errors are peer_probe()'s; *ret is untouched
 * then. */
int peer_survey_probe(struct peer *peer, struct peer_findings *ret, struct err *err);

/* With the session open: fill findings.survey by probes, or, if the run goes on, from the
 * database. */
int peer_survey(struct peer *peer, struct err *err);

/* For --apply, which measures one pair: probe only to learn whether that pair can be proved
 * at all. Nothing is kept. -ENODATA: as peer_survey_check(). */
int peer_survey_ahead(struct peer *peer, struct err *err);

/* Open the session again, if the ranges were lowered: the server has to allow them. */
int peer_survey_reopen(struct peer *peer, struct err *err);

/* True if the bands of both directions are known. */
bool peer_survey_answered(const struct peer_findings *findings);

/* -ENODATA: the run is to apply its best pair, and will not be able to: without an answer
 * to probes no proof gets through either, and a grid has nothing but rates. */
int peer_survey_check(const struct peer *peer, struct err *err);

/* Store findings.survey with the run, warn of sizes that pass only sometimes, and send the
 * survey to the server's copy. */
int peer_survey_store(struct peer *peer, struct err *err);

/* Send the survey to the server, unless it has it. */
int peer_survey_share(struct peer_findings *findings, struct peer_session *session,
		      struct err *err);

#endif
