/* SPDX-License-Identifier: MIT */
/* Lines on stderr. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "cmd/host/host.h"
#include "cmd/host/progress.h"

#define SAY_TIMEOUT_MS 250

static const char *program_name = "mtusweep";

void host_say_as(const char *name)
{
	program_name = name;
}

/* JOURNAL_STREAM has device and inode of the stream that systemd gave this program. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

/* `priority` below 0: none. */
static void say(int priority, const char *text)
{
	char line[512];
	char prefix[16] = "";
	int length;

	if (priority >= 0 && is_journal(STDERR_FILENO))
		snprintf(prefix, sizeof(prefix), "<%d>", priority);
	length = snprintf(line, sizeof(line), "%s%s: %s\n", prefix, program_name, text);
	if (length >= (int)sizeof(line))
		length = (int)sizeof(line) - 1;
	/* A terminal that is gone, or that nobody reads, delays nothing. */
	io_write_or_drop(STDERR_FILENO, line, (size_t)length, SAY_TIMEOUT_MS);
}

void host_say(const char *text)
{
	say(-1, text);
}

__attribute__((format(printf, 2, 0))) static void tell(int priority, const char *fmt,
						       va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	text_printable(text);
	progress_clear();
	say(priority, text);
}

void host_tell(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(-1, fmt, args);
	va_end(args);
}

void host_tell_at(int priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(priority, fmt, args);
	va_end(args);
}

void host_tell_text(const char *text)
{
	progress_clear();
	io_write_or_drop(STDERR_FILENO, text, strlen(text), SAY_TIMEOUT_MS);
}

void host_warn(const struct warning *w)
{
	cleanup_free char *text = warning_sentence(w);

	host_tell("%s: %s", warning_label(w->kind),
		  text ? text : warning_name(w->kind));
}
