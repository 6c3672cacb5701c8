/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_ANSWER_H
#define CMD_PEER_PEER_ANSWER_H

#include <stdint.h>

#include "base/err.h"

/*
 * The first half of each run that probes its path: what the probes alone say is printed
 * before anything is stored, so that no disk delays it. With --json nothing is printed but
 * one document at the end.
 */

struct peer;

/* Print text on stdout, unless --json has the document printed in its place. 0, or what the
 * writing failed with. */
int peer_print(const struct peer *peer, const char *text);

/* With the path probed: set peer->predicted, and print it. A strategy without a plan has
 * this for its result: then also set peer->check, and print the path, or the line of
 * --check. peer->printed has what that printing failed with. */
int peer_answer(struct peer *peer, struct err *err);

/* Tell what the probes of a path that changed during the run predict. */
int peer_answer_again(struct peer *peer, struct err *err);

/* The end of a strategy without a plan: enum program_status of the current pair, or
 * -EIO the result could not be printed, -ENODATA the pair cannot be judged. */
int peer_answer_status(const struct peer *peer, struct err *err);

/* Print the stored run as JSON: the object of mtusweep show --json. -EIO. */
int peer_answer_json(const struct peer *peer, struct err *err);

#endif
