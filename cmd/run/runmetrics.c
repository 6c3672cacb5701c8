/* SPDX-License-Identifier: MIT */
#include "cmd/run/runmetrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netctl/rtlink.h"
#include "netctl/rtroute.h"

/* The end that stored the run. */
static enum direction own_direction(const struct query_run *run)
{
	return strcmp(run->role, "server") == 0 ? DIR_DOWNLOAD : DIR_UPLOAD;
}

/* True if the end is on this host: by the host's name and the tunnel address. The file may
 * be a copy from another host. */
static bool is_here(const struct end_facts *end)
{
	char name[HOST_NAME_SIZE] = "";
	struct rtroute route;

	gethostname(name, sizeof(name) - 1);
	return strcmp(name, end->host) == 0 && end->address[0] &&
	       rtroute_get(end->address, &route, NULL) == 0 && route.local;
}

/* One end alone knows the other one as the target that answered. */
static void find_far_address(struct query *query, const struct query_run *run,
			     char ret[ADDRESS_SIZE])
{
	const struct run_info *info = &run->info;
	struct one_end facts;

	if (query_one_end(query, run->id, &facts, NULL) == 0)
		memcpy(ret, facts.target, ADDRESS_SIZE);
	else
		memcpy(ret,
		       own_direction(run) == DIR_UPLOAD ? info->server.address
							: info->peer.address,
		       ADDRESS_SIZE);
}

/* The MTU of the route to the far end, or else of the link: which of them counts is as on
 * a hub. */
static void find_live(struct query *query, const struct query_run *run,
		      struct mtu_pair *ret)
{
	enum direction own = own_direction(run);
	const struct end_facts *end = own == DIR_UPLOAD ? &run->info.peer
							: &run->info.server;
	char far[ADDRESS_SIZE];
	struct rtlink link;
	struct rtroute route;
	int mtu;

	if (!is_here(end) || rtlink_get(end->interface, &link, NULL) < 0)
		return;
	find_far_address(query, run, far);
	mtu = link.mtu;
	if (far[0] && rtroute_get_on(far, link.index, &route, NULL) == 0 &&
	    route.oif == link.index && route.mtu)
		mtu = route.mtu;
	if (own == DIR_UPLOAD)
		ret->peer = mtu;
	else
		ret->server = mtu;
}

int runmetrics_add(struct runmetrics *metrics, struct query *query,
		   const struct query_run *run, struct err *err)
{
	size_t size = ((size_t)metrics->count + 1) * sizeof(*metrics->run);
	struct prometheus_run *more = realloc(metrics->run, size);
	struct prometheus_run *added;

	if (!more)
		return err_set(err, -ENOMEM, "out of memory");
	metrics->run = more;
	added = &more[metrics->count++];
	*added = (struct prometheus_run){.run = *run};
	added->pairs = run->counted && run->measured <= metrics->pair_rows;
	if (added->pairs)
		metrics->pair_rows -= run->measured;
	find_live(query, run, &added->live);
	return 0;
}

struct collection {
	struct runmetrics *metrics;
	struct query *query;
	struct err *err;
};

static int take_run(void *ctx, const struct query_run *run)
{
	const struct collection *c = ctx;

	if (c->metrics->max && c->metrics->count == c->metrics->max)
		return 1;
	return runmetrics_add(c->metrics, c->query, run, c->err);
}

int runmetrics_collect(struct runmetrics *metrics, struct query *query, struct err *err)
{
	struct collection c = {metrics, query, err};
	struct query_run run;
	int r = query_each_tunnel(query, take_run, &c, err);

	if (r < 0 || metrics->count)
		return r < 0 ? r : 0;
	r = query_run(query, NULL, &run, err);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : runmetrics_add(metrics, query, &run, err);
}

void runmetrics_release(struct runmetrics *metrics)
{
	free(metrics->run);
	metrics->run = NULL;
	metrics->count = 0;
}
