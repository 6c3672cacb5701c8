/* SPDX-License-Identifier: MIT */
/* Threads that take no signals. */

#include "base/thread.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static void *look_at_mask(void *ctx)
{
	pthread_sigmask(SIG_BLOCK, NULL, ctx);
	return ctx;
}

static void test_signals_are_blocked(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU};
	sigset_t before;
	sigset_t after;
	sigset_t inside;
	pthread_t thread;
	void *result;

	(void)state;
	sigemptyset(&inside);
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	assert_int_equal(thread_start(&thread, 0, look_at_mask, &inside), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, &inside);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		assert_true(sigismember(&inside, signals[i]));
		/* The caller goes on taking them. */
		assert_int_equal(sigismember(&after, signals[i]),
				 sigismember(&before, signals[i]));
	}
}

static void *look_at_stack(void *ctx)
{
	pthread_attr_t attributes;

	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstacksize(&attributes, ctx);
	pthread_attr_destroy(&attributes);
	return NULL;
}

static void test_stack_size(void **state)
{
	const size_t wanted = 256 * 1024;
	size_t size = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(thread_start(&thread, wanted, look_at_stack, &size), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(size, wanted);
	/* Less than any thread needs. */
	assert_int_equal(thread_start(&thread, 1, look_at_stack, &size), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_are_blocked),
		cmocka_unit_test(test_stack_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
