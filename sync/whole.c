/* SPDX-License-Identifier: MIT */
/* How much of a request has come. */

#include "sync/whole.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Return the size of a request's head; 0: its end has not come; -1: it is none. As
 * civetweb's get_http_header_len(), so that a worker waits for no more of it. */
static ssize_t head_size(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 128 && c != '\r' && c != '\n' && (c < ' ' || c > '~'))
			return -1;
		if (i + 1 < size && c == '\n' && text[i + 1] == '\n')
			return (ssize_t)i + 2;
		if (i + 3 < size && memcmp(text + i, "\r\n\r\n", 4) == 0)
			return (ssize_t)i + 4;
	}
	return 0;
}

/* `text` is a head with a NUL behind it; 0 where it names no size. */
static unsigned long body_size(const char *text)
{
	static const char name[] = "\nContent-Length:";
	const char *length = strcasestr(text, name);

	return length ? strtoul(length + sizeof(name) - 1, NULL, 10) : 0;
}

enum whole whole_judge(char *text, size_t size)
{
	ssize_t head = head_size(text, size);
	unsigned long body;

	if (head < 0 || size == WHOLE_HEAD_MAX)
		return WHOLE_ALL;
	if (head == 0)
		return WHOLE_NOT;
	text[head - 1] = '\0';
	body = body_size(text);
	if (body > WHOLE_HEAD_MAX || body <= size - (size_t)head)
		return WHOLE_ALL;
	return WHOLE_HEAD;
}
