#include "netctl/hoststate.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/text.h"
#include "netctl/proberoute.h"
#include "netctl/rtlink.h"

void hoststate_init(struct hoststate *state, const char *interface,
		    enum persist persist, const char *conf_file)
{
	memset(state, 0, sizeof(*state));
	text_copy(state->journal.interface, sizeof(state->journal.interface),
		  interface);
	state->persist = persist;
	text_copy(state->conf_file, sizeof(state->conf_file), conf_file);
}

/* --- the link --- */

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
		       journal->interface, mtu, journal->mtu_set);
}

/* While we run, what we left is known exactly: a change to the original is one too. */
static int check_link(const struct journal *journal, struct rtlink *ret,
		      struct err *err)
{
	int r = get_link(journal->interface, journal->ifindex, ret, err);

	if (r == 0 && ret->mtu != journal->mtu_set)
		r = mtu_changed(journal, ret->mtu, err);
	return r;
}

/* --- changes --- */

/* The rest of a commit: the original, and then the journal, which says that the pair is
 * kept. The text is hostconf_keep()'s. */
static int put_away(const struct journal *journal, struct err *err)
{
	int r = hostconf_keep(journal, err);

	return r < 0 ? r : journal_remove(journal->interface, err);
}

static int finish(struct hoststate *state, struct err *err)
{
	int r = state->unfinished ? put_away(&state->journal, err) : 0;

	if (r == 0)
		state->unfinished = false;
	return r;
}

/* Note what there is, as the way back. */
static int begin(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	struct rtlink link;
	int r = finish(state, err);

	if (r == 0)
		r = get_link(journal->interface, state->ifindex, &link, err);
	if (r < 0)
		return r;
	if (!state->ifindex)
		hostconf_note(state->conf_file, &state->conf_noted);
	state->ifindex = link.index;
	journal_note_place(journal);
	journal->ifindex = link.index;
	journal->mtu_original = link.mtu;
	journal->mtu_before = link.mtu;
	journal->mtu_set = link.mtu;
	journal->conf_file[0] = '\0';
	journal->probe_address[0] = '\0';
	journal->committed = false;
	return 0;
}

static int not_put_back(const struct hoststate *state, struct err *err)
{
	return err_set(err, -ESTALE,
		       "the MTU of '%s' and its conf file are to be put back, and "
		       "that has not succeeded yet",
		       state->journal.interface);
}

static int change_link(struct hoststate *state, int mtu, struct err *err)
{
	struct journal *journal = &state->journal;
	int r;

	journal->mtu_before = journal->mtu_set;
	journal->mtu_set = mtu;
	r = journal_write(journal, err);
	if (r == 0) {
		state->pending = true;
		state->committed = false;
		r = rtlink_set_mtu(journal->ifindex, mtu, err);
	}
	/* The kernel may have done it all the same: what was tried stays one of ours. */
	if (r < 0) {
		journal->mtu_set = journal->mtu_before;
		journal->mtu_before = mtu;
	}
	return r;
}

static int write_conf(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	int r = hostconf_write(journal, state->conf_file, err);

	/* Which of the two MTUs the conf file has is unknown now. A further change
	 * would be a third, and ours could no longer be told from somebody else's. */
	if (r < 0 && r != -ESTALE && journal->conf_file[0])
		state->must_restore = true;
	return r;
}

static int change(struct hoststate *state, int mtu, struct err *err)
{
	int r = change_link(state, mtu, err);

	return r < 0 || state->persist != PERSIST_EACH ? r : write_conf(state, err);
}

/* --- the way of probes --- */

static struct proberoute way_of(const struct journal *journal)
{
	struct proberoute way = {
		.ifindex = journal->ifindex,
		.port = journal->probe_port,
	};

	text_copy(way.address, sizeof(way.address), journal->probe_address);
	return way;
}

/* The journal on disk may name it still: to remove it twice does no harm. */
static int remove_way(struct journal *journal, struct err *err)
{
	struct proberoute way = way_of(journal);
	int r = way.address[0] ? proberoute_remove(&way, err) : 0;

	if (r == 0)
		journal->probe_address[0] = '\0';
	return r;
}

