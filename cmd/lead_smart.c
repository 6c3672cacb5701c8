#include "cmd/lead_smart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/conclude.h"
#include "cmd/lead_probe.h"
#include "engine/plan_smart.h"
#include "store/query.h"

#define PRINT_TIMEOUT_MS 1000
#define SHARE_TIMEOUT_MS 2000
#define ROWS_TIMEOUT_MS  5000

/* --- before the sweep --- */

static int probe(struct lead *lead, struct err *err)
{
	struct path_survey *survey = &lead->survey;
	struct probe_summary summary;
	int r = lead_probe(lead, &survey->path, &summary, err);

	if (r < 0)
		return r;
	if (!survey->path.overhead)
		survey->path.overhead = lead->run.peer.endpoint_family == 6
						? PATH_OVERHEAD_IPV6
						: PATH_OVERHEAD_IPV4;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		survey->probes[dir] = summary.sizes[dir];
	survey->probe_ms = summary.took_ms;
	if (summary.filtered)
		host_tell("the path cannot be probed, throughput alone has to tell: "
			  "%.350s",
			  err->text);
	return 0;
}

static int load_survey(struct lead *lead, struct err *err)
{
	struct query *query;
	int r = query_open(lead->config->options->db, &query, err);

	if (r < 0)
		return r;
	r = query_path(query, lead->resumed.run, &lead->survey, err);
	query_close(query);
	return r;
}

int lead_smart_survey(struct lead *lead, struct err *err)
{
	int r = lead->config->resume ? load_survey(lead, err) : -ENODATA;

	return r == -ENODATA ? probe(lead, err) : r;
}

static struct mtu_pair current_pair(const struct lead *lead)
{
	return (struct mtu_pair){lead->run.server.link_mtu, lead->run.peer.link_mtu};
}

int lead_smart_plan(const struct lead *lead, struct plan **ret, struct err *err)
{
	struct plan_smart_options options = {
		.path = lead->survey.path,
		.server = lead->run.server_range,
		.peer = lead->run.peer_range,
		.current = current_pair(lead),
		.margin = lead->config->margin / 100.0,
		.seed = lead->run.seed,
	};

	return plan_smart_new(&options, ret, err);
}

/* --- after it --- */

/* What one direction of the survey is, as a message. */
static struct msg_path path_message(const struct lead *lead, enum direction dir)
{
	const struct path_survey *survey = &lead->survey;
	struct msg_path m = {
		.download = dir == DIR_DOWNLOAD,
		.overhead = survey->path.overhead,
		.probes = survey->probes[dir],
		.probe_ms = survey->probe_ms,
	};

	text_copy(m.session, sizeof(m.session), lead->session);
	path_bands_format(&survey->path.dir[dir], m.bands);
	return m;
}

static int share_path(struct lead *lead, struct err *err)
{
	for (int dir = 0; dir < DIR_COUNT && !lead->path_shared; dir++) {
		struct msg_path m = path_message(lead, (enum direction)dir);
		int64_t sent_at_ms = clock_boot_ms();
		int r = client_path(lead->client, &m,
				    lead_timeout_ms(lead, SHARE_TIMEOUT_MS), err);

		if (r < 0)
			return r;
		lead_heard(lead, sent_at_ms);
	}
	lead->path_shared = true;
	return 0;
}

int lead_smart_begun(struct lead *lead, struct err *err)
{
	int r = store_put_path(lead->store, lead->run_id, &lead->survey, err);

	/* Where the server does not take it now, it is sent again at the end. */
	if (r == 0)
		share_path(lead, NULL);
	return r;
}

static int send_verdict(struct lead *lead, const struct verdict *v, struct err *err)
{
	struct msg_verdict m = {
		.mtu = v->recommended.mtu,
		.settled = v->settled,
		.margin = lead->config->margin,
		.visits = v->visits,
	};
	int64_t sent_at_ms = clock_boot_ms();
	int r;

	text_copy(m.session, sizeof(m.session), lead->session);
	r = client_verdict(lead->client, &m, lead_timeout_ms(lead, SHARE_TIMEOUT_MS),
			   err);
	if (r == 0)
		lead_heard(lead, sent_at_ms);
	return r;
}

/* The server's copy says the same, where it can be reached: it is a copy. */
static void share(struct lead *lead, const struct verdict *v)
{
	struct err err = ERR_INIT;
	int r;

	/* It is found from the rows, there as here. */
	lead_send_rows(lead, ROWS_TIMEOUT_MS);
	r = share_path(lead, &err);
	if (r == 0)
		r = send_verdict(lead, v, &err);
	if (r < 0)
		host_tell("the server's database lacks what this run comes to: %.300s",
			  err.text);
}

static int tell(struct lead *lead, const struct conclusion *found, struct err *err)
{
	const struct verdict *v = &found->verdict;
	int r;

	/* The database has it too: a reader who does not read is not waited for. */
	io_write_or_drop(STDOUT_FILENO, found->text, strlen(found->text),
			 PRINT_TIMEOUT_MS);
	if (!v->recommended.mtu.server)
		return 0;
	r = store_recommend(lead->store, lead->run_id, &v->recommended.mtu, v->settled,
			    found->text, err);
	if (r == 0)
		share(lead, v);
	return r;
}

int lead_smart_conclude(struct lead *lead, struct mtu_pair *ret, struct err *err)
{
	struct conclusion found;
	int r = conclude_run(lead->config->options->db, lead->run_id,
			     lead->config->margin, &found, err);

	if (r < 0)
		return r;
	*ret = found.verdict.recommended.mtu;
	r = tell(lead, &found, err);
	free(found.text);
	return r;
}
