/* SPDX-License-Identifier: MIT */
/* The server's HTTP endpoint: where it listens, from when to when. */

#include "sync/endpoint.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sync/http.h"
#include "sync/requests.h"

/* The peer keeps three connections, each with a worker of its own; the others are for
 * everybody's next request (sync/door.h). */
#define TUNNEL_WORKERS   6
#define LOOPBACK_WORKERS 2
#define LOOPBACK         "127.0.0.1"

struct endpoint {
	char address[ADDRESS_SIZE];
	char interface[IF_NAME_SIZE];
	struct http *tunnel;
	struct http *loopback; /* NULL where it could not be had */
	struct requests requests;
};

const char *endpoint_library_version(void)
{
	return http_library_version();
}

/* A link-local address is a neighbour's on one link: others' may have the same. */
static int admit_link(const struct endpoint *e, unsigned link)
{
	char name[IF_NAMESIZE];

	if (!link)
		return 0;
	if (!if_indextoname(link, name))
		return -EAGAIN;
	return strcmp(name, e->interface) == 0 ? 0 : -EACCES;
}

/* This host itself may read; no tunnel leads to it, so it can open no session. */
static int admit_address(void *ctx, const char *address, unsigned link)
{
	const struct endpoint *e = ctx;
	int r = admit_link(e, link);

	if (r < 0)
		return r;
	if (strcmp(address, e->address) == 0)
		return 0;
	return e->requests.ops->admit(e->requests.ctx, address);
}

static void hand_request(void *ctx, const struct http_request *request,
			 struct http_response *ret)
{
	struct endpoint *e = ctx;

	requests_handle(&e->requests, request, ret);
}

static int listen_tunnel(struct endpoint *e, int port, struct err *err)
{
	struct http_config config = {
		.address = e->address,
		.interface = e->interface,
		.port = port,
		.workers = TUNNEL_WORKERS,
		.names = {e->address, NULL},
		.body_limit = MSG_BODY_LIMIT,
		.admit = admit_address,
		.handle = hand_request,
		.ctx = e,
	};

	return http_new(&config, &e->tunnel, err);
}

/* For readers on this host. If the address or the port is not available, go on without.
 * */
static void listen_loopback(struct endpoint *e, int port)
{
	struct http_config config = {
		.address = LOOPBACK,
		.interface = "",
		.port = port,
		.workers = LOOPBACK_WORKERS,
		.read_only = true,
		.names = {LOOPBACK, "localhost", NULL},
		.body_limit = MSG_BODY_LIMIT,
		.handle = hand_request,
		.ctx = e,
	};

	http_new(&config, &e->loopback, NULL);
}

int endpoint_new(const struct endpoint_config *config, struct endpoint **ret,
		 struct err *err)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return err_set(err, -ENOMEM, "out of memory for the endpoint");
	text_copy(e->address, sizeof(e->address), config->address);
	text_copy(e->interface, sizeof(e->interface), config->interface);
	r = requests_init(&e->requests, config, err);
	if (r == 0)
		r = listen_tunnel(e, config->port, err);
	if (r < 0) {
		endpoint_free(e);
		return r;
	}
	listen_loopback(e, config->port);
	*ret = e;
	return 0;
}

void endpoint_stop(struct endpoint *endpoint, const char *why)
{
	requests_stop(&endpoint->requests, why);
}

void endpoint_free(struct endpoint *endpoint)
{
	if (!endpoint)
		return;
	http_free(endpoint->tunnel);
	http_free(endpoint->loopback);
	requests_release(&endpoint->requests);
	free(endpoint);
}

int endpoint_tick(struct endpoint *endpoint)
{
	return requests_tick(&endpoint->requests);
}

int endpoint_fd(const struct endpoint *endpoint)
{
	return endpoint->requests.event_fd;
}
