/* SPDX-License-Identifier: MIT */
#include "netctl/hoststate.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

void hoststate_init(struct hoststate *state, const struct hostchange_bounds *bounds)
{
	memset(state, 0, sizeof(*state));
	state->bounds = *bounds;
	text_copy(state->journal.interface, sizeof(state->journal.interface),
		  bounds->interface);
	rundir_find_place(&state->place);
}

/* A journal in another folder would leave the first one to be obeyed when that one is
 * back. */
static int check_place(const struct hoststate *state, struct err *err)
{
	if (rundir_is_at(&state->place))
		return 0;
	return err_set(
		err, -EIO,
		"folder '" RUNDIR_PATH "' is not the one from the start of this "
		"program (mounted over, or made anew?): nothing more is changed; "
		"bring that one back, or start again");
}

/* Add a text, if there is one, to those that are there. */
static void add_text(struct err *ret, const char *between, const struct err *text)
{
	struct err before;

	if (!ret)
		return;
	before = *ret;
	if (text->text[0])
		err_set(ret, 0, "%s%s%s", before.text, before.text[0] ? between : "",
			text->text);
}

/* --- changes --- */

/* Finish a commit, then remove the journal, which says that the pair is applied. */
static int tidy_up(struct journal *journal, struct err *err)
{
	struct err all = ERR_INIT;
	int r = 0;

	for (int i = 0; r == 0 && hostchange_kinds[i]; i++) {
		struct err text = ERR_INIT;

		if (hostchange_kinds[i]->keep)
			r = hostchange_kinds[i]->keep(journal, &text);
		add_text(&all, "; ", &text);
	}
	if (r == 0)
		r = journal_remove(journal->interface, &all);
	return err_set(err, r, "%s", all.text);
}

/* All is restored, so this is no failure: the next change writes the journal anew, and
 * the next start finds nothing to restore in it. */
static void remove_journal(struct hoststate *state, struct err *err)
{
	struct err why = ERR_INIT;
	struct err text;
	int r = journal_remove(state->journal.interface, &why);

	state->journal_left = r < 0;
	if (r == 0)
		return;
	err_set(&text, 0, "%.200s; the next start removes it", why.text);
	add_text(err, "; ", &text);
}

static int finish(struct hoststate *state, struct err *err)
{
	int r = state->unfinished ? tidy_up(&state->journal, err) : 0;

	if (r == 0)
		state->unfinished = false;
	if (state->journal_left)
		remove_journal(state, err);
	return r;
}

/* Gone with an interface that was down for a while: the next change makes it again. */
static bool is_gone(int r)
{
	return r == -ENOENT;
}

static int not_restored(const struct hoststate *state, struct err *err)
{
	return err_set(err, -ESTALE,
		       "the MTU of '%s' and its conf file are not restored yet: an "
		       "earlier attempt failed",
		       state->journal.interface);
}

static int check_ours(const struct journal *journal, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && hostchange_kinds[i]; i++) {
		if (hostchange_kinds[i]->is_ours)
			r = hostchange_kinds[i]->is_ours(journal, err);
	}
	return r;
}

/* The host must be as we left it. */
static int ready(struct hoststate *state, struct err *err)
{
	int r;

	if (state->must_restore)
		return not_restored(state, err);
	if (!state->pending)
		return finish(state, err);
	r = check_ours(&state->journal, err);
	return is_gone(r) ? 0 : r;
}

static int note(struct hoststate *state, const struct hostchange_request *want,
		struct err *err)
{
	int r = 0;

	if (!state->pending) {
		journal_note_place(&state->journal);
		state->journal.committed = false;
	}
	for (int i = 0; r == 0 && hostchange_kinds[i]; i++)
		r = hostchange_kinds[i]->note(state, want, err);
	if (r == 0)
		state->ifindex = state->journal.ifindex;
	return r;
}

static int apply(struct hoststate *state, const struct hostchange_request *want,
		 struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && hostchange_kinds[i]; i++)
		r = hostchange_kinds[i]->apply(state, want, err);
	return r;
}

int hoststate_check_request(const struct hoststate *state,
			    const struct hostchange_request *want, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && hostchange_kinds[i]; i++) {
		if (hostchange_kinds[i]->check)
			r = hostchange_kinds[i]->check(state, want, err);
	}
	return r;
}

int hoststate_change(struct hoststate *state, const struct hostchange_request *want,
		     struct err *err)
{
	struct journal before;
	int r = ready(state, err);

	if (r == 0)
		r = check_place(state, err);
	if (r < 0)
		return r;
	before = state->journal;
	r = note(state, want, err);
	if (r == 0)
		r = journal_write(&state->journal, err);
	/* Nothing was changed: the host is in the noted state. */
	if (r < 0) {
		state->journal = before;
		/* It may exist without being safe on the disk. */
		if (!state->pending)
			remove_journal(state, NULL);
		return r;
	}
	state->pending = true;
	state->committed = false;
	state->journal_left = false;
	return apply(state, want, err);
}

