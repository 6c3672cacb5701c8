/* SPDX-License-Identifier: MIT */
#ifndef BASE_DEBUG_H
#define BASE_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The debug log: a timestamped line on stderr for each step of the program, enough to
 * understand a failure on somebody else's host (--debug, MTUSWEEP_DEBUG=1). Lines carry
 * names, addresses, sizes and results, and never a message's body, a key, a run's secret
 * or a line of a conf file.
 *
 *	2026-11-28T20:39:39.123Z guard[4711] netlink: RTM_NEWLINK: ok (0.2 ms)
 *
 * Call debug_start() before the first fork; the children inherit it. debug_log() may be
 * called in any thread. The log is off until then, and costs one comparison.
 */

/* Turn the log on. `process` names this process in its lines; borrowed. */
void debug_start(const char *process);
/* True if MTUSWEEP_DEBUG requests the log: set, and neither empty nor "0". */
bool debug_is_wanted(void);
bool debug_is_on(void);
/* Name this process from here on, after a fork; borrowed. */
void debug_set_process(const char *process);

/* Write one line of at most 480 bytes. A reader of stderr that reads nothing for 250 ms
 * loses it. Keeps errno. */
void debug_log(const char *area, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Mark the begin of a phase of a run, "phase: NAME"; it lasts until the next one.
 * docs/benchmarks.md lists them. */
void debug_phase(const char *name);

/* Milliseconds since `began_us` on clock_boot_us(), for the end of a line. */
double debug_ms_since(int64_t began_us);

#endif
