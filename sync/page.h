/* SPDX-License-Identifier: MIT */
#ifndef SYNC_PAGE_H
#define SYNC_PAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/types.h"
#include "sync/http.h"

/*
 * The page on which a sweep can be watched, for the server's endpoint and for mtusweep
 * view: its documents, which are part of the program (sync/page/), and the requests of
 * its script. For http_config.handle:
 *
 * page_init(&page, &ops, ctx); ... if (page_handle(&page, request, ret)) return; ...
 * some other path
 *
 * One question is answered at a time, without a queue: a request that arrives meanwhile
 * is refused (503), so that page readers never hold more than one of the web server's
 * workers.
 */

#define PAGE_READER_SIZE 20

struct page_ask {
	char reader
		[PAGE_READER_SIZE]; /* the same in each request of a page; "": none */
	char run[UUID_SIZE];        /* a run's name; "": the newest, or the usual one */
	char have
		[UUID_SIZE]; /* the run that the rest is of; "": nothing is known yet */
	char revision[20];   /* the known facts' revision; "": none */
	uint32_t after;      /* rows up to this one are known */
	struct mtu_pair pair; /* requested in full; 0, 0: none */
	bool near;            /* the answer does not go through the tunnel */
};

struct page_ops {
	/* docs/protocol.md's answer to GET /progress, for free(). */
	int (*progress)(void *ctx, const struct page_ask *ask, char **ret_json,
			struct err *err);
	/* The runs to choose from; NULL: there is no choice. */
	int (*runs)(void *ctx, char **ret_json, struct err *err);
	/* Answer GET /metrics in Prometheus' text format; NULL: not served. */
	int (*metrics)(void *ctx, bool near, char **ret_text, struct err *err);
};

struct page {
	const struct page_ops *ops; /* NULL: no page */
	void *ctx;
	pthread_mutex_t lock;
};

/* The files of sync/page/, put into the program when it is built. */
extern const char page_html[];
extern const char page_css[];
extern const char page_js[];

void page_init(struct page *page, const struct page_ops *ops, void *ctx);
void page_release(struct page *page);

/* Answer a request for one of the page's paths. False: the path is another. */
bool page_handle(struct page *page, const struct http_request *request,
		 struct http_response *ret);

/* The query of GET /progress, without `near`. -EINVAL: the text names the field. */
int page_ask_parse(const char *query, struct page_ask *ret, struct err *err);

#endif
