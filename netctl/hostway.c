/* SPDX-License-Identifier: MIT */
/* A kind of change to the host: the rule and the route for probes of exact size. */
#include <errno.h>

#include "base/text.h"
#include "netctl/hostchange.h"
#include "netctl/hoststate.h"

static int way_check(const struct hoststate *state,
		     const struct hostchange_request *want, struct err *err)
{
	if (!want->probe)
		return 0;
	if (want->port && (!want->address[0] || want->port > UINT16_MAX ||
			   want->port < HOSTCHANGE_PROBE_PORT_MIN))
		return err_set(err, -ERANGE, "invalid UDP port for probes to '%s': %d",
			       want->address, want->port);
	/* A route that the last probe left would stay. */
	if (want->address[0] && !want->port && state->journal.changes.way.address[0])
		return err_set(
			err, -EBUSY,
			"the route of an earlier probe still exists: restore it first");
	return 0;
}

/* The journal on disk may name it still: to remove it twice does no harm. */
static int way_restore(struct journal *journal, struct err *err)
{
	struct proberoute *way = &journal->changes.way;
	int r;

	way->ifindex = journal->ifindex;
	r = way->address[0] ? proberoute_remove(way, err) : 0;
	if (r == 0)
		way->address[0] = '\0';
	return r;
}

/* Probes above the MTU of a link that is left alone need a route of their size. */
static int route_mtu(const struct hoststate *state,
		     const struct hostchange_request *want)
{
	bool above = want->mtu > state->journal.changes.link.original;

	return want->by_route && above ? want->mtu : 0;
}

/* A further MTU for the same probe leaves its way as it is, but for the route's MTU. */
static int way_note(struct hoststate *state, const struct hostchange_request *want,
		    struct err *err)
{
	struct proberoute *way = &state->journal.changes.way;
	int r;

	way->mtu = route_mtu(state, want);
	if (want->probe && !want->port)
		return 0;
	r = way_restore(&state->journal, err);
	if (r == 0 && want->probe) {
		text_copy(way->address, sizeof(way->address), want->address);
		way->port = want->port;
	}
	return r;
}

static int way_apply(struct hoststate *state, const struct hostchange_request *want,
		     struct err *err)
{
	struct proberoute *way = &state->journal.changes.way;
	bool adds = want->port || (want->by_route && way->address[0]);
	int r = adds && want->probe ? proberoute_add(way, err) : 0;

	if (r < 0)
		way->address[0] = '\0';
	return r;
}

/* --- the journal --- */

static void way_write(const struct hostchange_records *records, FILE *out)
{
	if (records->way.address[0])
		fprintf(out, "probe-port %d\nprobe %s\n", records->way.port,
			records->way.address);
}

static bool way_read(char **at, struct hostchange_records *ret)
{
	const char *address;

	if (!journal_take_int(at, "probe-port", &ret->way.port))
		return false;
	address = journal_take_line(at, "probe");
	return address &&
	       text_copy(ret->way.address, sizeof(ret->way.address), address);
}

const struct hostchange_kind hostway_kind = {
	.check = way_check,
	.note = way_note,
	.apply = way_apply,
	.restore = way_restore,
	.key = "probe-port",
	.write = way_write,
	.read = way_read,
};
