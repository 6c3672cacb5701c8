/* SPDX-License-Identifier: MIT */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/*
 * One table per command gives parsing, usage and help. Options are long, "--name value"
 * or "--name=value"; one that has a letter too may be given as "-o value" or "-ovalue".
 * A flag takes no value. options_parse() fills the pointed-to
 * fields, which the caller has set to their defaults before; `seen` (may be NULL) tells
 * whether the option was given. Strings are borrowed from argv.
 */

enum option_kind {
	OPTION_FLAG,   /* bool * */
	OPTION_STRING, /* const char ** */
	/* the same; `into` is unchanged without a value: at the end, or before a
	 * word that begins with a dash */
	OPTION_OPTIONAL,
	OPTION_INT,     /* int *, within [min, max] */
	OPTION_U64,     /* uint64_t *, min and max ignored */
	OPTION_SECONDS, /* int64_t * in milliseconds, within [min, max] milliseconds */
	OPTION_BOOL,    /* bool *, "True", "False", "yes", "no", "1", "0" in any case */
	OPTION_PAIR,    /* struct mtu_pair *, as mtu_pair_parse() takes it */
	OPTION_PAIR_OPEN, /* the same, as mtu_pair_parse_open() takes it */
	OPTION_CHOICE,    /* int *, index into the NULL-terminated choices */
	OPTION_LIST, /* struct option_list *: may be given again, each adds a word */
};

#define OPTION_LIST_MAX 8

struct option_list {
	const char *words[OPTION_LIST_MAX];
	int count;
};

struct option_spec {
	const char *name; /* without the dashes; NULL ends the table, see `more` */
	/* the value's name in help; NULL for a flag, and for a choice, whose name is
	 * the list of choices; in brackets if it may be omitted, see OPTION_OPTIONAL */
	const char *value;
	enum option_kind kind;
	char letter; /* 0: none */
	void *into;
	bool *seen;
	int64_t min;
	int64_t max;
	const char *const *choices;
	const struct option_spec *more; /* in the last row: the next table, or NULL */
	const char *help;               /* one or more lines, default included */
};

/*
 * Parse argv[1..]. Words that are not options are positional arguments: they are moved,
 * in their order, to the front of argv after argv[0], and *ret_positional is their
 * number. "--" ends the options. On -EINVAL the sentence names the option, the value
 * given and the values allowed. Nothing is printed.
 */
int options_parse(const struct option_spec *table, int argc, char **argv,
		  int *ret_positional, struct err *err);

/* The table as aligned help text; the lines of `help` are printed as they are. */
void options_help(const struct option_spec *table, FILE *out);

#endif
