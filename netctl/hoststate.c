#include "netctl/hoststate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "netctl/conffile.h"
#include "netctl/rtlink.h"

struct path {
	char text[4096 + sizeof(JOURNAL_CONF_SUFFIX)];
};

struct content {
	char *data;
	size_t size;
};

static void content_release(struct content *content)
{
	conffile_wipe(content->data, content->size);
}

#define cleanup_content __attribute__((cleanup(content_release)))

static struct path original_path(const struct journal *journal)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s%s", journal->conf_file,
		 JOURNAL_CONF_SUFFIX);
	return path;
}

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

/* A crash may have come between the journal and the change: either value is ours. */
static bool mtu_is_ours(const struct journal *journal, int mtu)
{
	return mtu == journal->mtu_set || mtu == journal->mtu_before ||
	       mtu == journal->mtu_original;
}

static int check_link(const struct journal *journal, struct rtlink *ret,
		      struct err *err)
{
	int r = rtlink_get(journal->interface, ret, err);

	if (r == -ENODEV)
		return err_set(err, -ENODEV, "interface '%s' is gone",
			       journal->interface);
	if (r < 0)
		return r;
	if (ret->index != journal->ifindex)
		return err_set(err, -ESTALE,
			       "interface '%s' was deleted and made again by somebody "
			       "else; its MTU %d is kept",
			       journal->interface, ret->mtu);
	if (!mtu_is_ours(journal, ret->mtu))
		return err_set(
			err, -ESTALE,
			"the MTU of '%s' was changed to %d by somebody else (it was "
			"%d); theirs is kept",
			journal->interface, ret->mtu, journal->mtu_set);
	return 0;
}

/* --- the conf file --- */

/* Whether the conf file holds the original with the given MTU in it. */
static int conf_has_mtu(const struct content *now, const struct content *original,
			int mtu)
{
	cleanup_content struct content edited = {0};
	int r = conffile_edit(original->data, original->size, mtu, &edited.data,
			      &edited.size, NULL);

	if (r < 0)
		return r;
	return edited.size == now->size &&
	       memcmp(edited.data, now->data, now->size) == 0;
}

/* 1 the conf file is one of ours, 0 somebody else's, or -errno. */
static int conf_is_ours(const struct journal *journal, const struct content *original,
			struct err *err)
{
	cleanup_content struct content now = {0};
	int r = conffile_read(journal->conf_file, &now.data, &now.size, err);

	if (r < 0)
		return r;
	if (now.size == original->size &&
	    memcmp(now.data, original->data, now.size) == 0)
		return 1;
	r = conf_has_mtu(&now, original, journal->mtu_set);
	if (r == 0)
		r = conf_has_mtu(&now, original, journal->mtu_before);
	return r;
}

static int conf_changed(const struct journal *journal, struct err *err)
{
	return err_set(
		err, -ESTALE,
		"conf file '%s' was changed by somebody else; theirs is kept, the "
		"one from before the run is '%s%s'",
		journal->conf_file, journal->conf_file, JOURNAL_CONF_SUFFIX);
}

/* Keep the original beside the conf file, and say so in the journal. */
static int conf_begin(struct hoststate *state, struct err *err)
{
	cleanup_content struct content original = {0};
	struct path path;
	int r = conffile_read(state->conf_file, &original.data, &original.size, err);

	if (r < 0)
		return r;
	text_copy(state->journal.conf_file, sizeof(state->journal.conf_file),
		  state->conf_file);
	path = original_path(&state->journal);
	r = conffile_copy(state->conf_file, path.text, original.data, original.size,
			  err);
	if (r == 0)
		r = journal_write(&state->journal, err);
	if (r < 0)
		state->journal.conf_file[0] = '\0';
	return r;
}

static int conf_write(struct hoststate *state, struct err *err)
{
	cleanup_content struct content original = {0};
	cleanup_content struct content edited = {0};
	struct path path;
	int r = state->journal.conf_file[0] ? 0 : conf_begin(state, err);

	if (r < 0)
		return r;
	path = original_path(&state->journal);
	r = conffile_read(path.text, &original.data, &original.size, err);
	if (r < 0)
		return r;
	r = conf_is_ours(&state->journal, &original, err);
	if (r == 0)
		return conf_changed(&state->journal, err);
	if (r < 0)
		return r;
	r = conffile_edit(original.data, original.size, state->journal.mtu_set,
			  &edited.data, &edited.size, err);
	if (r < 0)
		return r;
	return conffile_replace(state->conf_file, edited.data, edited.size, err);
}

