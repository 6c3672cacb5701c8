/* SPDX-License-Identifier: MIT */
#include "report/csv.h"

#include <errno.h>
#include <string.h>

#define NO_RATE_MBPS (-1.0)

/* -1 where there is nothing to say, as the format has it. */
static double rate_mbps(const struct dir_result *result, int64_t bps)
{
	if (result->status != TEST_OK || bps == NO_FIGURE)
		return NO_RATE_MBPS;
	return (double)bps / 1e6;
}

/* The fields as a log had them; NULL: it was not read from one, or there were none. */
static const char *recorded_fields(const struct dir_result *result)
{
	const char *fields = result->text + strlen(CSV_RECORDED);

	if (strncmp(result->text, CSV_RECORDED, strlen(CSV_RECORDED)) != 0 ||
	    fields[strspn(fields, "-,.0123456789")])
		return NULL;
	return fields;
}

static int write_direction(FILE *out, const struct dir_result *result)
{
	const char *fields = recorded_fields(result);

	if (fields)
		return fprintf(out, ",%s", fields);
	return fprintf(out, ",%.3f,%.3f", rate_mbps(result, result->received_bps),
		       rate_mbps(result, result->sent_bps));
}

struct writing {
	FILE *out;
	bool one_ended;
};

/* The far end's MTU is an empty field. A log of two ends may have any number. */
static int write_mtu(const struct writing *w, int mtu)
{
	return w->one_ended && mtu == MTU_UNKNOWN ? 0 : fprintf(w->out, "%d", mtu);
}

static int write_visit(void *ctx, const struct measurement *m)
{
	const struct writing *w = ctx;
	FILE *out = w->out;

	if (write_mtu(w, m->mtu.server) < 0 || fputc(',', out) == EOF ||
	    write_mtu(w, m->mtu.peer) < 0 ||
	    write_direction(out, &m->dir[DIR_UPLOAD]) < 0 ||
	    write_direction(out, &m->dir[DIR_DOWNLOAD]) < 0 || fputc('\n', out) == EOF)
		return errno;
	return 0;
}

int csv_export(struct query *query, int64_t run, FILE *out, struct err *err)
{
	struct one_end facts;
	struct writing w = {.out = out};
	int r = query_one_end(query, run, &facts, err);

	if (r < 0 && r != -ENODATA)
		return r;
	w.one_ended = r == 0;
	r = 0;
	if (fputs(CSV_HEADER "\n", out) == EOF)
		r = errno;
	if (r == 0)
		r = query_measurements(query, run, write_visit, &w, err);
	if (r < 0)
		return r;
	if (r == 0 && (fflush(out) == EOF || ferror(out)))
		r = errno ? errno : EIO;
	return r > 0 ? err_sys(err, r, "cannot write the table") : 0;
}
