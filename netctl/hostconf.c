/* SPDX-License-Identifier: MIT */
/* A kind of change to the host: the MTU in the conf file, whose original lies beside it. */
#include "netctl/hostconf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "netctl/conffile.h"
#include "netctl/hostchange.h"
#include "netctl/hostconf_stamp.h"
#include "netctl/hostroute.h"
#include "netctl/hoststate.h"
#include "netctl/lockfile.h"

#define ORIGINAL HOSTCONF_SUFFIX

struct content {
	char *data;
	size_t size;
};

static void content_release(struct content *content)
{
	conffile_wipe(content->data, content->size);
}

#define cleanup_content __attribute__((cleanup(content_release)))

static bool same(const struct content *a, const struct content *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static int read_content(const struct conffile *file, const char *suffix,
			struct content *ret, struct err *err)
{
	return conffile_read(file, suffix, &ret->data, &ret->size, err);
}

/* --- the folder --- */

/* Then the state of the conf file is unknown, even whether somebody changed it. */
static int open_folder(const char *conf_file, struct conffile *ret, struct err *err)
{
	return conffile_open(conf_file, ret, err) < 0 ? -EIO : 0;
}

static void note_folder(const struct conffile *file, struct journal *journal)
{
	journal->changes.conf.folder_device = file->folder.device;
	journal->changes.conf.folder_inode = file->folder.inode;
}

static bool is_noted_folder(const struct conffile *file, const struct journal *journal)
{
	return file->folder.device == journal->changes.conf.folder_device &&
	       file->folder.inode == journal->changes.conf.folder_inode;
}

/* True where this is the folder at the path, and the one that the run began with. */
static bool is_the_folder(const struct conffile *file, const struct journal *journal)
{
	return is_noted_folder(file, journal) && heldfolder_is_in_place(&file->folder);
}

static int another_folder(const struct journal *journal, struct err *err)
{
	return err_set(
		err, -EIO,
		"the folder of conf file '%.120s' is not the one from the start of the "
		"run (moved, or not mounted?): move or mount that one back",
		journal->changes.conf.file);
}

/* After a step that went well. */
static void tell_of_folder(const struct conffile *file, const struct journal *journal,
			   struct err *ret_text)
{
	bool in_place = heldfolder_is_in_place(&file->folder);

	if (in_place && is_noted_folder(file, journal))
		err_set(ret_text, 0, "%s", "");
	else
		err_set(ret_text, 0,
			in_place ? "another folder took the place of its folder during "
				   "the run"
				 : "its folder was moved to another path during the "
				   "run");
}

/* --- the start --- */

/* A killed process was writing it. */
static int remove_temporary(const struct conffile *file, struct err *err)
{
	return conffile_remove(file, CONFFILE_TEMPORARY, err);
}

static int check(const struct conffile *file, struct err *err)
{
	cleanup_content struct content original = {0};
	cleanup_content struct content now = {0};
	int r = remove_temporary(file, err);

	if (r == 0)
		r = read_content(file, ORIGINAL, &original, err);
	if (r == -ENOENT)
		return err_set(err, 0, "%s", "");
	if (r == 0)
		r = read_content(file, "", &now, err);
	if (r < 0)
		return r;
	if (!same(&now, &original))
		return err_set(err, -EEXIST,
			       "'%s', saved by an interrupted run, differs from the "
			       "conf file; if it is the right one, move it over the "
			       "conf file, else remove it",
			       conffile_path(file, ORIGINAL).text);
	return conffile_remove(file, ORIGINAL, err);
}

int hostconf_check(const char *conf_file, struct err *err)
{
	cleanup_conffile struct conffile file;
	int r = conffile_open(conf_file, &file, err);

	return r < 0 ? r : check(&file, err);
}

int hostconf_lock(const char *conf_file, const char *interface, int *ret_fd,
		  struct err *err)
{
	cleanup_conffile struct conffile file = {.folder = {.fd = -1}};
	struct lockfile_holder holder;
	char text[256];
	int r = conffile_open(conf_file, &file, err);

	if (r < 0)
		return r;
	/* A name that is cut can only make two files share a lock. */
	snprintf(text, sizeof(text), "conf-%" PRIx64 "-%" PRIu64 "-%.150s.lock",
		 file.folder.device, file.folder.inode, file.name);
	snprintf(holder.text, sizeof(holder.text), "%d, interface '%s'", (int)getpid(),
		 interface);
	r = lockfile_take(text, &holder, ret_fd, err);
	if (r == -EBUSY)
		return err_set(err, r,
			       "conf file '%s' is in use by another mtusweep (process "
			       "%s); stop it first, or name this interface's own file "
			       "with --conf-file",
			       conf_file, holder.text[0] ? holder.text : "unknown");
	return r;
}

/* --- judging --- */

/* The original with an MTU of ours: of the link, or of the routes to one peer. */
static int edit(const struct journal *journal, const struct content *original, int mtu,
		struct content *ret, struct err *err)
{
	if (journal->changes.route.count)
		return hostroute_edit_conf(&journal->changes.route, original->data,
					   original->size, mtu, &ret->data, &ret->size,
					   err);
	return conffile_edit(original->data, original->size, mtu, &ret->data,
			     &ret->size, err);
}

/* Return 1 if the conf file is the original with the given MTU, else 0; -ENOMEM. */
static int conf_has_mtu(const struct journal *journal, const struct content *now,
			const struct content *original, int mtu)
{
	cleanup_content struct content edited = {0};
	int r = edit(journal, original, mtu, &edited, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return same(now, &edited);
}

static int conf_changed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%s' was changed by somebody else and is left as it "
		       "is; the one from before the run is '%s" ORIGINAL "'",
		       journal->changes.conf.file, journal->changes.conf.file);
}

