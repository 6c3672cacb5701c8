#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
		 strerror(errno_value));
	text_printable(err->text);
	return -errno_value;
}
