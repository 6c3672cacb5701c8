/* SPDX-License-Identifier: MIT */
#ifndef SYNC_REQUESTS_H
#define SYNC_REQUESTS_H

#include <stdatomic.h>

#include "sync/endpoint.h"
#include "sync/gate.h"
#include "sync/http.h"
#include "sync/page.h"

/*
 * The requests to the endpoint. Each finds its operation, is checked against the
 * session and answered, in http.c's threads, several at a time. For endpoint.c.
 */

struct requests {
	int64_t lease_max_ms;
	const struct endpoint_ops *ops;
	void *ctx;
	int event_fd; /* endpoint_fd() */
	struct gate gate;
	struct page page;
	struct msg_answer closed_answer; /* to the last close */
	/* Once `stopping`, the session's peer gets `stop_why` for an answer. */
	_Atomic bool stopping;
	struct err stop_why;
};

/* requests_release() follows in any case. */
int requests_init(struct requests *requests, const struct endpoint_config *config,
		  struct err *err);
/* No request may be under way. */
void requests_release(struct requests *requests);

/* http_config.handle. */
void requests_handle(struct requests *requests, const struct http_request *request,
		     struct http_response *ret);

/* endpoint_stop(). */
void requests_stop(struct requests *requests, const char *why);

/* endpoint_tick(). */
int requests_tick(struct requests *requests);

#endif
