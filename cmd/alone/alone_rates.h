/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_RATES_H
#define CMD_ALONE_ALONE_RATES_H

#include <jansson.h>

#include "base/evidence.h"
#include "cmd/alone/alone.h"

/*
 * --iperf-server: after the probes of --alone, measure MTUs of this end against a stock
 * iperf3 server. The recommended MTU and the current one, or all of the range, are rows of
 * the run; they confirm the recommendation or contradict it.
 */

/* True if there is something to measure. */
bool alone_rates_wanted(const struct alone *alone);

/* Set what the tests make of the run's facts, and of its options. */
void alone_rates_describe(const struct alone *alone, struct run_info *info);
void alone_rates_note_options(const struct alone_config *config, json_t *object);

/*
 * Measure, store each row in the run, restore this end's MTU, then store and print what
 * the rows say of the recommendation *e. -ECONNREFUSED: the server makes no test;
 * -ECANCELED: a test failed and --peer-skip-errors is False, which is concluded all the
 * same; -EINTR; errors of storing. After each of them the rows of before are stored, and
 * the MTU is restored.
 */
int alone_rates(struct alone *alone, int64_t run, struct evidence *e, struct err *err);

#endif
