/* SPDX-License-Identifier: MIT */
/* A kind of change to the host: a drop-in of ours for systemd-networkd. */
#include "netctl/hostdropin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "base/types.h"
#include "netctl/conffile.h"
#include "netctl/hostchange.h"
#include "netctl/hoststate.h"

/* networkd runs as a user of its own. */
#define MODE        0644
#define FOLDER_MODE 0755

#define TEXT_SIZE 256
#define MARK      "# Written by mtusweep for a run that has not ended; MTU before: "
#define NO_MARK   "# Written by mtusweep; remove this file to undo that.\n"

/* The drop-in at some moment. */
struct dropin {
	int mtu;    /* 0: there is no such file */
	int before; /* a run is under way, before which it had this MTU; -1: none is */
};

/* --- its text --- */

static size_t format(const struct dropin *dropin, char ret[TEXT_SIZE])
{
	char mark[96] = NO_MARK;

	if (dropin->before >= 0)
		snprintf(mark, sizeof(mark), MARK "%d\n", dropin->before);
	return (size_t)snprintf(ret, TEXT_SIZE, "%s[Link]\nMTUBytes=%d\n", mark,
				dropin->mtu);
}

/* False: the text is not ours. */
static bool parse(const char *data, size_t size, struct dropin *ret)
{
	struct dropin dropin = {
		.mtu = conffile_mtu(CONFFILE_DROPIN, data, size),
		.before = -1,
	};
	char text[TEXT_SIZE];

	if (strncmp(data, MARK, strlen(MARK)) == 0 &&
	    sscanf(data + strlen(MARK), "%5d", &dropin.before) != 1)
		return false;
	if (dropin.mtu < MTU_MIN || format(&dropin, text) != size ||
	    memcmp(data, text, size) != 0)
		return false;
	*ret = dropin;
	return true;
}

/* --- the folder --- */

void hostdropin_folder(const char *path, char *ret)
{
	text_copy(ret, PATH_MAX, path);
	*strrchr(ret, '/') = '\0';
}

/* The folder that the drop-in's folder lies in; the file is that folder. */
static int open_above(const char *path, struct conffile *ret, struct err *err)
{
	char folder[PATH_MAX];

	hostdropin_folder(path, folder);
	return conffile_open(folder, ret, err);
}

/* 1; 0: the folder does not exist; -EIO. */
static int open_dropin(const char *path, struct conffile *ret, struct err *err)
{
	struct err why = ERR_INIT;
	int r = conffile_open(path, ret, &why);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? err_set(err, -EIO, "%s", why.text) : 1;
}

static int make_folder(const char *path, struct err *err)
{
	cleanup_conffile struct conffile above;
	int r = open_above(path, &above, err);

	if (r < 0)
		return -EIO;
	if (mkdirat(above.folder.fd, above.name, FOLDER_MODE) < 0)
		return errno == EEXIST ? 0
				       : err_sys(err, errno, "cannot make folder '%s'",
						 conffile_path(&above, "").text);
	/* The umask must not matter. */
	if (fchmodat(above.folder.fd, above.name, FOLDER_MODE, 0) < 0)
		return err_sys(err, errno, "cannot make folder '%s'",
			       conffile_path(&above, "").text);
	r = conffile_sync_folder(&above);
	return r < 0 ? err_sys(err, -r, "cannot sync the folder of '%s'",
			       conffile_path(&above, "").text)
		     : 0;
}

