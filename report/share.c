/* SPDX-License-Identifier: MIT */
#include "report/share.h"

#include <errno.h>
#include <stdio.h>
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
	"svg image { image-rendering: pixelated; }\n"
	"table { border-collapse: collapse; }\n"
	"th, td { padding: 0 .8em; text-align: right; }\n"
	"</style>\n</head>\n<body>\n";

/* More pairs than that would make the file too large for a bug report. */
#define PAIRS_MAX 2000

static const char omitted[] = "[omitted]";

static const char rulers_legend[] =
	"<p>The rulers show the fate of outer packets by their size, and below each "
	"size the sender's MTU whose largest packets have it. Upload is from the peer "
	"to the server.</p>\n";

static const char maps_legend[] =
	"<p>The maps show the server's MTU up the side and the peer's along the "
	"bottom; upload is from the peer to the server. Hatched pairs failed; each "
	"kind of failure has its own hatching. Lines are edges of the path: beyond a "
	"line, the sender's full-size packets are larger than the size beside it. "
	"Where it is dashed, the other end's MTU keeps TCP's packets below that size. "
	"Dots mark pairs for which the path model predicts fragmentation of full-size "
	"TCP packets, crosses pairs for which it predicts loss. Pairs that were not "
	"measured have the faint colour of the predicted fate.</p>\n";

static const char black_hole[] =
	"<p>A black hole is a size whose packets never arrive.</p>\n";

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

/* Write the path and the maps, if there are any. */
static int write_pictures(const struct heatmap *map, FILE *out, struct err *err)
{
	struct ruler ruler;
	int r;

	heatmap_ruler(map, &ruler);
	if (!map->panels && !ruler.to)
		return 0;
	r = write_map(map, out, err);
	fputs(ruler.to ? rulers_legend : "", out);
	fputs(map->panels ? maps_legend : "", out);
	fputs(black_hole, out);
	return r;
}

static void write_element(FILE *out, const char *name, const char *text)
{
	fprintf(out, "<%s>", name);
	text_put_markup(out, text);
	fprintf(out, "</%s>\n", name);
}

/* Write the map's own lines, the recommendation first: none of them names a host. */
static void write_facts(const struct heatmap *map, FILE *out)
{
	struct heatmap_layout layout;

	if (map->answer[0]) {
		write_element(out, "h1", map->answer);
		write_element(out, "p", map->reason);
	}
	write_element(out, map->answer[0] ? "h2" : "h1", map->line[0]);
	for (int i = 1; i < HEATMAP_LINES; i++)
		write_element(out, "p", map->line[i]);
	heatmap_layout(map, &layout);
	fputs("<ul>\n", out);
	for (int k = 0; k < layout.keys; k++) {
		if (layout.key[k].kind == HEATMAP_KEY_MARK ||
		    layout.key[k].kind == HEATMAP_KEY_EDGES)
			write_element(out, "li", layout.key[k].text);
	}
	fputs("</ul>\n", out);
}

/* --- the answer --- */

/* A detail may name a host, except this one: "whole to lost at 1480 bytes". */
static bool may_show_detail(const struct warning *w)
{
	char from[16];
	char to[16];
	enum fate fate;
	int end = 0;

	return w->kind == WARNING_CHANGED &&
	       sscanf(w->detail, "%15s to %15s at %*d bytes%n", from, to, &end) == 2 &&
	       end && !w->detail[end] && fate_parse(from, &fate) == 0 &&
	       fate_parse(to, &fate) == 0;
}

struct list {
	FILE *out;
	int items;
};

static int write_warning(void *ctx, const struct query_warning *stored)
{
	struct list *list = ctx;
	struct warning w = stored->facts;
	cleanup_free char *text = NULL;

	if (w.detail && !may_show_detail(&w))
		w.detail = omitted;
	text = warning_sentence(&w);
	if (!text)
		return -ENOMEM;
	list->items++;
	write_element(list->out, "li", text);
	return 0;
}

