/* SPDX-License-Identifier: MIT */
/* A userspace WireGuard's answer, any bytes: the result is the same in one piece or
 * many. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/wgmatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	int code;
	bool complete;
	bool found;
	struct wginfo_peer peer;
};

static struct outcome feed(const char *address, const char *data, size_t size,
			   size_t piece)
{
	struct outcome outcome;
	struct wgmatch match;

	memset(&outcome, 0, sizeof(outcome));
	if (wgmatch_init(&match, address, NULL) < 0)
		abort();
	for (size_t at = 0; outcome.rc == 0 && at < size; at += piece)
		outcome.rc = wgmatch_feed_text(&match, data + at,
					       size - at < piece ? size - at : piece);
	outcome.code = match.code;
	outcome.complete = match.complete;
	outcome.found = wgmatch_finish(&match, &outcome.peer);
	wgmatch_wipe(&match);
	return outcome;
}

static void compare(const char *address, const char *data, size_t size)
{
	struct outcome whole = feed(address, data, size, size);
	struct outcome split = feed(address, data, size, 3);

	if (whole.rc != split.rc || whole.code != split.code || whole.code < 0 ||
	    whole.complete != split.complete || whole.found != split.found)
		abort();
	if (whole.found && (strcmp(whole.peer.allowed, split.peer.allowed) != 0 ||
			    whole.peer.endpoint_family != split.peer.endpoint_family))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	compare("10.0.0.2", (const char *)data, size);
	compare("fd00::2", (const char *)data, size);
	return 0;
}
