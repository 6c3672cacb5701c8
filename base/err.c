/* SPDX-License-Identifier: MIT */
/* Failures as sentences. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	text_printable(err->text);
	return code;
}

const char *err_reason(int errno_value)
{
	if (errno_value == EFBIG && io_has_file_limit())
		return "the file size limit (ulimit -f) is reached";
	return strerror(errno_value);
}

int err_sys(struct err *err, int errno_value, const char *fmt, ...)
{
	va_list args;
	size_t length;

	if (!err)
		return -errno_value;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	length = strlen(err->text);
	snprintf(err->text + length, sizeof(err->text) - length, ": %s",
		 err_reason(errno_value));
	text_printable(err->text);
	return -errno_value;
}

struct shortage {
	int code;
	const char *limit;
};

static const struct shortage shortages[] = {
	{-EAGAIN, "the user's limit of processes (ulimit -u) or the cgroup's pids.max"},
	{-ENOMEM, "memory, or the cgroup's memory.max"},
	{-EMFILE, "a process's limit of open files (ulimit -n)"},
	{-ENFILE, "the system's limit of open files (sysctl fs.file-max)"},
	{-ENOBUFS, "the network's buffers (memory)"},
	{-EADDRINUSE, "the port, which another program uses"},
	{-EADDRNOTAVAIL, "the addresses and free ports of the host"},
};

static const struct shortage *find_shortage(int code)
{
	for (size_t i = 0; i < sizeof(shortages) / sizeof(shortages[0]); i++) {
		if (shortages[i].code == code)
			return &shortages[i];
	}
	return NULL;
}

bool err_is_shortage(int code)
{
	return find_shortage(code) != NULL;
}

const char *err_shortage_limit(int code)
{
	const struct shortage *shortage = find_shortage(code);

	return shortage ? shortage->limit : "an unknown limit";
}