int hoststate_check(const struct hoststate *state, struct err *err)
{
	int r;

	if (state->must_restore)
		return not_restored(state, err);
	r = state->pending ? check_ours(&state->journal, err) : 0;
	return is_gone(r) ? -ENETDOWN : r;
}

/* The commit counts from the moment the journal says so: from then on nobody restores.
 * */
static int note_commit(struct journal *journal, struct err *err)
{
	int r;

	journal->committed = true;
	r = journal_write(journal, err);
	if (r == 0)
		return 0;
	/* The journal may exist without being safe on the disk yet. */
	journal->committed = false;
	journal_write(journal, NULL);
	return r;
}

static int commit(struct hoststate *state, struct err *err)
{
	struct err kept = ERR_INIT;
	int r = 0;

	for (int i = 0; r == 0 && hostchange_kinds[i]; i++) {
		if (hostchange_kinds[i]->commit)
			r = hostchange_kinds[i]->commit(state, err);
	}
	if (r < 0)
		return r;
	r = note_commit(&state->journal, err);
	if (r < 0) {
		state->must_restore = true;
		return r;
	}
	/* Remove the journal last: the next start finishes what a kill or a failure
	 * left undone. */
	state->unfinished = true;
	finish(state, &kept);
	state->pending = false;
	state->committed = true;
	state->ifindex = 0;
	return err_set(err, 0, "%s", kept.text);
}

int hoststate_commit(struct hoststate *state, struct err *err)
{
	int r;

	if (state->bounds.persist != PERSIST_BEST)
		return err_set(err, -EACCES,
			       "not permitted to write the conf file: this end was not "
			       "started with --persist best");
	if (state->must_restore)
		return not_restored(state, err);
	if (!state->pending && !state->committed)
		return err_set(err, -ESTALE, "no MTU is set on '%s'",
			       state->journal.interface);
	r = check_place(state, err);
	if (r < 0)
		return r;
	r = check_ours(&state->journal, err);
	/* An interface that is down has the MTU as well. */
	if (r == -ENETDOWN)
		r = err_set(err, 0, "%s", "");
	if (is_gone(r))
		r = -ESTALE;
	return r == 0 && state->pending ? commit(state, err) : r;
}

/* --- the way back --- */

/* Restore all of them, even if one fails. The first failure counts. */
static int restore_all(struct journal *journal, struct err *err)
{
	struct err theirs = ERR_INIT;
	struct err back = ERR_INIT;
	int failure = 0;

	for (int i = 0; hostchange_kinds[i]; i++) {
		struct err text = ERR_INIT;
		int r = hostchange_kinds[i]->restore(journal, &text);

		if (r == -ESTALE)
			add_text(&theirs, "; ", &text);
		else if (r == 0)
			add_text(&back, ", and ", &text);
		else if (failure == 0)
			failure = err_set(err, r, "%s", text.text);
	}
	if (failure < 0)
		return failure;
	if (theirs.text[0])
		return err_set(err, -ESTALE, "%s", theirs.text);
	return err_set(err, 0, "%s", back.text);
}

int hoststate_expire(struct hoststate *state, struct err *err)
{
	int r;

	if (!state->pending)
		return finish(state, err);
	r = restore_all(&state->journal, err);
	state->must_restore = r < 0 && r != -ESTALE;
	if (state->must_restore)
		return r;
	state->pending = false;
	remove_journal(state, err);
	return r;
}

int hoststate_restore(struct hoststate *state, struct err *err)
{
	int r = hoststate_expire(state, err);

	state->committed = false;
	if (!state->pending)
		state->ifindex = 0;
	return r;
}

/* Remove what a killed commit has left: the journal, and the original if it exists. */
static int finish_commit(struct journal *journal, struct err *err)
{
	const char *where = journal->changes.route.count ? "routes" : "link";
	int mtu = hostchange_mtu(&journal->changes);
	struct err kept = ERR_INIT;
	int r = tidy_up(journal, &kept);

	if (r < 0)
		return err_set(err, r, "MTU %d of '%s' was applied, but %.300s", mtu,
			       journal->interface, kept.text);
	return err_set(err, 0, "MTU %d of '%s' was applied, in %s%s%s%.200s", mtu,
		       journal->interface, where,
		       hostchange_has_file(&journal->changes) ? " and conf file"
							      : " alone",
		       kept.text[0] ? "; " : "", kept.text);
}

int hoststate_restore_journal(const char *interface, struct err *err)
{
	char path[JOURNAL_PATH_SIZE];
	struct hostchange_bounds bounds = {.persist = PERSIST_NONE};
	struct hoststate state;
	struct err why = ERR_INIT;
	int r;

	hoststate_init(&state, &bounds);
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
	return err_set(err, r, "%.200s; the journal '%s' has the steps that are left",
		       why.text, path);
}
