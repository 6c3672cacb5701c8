#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/*
 * A failure, in a sentence fit to print. Functions that can fail return 0 or a negative
 * errno and take a struct err as their last parameter; where they fail, they fill it
 * once, at the place that knows what failed and on what. Text is lower case, failure
 * first, the subject in 'quotes', and has the remedy where there is one. NULL is
 * allowed: the text is then not wanted. Names in it may be anybody's: it is made fit for a
 * terminal.
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
 * Whether a negative errno says that a host lacks something for now: processes, memory,
 * descriptors, buffers, a free port. Another try later may succeed; nothing follows from
 * it about the network.
 */
bool err_is_shortage(int code);
/* The limit behind such an error, and where it is set, for a sentence. Static. */
const char *err_shortage_limit(int code);

#endif
