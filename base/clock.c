/* SPDX-License-Identifier: MIT */
/* Clocks, and times as text. */
#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

int64_t clock_boot_ms(void)
{
	return read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

int clock_left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_boot_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int64_t clock_again_ms(int64_t began_ms, int parts)
{
	int64_t now_ms = clock_boot_ms();

	return now_ms + parts * (now_ms - began_ms);
}

void clock_pause_us(int64_t us)
{
	struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		continue;
}

void clock_iso(int64_t wall_ms, char ret[CLOCK_ISO_SIZE])
{
	time_t seconds = wall_ms / 1000;
	struct tm parts;
	size_t length;

	gmtime_r(&seconds, &parts);
	length = strftime(ret, CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(ret + length, CLOCK_ISO_SIZE - length, ".%03dZ",
		 (int)(wall_ms % 1000));
}
