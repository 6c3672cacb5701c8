/* SPDX-License-Identifier: MIT */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/*
 * Start a thread that takes no signals: they are for the thread that waits for them
 * (base/stop.h). `stack_size` in bytes; 0: the system's default. The caller joins it. 0 or
 * -errno.
 */
int thread_start(pthread_t *ret, size_t stack_size, void *(*run)(void *ctx), void *ctx);

/* Make a condition whose pthread_cond_timedwait() takes a time of CLOCK_MONOTONIC. */
void thread_cond_init(pthread_cond_t *ret);

#endif
