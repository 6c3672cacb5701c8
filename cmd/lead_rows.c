#include "cmd/lead_rows.h"

int lead_load_rows(const struct lead *lead, struct measurement **ret, size_t *ret_count,
		   struct err *err)
{
	struct query *query;
	int r = query_open(lead->config->options->db, &query, err);

	if (r < 0)
		return r;
	r = query_load_measurements(query, lead->run_id, ret, ret_count, err);
	query_close(query);
	return r;
}

int lead_find_best(const struct lead *lead, struct query_result *ret, struct err *err)
{
	struct query *query;
	int r = query_open(lead->config->options->db, &query, err);

	if (r < 0)
		return r;
	r = query_best(query, lead->run_id, QUERY_BY_SUM, ret, err);
	query_close(query);
	return r;
}
