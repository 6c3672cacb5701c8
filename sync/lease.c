/* The peer's lease: a thread that renews the session. */

#include "sync/lease.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

/* A try ends early enough for others before the lease runs out, but not before a slow
 * path could answer. */
#define TRY_MIN_MS 300
#define TRY_MAX_MS 5000
/* Between two tries when one failed. */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 1000

struct lease {
	struct lease_config config;
	struct client *client;
	int stop_fd;
	pthread_t thread;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

/* Whether another try soon can help: not when the server said that it is over. */
static bool is_passing(int rc)
{
	return rc < 0 && rc != -ESTALE && rc != -EPERM && rc != -EPROTO;
}

static void *run(void *ctx)
{
	struct lease *lease = ctx;
	int64_t third_ms = lease->config.lease_ms / 3;
	int64_t try_ms = clamp(lease->config.lease_ms / 6, TRY_MIN_MS, TRY_MAX_MS);
	int64_t retry_ms =
		clamp(lease->config.lease_ms / 20, RETRY_MIN_MS, RETRY_MAX_MS);
	int64_t next_ms = clock_boot_ms() + third_ms;

	while (io_wait(lease->stop_fd, -1, next_ms) == 0) {
		int64_t started_ms = clock_boot_ms();
		struct err err = ERR_INIT;
		int rc = client_renew(lease->client, lease->config.session, (int)try_ms,
				      &err);

		if (rc == -EINTR)
			break;
		lease->config.renewed(lease->config.ctx, started_ms, rc, &err);
		if (is_passing(rc))
			next_ms = clock_boot_ms() + retry_ms;
		else
			next_ms = started_ms + third_ms;
	}
	return NULL;
}

/* Signals are for the thread that waits for them. */
static int start_thread(struct lease *lease)
{
	sigset_t all;
	sigset_t before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&lease->thread, NULL, run, lease);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void release(struct lease *lease)
{
	client_free(lease->client);
	fd_close(&lease->stop_fd);
	free(lease);
}

int lease_start(const struct lease_config *config, struct lease **ret, struct err *err)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	int rc;

	if (!lease)
		return err_set(err, -ENOMEM, "out of memory for the lease");
	lease->config = *config;
	lease->stop_fd = eventfd(0, EFD_CLOEXEC);
	lease->config.client.stop_fd = lease->stop_fd;
	if (lease->stop_fd < 0)
		rc = err_sys(err, errno, "cannot make an event descriptor");
	else
		rc = client_new(&lease->config.client, &lease->client, err);
	if (rc == 0) {
		rc = start_thread(lease);
		if (rc != 0)
			rc = err_sys(err, rc, "cannot start the lease's thread");
	}
	if (rc < 0) {
		release(lease);
		return rc;
	}
	*ret = lease;
	return 0;
}

void lease_stop(struct lease *lease)
{
	uint64_t one = 1;

	if (!lease)
		return;
	io_write_all(lease->stop_fd, &one, sizeof(one));
	pthread_join(lease->thread, NULL);
	release(lease);
}
