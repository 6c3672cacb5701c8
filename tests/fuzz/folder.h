/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_FOLDER_H
#define TESTS_FUZZ_FOLDER_H

#include <stddef.h>
#include <stdint.h>

/* A folder of a target's own for files that its input is written to, in memory if possible,
 * removed at the end. Errors end the program. */
const char *folder_make(void);
/* Write a file below it; folders of its path are made. */
void folder_write(const char *name, const void *data, size_t size);
/* Remove all in it. */
void folder_empty(void);

#endif
