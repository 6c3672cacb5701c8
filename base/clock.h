/* SPDX-License-Identifier: MIT */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Clocks. Deadlines and durations use CLOCK_BOOTTIME: it counts on during suspend, and
 * nobody can set it. The wall clock is for times that a person reads.
 */

int64_t clock_boot_us(void);
int64_t clock_boot_ms(void);
/* Milliseconds since 1970. */
int64_t clock_wall_ms(void);
/* Return the milliseconds left until `deadline_ms` on clock_boot_ms(), 0 when it has
 * passed: a timeout for poll(). */
int clock_left_ms(int64_t deadline_ms);
/* Return the time on clock_boot_ms() at which to repeat work that began at `began_ms`
 * and ends now, so that it takes at most one part in `parts` of the time. */
int64_t clock_again_ms(int64_t began_ms, int parts);

/* Sleep so long, also through signals. */
void clock_pause_us(int64_t us);

/* "2026-11-22T12:20:39.123Z". */
#define CLOCK_ISO_SIZE 32
void clock_iso(int64_t wall_ms, char ret[CLOCK_ISO_SIZE]);

#endif
