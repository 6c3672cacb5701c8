/* The end of a run: keep the best pair or put both ends back, and say what each has. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/lead_keep.h"
#include "cmd/lead_ops.h"
#include "cmd/lead_rows.h"
#include "store/query.h"

/* For each of: the rows that are left, the close. */
#define END_TIMEOUT_MS 5000
/* A close is asked for again where no answer came. */
#define CLOSE_TRY_MS   2000
#define CLOSE_PAUSE_MS 200

static void print_best(const struct query_result *best)
{
	char text[160];
	int length = snprintf(
		text, sizeof(text),
		"fastest measured: server MTU %d, peer MTU %d (upload %.1f, "
		"download %.1f Mbit/s)\n",
		best->mtu.server, best->mtu.peer, (double)best->upload_bps / 1e6,
		(double)best->download_bps / 1e6);

	/* The database has it too: a reader who does not read is not waited for. */
	io_write_or_drop(STDOUT_FILENO, text, (size_t)length, 1000);
}

/* --- putting back --- */

static void tell_unsent(const struct lead *lead)
{
	struct measurement m;
	uint32_t seq = 1;
	int count = 0;

	while (store_next_unacknowledged(lead->store, lead->run_id, seq, &m, NULL) ==
	       0) {
		seq = m.seq + 1;
		count++;
	}
	if (count)
		host_tell("the server's database lacks %d of the rows; this end's has "
			  "them",
			  count);
}

static int close_session(struct lead *lead, enum run_outcome outcome, const char *why,
			 struct err *err)
{
	int64_t deadline_ms = clock_boot_ms() + END_TIMEOUT_MS;
	struct msg_close m = {.outcome = outcome};
	int r;

	text_copy(m.session, sizeof(m.session), lead->session);
	text_copy(m.text, sizeof(m.text), why);
	for (;;) {
		r = client_close(lead->client, &m, lead_timeout_ms(lead, CLOSE_TRY_MS),
				 err);
		/* Where nobody listens nobody has a session. */
		if (r == 0 || r == -ECONNREFUSED || client_answered(lead->client) ||
		    clock_left_ms(deadline_ms) == 0)
			return r;
		/* What fails at once, as without the interface, may do so again. */
		io_wait(-1, -1, clock_boot_ms() + CLOSE_PAUSE_MS);
	}
}

/* After a commit whose answer came late the session is over there, and the pair is kept. */
static void tell_not_closed(const struct lead *lead, const struct err *why)
{
	char then[160];
	int lease_s = (int)(lead->lease_ms / 1000);

	switch (lead->there) {
	case LEAD_THERE_LEASED:
		snprintf(then, sizeof(then),
			 "without that it goes back by itself after %d s", lease_s);
		break;
	case LEAD_THERE_MAYBE:
		snprintf(then, sizeof(then),
			 "without that it goes back by itself after %d s, unless it "
			 "keeps MTU %d",
			 lease_s, lead->mtu_there);
		break;
	case LEAD_THERE_KEPT:
		snprintf(then, sizeof(then), "it keeps MTU %d, in link and conf file",
			 lead->mtu_there);
		break;
	}
	host_tell("the server could not be told that the run ended (%.200s); %s",
		  why->text, then);
}

void lead_put_back(struct lead *lead, enum run_outcome outcome, const char *why)
{
	struct err here = ERR_INIT;
	struct err there = ERR_INIT;
	int r;

	lead->stop_fd = -1;
	client_ignore_stop(lead->client);
	if (lead->run_id)
		lead_send_rows(lead, END_TIMEOUT_MS);
	lease_stop(lead->lease);
	lead->lease = NULL;
	r = guard_restore(lead->guard, &here);
	if (r < 0 || outcome != RUN_DONE)
		host_tell("this end: %.400s", here.text[0] ? here.text : "as it was");
	r = close_session(lead, outcome, why, &there);
	if (r < 0)
		tell_not_closed(lead, &there);
	else if (there.text[0] || outcome != RUN_DONE)
		host_tell("the server: %.400s",
			  there.text[0] ? there.text : "as it was");
	if (lead->run_id)
		tell_unsent(lead);
}

/* --- the whole --- */

enum run_outcome lead_outcome(int r)
{
	if (r == 0)
		return RUN_DONE;
	return r == -EINTR && stop_signal() != STOP_SIGNAL_DEATH ? RUN_INTERRUPTED
								 : RUN_FAILED;
}