/* Somebody edited the file that the sweep wrote, and left the sweep's MTU in it. */
static int conf_edited(const struct journal *journal, int line, int before,
		       struct err *err)
{
	char remedy[96];

	if (before > 0)
		snprintf(remedy, sizeof(remedy), "set it to %d as before the run",
			 before);
	else
		snprintf(remedy, sizeof(remedy), "remove it, there was none before");
	return err_set(err, -ESTALE,
		       "conf file '%.85s' was changed by somebody else and is left as "
		       "it is, but its line MTU = %d comes from the sweep: %s; the one "
		       "from before the run is '%.85s" ORIGINAL "'",
		       journal->changes.conf.file, line, remedy,
		       journal->changes.conf.file);
}

static int conf_differs(const struct journal *journal, const struct content *now,
			const struct content *original, struct err *err)
{
	int line = conffile_mtu(now->data, now->size);
	int before = conffile_mtu(original->data, original->size);

	if (line > 0 && line != before &&
	    (line == journal->changes.link.set || line == journal->changes.link.before))
		return conf_edited(journal, line, before, err);
	return conf_changed(journal, err);
}

static int conf_removed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%s' was removed by somebody else; the one from "
		       "before the run is '%s" ORIGINAL "'",
		       journal->changes.conf.file, journal->changes.conf.file);
}

static int original_removed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%.120s' is left as it is: '%.120s" ORIGINAL
		       "' of before the run no longer exists; correct its MTU by hand",
		       journal->changes.conf.file, journal->changes.conf.file);
}

/* A link, a folder, something huge, another user's: no file of ours. */
static bool is_another(int r)
{
	return r == -ELOOP || r == -EISDIR || r == -EINVAL || r == -EFBIG ||
	       r == -EPERM;
}

/* The original, if the conf file is still one of ours, as far as this folder tells. */
static int load_ours(const struct conffile *file, const struct journal *journal,
		     struct content *ret, struct err *err)
{
	cleanup_content struct content now = {0};
	int r = read_content(file, ORIGINAL, ret, err);

	if (r == -ENOENT || is_another(r))
		return original_removed(journal, err);
	if (r < 0)
		return r;
	r = read_content(file, "", &now, err);
	if (r == -ENOENT)
		return conf_removed(journal, err);
	if (is_another(r))
		return conf_changed(journal, err);
	if (r < 0)
		return r;
	if (same(&now, ret))
		return 0;
	r = conf_has_mtu(journal, &now, ret, hostchange_mtu(&journal->changes));
	if (r == 0)
		r = conf_has_mtu(journal, &now, ret,
				 hostchange_mtu_before(&journal->changes));
	if (r == 0)
		return conf_differs(journal, &now, ret, err);
	return r < 0 ? err_sys(err, -r, "cannot compare conf file '%s'",
			       journal->changes.conf.file)
		     : 0;
}

static int load_original(const struct conffile *file, const struct journal *journal,
			 struct content *ret, struct err *err)
{
	int r = load_ours(file, journal, ret, err);

	return r == -ESTALE && !is_the_folder(file, journal)
		       ? another_folder(journal, err)
		       : r;
}

static bool has_original(const struct conffile *file)
{
	struct stat st;

	return conffile_stat(file, ORIGINAL, &st) != -ENOENT;
}

/* --- writing --- */

/* Nothing has touched the conf file itself. The journal names it until no copy is left. */
static void undo_begin(const struct conffile *file, struct journal *journal)
{
	if (check(file, NULL) < 0)
		return;
	journal->changes.conf.file[0] = '\0';
	journal_write(journal, NULL);
}

static int note_original(const struct conffile *file, struct journal *journal,
			 struct err *err)
{
	struct stat st;
	int r = conffile_stat(file, ORIGINAL, &st);

