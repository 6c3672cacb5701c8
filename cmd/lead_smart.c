#include "cmd/lead_smart.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/lead_probe.h"
#include "cmd/lead_rows.h"
#include "engine/plan_smart.h"
#include "engine/verdict.h"
#include "engine/verdict_text.h"
#include "store/query.h"

#define PRINT_TIMEOUT_MS 1000
/* Of probing, where the session or a link is lost meanwhile. */
#define TRIES_MAX 3

/* --- before the sweep --- */

static int probe(struct lead *lead, struct err *err)
{
	struct path_survey *survey = &lead->survey;
	struct probe_summary summary;
	int r;

	for (int tries = 1;; tries++) {
		r = lead_probe(lead, &survey->path, &summary, err);
		if (r != -EAGAIN || tries == TRIES_MAX)
			break;
		r = lead_connect(lead, lead->config->wait_ms, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r == -EAGAIN ? -EIO : r;
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

static int tell(struct lead *lead, const struct verdict *verdict, struct err *err)
{
	cleanup_free char *text = NULL;
	int r = verdict_text(verdict, &lead->survey, &text, err);

	if (r < 0)
		return r;
	/* The database has it too: a reader who does not read is not waited for. */
	io_write_or_drop(STDOUT_FILENO, text, strlen(text), PRINT_TIMEOUT_MS);
	if (!verdict->recommended.mtu.server)
		return 0;
	return store_recommend(lead->store, lead->run_id, &verdict->recommended.mtu,
			       verdict->settled, text, err);
}

int lead_smart_conclude(struct lead *lead, struct mtu_pair *ret, struct err *err)
{
	struct verdict_input input = {
		.path = lead->survey.path,
		.server = lead->run.server_range,
		.peer = lead->run.peer_range,
		.current = current_pair(lead),
		.margin = lead->config->margin / 100.0,
	};
	cleanup_free struct measurement *rows = NULL;
	struct verdict verdict;
	int r = lead_load_rows(lead, &rows, &input.count, err);

	input.m = rows;
	if (r == 0 && verdict_find(&input, &verdict) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	*ret = verdict.recommended.mtu;
	return tell(lead, &verdict, err);
}
