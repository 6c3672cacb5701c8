/* SPDX-License-Identifier: MIT */
#include "cmd/read/read.h"

#include <errno.h>

#include "report/runjson.h"

struct read_settings read_given = {.db = "mtusweep.db"};

#define OPTION_TUNNEL                                                        \
	{                                                                    \
		.name = "tunnel", .value = "TUNNEL", .kind = OPTION_STRING,  \
		.into = &read_given.tunnel,                                  \
		.help = "only runs of this tunnel: its id, the public key\n" \
			"of an end, or the beginning of one (default:\n"     \
			"all tunnels)"                                       \
	}

const struct option_spec read_db_options[] = {
	{.name = "db",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &read_given.db,
	 .help = "the database to read (default mtusweep.db)"},
	{.name = "help",
	 .letter = 'h',
	 .kind = OPTION_FLAG,
	 .into = &read_given.help,
	 .help = "print this help and exit"},
	{.name = NULL},
};

#define OPTION_RUN(usual)                                             \
	{                                                             \
		.name = "run", .value = "RUN", .kind = OPTION_STRING, \
		.into = &read_given.run,                              \
		.help = "a run's id, UUID, or the UUID's beginning\n" \
			"(default: " usual ")"                        \
	}

const struct option_spec read_run_options[] = {
	OPTION_RUN("the newest run"),
	OPTION_TUNNEL,
	{.name = NULL, .more = read_db_options},
};

const struct option_spec read_result_options[] = {
	OPTION_RUN("the newest run with a result"),
	OPTION_TUNNEL,
	{.name = NULL, .more = read_db_options},
};

#define OPTION_JSON                                                            \
	{                                                                      \
		.name = "json", .kind = OPTION_FLAG, .into = &read_given.json, \
		.help = "print JSON, for programs"                             \
	}

const struct option_spec read_json_tunnel_options[] = {
	OPTION_JSON,
	OPTION_TUNNEL,
	{.name = NULL, .more = read_db_options},
};

const struct option_spec read_json_run_options[] = {
	OPTION_JSON,
	{.name = NULL, .more = read_run_options},
};

const struct option_spec read_json_result_options[] = {
	OPTION_JSON,
	{.name = NULL, .more = read_result_options},
};

int read_print_json(json_t *object, struct err *err)
{
	if (!object)
		return err_set(err, -ENOMEM, "out of memory");
	runjson_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

int read_find_result(struct query *query, struct query_run *ret, struct err *err)
{
	int64_t newest;
	int r;

	if (read_given.run)
		return read_find_run(query, ret, err);
	r = query_run_of_result(query, ret, &newest, err);
	if (r == 0 && ret->id != newest)
		fprintf(stderr,
			"mtusweep: the newest run, %lld, has no result of its own; "
			"this is run %lld, the newest that has one\n",
			(long long)newest, (long long)ret->id);
	return r;
}

int read_find_run(struct query *query, struct query_run *ret, struct err *err)
{
	return query_run(query, read_given.run, ret, err);
}
