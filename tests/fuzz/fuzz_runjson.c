/* SPDX-License-Identifier: MIT */
/* An export of a run, from anybody: it is refused with a sentence, or imported; and what
 * was imported gives an export that is known already. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "folder.h"
#include "report/runjson.h"
#include "report/runjson_import.h"
#include "store/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int import(const char *name, const char *db, struct import_runs *ret)
{
	char file[128];
	struct err err = ERR_INIT;
	int r;

	snprintf(file, sizeof(file), "%s/%s", folder_make(), name);
	r = runjson_import(file, db, ret, &err);
	if (r < 0 && !err.text[0])
		abort();
	return r;
}

static void export(const char *db, int64_t run)
{
	cleanup_free char *text = NULL;
	struct query_run found;
	struct query *query;
	struct err err = ERR_INIT;
	size_t size;
	FILE *out;

	if (query_open(db, &query, &err) < 0 ||
	    query_run_numbered(query, run, &found, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	out = open_memstream(&text, &size);
	if (!out || runjson_export(query, &found, out, &err) < 0 || fclose(out) != 0)
		abort();
	query_close(query);
	folder_write("again.json", text, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import_runs first = {0};
	struct import_runs again = {0};
	char db[128];

	snprintf(db, sizeof(db), "%s/fuzz.db", folder_make());
	folder_write("fuzz.json", data, size);
	if (import("fuzz.json", db, &first) == 0) {
		export(db, first.run);
		if (import("again.json", db, &again) < 0 || again.known != 1)
			abort();
	}
	folder_empty();
	return 0;
}
