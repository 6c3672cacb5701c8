#include "cmd/peer/peer_rows.h"

int peer_load_rows(const struct peer *peer, struct measurement **ret, size_t *ret_count,
		   struct err *err)
{
	struct query *query;
	int r = query_open(peer->config->options->db, &query, err);

	if (r < 0)
		return r;
	r = query_load_measurements(query, peer->run_id, ret, ret_count, err);
	query_close(query);
	return r;
}

int peer_find_best(const struct peer *peer, struct query_result *ret, struct err *err)
{
	struct query *query;
	int r = query_open(peer->config->options->db, &query, err);

	if (r < 0)
		return r;
	r = query_best(query, peer->run_id, QUERY_BY_SUM, ret, err);
	query_close(query);
	return r;
}
