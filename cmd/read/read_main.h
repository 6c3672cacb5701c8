#ifndef CMD_READ_READ_MAIN_H
#define CMD_READ_READ_MAIN_H

#include "cmd/read/read.h"

/*
 * The whole of mtusweep: find the command, parse its options, open its database, run it,
 * and print errors to stderr.
 */

struct read_program {
	const struct option_spec *options; /* without a command: --help and --version */
	const struct read_command *const *commands; /* the last is NULL */
};

/* Returns the exit status: 0 done; 1 failed; 2 usage. */
int read_main(const struct read_program *program, int argc, char **argv);

#endif
