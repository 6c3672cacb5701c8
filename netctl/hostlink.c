/* SPDX-License-Identifier: MIT */
/* A kind of change to the host: the MTU of the interface. */
#include <errno.h>
#include <net/if.h>

#include "netctl/hostchange.h"
#include "netctl/hoststate.h"
#include "netctl/linkipv6.h"
#include "netctl/rtlink.h"

static int get_link(const char *interface, int index, struct rtlink *ret,
		    struct err *err)
{
	int r = rtlink_get(interface, ret, err);

	if (r == -ENODEV)
		return err_set(err, -ENODEV, "interface '%s' is gone", interface);
	if (r == 0 && index && ret->index != index)
		return err_set(err, -ESTALE,
			       "interface '%s' was deleted and created again by "
			       "somebody else; its MTU %d is left as it is",
			       interface, ret->mtu);
	return r;
}

static int mtu_changed(const struct journal *journal, int mtu, struct err *err)
{
	return err_set(err, -ESTALE,
		       "the MTU of '%s' was changed to %d by somebody else (%d before "
		       "the run) and is left as it is",
		       journal->interface, mtu, journal->changes.link.original);
}

static int check_up(const struct rtlink *link, const char *interface, struct err *err)
{
	return link->up ? 0
			: err_set(err, -ENETDOWN, "interface '%s' is down", interface);
}

/* --- changes --- */

/* IPv6 that was configured since this program started would be lost for good. */
static int check_fall(const char *interface, int mtu, struct err *err)
{
	struct rtlink link;

	if (mtu >= MTU_MIN_IPV6 || rtlink_get(interface, &link, NULL) < 0 ||
	    linkipv6_may_fall(&link))
		return 0;
	return err_set(
		err, -ERANGE,
		"MTU %d is refused: IPv6 is in use on '%s' now, which the kernel "
		"would remove for good below 1280; start this program again",
		mtu, interface);
}

static int link_check(const struct hoststate *state,
		      const struct hostchange_request *want, struct err *err)
{
	struct mtu_range range = state->bounds.range;

	if (want->probe)
		range = hostchange_probe_range(&range);
	if (!mtu_range_allows(&range, want->mtu))
		return err_set(err, -ERANGE,
			       "MTU %d is outside the range of this end, %d to %d",
			       want->mtu, range.min, range.max);
	return want->by_route ? 0
			      : check_fall(state->journal.interface, want->mtu, err);
}

/* The other kinds act on the interface that is noted here. */
static int note_original(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	struct rtlink link;
	int r = get_link(journal->interface, state->ifindex, &link, err);

	if (r == 0)
		r = check_up(&link, journal->interface, err);
	if (r < 0)
		return r;
	journal->ifindex = link.index;
	journal->changes.link.original = link.mtu;
	journal->changes.link.before = 0;
	journal->changes.link.set = 0;
	journal->changes.link.ipv6 = LINKIPV6_NOTHING;
	return 0;
}

/* What the fall takes away. */
static int note_ipv6(struct journal *journal, struct err *err)
{
	struct rtlink link;
	int r = get_link(journal->interface, journal->ifindex, &link, err);

	if (r == 0)
		journal->changes.link.ipv6 = linkipv6_note(&link);
	return r;
}

static int link_note(struct hoststate *state, const struct hostchange_request *want,
		     struct err *err)
{
	struct hostlink_record *link = &state->journal.changes.link;
	int r = state->pending ? 0 : note_original(state, err);

	if (r < 0 || want->by_route)
		return r;
	if (want->mtu < MTU_MIN_IPV6 && link->ipv6 == LINKIPV6_NOTHING)
		r = note_ipv6(&state->journal, err);
	link->before = link->set ? link->set : link->original;
	link->set = want->mtu;
	return r;
}

static int restore_ipv6(struct journal *journal, const char *interface, int mtu,
			struct err *err)
{
	int *note = &journal->changes.link.ipv6;
	int r = mtu < MTU_MIN_IPV6 ? 0 : linkipv6_restore(interface, *note, err);

	if (mtu >= MTU_MIN_IPV6 && (r == 0 || r == -ESTALE))
		*note = LINKIPV6_NOTHING;
	return r;
}

static int set_link(struct journal *journal, int mtu, struct err *err)
{
	int r = rtlink_set_mtu(journal->ifindex, mtu, err);

	if (r == 0)
		r = restore_ipv6(journal, journal->interface, mtu, err);
	/* A change of somebody else's that the run can do with. */
	return r == -ESTALE ? err_set(err, 0, "%s", "") : r;
}

