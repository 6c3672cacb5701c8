/* SPDX-License-Identifier: MIT */
/*
 * A kind of change to the host: the mtu metric of the routes to one peer. While pairs are
 * measured that is the route to the peer's tunnel address alone; a commit adds the routes
 * of its AllowedIPs.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "netctl/conffile.h"
#include "netctl/hostchange.h"
#include "netctl/hostroute.h"
#include "netctl/hoststate.h"
#include "netctl/rtmtu.h"
#include "netctl/rtroute.h"
#include "netctl/wginfo.h"

static struct rtmtu_key key_of(const struct journal *journal,
			       const struct hostroute_entry *entry)
{
	struct rtmtu_key key = {
		.ifindex = journal->ifindex,
		.length = entry->length,
		.table = entry->table,
	};

	text_copy(key.address, sizeof(key.address), entry->address);
	return key;
}

static bool is_ipv6(const char *address)
{
	return strchr(address, ':');
}

static int route_changed(const struct hostroute_entry *entry, const struct rtmtu *now,
			 struct err *err)
{
	if (!now->mtu)
		return err_set(
			err, -ESTALE,
			"the route to %s/%d was changed by somebody else, and has "
			"no MTU of its own now; theirs is kept",
			entry->address, entry->length);
	return err_set(err, -ESTALE,
		       "the route to %s/%d was changed by somebody else, to MTU %d; "
		       "theirs is kept",
		       entry->address, entry->length, now->mtu);
}

/* --- changes --- */

int hostroute_unit(enum backend backend)
{
	/* calculatePaddingSize() in wireguard-go's device/send.go rounds up to 16, and
	 * stops at the link's MTU only. */
	return backend == BACKEND_USERSPACE ? 16 : 1;
}

int hostroute_mtu_max(enum backend backend, int link_mtu)
{
	int unit = hostroute_unit(backend);

	return backend == BACKEND_USERSPACE ? link_mtu / unit * unit : MTU_MAX;
}

static int route_check(const struct hoststate *state,
		       const struct hostchange_request *want, struct err *err)
{
	struct rtlink link;
	enum backend backend;
	int r;

	if (!want->by_route || want->probe)
		return 0;
	r = rtlink_get(state->bounds.interface, &link, err);
	if (r < 0)
		return r;
	backend = wginfo_backend(&link);
	if (want->mtu <= hostroute_mtu_max(backend, link.mtu) &&
	    want->mtu % hostroute_unit(backend) == 0)
		return 0;
	return err_set(err, -ERANGE,
		       "a route's MTU of %d cannot be had with a userspace WireGuard: "
		       "it has to be a multiple of %d, and not above the MTU of '%s', "
		       "which is %d",
		       want->mtu, hostroute_unit(backend), link.name, link.mtu);
}

static int add_entry(struct journal *journal, const struct wginfo_allowed *prefix,
		     int table, int table_if_none, struct err *err)
{
	struct hostroute_record *route = &journal->changes.route;
	struct hostroute_entry entry = {.length = prefix->length, .table = table};
	struct rtmtu_key key;
	struct rtmtu now;
	int r;

	text_copy(entry.address, sizeof(entry.address), prefix->address);
	key = key_of(journal, &entry);
	r = rtmtu_find(&key, &now, err);
	/* A default route of ours would take over this host's traffic. */
	if (r < 0 || (!now.exists && !entry.length))
		return r;
	if (route->count == HOSTROUTE_MAX)
		return err_set(err, -E2BIG,
			       "the peer has more than %d AllowedIPs: their routes are "
			       "not set",
			       WGINFO_ALLOWED_MAX);
	entry.table = now.exists ? now.table : table_if_none;
	/* Left by an earlier run that was applied, it is as good as anybody's. */
	entry.existed = now.exists;
	entry.original = now.mtu;
	route->list[route->count++] = entry;
	return 0;
}

static int note_first(struct journal *journal, const char *address, struct err *err)
{
	struct hostroute_record *route = &journal->changes.route;
	struct wginfo_allowed prefix = {.length = is_ipv6(address) ? 128 : 32};
	struct rtroute way;
	int r = rtroute_get_on(address, journal->ifindex, &way, err);

	if (r < 0)
		return r;
	if (way.oif != journal->ifindex || way.local)
		return err_set(err, -EACCES, "'%s' is not behind interface '%s'",
			       address, journal->interface);
	text_copy(route->source, sizeof(route->source), way.source);
	text_copy(prefix.address, sizeof(prefix.address), address);
	return add_entry(journal, &prefix, way.table, way.table, err);
}

static int route_note(struct hoststate *state, const struct hostchange_request *want,
		      struct err *err)
{
	struct hostroute_record *route = &state->journal.changes.route;
	int r = 0;

