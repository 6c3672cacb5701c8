#ifndef SYNC_LEASE_H
#define SYNC_LEASE_H

#include "base/err.h"
#include "sync/client.h"

/*
 * The peer's lease: a thread with a client of its own that renews the session every
 * third of the lease's length, during tests too, and tells its owner how that went, so
 * that the owner renews (or does not renew) this host's own guard in step with it.
 */

struct lease;

struct lease_config {
	struct client_config client;
	char session[TOKEN_SIZE];
	int64_t lease_ms;
	/* In the lease's thread, after each try: 0, or the client's error. The server's
	 * clock runs from some moment after `sent_at_ms` (clock_boot_ms()). */
	void (*renewed)(void *ctx, int64_t sent_at_ms, int result,
			const struct err *err);
	void *ctx;
};

int lease_start(const struct lease_config *config, struct lease **ret, struct err *err);
/* Ends the thread and waits for it (at most one request's deadline). NULL is allowed.
 */
void lease_stop(struct lease *lease);

#endif
