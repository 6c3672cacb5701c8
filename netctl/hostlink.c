/* SPDX-License-Identifier: MIT */
/* A kind of change to the host: the MTU of the interface. */
#include <errno.h>
#include <net/if.h>

#include "netctl/hostchange.h"
#include "netctl/hoststate.h"
#include "netctl/rtlink.h"

static int get_link(const char *interface, int index, struct rtlink *ret,
		    struct err *err)
{
	int r = rtlink_get(interface, ret, err);

	if (r == -ENODEV)
		return err_set(err, -ENODEV, "interface '%s' is gone", interface);
	if (r == 0 && index && ret->index != index)
		return err_set(err, -ESTALE,
			       "interface '%s' was deleted and made again by somebody "
			       "else; its MTU %d is kept",
			       interface, ret->mtu);
	return r;
}

static int mtu_changed(const struct journal *journal, int mtu, struct err *err)
{
	return err_set(err, -ESTALE,
		       "the MTU of '%s' was changed to %d by somebody else (it was "
		       "%d); theirs is kept",
		       journal->interface, mtu, journal->changes.link.set);
}

static int check_up(const struct rtlink *link, const char *interface, struct err *err)
{
	return link->up ? 0
			: err_set(err, -ENETDOWN, "interface '%s' is down", interface);
}

/* --- changes --- */

static int link_check(const struct hoststate *state,
		      const struct hostchange_request *want, struct err *err)
{
	struct mtu_range range = state->bounds.range;

	if (want->probe)
		range = hostchange_probe_range(&range);
	if (mtu_range_allows(&range, want->mtu))
		return 0;
	return err_set(err, -ERANGE,
		       "MTU %d is outside the range %d to %d that this end was "
		       "started with",
		       want->mtu, range.min, range.max);
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
	journal->changes.link.set = link.mtu;
	return 0;
}

static int link_note(struct hoststate *state, const struct hostchange_request *want,
		     struct err *err)
{
	struct hostlink_record *link = &state->journal.changes.link;
	int r = state->pending ? 0 : note_original(state, err);

	if (r < 0)
		return r;
	link->before = link->set;
	link->set = want->mtu;
	return 0;
}

static int link_apply(struct hoststate *state, const struct hostchange_request *want,
		      struct err *err)
{
	struct hostlink_record *link = &state->journal.changes.link;
	int r = rtlink_set_mtu(state->journal.ifindex, want->mtu, err);

	/* The kernel may have done it all the same: what was tried stays one of ours. */
	if (r < 0) {
		link->set = link->before;
		link->before = want->mtu;
	}
	return r;
}

/* While we run, what we left is known exactly: a change to the original is one too. */
static int link_is_ours(const struct journal *journal, struct err *err)
{
	struct rtlink link;
	int r = get_link(journal->interface, journal->ifindex, &link, err);

	if (r < 0)
		return r;
	if (link.mtu != journal->changes.link.set)
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

/* Under another name, too: who renames an interface leaves our MTU on it. Gone is only
 * what the kernel says has no such index; every other failure is for another try. */
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

	if (!journal_is_from_here(journal))
		return err_set(
			err, -ESTALE,
			"interface '%s' of the run before is gone, with its network "
			"namespace or a reboot; the one of that name here is kept "
			"as it is",
			journal->interface);
	r = find_link(journal, &link, err);
	/* The MTU is gone with the interface: its next creator sets a new one. */
	if (r == -ENODEV)
		return -ESTALE;
	if (r == 0 && !mtu_is_ours(&journal->changes.link, link.mtu))
		r = mtu_changed(journal, link.mtu, err);
	if (r == 0 && link.mtu != original)
		r = rtlink_set_mtu(journal->ifindex, original, err);
	return r < 0 ? r
		     : err_set(err, 0, "'%s' has its MTU %d back", journal->interface,
			       original);
}

/* --- the journal --- */

static void link_write(const struct hostchange_records *records, FILE *out)
{
	fprintf(out, "original %d\nbefore %d\nset %d\n", records->link.original,
		records->link.before, records->link.set);
}

static bool link_read(char **at, struct hostchange_records *ret)
{
	return journal_take_int(at, "original", &ret->link.original) &&
	       journal_take_int(at, "before", &ret->link.before) &&
	       journal_take_int(at, "set", &ret->link.set);
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
