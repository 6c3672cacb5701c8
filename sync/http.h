/* SPDX-License-Identifier: MIT */
#ifndef SYNC_HTTP_H
#define SYNC_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * A small web server on one address of either family (civetweb behind door.c), for
 * endpoint.c and page.c. It lets
 * through to its handler what is addressed to it by name, has a method it serves and,
 * if it carries a body, a JSON one of at most `body_limit` bytes; it answers everything
 * else itself, in JSON. The handler runs in civetweb's threads, several at a time, on
 * stacks of 100 KB. A client that does not read its answer holds no worker: the kernel
 * takes all of it at once, up to HTTP_ANSWER_MAX bytes.
 *
 * Nothing is served from disk, and no other path of civetweb's request handling is
 * used: requests are answered before it looks at them.
 */

struct http_request {
	const char *method;  /* GET, POST or PUT */
	const char *path;    /* without the query */
	const char *query;   /* the part after '?', as sent; "" for none */
	const char *address; /* the client's */
	const char *body;
	size_t size;
};

struct http_response {
	int status;
	const char *allow; /* methods, for 405; else NULL */
	char *json;        /* malloc()ed; freed by the server */
	/* In its place: static. */
	const char *document;
	const char *type; /* media type of the content; NULL: JSON */
	const char
		*headers; /* more of them, each with its line's end; static, or NULL */
	bool keep;        /* the connection, for the caller's next request */
	bool spare; /* keep it only for a moment, and while nobody needs its worker */
};

#define HTTP_ANSWER_MAX 80000

struct http_config {
	const char *address;
	const char *interface; /* zone of a link-local address; "" none */
	int port;
	int workers;    /* each holds one connection at a time */
	bool read_only; /* POST and PUT are refused */
	/* Allowed in Host, with any port or none; NULL ends. An IPv6 address in brackets
	 * is compared with `address`. */
	const char *names[3];
	size_t body_limit;
	/* 0: the address is admitted; -EAGAIN: unknown for now; else it is refused,
	 * whatever it requested. `link`: index of the link that it is local to, or 0.
	 * NULL: every address is admitted. */
	int (*admit)(void *ctx, const char *address, unsigned link);
	void (*handle)(void *ctx, const struct http_request *request,
		       struct http_response *ret);
	void *ctx;
};

struct http;

/* Bind and serve; *config is copied, what it points to is borrowed. -EADDRINUSE,
 * -EADDRNOTAVAIL, -EACCES; -EINVAL not an address; -ENOTSUP this civetweb does not fit
 * (door.h). */
int http_new(const struct http_config *config, struct http **ret, struct err *err);

/* Stop: returns when no handler runs any more and its answer is sent. NULL is allowed.
 */
void http_free(struct http *http);

/* Make *ret a msg_answer: `code` a positive errno or 0. */
void http_answer(struct http_response *ret, int code, const char *text);

/* "1.15". Static. */
const char *http_library_version(void);

#endif
