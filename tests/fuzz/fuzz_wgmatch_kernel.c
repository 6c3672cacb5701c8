/* SPDX-License-Identifier: MIT */
/* The kernel's answers about WireGuard, any bytes: its family, and a device's peers. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/nlanswer.h"
#include "netctl/wgmatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(mnl_cb_t on_message, void *ctx, const uint8_t *data, size_t size)
{
	struct nlanswer answer = {.on_message = on_message, .ctx = ctx};
	/* A buffer that satisfies nlanswer_take(), and no larger. */
	void *datagram = calloc(1, MNL_ALIGN(size));

	if (!datagram)
		return;
	memcpy(datagram, data, size);
	nlanswer_take(&answer, datagram, size);
	free(datagram);
}

/* The second half is a further message of the same dump. */
static void find_peer(const char *address, const uint8_t *data, size_t size)
{
	struct wginfo_peer peer;
	struct wgmatch match;
	size_t half = size / 2;

	if (wgmatch_init(&match, address, NULL) < 0)
		abort();
	take(wgmatch_on_message, &match, data, size);
	if (half) {
		take(wgmatch_on_message, &match, data, half);
		take(wgmatch_on_message, &match, data + half, size - half);
	}
	if (wgmatch_finish(&match, &peer) &&
	    (!memchr(peer.allowed, '/', sizeof(peer.allowed)) ||
	     !memchr(peer.allowed, '\0', sizeof(peer.allowed))))
		abort();
	wgmatch_wipe(&match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t family = 0;

	if (!size)
		return 0;
	take(wgmatch_on_family, &family, data, size);
	find_peer("10.0.0.2", data, size);
	find_peer("fd00::2", data, size);
	return 0;
}
