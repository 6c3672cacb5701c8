/* SPDX-License-Identifier: MIT */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

/* Descriptors and files. Every descriptor made here is close-on-exec. */

/* Close it if it is open and set it to -1. For __attribute__((cleanup)) too. */
void fd_close(int *fd);
void file_close(FILE **file);
#define cleanup_fd   __attribute__((cleanup(fd_close)))
#define cleanup_file __attribute__((cleanup(file_close)))
#define cleanup_free __attribute__((cleanup(mem_free)))
void mem_free(void *pointer_to_pointer);

/* Make a write beyond the limit on file size (RLIMIT_FSIZE) fail with -EFBIG, also in
 * children, instead of ending the process. Call it at the start of the program. */
void io_survive_file_limit(void);
/* True when such a limit is set. */
bool io_has_file_limit(void);

/* Open /dev/null for each of the descriptors 0 to 2 that is closed, so that no later
 * file gets its number. Reads find the end of the file, writes fail with -EBADF as
 * before. Call it at the start of the program. */
void io_fill_standard(void);

/* As close_range(2) without flags, closing all of these that are open. */
void io_close_range(unsigned first, unsigned last);

/* Close all descriptors above 2. A privileged program must not use those that its
 * caller forgot to close, nor pass them to its unprivileged processes. Call it at the
 * start of the program. */
void io_close_inherited(void);

/* Write all bytes, and retry on EINTR. 0 or -errno. */
int io_write_all(int fd, const void *data, size_t size);

/*
 * Open the terminal or pipe behind standard output and standard error once more, so
 * that our writes do not block and other users of it are not affected. If that fails,
 * they stay as they are. Call it before privileges are dropped, in a program that
 * afterwards writes with io_write_or_drop() only.
 */
void io_unblock_standard(void);

/*
 * The same for the user's terminal or pipe. Once it accepts nothing within `timeout_ms`
 * (stopped with Ctrl-S, not read, gone), what is left of the text is dropped. 0, -EAGAIN
 * dropped, or -errno. Without io_unblock_standard() it would block on a terminal that has
 * room for a part.
 */
int io_write_or_drop(int fd, const void *data, size_t size, int timeout_ms);

/* Flush the standard output: nothing counts as printed before it has reached the file
 * behind it. -EIO with a sentence, also for a write that failed before. */
int io_finish_output(struct err *err);

/*
 * Read the whole file into a new buffer, which the caller frees, with a NUL after its
 * last byte. -EFBIG above `limit` bytes. *ret_size does not count the NUL.
 */
int io_read_file(int fd, size_t limit, char **ret, size_t *ret_size);

/* Wait until fd is readable or `stop_fd` (or -1) is, or until the deadline
 * (clock_boot_ms()). 1 readable, 0 deadline, -EINTR stop_fd, -EPIPE hung up and empty,
 * or another -errno. */
int io_wait(int fd, int stop_fd, int64_t deadline_ms);

#endif
