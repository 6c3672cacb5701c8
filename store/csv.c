#include "store/csv.h"

#include <errno.h>

#define NO_RATE_MBPS (-1.0)

/* -1 where there is nothing to say, as the format has it. */
static double rate_mbps(const struct dir_result *result, int64_t bps)
{
	if (result->status != TEST_OK || bps == NO_FIGURE)
		return NO_RATE_MBPS;
	return (double)bps / 1e6;
}

static int write_visit(void *ctx, const struct measurement *m)
{
	const struct dir_result *up = &m->dir[DIR_UPLOAD];
	const struct dir_result *down = &m->dir[DIR_DOWNLOAD];
	int n = fprintf(ctx, "%d,%d,%.3f,%.3f,%.3f,%.3f\n", m->mtu.server, m->mtu.peer,
			rate_mbps(up, up->received_bps), rate_mbps(up, up->sent_bps),
			rate_mbps(down, down->received_bps),
			rate_mbps(down, down->sent_bps));

	return n < 0 ? errno : 0;
}

int csv_export(struct query *query, int64_t run, FILE *out, struct err *err)
{
	int r = 0;

	if (fputs(CSV_HEADER "\n", out) == EOF)
		r = errno;
	if (r == 0)
		r = query_measurements(query, run, write_visit, out, err);
	if (r < 0)
		return r;
	if (r == 0 && (fflush(out) == EOF || ferror(out)))
		r = errno ? errno : EIO;
	return r > 0 ? err_sys(err, r, "cannot write the table") : 0;
}