	if (!state->pending)
		route->count = 0;
	if (!want->by_route || want->probe)
		return 0;
	if (route->count && strcmp(route->list[0].address, want->address) != 0)
		return err_set(err, -EBUSY,
			       "the route to %s is changed; restore it first",
			       route->list[0].address);
	if (!route->count) {
		r = note_first(&state->journal, want->address, err);
		route->set = route->list[0].original;
	}
	if (r < 0)
		return r;
	route->before = route->set;
	route->set = want->mtu;
	return 0;
}

static int set_all(const struct journal *journal, struct err *err)
{
	const struct hostroute_record *route = &journal->changes.route;
	int r = 0;

	for (int i = 0; r == 0 && i < route->count; i++) {
		struct rtmtu_key key = key_of(journal, &route->list[i]);
		bool fits = is_ipv6(key.address) == is_ipv6(route->source);

		r = rtmtu_set(&key, route->set, fits ? route->source : "", err);
	}
	return r;
}

static int route_apply(struct hoststate *state, const struct hostchange_request *want,
		       struct err *err)
{
	struct hostroute_record *route = &state->journal.changes.route;
	int r;

	if (!want->by_route || want->probe)
		return 0;
	r = set_all(&state->journal, err);
	/* The kernel may have done it all the same: what was tried stays one of ours. */
	if (r < 0) {
		route->set = route->before;
		route->before = want->mtu;
	}
	return r;
}

static int entry_is_ours(const struct journal *journal,
			 const struct hostroute_entry *entry, struct err *err)
{
	struct rtmtu_key key = key_of(journal, entry);
	struct rtmtu now;
	int r = rtmtu_find(&key, &now, err);

	if (r < 0)
		return r;
	if (!now.exists)
		return err_set(
			err, -ENOENT,
			"the route to %s/%d is gone: somebody removed it, or '%s' "
			"was down",
			entry->address, entry->length, journal->interface);
	if (now.mtu != journal->changes.route.set || (!entry->existed && !now.ours))
		return route_changed(entry, &now, err);
	return 0;
}

static int route_is_ours(const struct journal *journal, struct err *err)
{
	const struct hostroute_record *route = &journal->changes.route;
	int r = 0;

	for (int i = 0; r == 0 && i < route->count; i++)
		r = entry_is_ours(journal, &route->list[i], err);
	return r;
}

/* --- the way back --- */

/* A crash may have come between the journal and the change, or half way back. */
static bool is_one_of_ours(const struct hostroute_record *route,
			   const struct hostroute_entry *entry, const struct rtmtu *now)
{
	if (!entry->existed)
		return now->ours &&
		       (now->mtu == route->set || now->mtu == route->before);
	return now->mtu == route->set || now->mtu == route->before ||
	       now->mtu == entry->original;
}

/* A route that is gone went with its interface or its link, and the MTU with it. */
static int restore_entry(const struct journal *journal,
			 const struct hostroute_entry *entry, struct err *err)
{
	struct rtmtu_key key = key_of(journal, entry);
	struct rtmtu now;
	int r = rtmtu_find(&key, &now, err);

	if (r < 0 || !now.exists)
		return r;
	if (!is_one_of_ours(&journal->changes.route, entry, &now))
		return route_changed(entry, &now, err);
	if (!entry->existed)
		return rtmtu_remove(&key, err);
	return now.mtu == entry->original ? 0
					  : rtmtu_set(&key, entry->original, "", err);
}

/* All of them, whatever becomes of one. The first failure counts, then somebody's
 * change. */
static int restore_entries(const struct journal *journal, struct err *err)
{
	const struct hostroute_record *route = &journal->changes.route;
	int all = 0;

	for (int i = route->count - 1; i >= 0; i--) {
		struct err text = ERR_INIT;
		int r = restore_entry(journal, &route->list[i], &text);

		if (r < 0 && (all == 0 || (all == -ESTALE && r != -ESTALE)))
			all = err_set(err, r, "%s", text.text);
	}
	return all;
}

static int route_restore(struct journal *journal, struct err *err)
{
	struct hostroute_record *route = &journal->changes.route;
	int count = route->count;
	int r;

	if (!count)
		return 0;
	if (!journal_is_from_here(journal))
		return err_set(
			err, -ESTALE,
			"the routes of the run before are gone, with the network "
			"namespace of '%s' or a reboot",
			journal->interface);
	r = restore_entries(journal, err);
	if (r < 0)
		return r;
	return err_set(err, 0, "the route%s to %s %s as before", count > 1 ? "s" : "",
		       route->list[0].address, count > 1 ? "are" : "is");
}

/* --- the end without one --- */

static bool is_listed(const struct hostroute_record *route,
		      const struct wginfo_allowed *prefix)
{
	for (int i = 0; i < route->count; i++) {
		if (route->list[i].length == prefix->length &&
		    strcmp(route->list[i].address, prefix->address) == 0)
			return true;
	}
	return false;
}

static int find_allowed(const struct journal *journal, struct wginfo_peer *ret,
			struct err *err)
{
	struct rtlink link;
	int r = rtlink_get(journal->interface, &link, err);