static int link_apply(struct hoststate *state, const struct hostchange_request *want,
		      struct err *err)
{
	struct hostlink_record *link = &state->journal.changes.link;
	int r = want->by_route ? 0 : set_link(&state->journal, want->mtu, err);

	/* The kernel may have made the change in spite of the error, so the tried MTU
	 * counts as ours. */
	if (r < 0) {
		link->set = link->before;
		link->before = want->mtu;
	}
	return r;
}

/* While we run, our last state is known exactly: a return to the original is a change
 * too. */
static int link_is_ours(const struct journal *journal, struct err *err)
{
	struct rtlink link;
	int r = get_link(journal->interface, journal->ifindex, &link, err);

	if (r < 0)
		return r;
	if (journal->changes.link.set && link.mtu != journal->changes.link.set)
		return mtu_changed(journal, link.mtu, err);
	return check_up(&link, journal->interface, err);
}

/* --- the way back --- */

/* A crash may have come between the journal and the change, or half way back: each of
 * the three is ours. */
static bool mtu_is_ours(const struct hostlink_record *link, int mtu)
{
	return mtu == link->set || mtu == link->before || mtu == link->original;
}

/* Look for another name too: a renamed interface keeps our MTU. It is gone only if the
 * kernel has no such index; every other failure is retried. */
static int find_link(const struct journal *journal, struct rtlink *ret, struct err *err)
{
	char name[IF_NAMESIZE];
	int r;

	if (!if_indextoname((unsigned)journal->ifindex, name)) {
		if (errno != ENXIO && errno != ENODEV)
			return err_sys(err, errno, "cannot find interface '%s'",
				       journal->interface);
		return get_link(journal->interface, journal->ifindex, ret, err);
	}
	r = rtlink_get(name, ret, err);
	if (r == -ENODEV || (r == 0 && ret->index != journal->ifindex))
		return err_set(err, -EAGAIN, "interface '%s' is being renamed", name);
	return r;
}

static int link_restore(struct journal *journal, struct err *err)
{
	int original = journal->changes.link.original;
	struct rtlink link;
	int r;

	if (!journal->changes.link.set)
		return 0;
	if (!journal_is_from_here(journal))
		return err_set(err, -ESTALE,
			       "interface '%s' of the earlier run no longer exists "
			       "(network namespace removed, or host rebooted); the "
			       "present interface of that name is left as it is",
			       journal->interface);
	r = find_link(journal, &link, err);
	/* A deleted one is made with a new MTU. One that was moved keeps ours, and nobody
	 * here can tell. */
	if (r == -ENODEV)
		return err_set(err, -ESTALE,
			       "interface '%s' is gone; if it was moved to another "
			       "network namespace, set its MTU there, to %d as before "
			       "the run",
			       journal->interface, original);
	if (r < 0)
		return r;
	if (!mtu_is_ours(&journal->changes.link, link.mtu)) {
		restore_ipv6(journal, link.name, link.mtu, NULL);
		return mtu_changed(journal, link.mtu, err);
	}
	if (link.mtu != original)
		r = rtlink_set_mtu(journal->ifindex, original, err);
	if (r == 0)
		r = restore_ipv6(journal, link.name, original, err);
	return r < 0 ? r
		     : err_set(err, 0, "'%s' is restored to MTU %d", journal->interface,
			       original);
}

/* --- the journal --- */

static void link_write(const struct hostchange_records *records, FILE *out)
{
	fprintf(out, "original %d\nbefore %d\nset %d\nipv6 %d\n",
		records->link.original, records->link.before, records->link.set,
		records->link.ipv6);
}

static bool link_read(char **at, struct hostchange_records *ret)
{
	return journal_take_int(at, "original", &ret->link.original) &&
	       journal_take_int(at, "before", &ret->link.before) &&
	       journal_take_int(at, "set", &ret->link.set) &&
	       journal_take_int(at, "ipv6", &ret->link.ipv6);
}

const struct hostchange_kind hostlink_kind = {
	.check = link_check,
	.note = link_note,
	.apply = link_apply,
	.is_ours = link_is_ours,
	.restore = link_restore,
	.key = "original",
	.has_lines_always = true,
	.write = link_write,
	.read = link_read,
};
