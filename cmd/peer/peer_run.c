/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_run.h"

#include <errno.h>

#include "base/clock.h"
#include "base/text.h"

#define ROW_TIMEOUT_MS 2000

int peer_run_open(struct peer_run *run, struct err *err)
{
	int r;

	if (run->store)
		return 0;
	r = store_open(run->db, &run->store, err);
	return r < 0 ? r : store_check_secrets(run->store, err);
}

int peer_run_load_rows(const struct peer_run *run, struct measurement **ret,
		       size_t *ret_count, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(run->db, &query, err);

	return r < 0 ? r : query_load_measurements(query, run->id, ret, ret_count, err);
}

int peer_run_find_best(const struct peer_run *run, struct query_result *ret,
		       struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(run->db, &query, err);

	return r < 0 ? r : query_best(query, run->id, QUERY_BY_SUM, ret, err);
}

void peer_run_warn(const struct peer_run *run, const struct warning *w)
{
	host_warn(w);
	if (run->id)
		store_warn(run->store, run->id, w, NULL);
}

/* --- rows for the server --- */

static int send_row(struct peer_run *run, struct peer_session *session,
		    const struct measurement *m, struct err *err)
{
	struct msg_row row = {.row = *m};
	int64_t sent_at_ms = clock_boot_ms();
	int r;

	text_copy(row.session, sizeof(row.session), session->id);
	r = client_row(session->client, run->info.uuid, &row,
		       peer_session_timeout_ms(session, ROW_TIMEOUT_MS), err);
	if (r < 0)
		return r;
	peer_session_heard(session, sent_at_ms);
	run->arrived = m->seq;
	/* A full disk, for instance, ends the run by itself, and is no refusal. */
	return store_acknowledge(run->store, run->id, m->seq, NULL) < 0 ? -EAGAIN : 0;
}

/* No lost answer or session, but a no: once, until the server takes rows again. */
static void tell_refused(struct peer_run *run, const struct peer_session *session,
			 int r, const struct err *err)
{
	if (run->rows_refused || !client_answered(session->client) ||
	    peer_session_mendable(r) == -EAGAIN)
		return;
	run->rows_refused = true;
	host_tell("%.300s; the rows that it lacks will be sent again", err->text);
}

/* Acknowledge the rows that have arrived beside. */
static void take_arrived(struct peer_run *run, struct beside *beside)
{
	uint32_t arrived = beside_row_arrived(beside);
	struct measurement m;
	uint32_t seq = 1;

	if (arrived > run->arrived)
		run->arrived = arrived;
	while (store_next_unacknowledged(run->store, run->id, seq, &m, NULL) == 0 &&
	       m.seq <= arrived) {
		if (store_acknowledge(run->store, run->id, m.seq, NULL) < 0)
			return;
		run->rows_refused = false;
		seq = m.seq + 1;
	}
}

/* False: not all of them were taken. */
static bool give_rows(const struct peer_run *run, const struct peer_session *session)
{
	uint32_t seq = beside_row_given(session->beside) + 1;
	struct msg_row row = {0};

	text_copy(row.session, sizeof(row.session), session->id);
	while (store_next_unacknowledged(run->store, run->id, seq, &row.row, NULL) ==
	       0) {
		if (!beside_row(session->beside, &row))
			return false;
		seq = row.row.seq + 1;
	}
	return true;
}

void peer_run_hand_rows(struct peer_run *run, struct peer_session *session,
			int64_t limit_ms)
{
	if (session->beside)
		take_arrived(run, session->beside);
	if (!session->beside || !give_rows(run, session))
		peer_run_send_rows(run, session, limit_ms);
}

void peer_run_send_rows(struct peer_run *run, struct peer_session *session,
			int64_t limit_ms)
{
	int64_t deadline = clock_boot_ms() + limit_ms;
	struct err err = ERR_INIT;
	struct measurement m;
	uint32_t seq = 1;
	int r;

	if (session->beside) {
		beside_wait(session->beside, deadline);
		take_arrived(run, session->beside);
	}
	while (store_next_unacknowledged(run->store, run->id, seq, &m, NULL) == 0 &&
	       clock_boot_ms() < deadline) {
		/* The rest waits for the next row, or for the end of the run. */
		r = send_row(run, session, &m, &err);
		if (r < 0) {
			tell_refused(run, session, r, &err);
			return;
		}
		run->rows_refused = false;
		seq = m.seq + 1;
	}
}

void peer_run_tell_unsent(const struct peer_run *run)
{
	struct measurement m;
	uint32_t seq = run->arrived + 1;
	int count = 0;

	while (store_next_unacknowledged(run->store, run->id, seq, &m, NULL) == 0) {
		seq = m.seq + 1;
		count++;
	}
	if (count)
		host_tell("the server's database lacks %d of the rows; this end's "
			  "database has them",
			  count);
}
