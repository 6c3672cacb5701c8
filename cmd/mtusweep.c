/* SPDX-License-Identifier: MIT */
/*
 * mtusweep reads what sweeps stored, and stores what others recorded. It needs neither
 * root nor the network. Here are its tables; cmd/read/read_main.c does the rest.
 */

#include "cmd/read/read.h"

static const struct option_spec main_options[] = {
	{.name = "help",
	 .letter = 'h',
	 .kind = OPTION_FLAG,
	 .into = &read_given.help,
	 .help = "print this help and exit"},
	{.name = "version",
	 .kind = OPTION_FLAG,
	 .into = &read_given.version,
	 .help = "print the version and exit"},
	{.name = NULL},
};

static const struct read_command *const commands[] = {
	&read_runs,    &read_show,    &read_best,    &read_explain,
	&read_heatmap, &read_compare, &read_history, &read_export,
	&read_import,  &read_share,   &read_view,    NULL,
};

int main(int argc, char **argv)
{
	const struct read_program program = {
		.options = main_options,
		.commands = commands,
	};

	return read_main(&program, argc, argv);
}
