/* SPDX-License-Identifier: MIT */
/* A datagram of any bytes as a netlink answer; the first byte selects the question. */

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/nlanswer.h"
#include "netctl/rtparse.h"

#define LINK_NAME "wg0"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take_it(struct rtparse_search *search, const void *address)
{
	memcpy(search->wanted, address, rtparse_address_size(search->family));
	return true;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* The result must be 1, 0 or a valid negative errno. */
static void take(mnl_cb_t on_message, void *ctx, void *datagram, size_t size)
{
	struct nlanswer answer = {.on_message = on_message, .ctx = ctx};
	int rc = nlanswer_take(&answer, datagram, size);

	if (rc > 1 || rc < -4095 || !is_text(answer.text, sizeof(answer.text)))
		abort();
}

static void link_answer(void *datagram, size_t size)
{
	struct rtlink link = {0};
	struct rtparse_ethernet ethernet = {0};

	take(rtparse_ethernet, &ethernet, datagram, size);
	take(rtparse_link, &link, datagram, size);
	if (!is_text(link.name, sizeof(link.name)) ||
	    !is_text(link.kind, sizeof(link.kind)))
		abort();
}

static void address_answer(void *datagram, size_t size, int family)
{
	struct rtparse_search search = {
		.index = 1,
		.family = family,
		.global_only = true,
		.is_it = take_it,
	};

	take(rtparse_address, &search, datagram, size);
}

static void route_answer(void *datagram, size_t size, int family)
{
	struct rtparse_route route = {.family = family};

	take(rtparse_route, &route, datagram, size);
	if (!is_text(route.source, sizeof(route.source)))
		abort();
}

static void clones_answer(void *datagram, size_t size)
{
	struct rtparse_clones clones = {0};

	take(rtparse_clone, &clones, datagram, size);
	for (size_t i = 0; i < clones.count; i++)
		if (clones.list[i].mtu == 0)
			abort();
	rtparse_clones_release(&clones);
}

static void events(void *datagram, size_t size)
{
	struct rtparse_fall fall = {.interface = LINK_NAME};

	take(rtparse_fall, &fall, datagram, size);
}

static void ask(uint8_t question, void *datagram, size_t size)
{
	switch (question % 8) {
	case 0:
		link_answer(datagram, size);
		break;
	case 1:
		address_answer(datagram, size, AF_INET);
		break;
	case 2:
		address_answer(datagram, size, AF_INET6);
		break;
	case 3:
		route_answer(datagram, size, AF_INET);
		break;
	case 4:
		route_answer(datagram, size, AF_INET6);
		break;
	case 5:
		clones_answer(datagram, size);
		break;
	case 6:
		events(datagram, size);
		break;
	case 7:
		take(NULL, NULL, datagram, size);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *datagram;

	if (size < 2)
		return 0;
	/* A buffer that satisfies nlanswer_take(), and no larger. */
	datagram = calloc(1, MNL_ALIGN(size - 1));
	if (!datagram)
		return 0;
	memcpy(datagram, data + 1, size - 1);
	ask(data[0], datagram, size - 1);
	free(datagram);
	return 0;
}