	if (r < 0)
		return err_sys(err, -r, "cannot read '%s'",
			       conffile_path(file, ORIGINAL).text);
	journal->changes.conf.original_inode = st.st_ino;
	return journal_write(journal, err);
}

/* Keep the original beside the conf file, unless that is done. The journal says first that
 * there may be copies, and then that there is one to restore the conf file from. */
static int begin(struct journal *journal, const struct conffile *file, struct err *err)
{
	int r;

	if (journal->changes.conf.file[0] && journal->changes.conf.original_inode)
		return 0;
	r = check(file, err);
	if (r < 0)
		return r;
	text_copy(journal->changes.conf.file, sizeof(journal->changes.conf.file),
		  conffile_path(file, "").text);
	note_folder(file, journal);
	journal->changes.conf.original_inode = 0;
	r = journal_write(journal, err);
	if (r == 0)
		r = conffile_copy(file, ORIGINAL, err);
	if (r == 0)
		r = note_original(file, journal, err);
	if (r < 0)
		undo_begin(file, journal);
	return r;
}

/* The original with the link's new MTU in it becomes the conf file; the first time, the
 * original is kept and the journal written. */
static int write_mtu(struct journal *journal, const char *conf_file, struct err *err)
{
	cleanup_content struct content original = {0};
	cleanup_content struct content edited = {0};
	cleanup_conffile struct conffile file;
	int r = open_folder(conf_file, &file, err);

	if (r == 0)
		r = begin(journal, &file, err);
	if (r == 0)
		r = load_original(&file, journal, &original, err);
	if (r == 0 && !is_the_folder(&file, journal))
		r = another_folder(journal, err);
	if (r == 0)
		r = edit(journal, &original, hostchange_mtu(&journal->changes), &edited,
			 err);
	if (r == 0)
		r = conffile_replace(&file, edited.data, edited.size, err);
	if (r == 0 && !is_the_folder(&file, journal))
		r = another_folder(journal, err);
	return r;
}

/* --- the way back --- */

/* True if the conf file is unchanged, or restored by a process that died before it
 * updated the journal. */
static bool is_back(const struct conffile *file, const struct journal *journal)
{
	struct stat st;

	if (has_original(file) || !is_the_folder(file, journal))
		return false;
	return !journal->changes.conf.original_inode ||
	       (conffile_stat(file, "", &st) == 0 &&
		st.st_ino == journal->changes.conf.original_inode);
}

/* The original takes the conf file's place by rename(): it takes no space on the disk, and
 * mode, owner and attributes come with it. No copy is left. */
static int restore_original(const struct journal *journal, struct err *err)
{
	cleanup_content struct content original = {0};
	cleanup_conffile struct conffile file;
	int r = open_folder(journal->changes.conf.file, &file, err);

	if (r == 0)
		r = remove_temporary(&file, err);
	if (r < 0)
		return r;
	if (is_back(&file, journal))
		return err_set(err, 0, "%s", "");
	r = load_original(&file, journal, &original, err);
	if (r == 0)
		r = conffile_restore(&file, ORIGINAL, err);
	if (r == 0)
		tell_of_folder(&file, journal, err);
	return r;
}

/* --- the end without one --- */

static bool is_unchanged(const struct conffile *file)
{
	cleanup_content struct content original = {0};
	cleanup_content struct content now = {0};

	return read_content(file, ORIGINAL, &original, NULL) == 0 &&
	       read_content(file, "", &now, NULL) == 0 && same(&original, &now);
}

/* A name that nobody has is taken in one step; the next number otherwise. */
static int rename_original(const struct conffile *file,
			   char ret_suffix[CONFFILE_SUFFIX_MAX])
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char date[20];
	struct tm utc;
	int r = -EEXIST;

	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(ret_suffix, CONFFILE_SUFFIX_MAX, ".mtusweep-%.16s", date);
	for (unsigned char i = 2; i < 100; i++) {
		r = conffile_rename(file, ORIGINAL, ret_suffix);
		if (r != -EEXIST)
			return r;
		snprintf(ret_suffix, CONFFILE_SUFFIX_MAX, ".mtusweep-%.16s-%hhu", date,
			 i);
	}
	return r;
}

/* Leave the original to the user under a dated name; remove it if both are the same. */
static int keep_original(const struct conffile *file, const struct journal *journal,
			 struct err *err)
{
	char suffix[CONFFILE_SUFFIX_MAX];
	int r = remove_temporary(file, err);

	if (r < 0)
		return r;
	if (!has_original(file) && !is_the_folder(file, journal))
		return another_folder(journal, err);
	err_set(err, 0, "%s", "");
	if (!has_original(file))
		return 0;
	if (is_unchanged(file))
		return conffile_remove(file, ORIGINAL, err);
	r = rename_original(file, suffix);
	if (r < 0)
		return err_set(err, r,
			       "the conf file from before the run is '%.200s', which "
			       "could not be renamed: %s",
			       conffile_path(file, ORIGINAL).text, strerror(-r));
	return err_set(err, 0, "the conf file from before the run is '%.300s'",
		       conffile_path(file, suffix).text);
}