/* The journal, which names it, has been written. */
static int add_way(struct journal *journal, struct err *err)
{
	struct proberoute way = way_of(journal);
	int r = proberoute_add(&way, err);

	if (r < 0)
		journal->probe_address[0] = '\0';
	return r;
}

/* --- what the header declares --- */

/* What there is becomes the way back, unless there is one; it must be as we left it. */
static int ready(struct hoststate *state, struct err *err)
{
	struct rtlink link;
	int r;

	if (state->must_restore)
		return not_put_back(state, err);
	r = state->pending ? 0 : begin(state, err);
	if (r == 0)
		r = check_link(&state->journal, &link, err);
	if (r < 0)
		return r;
	if (!link.up)
		return err_set(err, -ENETDOWN, "interface '%s' is down",
			       state->journal.interface);
	return 0;
}

int hoststate_set(struct hoststate *state, int mtu, struct err *err)
{
	int r = ready(state, err);

	if (r == 0)
		r = remove_way(&state->journal, err);
	return r < 0 ? r : change(state, mtu, err);
}

int hoststate_probe(struct hoststate *state, int mtu, const char *address, int port,
		    struct err *err)
{
	struct journal *journal = &state->journal;
	int r = ready(state, err);

	if (r < 0)
		return r;
	if (!address[0])
		return change_link(state, mtu, err);
	r = remove_way(journal, err);
	if (r < 0)
		return r;
	text_copy(journal->probe_address, sizeof(journal->probe_address), address);
	journal->probe_port = port;
	r = change_link(state, mtu, err);
	return r < 0 ? r : add_way(journal, err);
}

int hoststate_check(const struct hoststate *state, struct err *err)
{
	struct rtlink link;
	int r;

	if (state->must_restore)
		return not_put_back(state, err);
	if (!state->pending)
		return 0;
	r = check_link(&state->journal, &link, err);
	if (r == 0 && !link.up)
		return err_set(err, -ENETDOWN, "interface '%s' is down",
			       state->journal.interface);
	return r;
}

static void forget(struct hoststate *state)
{
	journal_remove(state->journal.interface, NULL);
	state->journal.conf_file[0] = '\0';
	state->journal.probe_address[0] = '\0';
	state->pending = false;
	state->must_restore = false;
}

/* From when the journal says so nobody puts anything back: this is the moment it counts. */
static int note_commit(struct journal *journal, struct err *err)
{
	int r;

	journal->committed = true;
	r = journal_write(journal, err);
	if (r == 0)
		return 0;
	/* It may be there, and not be safe yet. */
	journal->committed = false;
	journal_write(journal, NULL);
	return r;
}

static int commit(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	bool theirs = !hostconf_is_as_noted(state->conf_file, &state->conf_noted);
	struct err kept = ERR_INIT;
	int r = write_conf(state, err);

	if (r < 0)
		return r;
	r = note_commit(journal, err);
	if (r < 0) {
		state->must_restore = true;
		return r;
	}
	/* The journal goes last: what a kill leaves undone, the next start does, and so
	 * with what fails. */
	state->unfinished = true;
	finish(state, &kept);
	state->pending = false;
	state->committed = true;
	state->ifindex = 0;
	if (theirs)
		return err_set(
			err, 0,
			"conf file '%.120s' was changed by somebody else during the "
			"run; their lines stay, beside the new MTU; %.160s",
			state->conf_file, kept.text);
	return err_set(err, 0, "%s", kept.text);
}

int hoststate_commit(struct hoststate *state, struct err *err)
{
	struct rtlink link;
	int r;

	if (state->persist != PERSIST_BEST)
		return err_set(err, -EACCES,
			       "writing the conf file was not permitted: this end was "
			       "not started with --persist best");
	if (state->must_restore)
		return not_put_back(state, err);
	if (!state->pending && !state->committed)
		return err_set(err, -ESTALE, "no MTU is set on '%s'",
			       state->journal.interface);
	r = check_link(&state->journal, &link, err);
	return r == 0 && state->pending ? commit(state, err) : r;
}

/* --- the way back --- */

/* A crash may have come between the journal and the change, or half way back: each of
 * the three is ours. */