static void put_outcome(const struct measurement *m, enum direction dir, char *ret,
			size_t size)
{
	const struct dir_result *result = &m->dir[dir];

	snprintf(ret, size, "%s %s%s%.150s%s", direction_name(dir),
		 test_status_name(result->status), result->text[0] ? " (" : "",
		 result->text, result->text[0] ? ")" : "");
}

/* The one pair of --apply was not ok in both directions: say which, and why. */
static int not_kept(const struct lead *lead, struct err *err)
{
	cleanup_free struct measurement *rows = NULL;
	const struct measurement *last;
	char up[192];
	char down[192];
	size_t count;
	int r = lead_load_rows(lead, &rows, &count, err);

	if (r < 0)
		return r;
	if (count == 0)
		return err_set(err, -ENODATA,
			       "server MTU %d, peer MTU %d is not kept: it was not "
			       "measured",
			       lead->run.server_range.min, lead->run.peer_range.min);
	last = &rows[count - 1];
	put_outcome(last, DIR_UPLOAD, up, sizeof(up));
	put_outcome(last, DIR_DOWNLOAD, down, sizeof(down));
	return err_set(err, -ENODATA,
		       "server MTU %d, peer MTU %d is not kept: it was not ok in both "
		       "directions: %s, %s",
		       last->mtu.server, last->mtu.peer, up, down);
}

/* Without any pair that is ok a run is done all the same, unless one was to be kept. */
static int conclude(struct lead *lead, struct query_result *best, struct err *err)
{
	struct mtu_pair recommended = {0};
	int r = lead_find_best(lead, best, err);

	if (r == -ENODATA && lead->config->apply)
		return not_kept(lead, err);
	if (r == 0)
		r = lead->config->strategy->conclude(lead, &recommended, err);
	if (r == -ENODATA && lead->run.persist != PERSIST_BEST) {
		host_tell("%s", err->text);
		return 0;
	}
	if (r < 0 || lead->run.persist != PERSIST_BEST)
		return r;
	return lead_keep_best(lead, &recommended, err);
}

/* The run as the database has it: with what was measured before a --resume. */
static int find_run(const struct lead *lead, struct query_run *ret, struct err *err)
{
	struct query *query;
	char id[24];
	int r = query_open(lead->config->options->db, &query, err);

	if (r < 0)
		return r;
	snprintf(id, sizeof(id), "%lld", (long long)lead->run_id);
	r = query_run(query, id, ret, err);
	query_close(query);
	return r;
}

static void tell_summary(const struct lead *lead)
{
	struct query_run run;
	struct err err = ERR_INIT;
	char planned[24] = "";

	if (find_run(lead, &run, &err) < 0) {
		host_tell("%s", err.text);
		return;
	}
	/* A smart plan goes on as long as it takes. */
	if (run.info.pairs_planned)
		snprintf(planned, sizeof(planned), " of %d", run.info.pairs_planned);
	host_tell("%d%s visit%s made and kept, %d of them failed; run %lld in '%s'",
		  run.measured, planned, *planned ? "s" : text_plural(run.measured),
		  run.failed, (long long)run.id, lead->config->options->db);
}

/* Returns `r`, or why the end of a run that was fine could not be stored. */
static int store_end(const struct lead *lead, enum run_outcome outcome, int r,
		     struct err *err)
{
	struct err why = ERR_INIT;
	int stored = store_end_run(lead->store, lead->run_id, outcome,
				   r < 0 ? err->text : "", &why);

	if (stored == 0)
		return r;
	host_tell("the run has ended, but that could not be stored, so it will be "
		  "shown as crashed: %.300s",
		  why.text);
	return r < 0 ? r : err_set(err, stored, "%s", why.text);
}

int lead_end(struct lead *lead, int r, struct err *err)
{
	struct query_result best = {0};
	enum run_outcome outcome;

	if (r == 0)
		r = conclude(lead, &best, err);
	if (r == -EINTR)
		err_set(err, r, "%s", stop_reason());
	if (r < 0)
		host_tell("%s", err->text);
	outcome = lead_outcome(r);
	lead_put_back(lead, outcome, r < 0 ? err->text : "");
	if (!lead->run_id)
		return r;
	r = store_end(lead, outcome, r, err);
	tell_summary(lead);
	if (best.mtu.server)
		print_best(&best);
	return r;
}