/* --- the row --- */

static int conf_note(struct hoststate *state, const struct hostchange_request *want,
		     struct err *err)
{
	struct hostconf_record *conf = &state->journal.changes.conf;

	(void)want;
	(void)err;
	if (state->pending)
		return 0;
	conf->file[0] = '\0';
	if (!state->ifindex)
		hostconf_stamp_take(state->bounds.conf_file, &conf->noted);
	return 0;
}

static int write_or_restore(struct hoststate *state, struct err *err)
{
	struct journal *journal = &state->journal;
	int r = write_mtu(journal, state->bounds.conf_file, err);

	/* After a failure it is unknown which of the two MTUs the conf file has. A further
	 * change would be a third, and look like somebody else's. */
	if (r < 0 && r != -ESTALE && journal->changes.conf.file[0])
		state->must_restore = true;
	return r;
}

/* The original is gone once it is restored: a retry for the link must not miss it. */
static int conf_restore(struct journal *journal, struct err *err)
{
	struct hostconf_record *conf = &journal->changes.conf;
	struct err folder = ERR_INIT;
	int r;

	if (!conf->file[0])
		return 0;
	r = restore_original(journal, &folder);
	if (r < 0)
		return err_set(err, r, "%s", folder.text);
	err_set(err, 0, "conf file '%.160s' is restored%s%s", conf->file,
		folder.text[0] ? "; " : "", folder.text);
	conf->file[0] = '\0';
	journal_write(journal, NULL);
	return 0;
}

/* A probe sets MTUs that the conf file does not follow. The journal knows the last two
 * MTUs alone, so a conf file that kept an older one would look like somebody else's. */
static int conf_apply(struct hoststate *state, const struct hostchange_request *want,
		      struct err *err)
{
	struct err text = ERR_INIT;
	int r;

	if (!want->probe)
		return state->bounds.persist == PERSIST_EACH
			       ? write_or_restore(state, err)
			       : 0;
	r = conf_restore(&state->journal, &text);
	state->must_restore = r < 0 && r != -ESTALE;
	return r < 0 ? err_set(err, r, "%s", text.text) : 0;
}

static int conf_commit(struct hoststate *state, struct err *err)
{
	struct hostconf_record *conf = &state->journal.changes.conf;

	conf->theirs = !hostconf_stamp_holds(state->bounds.conf_file, &conf->noted);
	return write_or_restore(state, err);
}

static int conf_keep(struct journal *journal, struct err *err)
{
	struct hostconf_record *conf = &journal->changes.conf;
	cleanup_conffile struct conffile file;
	struct err kept = ERR_INIT;
	int r = open_folder(conf->file, &file, &kept);

	if (r == 0)
		r = keep_original(&file, journal, &kept);
	if (r == 0 && !journal->changes.route.count)
		conffile_name_hook(&file, journal->interface, journal->changes.link.set,
				   &kept);
	if (!conf->theirs)
		return err_set(err, r, "%s", kept.text);
	conf->theirs = false;
	return err_set(err, r,
		       "conf file '%.120s' was changed by somebody else during the "
		       "run; it keeps their changes and has the new MTU; %.160s",
		       conf->file, kept.text);
}

static void conf_write(const struct hostchange_records *records, FILE *out)
{
	const struct hostconf_record *conf = &records->conf;

	fprintf(out,
		"conf %s\nfolder-device %" PRIu64 "\nfolder-inode %" PRIu64
		"\ninode %" PRIu64 "\n",
		conf->file, conf->folder_device, conf->folder_inode,
		conf->original_inode);
}

static bool conf_read(char **at, struct hostchange_records *ret)
{
	struct hostconf_record *conf = &ret->conf;
	const char *file = journal_take_line(at, "conf");

	return file && text_copy(conf->file, sizeof(conf->file), file) &&
	       journal_take_u64(at, "folder-device", &conf->folder_device) &&
	       journal_take_u64(at, "folder-inode", &conf->folder_inode) &&
	       journal_take_u64(at, "inode", &conf->original_inode);
}

static bool conf_outlives(const struct hostchange_records *records)
{
	return records->conf.file[0];
}

const struct hostchange_kind hostconf_kind = {
	.note = conf_note,
	.apply = conf_apply,
	.restore = conf_restore,
	.commit = conf_commit,
	.keep = conf_keep,
	.key = "conf",
	.has_lines_always = true,
	.write = conf_write,
	.read = conf_read,
	.outlives = conf_outlives,
};