static bool mtu_is_ours(const struct journal *journal, int mtu)
{
	return mtu == journal->mtu_set || mtu == journal->mtu_before ||
	       mtu == journal->mtu_original;
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

static int restore_mtu(const struct journal *journal, struct err *err)
{
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
	/* With the interface went its MTU: whoever makes it again sets it. */
	if (r == -ENODEV)
		return -ESTALE;
	if (r == 0 && !mtu_is_ours(journal, link.mtu))
		r = mtu_changed(journal, link.mtu, err);
	if (r == 0 && link.mtu != journal->mtu_original)
		r = rtlink_set_mtu(journal->ifindex, journal->mtu_original, err);
	return r;
}

/* The way goes whatever became of the link. */
static int restore_link(struct journal *journal, struct err *err)
{
	struct err way_err = ERR_INIT;
	int way = remove_way(journal, &way_err);
	int r = restore_mtu(journal, err);

	if (way < 0 && (r == 0 || r == -ESTALE))
		return err_set(err, way, "%s", way_err.text);
	return r;
}

/* Once it is back the original is gone: another try for the link must not miss it. */
static int restore_conf(struct journal *journal, struct err *err)
{
	int r = hostconf_restore(journal, err);

	if (r == 0) {
		journal->conf_file[0] = '\0';
		journal_write(journal, NULL);
	}
	return r;
}

int hoststate_expire(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	struct err link_err = ERR_INIT;
	struct err conf_err = ERR_INIT;
	char conf_file[sizeof(journal->conf_file)];
	int link = 0;
	int conf = 0;

	if (!state->pending)
		return finish(state, err);
	text_copy(conf_file, sizeof(conf_file), journal->conf_file);
	link = restore_link(journal, &link_err);
	if (journal->conf_file[0])
		conf = restore_conf(journal, &conf_err);
	state->must_restore = true;
	if (link < 0 && link != -ESTALE)
		return err_set(err, link, "%s", link_err.text);
	if (conf < 0 && conf != -ESTALE)
		return err_set(err, conf, "%s", conf_err.text);
	forget(state);
	if (link < 0 || conf < 0)
		return err_set(err, -ESTALE, "%s%s%s", link_err.text,
			       link < 0 && conf < 0 ? "; " : "", conf_err.text);
	return err_set(err, 0, "'%s' has its MTU %d back%s%.160s%s%s%s",
		       journal->interface, journal->mtu_original,
		       conf_file[0] ? ", and conf file '" : "", conf_file,
		       conf_file[0] ? "' is as it was" : "",
		       conf_err.text[0] ? "; " : "", conf_err.text);
}

int hoststate_restore(struct hoststate *state, struct err *err)
{
	int r = hoststate_expire(state, err);

	state->committed = false;
	if (!state->pending)
		state->ifindex = 0;
	return r;
}

/* What a commit that was killed has left: the original, perhaps, and the journal. */
static int finish_commit(const struct journal *journal, struct err *err)
{
	struct err kept = ERR_INIT;
	int r = put_away(journal, &kept);

	if (r < 0)
		return err_set(err, r, "MTU %d of '%s' was kept, but %.300s",
			       journal->mtu_set, journal->interface, kept.text);
	return err_set(err, 0, "MTU %d of '%s' was kept, in link and conf file%s%.200s",
		       journal->mtu_set, journal->interface, kept.text[0] ? "; " : "",
		       kept.text);
}

int hoststate_restore_journal(const char *interface, struct err *err)
{
	char path[JOURNAL_PATH_SIZE];
	struct hoststate state;
	struct err why = ERR_INIT;
	int r;

	hoststate_init(&state, interface, PERSIST_NONE, "");
	r = journal_read(interface, &state.journal, err);
	if (r == -ENOENT)
		return err_set(err, 0, "%s", "");
	if (r < 0)
		return r;
	state.pending = !state.journal.committed;
	r = state.pending ? hoststate_restore(&state, &why)
			  : finish_commit(&state.journal, &why);
	if (r == 0 || r == -ESTALE)
		return err_set(err, r, "%s", why.text);
	journal_path(interface, path, NULL);
	/* Short enough for the path to survive a sentence around it. */
	return err_set(err, r, "%.200s; what is left to do is in '%s'", why.text, path);
}