/* One line of text each. */
static int write_evidence(const struct evidence *e, FILE *out, struct err *err)
{
	cleanup_free char *text = NULL;
	struct evidence copy = *e;
	char *rest = NULL;
	int r;

	/* One end alone names addresses, and its interface in commands. */
	text_copy(copy.one_end.target, sizeof(copy.one_end.target), omitted);
	text_copy(copy.one_end.endpoint, sizeof(copy.one_end.endpoint), omitted);
	copy.one_end.interface[0] = '\0';
	r = evidence_text(&copy, &text, err);

	if (r < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		write_element(out, "li", line);
	return 0;
}

static int write_recommendation(struct query *query, int64_t run, FILE *out,
				struct err *err)
{
	struct query_recommendation recommended = {0};
	int r = query_recommended(query, run, &recommended, err);

	if (r < 0 && r != -ENODATA)
		return r;
	fputs("<h2>Recommendation</h2>\n<ul>\n", out);
	if (r == -ENODATA) {
		fputs("<li>this run recommends no pair</li>\n", out);
		r = 0;
	} else if (recommended.evidence.reason.kind == REASON_TEXT) {
		fprintf(out,
			"<li>recommended: server MTU %d, peer MTU %d</li>\n"
			"<li>why: %s (an older version kept it as a text)</li>\n",
			recommended.evidence.mtu.server, recommended.evidence.mtu.peer,
			omitted);
	} else {
		r = write_evidence(&recommended.evidence, out, err);
	}
	fputs("</ul>\n", out);
	free(recommended.text);
	return r;
}

static int write_warnings(struct query *query, int64_t run, FILE *out, struct err *err)
{
	struct list list = {.out = out};
	int r;

	fputs("<h2>Warnings of the run</h2>\n<ul>\n", out);
	r = query_warnings(query, run, "run", write_warning, &list, err);
	fprintf(out, "%s</ul>\n", list.items ? "" : "<li>none</li>\n");
	return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
}

/* --- versions --- */

/* A version as "libiperf 3.12": a word, and a number that is no address. */
static bool is_version(const char *item)
{
	size_t word = strspn(item, "abcdefghijklmnopqrstuvwxyz");
	const char *number = item + word + 1;
	int dots = 0;

	if (!word || item[word] != ' ' || *number < '0' || *number > '9')
		return false;
	for (const char *c = number; *c; c++)
		dots += *c == '.';
	return dots <= 2 &&
	       strspn(number, "0123456789.+~-abcdefghijklmnopqrstuvwxyz") ==
		       strlen(number);
}

static void write_versions_of(FILE *out, const char *end, const struct end_facts *facts)
{
	char versions[sizeof(facts->versions)];
	const char *before = "";
	char *rest = NULL;

	text_copy(versions, sizeof(versions), facts->versions);
	fprintf(out, "<li>%s: ", end);
	if (!versions[0])
		fputs("unknown", out);
	for (char *item = strtok_r(versions, ",", &rest); item;
	     item = strtok_r(NULL, ",", &rest)) {
		item += strspn(item, " ");
		fputs(before, out);
		text_put_markup(out, is_version(item) ? item : omitted);
		before = ", ";
	}
	fputs("</li>\n", out);
}

static void write_versions(const struct run_info *info, FILE *out)
{
	fputs("<h2>Versions</h2>\n<ul>\n", out);
	if (run_info_has_end(info, DIR_DOWNLOAD))
		write_versions_of(out, "server", &info->server);
	if (run_info_has_end(info, DIR_UPLOAD))
		write_versions_of(out, "peer", &info->peer);
	fprintf(out,
		"<li>this page: mtusweep " MTUSWEEP_VERSION "</li>\n</ul>\n"
		"<p>%s: a text that may name a host.</p>\n",
		omitted);
}

/* --- the pairs --- */

static void write_rate(FILE *out, enum test_status status, int64_t rate_bps)
{
	char text[RATE_TEXT_SIZE];

	rate_text(status, rate_bps, 3, text);
	fprintf(out, "<td>%s", text);
}

/* HTML lets the ends of rows and fields out. */
static int write_row(void *ctx, const struct query_result *result)
{
	struct list *table = ctx;
	char server[MTU_TEXT_SIZE];
	char peer[MTU_TEXT_SIZE];

	if (++table->items > PAIRS_MAX)
		return 0;
	fprintf(table->out, "<tr><td>%s<td>%s", mtu_text(result->mtu.server, server),
		mtu_text(result->mtu.peer, peer));
	write_rate(table->out, result->upload_status, result->upload_bps);
	write_rate(table->out, result->download_status, result->download_bps);
	fprintf(table->out, "<td>%d\n", result->visits);
	return 0;
}

static int write_table(struct query *query, int64_t run, FILE *out, struct err *err)
{
	struct list table = {.out = out};
	int r;

	fputs("<details>\n<summary>All pairs</summary>\n<table>\n<tr><th>server "
	      "MTU<th>peer MTU<th>upload Mbit/s<th>download "
	      "Mbit/s<th>measurements\n",
	      out);
	r = query_results(query, run, write_row, &table, err);
	fputs("</table>\n", out);
	if (table.items > PAIRS_MAX)
		fprintf(out,
			"<p>These are the first %d of %d pairs; mtusweep export has "
			"all.</p>\n",
			PAIRS_MAX, table.items);
	fputs("</details>\n</body>\n</html>\n", out);
	return r;
}

int share_write(struct query *query, const struct query_run *run,
		const struct heatmap *map, FILE *out, struct err *err)
{
	int r;

	fputs(head, out);
	write_facts(map, out);
	r = write_pictures(map, out, err);
	if (r == 0)
		r = write_recommendation(query, run->id, out, err);
	if (r == 0)
		r = write_warnings(query, run->id, out, err);
	write_versions(&run->info, out);
	if (r == 0)
		r = write_table(query, run->id, out, err);
	if (r < 0)
		return r;
	errno = 0;
	if (fflush(out) == EOF || ferror(out))
		return err_sys(err, errno ? errno : EIO, "cannot write the page");
	return 0;
}