static int conf_restore(const struct journal *journal, struct err *err)
{
	cleanup_content struct content original = {0};
	struct path path = original_path(journal);
	int r = conffile_read(path.text, &original.data, &original.size, err);

	if (r < 0)
		return r;
	r = conf_is_ours(journal, &original, err);
	if (r == 0)
		return conf_changed(journal, err);
	if (r < 0)
		return r;
	r = conffile_replace(journal->conf_file, original.data, original.size, err);
	if (r == 0)
		unlink(path.text);
	return r;
}

/* --- changes --- */

/* Note what there is, as the way back. */
static int begin(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	struct rtlink link;
	int r = rtlink_get(journal->interface, &link, err);

	if (r < 0)
		return r;
	journal->ifindex = link.index;
	journal->mtu_original = link.mtu;
	journal->mtu_before = link.mtu;
	journal->mtu_set = link.mtu;
	journal->conf_file[0] = '\0';
	return 0;
}

int hoststate_set(struct hoststate *state, int mtu, struct err *err)
{
	struct journal *journal = &state->journal;
	struct rtlink link;
	int r = state->pending ? 0 : begin(state, err);

	if (r == 0)
		r = check_link(journal, &link, err);
	if (r < 0)
		return r;
	if (!link.up)
		return err_set(err, -ENETDOWN, "interface '%s' is down",
			       journal->interface);
	journal->mtu_before = link.mtu;
	journal->mtu_set = mtu;
	r = journal_write(journal, err);
	if (r < 0)
		return r;
	state->pending = true;
	r = rtlink_set_mtu(journal->ifindex, mtu, err);
	if (r == 0 && state->persist == PERSIST_EACH)
		r = conf_write(state, err);
	return r;
}

static void forget(struct hoststate *state)
{
	journal_remove(state->journal.interface, NULL);
	state->journal.conf_file[0] = '\0';
	state->pending = false;
}

int hoststate_commit(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	struct rtlink link;
	struct path path;
	int r;

	if (state->persist != PERSIST_BEST)
		return err_set(err, -EACCES,
			       "writing the conf file was not permitted: this end was "
			       "not started with --persist best");
	if (!state->pending)
		return err_set(err, -ESTALE, "no MTU is set on '%s'",
			       journal->interface);
	r = check_link(journal, &link, err);
	if (r == 0)
		r = conf_write(state, err);
	if (r < 0)
		return r;
	path = original_path(journal);
	/* Without the journal nobody puts anything back: this is the moment it counts.
	 */
	r = journal_remove(journal->interface, err);
	if (r < 0)
		return r;
	forget(state);
	unlink(path.text);
	return 0;
}

static int restore_link(const struct journal *journal, struct err *err)
{
	struct rtlink link;
	int r = check_link(journal, &link, err);

	/* With the interface went its MTU: whoever makes it again sets it. */
	if (r == -ENODEV)
		return -ESTALE;
	if (r == 0 && link.mtu != journal->mtu_original)
		r = rtlink_set_mtu(journal->ifindex, journal->mtu_original, err);
	return r;
}

int hoststate_restore(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	struct err link_err = ERR_INIT;
	struct err conf_err = ERR_INIT;
	int link = 0;
	int conf = 0;

	if (!state->pending)
		return 0;
	link = restore_link(journal, &link_err);
	if (journal->conf_file[0])
		conf = conf_restore(journal, &conf_err);
	if (link < 0 && link != -ESTALE)
		return err_set(err, link, "%s", link_err.text);
	if (conf < 0 && conf != -ESTALE)
		return err_set(err, conf, "%s", conf_err.text);
	forget(state);
	if (link < 0 || conf < 0)
		return err_set(err, -ESTALE, "%s%s%s", link_err.text,
			       link < 0 && conf < 0 ? "; " : "", conf_err.text);
	return err_set(err, 0, "'%s' has its MTU %d back", journal->interface,
		       journal->mtu_original);
}

int hoststate_restore_journal(const char *interface, struct err *err)
{
	struct hoststate state;
	int r;

	hoststate_init(&state, interface, PERSIST_NONE, "");
	r = journal_read(interface, &state.journal, err);
	if (r == -ENOENT)
		return err_set(err, 0, "%s", "");
	if (r < 0)
		return r;
	state.pending = true;
	return hoststate_restore(&state, err);
}
