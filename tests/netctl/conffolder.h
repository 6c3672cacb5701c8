/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_CONFFOLDER_H
#define TESTS_NETCTL_CONFFOLDER_H

/* A folder with conf files for the tests that need real ones. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define GOOD "[Interface]\nMTU = 1420\n"

/* Setup and teardown: every test has a folder of its own, and is in it. */
extern char folder[PATH_MAX];
int enter_folder(void **state);
int leave_folder(void **state);
#define in_folder(test) \
	cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

void write_file(const char *path, const char *text);
bool content_is(const char *path, const char *expected);
/* conffile_read() and conffile_replace() of the conf file at `path`. */
int read_conf(const char *path, char **ret, size_t *ret_size, struct err *err);
int replace_conf(const char *path, const char *data, size_t size, struct err *err);
/* Return the number of files in the folder. */
int entries(void);

#endif
