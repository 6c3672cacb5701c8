#include <inttypes.h>

#include "cmd/read.h"
#include "store/import.h"

static int run_import(struct err *err)
{
	struct import_result result = {0};
	int r = import_csv(read_given.argument[0], read_given.db, &result, err);

	if (!result.run)
		return r;
	printf("run %" PRId64 ": %d visit%s, %d failed\n", result.run, result.visits,
	       result.visits == 1 ? "" : "s", result.failed);
	if (result.cut_line)
		fprintf(stderr,
			"mtusweep: line %d, the last one of '%s', is half written and "
			"left out\n",
			result.cut_line, read_given.argument[0]);
	return r;
}

static const struct option_spec options[] = {
	{.name = "db",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &read_given.db,
	 .help = "the database to write to, made where it\ndoes not exist (default "
		 "mtusweep.db)"},
	{.name = "help",
	 .kind = OPTION_FLAG,
	 .into = &read_given.help,
	 .help = "print this help and exit"},
	{.name = NULL},
};

const struct read_command read_import = {
	.name = "import",
	.help = "store nr-wg-mtu-finder's log, or an export as csv, as a run",
	.options = options,
	.arguments = "FILE.csv",
	.argument_count = 1,
	.run_alone = run_import,
};
