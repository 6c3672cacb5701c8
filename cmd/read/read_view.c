/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>

#include "base/stop.h"
#include "cmd/read/read.h"
#include "cmd/run/live_page.h"
#include "sync/page.h"

#define ADDRESS "127.0.0.1"
#define WORKERS 4

static int port = 5080;

static const struct option_spec options[] = {
	{.name = "port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &port,
	 .min = 1,
	 .max = 65535,
	 .help = "the TCP port of 127.0.0.1 (default 5080)"},
	{.name = NULL, .more = read_run_options},
};

struct view {
	struct live_page shown;
	struct page page;
};

static int tell_progress(void *ctx, const struct page_ask *ask, char **ret_json,
			 struct err *err)
{
	struct view *view = ctx;

	return live_page_progress(&view->shown, ask, NULL, ret_json, err);
}

static int tell_runs(void *ctx, char **ret_json, struct err *err)
{
	struct view *view = ctx;

	return live_page_runs(&view->shown, ret_json, err);
}

static const struct page_ops page_ops = {.progress = tell_progress, .runs = tell_runs};

static void serve_request(void *ctx, const struct http_request *request,
			  struct http_response *ret)
{
	struct view *view = ctx;

	if (!page_handle(&view->page, request, ret))
		http_answer(ret, ENOENT, "no such path");
}

/* Report a mistake now, not in the browser. The database does not stay open: an open
 * one would prevent a running sweep from leaving WAL mode at its end. */
static int check_database(struct err *err)
{
	struct query_run run;
	cleanup_query struct query *query = NULL;
	int r = query_open(read_given.db, &query, err);

	if (r == 0 && read_given.tunnel)
		r = query_choose_tunnel(query, read_given.tunnel, err);
	return r < 0 || !read_given.run ? r : read_find_run(query, &run, err);
}

/* Until somebody ends it. */
static int serve_page(struct view *view, struct err *err)
{
	struct http_config config = {
		.address = ADDRESS,
		.port = port,
		.workers = WORKERS,
		.read_only = true,
		.interface = "",
		.names = {ADDRESS, "localhost", NULL},
		.handle = serve_request,
		.ctx = view,
	};
	struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};
	struct http *http;
	struct err why = ERR_INIT;
	int r = http_new(&config, &http, &why);

	if (r == -EADDRINUSE)
		return err_set(err, r, "%.250s; give another port with --port",
			       why.text);
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	printf("http://" ADDRESS ":%d/\n", port);
	fflush(stdout);
	while (poll(&stop, 1, -1) < 0 && errno == EINTR)
		;
	http_free(http);
	return 0;
}

static int run_view(struct err *err)
{
	struct view view = {.shown = {.run = read_given.run, .choose = true}};
	int r = check_database(err);

	if (r == 0)
		r = live_new(read_given.db, &view.shown.live, err);
	if (r == 0 && stop_install() < 0)
		r = err_set(err, -EIO, "cannot wait for signals");
	if (r < 0) {
		live_free(view.shown.live);
		return r;
	}
	live_choose_tunnel(view.shown.live, read_given.tunnel);
	page_init(&view.page, &page_ops, &view);
	r = serve_page(&view, err);
	page_release(&view.page);
	live_free(view.shown.live);
	return r;
}

const struct read_command read_view = {
	.name = "view",
	.help = "show runs in a web browser, on this host alone",
	.options = options,
	.takes_run = true,
	.run_alone = run_view,
};
