/* SPDX-License-Identifier: MIT */
/* The page on which a sweep can be watched. */

#include "sync/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"

/* Allow no content from elsewhere, no code but the page's own, and no other site to
 * frame or read it. */
#define HEADERS_ALL                           \
	"X-Content-Type-Options: nosniff\r\n" \
	"Referrer-Policy: no-referrer\r\n"    \
	"Cross-Origin-Resource-Policy: same-origin\r\n"
static const char document_headers[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; "
	"style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'\r\n" HEADERS_ALL;

static const struct document {
	const char *path;
	const char *type;
	const char *text;
} documents[] = {
	{"/", "text/html; charset=utf-8", page_html},
	{"/page.css", "text/css; charset=utf-8", page_css},
	{"/page.js", "text/javascript; charset=utf-8", page_js},
};

void page_init(struct page *page, const struct page_ops *ops, void *ctx)
{
	*page = (struct page){.ops = ops, .ctx = ctx};
	pthread_mutex_init(&page->lock, NULL);
}

void page_release(struct page *page)
{
	pthread_mutex_destroy(&page->lock);
}

/* --- the query --- */

static int take_text(const char *value, char *ret, size_t size)
{
	static const char allowed[] = "0123456789abcdefABCDEF-";

	if (strlen(value) >= size || value[strspn(value, allowed)])
		return -EINVAL;
	text_copy(ret, size, value);
	return 0;
}

static int take_after(const char *value, uint32_t *ret)
{
	int64_t number;
	int r = text_to_int(value, 0, UINT32_MAX, &number);

	if (r == 0)
		*ret = (uint32_t)number;
	return r;
}

static int take_field(const char *name, const char *value, struct page_ask *ret)
{
	if (strcmp(name, "run") == 0)
		return take_text(value, ret->run, sizeof(ret->run));
	if (strcmp(name, "have") == 0)
		return take_text(value, ret->have, sizeof(ret->have));
	if (strcmp(name, "rev") == 0)
		return take_text(value, ret->revision, sizeof(ret->revision));
	if (strcmp(name, "reader") == 0)
		return take_text(value, ret->reader, sizeof(ret->reader));
	if (strcmp(name, "after") == 0)
		return take_after(value, &ret->after);
	if (strcmp(name, "pair") == 0)
		return mtu_pair_parse(value, &ret->pair);
	return 0; /* a later version's: ignore it */
}

int page_ask_parse(const char *query, struct page_ask *ret, struct err *err)
{
	struct page_ask ask = {0};
	char copy[512];
	char *rest = copy;
	char *field;

	if (strlen(query) >= sizeof(copy))
		return err_set(err, -EINVAL, "the query is too long");
	text_copy(copy, sizeof(copy), query);
	while ((field = strsep(&rest, "&")) != NULL) {
		char *value = strchr(field, '=');

		if (!value)
			continue;
		*value++ = '\0';
		if (take_field(field, value, &ask) < 0)
			return err_set(err, -EINVAL,
				       "'%.20s' in the query is not valid", field);
	}
	*ret = ask;
	return 0;
}

/* --- requests --- */

/* That host itself: its packets do not pass the tunnel. */
static bool is_near(const char *address)
{
	return strncmp(address, "127.", 4) == 0;
}

typedef int tell_fn(struct page *page, const struct page_ask *ask, char **ret_json,
		    struct err *err);

static int tell_progress(struct page *page, const struct page_ask *ask, char **ret_json,
			 struct err *err)
{
	return page->ops->progress(page->ctx, ask, ret_json, err);
}

static int tell_runs(struct page *page, const struct page_ask *ask, char **ret_json,
		     struct err *err)
{
	(void)ask;
	return page->ops->runs(page->ctx, ret_json, err);
}

static int tell_metrics(struct page *page, const struct page_ask *ask, char **ret_json,
			struct err *err)
{
	return page->ops->metrics(page->ctx, ask->near, ret_json, err);
}

static void answer_page(struct page *page, const struct http_request *request,
			tell_fn *tell, struct http_response *ret)
{
	struct err err = ERR_INIT;
	struct page_ask ask;
	char *json = NULL;
	int r = page_ask_parse(request->query, &ask, &err);

	if (r == 0 && pthread_mutex_trylock(&page->lock) != 0)
		r = err_set(&err, -EAGAIN,
			    "the server is busy with another page: try again");
	else if (r == 0) {
		ask.near = is_near(request->address);
		r = tell(page, &ask, &json, &err);
		pthread_mutex_unlock(&page->lock);
	}
	if (r < 0) {
		http_answer(ret, -r, err.text);
	} else {
		ret->status = 200;
		ret->json = json;
		/* Scrapers require the version of the exposition format. */
		if (tell == tell_metrics)
			ret->type = "text/plain; version=0.0.4; charset=utf-8";
	}
	ret->headers = HEADERS_ALL;
}

static tell_fn *find_tell(const struct page *page, const char *path)
{
	if (strcmp(path, "/progress") == 0)
		return tell_progress;
	if (strcmp(path, "/runs") == 0 && page->ops->runs)
		return tell_runs;
	if (strcmp(path, "/metrics") == 0 && page->ops->metrics)
		return tell_metrics;
	return NULL;
}

static const struct document *find_document(const char *path)
{
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		if (strcmp(documents[i].path, path) == 0)
			return &documents[i];
	}
	return NULL;
}

bool page_handle(struct page *page, const struct http_request *request,
		 struct http_response *ret)
{
	const struct document *document = find_document(request->path);
	tell_fn *tell = page->ops ? find_tell(page, request->path) : NULL;

	if (!page->ops || (!document && !tell))
		return false;
	if (strcmp(request->method, "GET") != 0) {
		http_answer(ret, EOPNOTSUPP, "method not allowed for this path");
		ret->allow = "GET";
	} else if (tell) {
		answer_page(page, request, tell, ret);
	} else {
		ret->status = 200;
		ret->document = document->text;
		ret->type = document->type;
		ret->headers = document_headers;
	}
	return true;
}
