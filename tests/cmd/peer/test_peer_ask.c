/* SPDX-License-Identifier: MIT */
/* Requests that are asked again, with a sender that only counts: how often, and for how
 * long each waits. */

#include "cmd/peer/peer_ask.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

/* With a lease of so much the peer gives up after nine tenths of it. */
#define LEASE_MS 4000
#define LEAST_MS 300
/* A try takes 0.2 s or longer. */
#define TRIES_MAX (LEASE_MS / 200)

/* The tries of one request. */
struct tries {
	int count;
	int result;
	int timeout_ms[TRIES_MAX];
	bool text_left; /* the text of the try before remains */
	int stop_fd;    /* to write to in the third; -1 */
};

static int send_nothing(struct client *client, void *message, int timeout_ms,
			struct err *err)
{
	struct tries *tries = message;

	(void)client;
	if (tries->count < TRIES_MAX)
		tries->timeout_ms[tries->count] = timeout_ms;
	tries->count++;
	tries->text_left |= err->text[0] != '\0';
	if (tries->count == 3 && tries->stop_fd >= 0 &&
	    write(tries->stop_fd, "", 1) != 1)
		return -EIO;
	/* More than there is time for: it spins. */
	if (tries->count > 100 * TRIES_MAX)
		return -EDEADLK;
	return err_set(err, tries->result, "no answer");
}

static int ask(struct tries *tries, int stop_fd)
{
	struct client_config client = {
		.interface = "lo", .address = "127.0.0.1", .port = 9, .stop_fd = -1};
	struct peer_config config = {.wait_ms = 1000};
	struct peer_session session = {
		.config = &config, .stop_fd = stop_fd, .lease_ms = LEASE_MS};
	struct err err = ERR_INIT;
	int64_t sent_at_ms;
	int r;

	assert_int_equal(client_new(&client, &session.client, NULL), 0);
	atomic_store(&session.renewed_at, clock_boot_ms());
	r = peer_ask(&session, send_nothing, tries, LEAST_MS, &sent_at_ms, &err);
	client_free(session.client);
	return r;
}

/* A try that cannot even be sent is over at once. */
static void silence_at_once_does_not_spin(void **state)
{
	struct tries tries = {.result = -ETIMEDOUT, .stop_fd = -1};

	(void)state;
	assert_int_equal(ask(&tries, -1), -EAGAIN);
	assert_in_range(tries.count, 5, TRIES_MAX);
	assert_false(tries.text_left);
	for (int i = 1; i < tries.count; i++) {
		print_message("%d ms\n", tries.timeout_ms[i]);
		assert_int_equal(tries.timeout_ms[i],
				 tries.timeout_ms[0] << (i < 3 ? i : 3));
	}
}

static void a_signal_ends_the_pause(void **state)
{
	struct tries tries = {.result = -ETIMEDOUT};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	tries.stop_fd = ends[1];
	assert_int_equal(ask(&tries, ends[0]), -EINTR);
	assert_int_equal(tries.count, 3);
	close(ends[0]);
	close(ends[1]);
}

static void a_no_is_not_asked_again(void **state)
{
	struct tries tries = {.result = -EACCES, .stop_fd = -1};

	(void)state;
	assert_int_equal(ask(&tries, -1), -EACCES);
	assert_int_equal(tries.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_at_once_does_not_spin),
		cmocka_unit_test(a_signal_ends_the_pause),
		cmocka_unit_test(a_no_is_not_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
