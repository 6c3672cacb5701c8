/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/*
 * A failure as a sentence fit to print. Functions that can fail return 0 or a negative
 * errno and take a struct err as their last parameter. The function that knows the
 * operation and its subject fills it, once. The text is lower case, names the failure
 * first, puts the subject in 'quotes', and ends with the remedy where there is one.
 * Pass NULL if the text is not needed. Names in it may come from anybody, so control
 * characters are replaced for a terminal.
 */

struct err {
	char text[384];
};

#define ERR_INIT          \
	{                 \
		{         \
			0 \
		}         \
	}

/* Write the sentence and return `code` (a negative errno) for the caller to pass on. */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* strerror(), but for EFBIG, where this process has a limit on the size of its files. */
const char *err_reason(int errno_value);

/* The same as err_set(), with ": <err_reason(errno_value)>" after the sentence; returns
 * -errno_value. */
int err_sys(struct err *err, int errno_value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * True when a negative errno means that a host has run short of something for now:
 * processes, memory, descriptors, buffers or free ports. A later try may succeed. The
 * error says nothing about the network.
 */
bool err_is_shortage(int code);
/* Name the exhausted limit and the place where it is set, for a sentence. Static. */
const char *err_shortage_limit(int code);

#endif