/* A folder that somebody else uses meanwhile stays. */
static int remove_folder(const char *path, struct err *err)
{
	cleanup_conffile struct conffile above;
	int r = open_above(path, &above, err);

	if (r < 0)
		return -EIO;
	if (unlinkat(above.folder.fd, above.name, AT_REMOVEDIR) < 0 &&
	    errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(err, errno, "cannot remove folder '%s'",
			       conffile_path(&above, "").text);
	(void)conffile_sync_folder(&above);
	return 0;
}

/* --- the file --- */

/* -EEXIST: a text of somebody else's. */
static int read_dropin(const struct conffile *file, struct dropin *ret)
{
	struct stat st;
	char *data;
	size_t size;
	bool ours;
	int r = conffile_read(file, "", &data, &size, NULL);

	*ret = (struct dropin){.before = -1};
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return conffile_is_another(r) ? -EEXIST : -EIO;
	ours = parse(data, size, ret) && conffile_stat(file, "", &st) == 0 &&
	       (st.st_mode & 07777) == MODE;
	conffile_wipe(data, size);
	return ours ? 0 : -EEXIST;
}

static int write_dropin(const struct conffile *file, const struct dropin *dropin,
			struct err *err)
{
	char text[TEXT_SIZE];
	size_t size = format(dropin, text);

	return conffile_make(file, text, size, MODE, err);
}

static int fail_read(const char *path, int r, struct err *err)
{
	if (r == -EEXIST)
		return err_set(err, r,
			       "'%s' is not as mtusweep writes it: rename or remove it",
			       path);
	return err_set(err, r, "cannot read '%s'", path);
}

/* --- judging --- */

static int is_theirs(const struct journal *journal, const char *what, struct err *err)
{
	return err_set(err, -ESTALE,
		       "'%s' was %s by somebody else and is left as it is",
		       journal->changes.dropin.file, what);
}

/* The run's drop-in, or the one from before. */
static int check_ours(const struct conffile *file, const struct journal *journal,
		      struct err *err)
{
	const struct hostdropin_record *record = &journal->changes.dropin;
	struct dropin now;
	int r = read_dropin(file, &now);

	if (r == -EEXIST)
		return is_theirs(journal, "changed", err);
	if (r < 0)
		return fail_read(record->file, r, err);
	if (now.mtu == record->original && now.before < 0)
		return 0;
	if (!now.mtu)
		return is_theirs(journal, "removed", err);
	if (now.before == record->original ||
	    (now.before < 0 && now.mtu == hostchange_mtu(&journal->changes)))
		return 0;
	return is_theirs(journal, "changed", err);
}

/* --- writing --- */

/* Note what there is, in the journal too, unless that is done. */
static int begin(struct journal *journal, const char *path, struct err *err)
{
	struct hostdropin_record *record = &journal->changes.dropin;
	cleanup_conffile struct conffile file;
	struct dropin now = {.before = -1};
	int r;

	if (record->file[0])
		return 0;
	r = open_dropin(path, &file, err);
	if (r < 0)
		return r;
	record->folder_existed = r == 1;
	r = r == 1 ? read_dropin(&file, &now) : 0;
	if (r < 0 || now.before >= 0)
		return fail_read(path, r < 0 ? r : -EEXIST, err);
	record->original = now.mtu;
	text_copy(record->file, sizeof(record->file), path);
	r = journal_write(journal, err);
	if (r < 0)
		record->file[0] = '\0';
	return r;
}

static int write_mtu(struct journal *journal, const char *path, bool commits,
		     struct err *err)
{
	const struct hostdropin_record *record = &journal->changes.dropin;
	struct dropin dropin = {.mtu = hostchange_mtu(&journal->changes), .before = -1};
	cleanup_conffile struct conffile file = {.folder = {.fd = -1}};
	int r;

	if (journal->changes.route.count)
		return err_set(err, -EOPNOTSUPP,
			       "'%.200s' cannot keep the MTU of routes to one peer",
			       path);
	r = begin(journal, path, err);
	if (r == 0 && !record->folder_existed)
		r = make_folder(path, err);
	if (r == 0)
		r = open_dropin(path, &file, err);
	if (r == 0)
		return err_set(err, -EIO, "the folder of '%s' was removed", path);
	if (r == 1)
		r = check_ours(&file, journal, err);
	if (!commits)
		dropin.before = record->original;
	return r < 0 ? r : write_dropin(&file, &dropin, err);
}

/* After a failure only the way back is open, as with the conf file. */
static int write_or_restore(struct hoststate *state, bool commits, struct err *err)
{
	int r = write_mtu(&state->journal, state->bounds.conf_file, commits, err);

	if (r < 0 && r != -ESTALE && state->journal.changes.dropin.file[0])
		state->must_restore = true;
	return r;
}

/* --- the way back --- */

static int restore_file(const struct conffile *file, int original, struct err *err)
{
	struct dropin dropin = {.mtu = original, .before = -1};
	struct dropin now;

	if (read_dropin(file, &now) == 0 && now.mtu == original && now.before < 0)
		return 0;
	return original ? write_dropin(file, &dropin, err)
			: conffile_remove(file, "", err);
}

static int restore_dropin(const struct journal *journal, struct err *err)
{
	const struct hostdropin_record *record = &journal->changes.dropin;
	cleanup_conffile struct conffile file;
	int r = open_dropin(record->file, &file, err);

	if (r < 0)
		return r;
	if (r == 0)
		return record->original ? is_theirs(journal, "removed", err) : 0;
	r = conffile_remove(&file, CONFFILE_TEMPORARY, err);
	if (r == 0)
		r = check_ours(&file, journal, err);
	if (r == 0)
		r = restore_file(&file, record->original, err);
	if (r == 0)
		(void)conffile_sync_folder(&file);
	if (r == 0 && !record->folder_existed)
		r = remove_folder(record->file, err);
	return r;
}

/* --- the start --- */

/* A cut of power has ended a run, and the drop-in says what was before. The folder may be
 * of use: it stays. */
static int restore_interrupted(const struct conffile *file, int before, struct err *err)
{
	int r = restore_file(file, before, err);

	return r < 0 ? r
		     : err_set(err, 0, "'%s' of an interrupted run is restored",
			       conffile_path(file, "").text);
}

int hostdropin_check(const char *path, char *ret_path, struct err *err)
{
	cleanup_conffile struct conffile above;
	cleanup_conffile struct conffile file = {.folder = {.fd = -1}};
	struct dropin now;
	int r = open_above(path, &above, err);

	if (r < 0)
		return r;
	if (snprintf(ret_path, PATH_MAX, "%s%s", conffile_path(&above, "").text,
		     strrchr(path, '/')) >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "the drop-in's path is too long");
	r = open_dropin(ret_path, &file, err);
	if (r <= 0)
		return r;
	r = conffile_remove(&file, CONFFILE_TEMPORARY, err);
	if (r < 0)
		return r;
	r = read_dropin(&file, &now);
	if (r < 0)
		return fail_read(ret_path, r, err);
	return now.before < 0 ? 0 : restore_interrupted(&file, now.before, err);
}

/* --- the row --- */

static bool is_used(const struct hoststate *state)
{
	return state->bounds.conf_file[0] &&
	       conffile_form(state->bounds.conf_file) == CONFFILE_DROPIN;
}

static int dropin_note(struct hoststate *state, const struct hostchange_request *want,
		       struct err *err)
{
	(void)want;
	(void)err;
	if (!state->pending)
		state->journal.changes.dropin.file[0] = '\0';
	return 0;
}

static int dropin_restore(struct journal *journal, struct err *err)
{
	struct hostdropin_record *record = &journal->changes.dropin;
	int r;

	if (!record->file[0])
		return 0;
	r = restore_dropin(journal, err);
	if (r < 0)
		return r;
	err_set(err, 0, "'%.200s' is %s", record->file,
		record->original ? "restored" : "removed");
	record->file[0] = '\0';
	journal_write(journal, NULL);
	return 0;
}

/* Probes set MTUs that the drop-in does not follow. */
static int dropin_apply(struct hoststate *state, const struct hostchange_request *want,
			struct err *err)
{
	struct err text = ERR_INIT;
	int r;

	if (!want->probe)
		return is_used(state) && state->bounds.persist == PERSIST_EACH
			       ? write_or_restore(state, false, err)
			       : 0;
	r = dropin_restore(&state->journal, &text);
	state->must_restore |= r < 0 && r != -ESTALE;
	return r < 0 ? err_set(err, r, "%s", text.text) : 0;
}

static int dropin_commit(struct hoststate *state, struct err *err)
{
	return is_used(state) ? write_or_restore(state, true, err) : 0;
}

static int dropin_keep(struct journal *journal, struct err *err)
{
	const struct hostdropin_record *record = &journal->changes.dropin;
	cleanup_conffile struct conffile file;
	int r;

	if (!record->file[0])
		return 0;
	r = open_dropin(record->file, &file, err);
	if (r < 0)
		return r;
	if (r == 1)
		r = conffile_remove(&file, CONFFILE_TEMPORARY, err);
	return r < 0 ? r
		     : err_set(err, 0,
			       "run 'networkctl reload', or networkd reads '%.150s' at "
			       "its next start only",
			       record->file);
}

static void dropin_write(const struct hostchange_records *records, FILE *out)
{
	const struct hostdropin_record *record = &records->dropin;

	if (record->file[0])
		fprintf(out, "dropin %s\ndropin-mtu %d\ndropin-folder %d\n",
			record->file, record->original, record->folder_existed);
}

static bool dropin_read(char **at, struct hostchange_records *ret)
{
	struct hostdropin_record *record = &ret->dropin;
	const char *file = journal_take_line(at, "dropin");
	int existed;

	if (!file || !text_copy(record->file, sizeof(record->file), file) ||
	    conffile_form(file) != CONFFILE_DROPIN ||
	    !journal_take_int(at, "dropin-mtu", &record->original) ||
	    !journal_take_int(at, "dropin-folder", &existed))
		return false;
	record->folder_existed = existed;
	return true;
}

static bool dropin_outlives(const struct hostchange_records *records)
{
	return records->dropin.file[0];
}

const struct hostchange_kind hostdropin_kind = {
	.note = dropin_note,
	.apply = dropin_apply,
	.restore = dropin_restore,
	.commit = dropin_commit,
	.keep = dropin_keep,
	.key = "dropin",
	.write = dropin_write,
	.read = dropin_read,
	.outlives = dropin_outlives,
};
