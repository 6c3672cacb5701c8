/* SPDX-License-Identifier: MIT */
#include "base/debug.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"

#define LINE_SIZE     480
#define LINE_PATIENCE 250

/* NULL: the log is off. */
static const char *process_name;

void debug_start(const char *process)
{
	process_name = process;
}

bool debug_is_wanted(void)
{
	const char *value = getenv("MTUSWEEP_DEBUG");

	return value && value[0] && strcmp(value, "0") != 0;
}

bool debug_is_on(void)
{
	return process_name != NULL;
}

void debug_set_process(const char *process)
{
	if (process_name)
		process_name = process;
}

void debug_log(const char *area, const char *fmt, ...)
{
	int keep = errno;
	char line[LINE_SIZE];
	char now[CLOCK_ISO_SIZE];
	va_list args;
	size_t length;

	if (!process_name)
		return;
	clock_iso(clock_wall_ms(), now);
	length = (size_t)snprintf(line, sizeof(line), "%s %s[%d] %s: ", now,
				  process_name, (int)getpid(), area);
	va_start(args, fmt);
	vsnprintf(line + length, sizeof(line) - 1 - length, fmt, args);
	va_end(args);
	text_printable(line);
	length = strlen(line);
	line[length++] = '\n';
	io_write_or_drop(STDERR_FILENO, line, length, LINE_PATIENCE);
	errno = keep;
}

void debug_phase(const char *name)
{
	debug_log("phase", "%s", name);
}

double debug_ms_since(int64_t began_us)
{
	return (double)(clock_boot_us() - began_us) / 1000;
}
