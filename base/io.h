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

/* A write beyond the limit on the size of files (RLIMIT_FSIZE) fails with -EFBIG from here
 * on, also in children, and no longer ends the process. For the very start. */
void io_survive_file_limit(void);
/* Whether there is such a limit. */
bool io_has_file_limit(void);

/* Open /dev/null in place of those of the descriptors 0 to 2 that are closed: the next
 * ones opened must not be taken for them. Reading finds the end, writing fails with
 * -EBADF as before. For the very start of a program. */
void io_fill_standard(void);

/* Close all but 0 to 2: what a caller forgot to close is no business of a privileged
 * program's, and even less of its unprivileged processes'. For the very start. */
void io_close_inherited(void);

/* Write all of it, through EINTR. 0 or -errno. */
int io_write_all(int fd, const void *data, size_t size);

/*
 * Open the terminal or pipe behind the standard output and error once more, so that
 * writing to them does not block, and whoever else has it open does not notice. Where
 * that cannot be done they stay as they are. For a program that from here on writes
 * with io_write_or_drop() only, while it may still open them.
 */
void io_unblock_standard(void);

/*
 * The same for a terminal or pipe of the user's: where it takes nothing within
 * `timeout_ms` (stopped with Ctrl-S, not read from, gone), the text is dropped, and the
 * rest of it where it takes a part. Texts of up to PIPE_BUF bytes. 0, -EAGAIN dropped,
 * or -errno. On a terminal that has room for a part it would wait without
 * io_unblock_standard().
 */
int io_write_or_drop(int fd, const void *data, size_t size, int timeout_ms);

/* Flush the standard output: nothing counts as printed before it has reached the file
 * behind it. -EIO with a sentence, also for a write that failed before. */
int io_finish_output(struct err *err);

/*
 * The whole file into a fresh buffer (freed by the caller) with a NUL after its last
 * byte. -EFBIG above `limit` bytes. *ret_size does not count the NUL.
 */
int io_read_file(int fd, size_t limit, char **ret, size_t *ret_size);

/* Wait until fd is readable or `stop_fd` (or -1) is, or until the deadline
 * (clock_boot_ms()). 1 readable, 0 deadline, -EINTR stop_fd, -EPIPE hung up and empty,
 * or another -errno. */
int io_wait(int fd, int stop_fd, int64_t deadline_ms);

#endif
