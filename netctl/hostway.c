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
		return err_set(err, -ERANGE, "no port for probes to '%s': %d",
			       want->address, want->port);
	/* One that the last probe has left would stay. */
	if (want->address[0] && !want->port && state->journal.changes.way.address[0])
		return err_set(
			err, -EBUSY,
			"the way of another probe is still there; restore first");
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

/* A further MTU for the same probe leaves its way as it is. */
static int way_note(struct hoststate *state, const struct hostchange_request *want,
		    struct err *err)
{
	struct proberoute *way = &state->journal.changes.way;
	int r;

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
	int r = want->port && want->probe ? proberoute_add(way, err) : 0;

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
