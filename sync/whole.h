/* SPDX-License-Identifier: MIT */
#ifndef SYNC_WHOLE_H
#define SYNC_WHOLE_H

#include <stddef.h>

/* The beginning of a connection's bytes: how much of a request it is. Pure. */

/* The most of a request's head that is read: one without an end by then is refused. */
#define WHOLE_HEAD_MAX 4096

enum whole {
	WHOLE_NOT,  /* the end of the head has not come */
	WHOLE_HEAD, /* the head has, the body has not */
	/* The request has; or its rest does not matter, since it is refused without it: it
	 * is no request, or larger than what is looked at. */
	WHOLE_ALL,
};

/* `text` has room for a byte behind its `size` bytes, at most WHOLE_HEAD_MAX; it is
 * changed. */
enum whole whole_judge(char *text, size_t size);

#endif
