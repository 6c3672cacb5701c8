/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <time.h>

int thread_start(pthread_t *ret, size_t stack_size, void *(*run)(void *ctx), void *ctx)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	int r = pthread_attr_init(&attributes);

	if (r == 0 && stack_size)
		r = pthread_attr_setstacksize(&attributes, stack_size);
	/* The new thread inherits this. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r == 0)
		r = pthread_create(ret, &attributes, run, ctx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

/* pthread_cond_clockwait() would need no attribute, but musl does not have it. */
void thread_cond_init(pthread_cond_t *ret)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(ret, &attributes);
	pthread_condattr_destroy(&attributes);
}
