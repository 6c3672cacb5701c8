/* SPDX-License-Identifier: MIT */
#include "cmd/peer/apply_path.h"

#include "cmd/peer/peer_resume.h"
#include "engine/pathmodel.h"
#include "store/query.h"

struct search {
	struct query *query;
	const struct apply_path *wish;
	struct path_survey survey; /* the newest that was found */
	bool found;
};

/* From the oldest run to the newest. */
static int keep_path(void *ctx, const struct query_run *run)
{
	struct search *search = ctx;
	const struct apply_path *wish = search->wish;
	struct path_survey survey;

	if (resume_check_end("server", &run->info.server, wish->server, NULL) < 0 ||
	    resume_check_end("peer", &run->info.peer, wish->peer, NULL) < 0 ||
	    query_path(search->query, run->id, &survey, NULL) < 0)
		return 0;
	search->survey = survey;
	search->found = true;
	return 0;
}

static void find_path(struct search *search)
{
	struct query_run run;

	if (query_open(search->wish->db, &search->query, NULL) < 0)
		return;
	if (search->wish->run &&
	    query_run(search->query, search->wish->run, &run, NULL) == 0)
		keep_path(search, &run);
	if (!search->found)
		query_runs(search->query, keep_path, search, NULL);
	query_close(search->query);
}

static bool is_fragmented(const struct path *path, const struct mtu_pair *mtu)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (pathmodel_predict(path, mtu, (enum direction)dir).routed ==
		    FATE_FRAGMENTED)
			return true;
	}
	return false;
}

bool apply_path_warning(const struct apply_path *wish, struct warning *ret)
{
	static const struct mtu_range all = {MTU_MIN, MTU_MAX, 1};
	struct search search = {.wish = wish};
	const struct path *path = &search.survey.path;
	struct mtu_pair fits = {0};

	find_path(&search);
	if (!search.found || !is_fragmented(path, &wish->mtu))
		return false;
	*ret = (struct warning){
		.kind = pathmodel_candidate(path, &all, &all, &fits)
				? WARNING_FRAGMENTED
				: WARNING_NOTHING_FITS,
		.server_mtu = wish->mtu.server,
		.peer_mtu = wish->mtu.peer,
	};
	ret->other_server_mtu = fits.server;
	ret->other_peer_mtu = fits.peer;
	return true;
}
