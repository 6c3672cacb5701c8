#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Time. Deadlines and durations are counted on CLOCK_BOOTTIME, which goes on in suspend
 * and which nobody steps; the wall clock is for what a person reads.
 */

int64_t clock_boot_us(void);
int64_t clock_boot_ms(void);
/* Milliseconds since 1970. */
int64_t clock_wall_ms(void);
/* What is left until `deadline_ms` on clock_boot_ms(), 0 when past: fit for poll(). */
int clock_left_ms(int64_t deadline_ms);
/* When what was begun at `began_ms` on clock_boot_ms(), and ends now, may be done again, so
 * that it takes one part in so many of the time. */
int64_t clock_again_ms(int64_t began_ms, int parts);

/* "2026-11-22T12:20:39.123Z". */
#define CLOCK_ISO_SIZE 32
void clock_iso(int64_t wall_ms, char ret[CLOCK_ISO_SIZE]);

#endif
