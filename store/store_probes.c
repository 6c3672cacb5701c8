/* SPDX-License-Identifier: MIT */
/* Writing the probes of a watch. */

#include "store/store_db.h"

int store_put_probe(struct store *store, int64_t run, const struct path_probe *probe,
		    struct err *err)
{
	static const char sql[] = "INSERT INTO path_probe (run_id, " ROW_PROBE_COLUMNS
				  ", " ROW_PROBE_WHOLE ") VALUES (?, " ROW_PROBE_VALUES
				  ")";
	struct row row = {.column = 1};
	int r = db_prepare(&store->db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, run);
	row_bind_probe(&row, probe);
	r = store_finish_row(&store->db, &row, err);
	/* A watch goes on for months: its pages are not kept until the next row. */
	if (sqlite3_get_autocommit(store->db.sql))
		sqlite3_db_release_memory(store->db.sql);
	return r;
}
