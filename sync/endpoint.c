/* SPDX-License-Identifier: MIT */
/* The server's HTTP endpoint: where it listens, from when to when. */

#include "sync/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sync/http.h"
#include "sync/requests.h"

/* The peer keeps two connections, each with a worker of its own; the others are for
 * everybody's next request (sync/callers.h). */
#define TUNNEL_WORKERS   6
#define LOOPBACK_WORKERS 2
#define LOOPBACK         "127.0.0.1"

struct endpoint {
	char address[ADDRESS_SIZE];
	char bracketed[ADDRESS_SIZE + 2]; /* as an IPv6 address is written in Host */
	struct http *tunnel;
	struct http *loopback; /* NULL where it could not be had */
	struct requests requests;
};

const char *endpoint_library_version(void)
{
	return http_library_version();
}

/* This host itself may look on; there is no tunnel to it, so it can open nothing. */
static int admit(void *ctx, const char *address)
{
	const struct endpoint *e = ctx;

	if (strcmp(address, e->address) == 0)
		return 0;
	return e->requests.ops->admit(e->requests.ctx, address);
}

static void handle(void *ctx, const struct http_request *request,
		   struct http_response *ret)
{
	struct endpoint *e = ctx;

	requests_handle(&e->requests, request, ret);
}

static int listen_tunnel(struct endpoint *e, int port, struct err *err)
{
	struct http_config config = {
		.address = e->address,
		.port = port,
		.workers = TUNNEL_WORKERS,
		.names = {e->address, e->bracketed, NULL},
		.body_limit = MSG_BODY_LIMIT,
		.admit = admit,
		.handle = handle,
		.ctx = e,
	};

	return http_new(&config, &e->tunnel, err);
}

/* For looking on; a host without it, or with another service there, is no worse. */
static void listen_loopback(struct endpoint *e, int port)
{
	struct http_config config = {
		.address = LOOPBACK,
		.port = port,
		.workers = LOOPBACK_WORKERS,
		.read_only = true,
		.names = {LOOPBACK, "localhost", NULL},
		.body_limit = MSG_BODY_LIMIT,
		.handle = handle,
		.ctx = e,
	};

	http_new(&config, &e->loopback, NULL);
}

int endpoint_new(const struct endpoint_config *config, struct endpoint **ret,
		 struct err *err)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return err_set(err, -ENOMEM, "out of memory for the endpoint");
	text_copy(e->address, sizeof(e->address), config->address);
	snprintf(e->bracketed, sizeof(e->bracketed), "[%s]", e->address);
	rc = requests_init(&e->requests, config, err);
	if (rc == 0)
		rc = listen_tunnel(e, config->port, err);
	if (rc < 0) {
		endpoint_free(e);
		return rc;
	}
	listen_loopback(e, config->port);
	*ret = e;
	return 0;
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
