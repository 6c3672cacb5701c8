/* SPDX-License-Identifier: MIT */
#include "report/share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "report/heatmap_cairo.h"
#include "report/heatmap_layout.h"

/* The policy lets the page load nothing. */
static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; img-src data:\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>mtusweep</title>\n<style>\n"
	"body { font: 15px/1.4 sans-serif; color: #222; background: #fff;"
	" max-width: 80em; margin: 1em auto; padding: 0 1em; }\n"
	"svg { max-width: 100%; height: auto; }\n"
	"table { border-collapse: collapse; }\n"
	"th, td { padding: 0 .8em; text-align: right; }\n"
	"</style>\n</head>\n<body>\n";

static const char legend[] =
	"<p>The maps have the server's MTU up the side and the peer's along the "
	"bottom; upload is from the peer to the server. Hatched pairs failed, each "
	"kind in its way; a black hole is a size whose packets never arrive. Lines are "
	"edges of the path: beyond one, the sender's full-size packets are larger than "
	"the size beside it; where it is dashed, the other end's MTU keeps those of "
	"TCP below. Faint strokes and crosses are what the edges let expect of TCP's "
	"full-size packets: fragments, and losses.</p>\n";

static int write_map(const struct heatmap *map, FILE *out, struct err *err)
{
	cleanup_free char *svg = NULL;
	const char *tag;
	size_t size = 0;
	FILE *memory = open_memstream(&svg, &size);
	int r;

	if (!memory)
		return err_set(err, -ENOMEM, "out of memory");
	r = heatmap_write_svg(map, memory, err);
	if (fclose(memory) == EOF && r == 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	/* Inside HTML the SVG begins with its tag. */
	tag = strstr(svg, "<svg");
	fputs(tag ? tag : "", out);
	return 0;
}

static void write_element(FILE *out, const char *name, const char *text)
{
	fprintf(out, "<%s>", name);
	text_put_markup(out, text);
	fprintf(out, "</%s>\n", name);
}

/* Write the map's own lines: none of them names a host. */
static void write_facts(const struct heatmap *map, FILE *out)
{
	struct heatmap_layout layout;

	write_element(out, "h1", map->line[0]);
	for (int i = 1; i < HEATMAP_LINES; i++)
		write_element(out, "p", map->line[i]);
	heatmap_layout(map, &layout);
	fputs("<ul>\n", out);
	for (int k = 0; k < layout.keys; k++) {
		if (layout.key[k].kind == HEATMAP_KEY_MARK ||
		    layout.key[k].kind == HEATMAP_KEY_EDGES ||
		    layout.key[k].kind == HEATMAP_KEY_PREDICTED)
			write_element(out, "li", layout.key[k].text);
	}
	fputs("</ul>\n", out);
}

static void write_rate(FILE *out, enum test_status status, int64_t rate_bps)
{
	if (status == TEST_OK && rate_bps != NO_FIGURE)
		fprintf(out, "<td>%.3f</td>", (double)rate_bps / 1e6);
	else
		fprintf(out, "<td>%s</td>", test_status_name(status));
}

static int write_row(void *ctx, const struct query_result *result)
{
	fprintf(ctx, "<tr><td>%d</td><td>%d</td>", result->mtu.server,
		result->mtu.peer);
	write_rate(ctx, result->upload_status, result->upload_bps);
	write_rate(ctx, result->download_status, result->download_bps);
	fprintf(ctx, "<td>%d</td></tr>\n", result->visits);
	return 0;
}

static int write_table(struct query *query, int64_t run, FILE *out, struct err *err)
{
	int r;

	fputs("<details>\n<summary>All pairs</summary>\n<table>\n"
	      "<tr><th>server MTU</th><th>peer MTU</th><th>upload Mbit/s</th>"
	      "<th>download Mbit/s</th><th>visits</th></tr>\n",
	      out);
	r = query_results(query, run, write_row, out, err);
	fputs("</table>\n</details>\n</body>\n</html>\n", out);
	return r;
}

int share_write(struct query *query, int64_t run, const struct heatmap *map, FILE *out,
		struct err *err)
{
	int r;

	fputs(head, out);
	write_facts(map, out);
	r = write_map(map, out, err);
	fputs(legend, out);
	if (r == 0)
		r = write_table(query, run, out, err);
	if (r < 0)
		return r;
	errno = 0;
	if (fflush(out) == EOF || ferror(out))
		return err_sys(err, errno ? errno : EIO, "cannot write the page");
	return 0;
}