	if (r == 0 && link.index != journal->ifindex)
		return err_set(err, -ESTALE, "interface '%s' of this run is gone",
			       journal->interface);
	if (r == 0)
		r = wginfo_find_peer(&link, wginfo_backend(&link),
				     journal->changes.route.list[0].address, ret, err);
	return r;
}

/* The routes to the rest of the peer's AllowedIPs get the same MTU. */
static int route_commit(struct hoststate *state, struct err *err)
{
	struct hostroute_record *route = &state->journal.changes.route;
	struct wginfo_peer peer;
	int r;

	if (!route->count)
		return 0;
	r = find_allowed(&state->journal, &peer, err);
	if (r == 0 && peer.allowed_count > WGINFO_ALLOWED_MAX)
		return err_set(err, -E2BIG,
			       "%s has %d AllowedIPs; the routes of at most %d can be "
			       "set",
			       route->list[0].address, peer.allowed_count,
			       WGINFO_ALLOWED_MAX);
	for (int i = 0; r == 0 && i < peer.allowed_count; i++) {
		if (peer.all_allowed[i].address[0] &&
		    !is_listed(route, &peer.all_allowed[i]))
			r = add_entry(&state->journal, &peer.all_allowed[i], 0,
				      route->list[0].table, err);
	}
	if (r == 0)
		r = journal_write(&state->journal, err);
	return r < 0 ? r : set_all(&state->journal, err);
}

static int route_keep(struct journal *journal, struct err *err)
{
	const struct hostroute_record *route = &journal->changes.route;
	char list[200] = "";
	size_t used = 0;

	if (!route->count)
		return 0;
	for (int i = 0; i < route->count && used < sizeof(list) - 64; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s/%d",
					 i ? ", " : "", route->list[i].address,
					 route->list[i].length);
	return err_set(err, 0,
		       "the MTU is that of the route%s to %s; '%s' keeps its own",
		       route->count > 1 ? "s" : "", list, journal->interface);
}

/* --- the conf file --- */

int hostroute_edit_conf(const struct hostroute_record *route, const char *data,
			size_t size, int mtu, char **ret, size_t *ret_size,
			struct err *err)
{
	struct conffile_route list[HOSTROUTE_MAX];

	for (int i = 0; i < route->count; i++) {
		const struct hostroute_entry *entry = &route->list[i];
		bool fits = is_ipv6(entry->address) == is_ipv6(route->source);

		list[i] = (struct conffile_route){
			.address = entry->address,
			.length = entry->length,
			.table = entry->table == RT_TABLE_MAIN ? 0 : entry->table,
			/* wg-quick's own routes have none. */
			.source = fits && !entry->existed ? route->source : "",
			.mtu = mtu,
		};
	}
	return conffile_edit_routes(data, size, route->list[0].address, list,
				    route->count, ret, ret_size, err);
}

/* --- the journal --- */

static void route_write(const struct hostchange_records *records, FILE *out)
{
	const struct hostroute_record *route = &records->route;

	if (!route->count)
		return;
	fprintf(out, "route-before %d\nroute-set %d\nroute-source %s\n", route->before,
		route->set, route->source);
	for (int i = 0; i < route->count; i++) {
		const struct hostroute_entry *entry = &route->list[i];

		fprintf(out,
			"route %s\nroute-length %d\nroute-table %u\nroute-existed %d\n"
			"route-mtu %d\n",
			entry->address, entry->length, (unsigned)entry->table,
			entry->existed, entry->original);
	}
}

static bool read_entry(char **at, const char *address, struct hostroute_entry *ret)
{
	int existed;

	if (!text_copy(ret->address, sizeof(ret->address), address) ||
	    !journal_take_int(at, "route-length", &ret->length) ||
	    !journal_take_int(at, "route-table", &ret->table) ||
	    !journal_take_int(at, "route-existed", &existed) || existed > 1)
		return false;
	ret->existed = existed;
	return journal_take_int(at, "route-mtu", &ret->original);
}

static bool route_read(char **at, struct hostchange_records *ret)
{
	struct hostroute_record *route = &ret->route;
	const char *source;
	const char *address;

	if (!journal_take_int(at, "route-before", &route->before) ||
	    !journal_take_int(at, "route-set", &route->set))
		return false;
	source = journal_take_line(at, "route-source");
	if (!source || !text_copy(route->source, sizeof(route->source), source))
		return false;
	while ((address = journal_take_line(at, "route"))) {
		if (route->count == HOSTROUTE_MAX ||
		    !read_entry(at, address, &route->list[route->count++]))
			return false;
	}
	return route->count > 0;
}

const struct hostchange_kind hostroute_kind = {
	.check = route_check,
	.note = route_note,
	.apply = route_apply,
	.is_ours = route_is_ours,
	.restore = route_restore,
	.commit = route_commit,
	.keep = route_keep,
	.key = "route-before",
	.write = route_write,
	.read = route_read,
};
