/* The conf file beside its original: written, judged, put back. */
#include "netctl/hostconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "netctl/conffile.h"

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

static bool same(const struct content *a, const struct content *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static struct path original_path(const char *conf_file)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s%s", conf_file, JOURNAL_CONF_SUFFIX);
	return path;
}

int hostconf_check(const char *conf_file, struct err *err)
{
	cleanup_content struct content original = {0};
	cleanup_content struct content now = {0};
	struct path path = original_path(conf_file);
	int r = conffile_read(path.text, &original.data, &original.size, err);

	if (r == -ENOENT)
		return err_set(err, 0, "%s", "");
	if (r == 0)
		r = conffile_read(conf_file, &now.data, &now.size, err);
	if (r < 0)
		return r;
	if (!same(&now, &original))
		return err_set(err, -EEXIST,
			       "the original '%s' of an interrupted run differs from "
			       "the conf file; move it over the conf file if it is the "
			       "right one, else remove it",
			       path.text);
	if (unlink(path.text) < 0)
		return err_sys(err, errno, "cannot remove '%s'", path.text);
	return 0;
}

void hostconf_note(const char *conf_file, struct hostconf_stamp *ret)
{
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (stat(conf_file, &st) < 0)
		return;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->size = st.st_size;
	ret->changed = st.st_ctim;
}

bool hostconf_is_as_noted(const char *conf_file, const struct hostconf_stamp *noted)
{
	struct hostconf_stamp now;

	hostconf_note(conf_file, &now);
	return now.device == noted->device && now.inode == noted->inode &&
	       now.size == noted->size && now.changed.tv_sec == noted->changed.tv_sec &&
	       now.changed.tv_nsec == noted->changed.tv_nsec;
}

/* Whether the conf file holds the original with the given MTU in it: 1, 0, -ENOMEM. */
static int conf_has_mtu(const struct content *now, const struct content *original,
			int mtu)
{
	cleanup_content struct content edited = {0};
	int r = conffile_edit(original->data, original->size, mtu, &edited.data,
			      &edited.size, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return same(now, &edited);
}

static int conf_changed(const struct journal *journal, struct err *err)
{
	return err_set(
		err, -ESTALE,
		"conf file '%s' was changed by somebody else; theirs is kept, the "
		"one from before the run is '%s%s'",
		journal->conf_file, journal->conf_file, JOURNAL_CONF_SUFFIX);
}

static int conf_removed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%s' was removed by somebody else; the one from "
		       "before the run is '%s%s'",
		       journal->conf_file, journal->conf_file, JOURNAL_CONF_SUFFIX);
}

static int original_removed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%s' is kept as it is: the one from before the run, "
		       "'%s%s', is not there any more",
		       journal->conf_file, journal->conf_file, JOURNAL_CONF_SUFFIX);
}

static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

/* A link, a folder, something huge: no file of ours. */
static bool is_another(int r)
{
	return r == -ELOOP || r == -EISDIR || r == -EINVAL || r == -EFBIG;
}

/* The original, if the conf file is still one of ours. */
static int load_original(const struct journal *journal, struct content *ret,
			 struct err *err)
{
	cleanup_content struct content now = {0};
	struct path path = original_path(journal->conf_file);
	int r = conffile_read(path.text, &ret->data, &ret->size, err);

	if (is_missing(r) || is_another(r))
		return original_removed(journal, err);
	if (r < 0)
		return r;
	r = conffile_read(journal->conf_file, &now.data, &now.size, err);
	if (is_missing(r))
		return conf_removed(journal, err);
	if (is_another(r))
		return conf_changed(journal, err);
	if (r < 0)
		return r;
	if (same(&now, ret))
		return 0;
	r = conf_has_mtu(&now, ret, journal->mtu_set);
	if (r == 0)
		r = conf_has_mtu(&now, ret, journal->mtu_before);
	if (r == 0)
		return conf_changed(journal, err);
	return r < 0 ? err_sys(err, -r, "cannot compare conf file '%s'",
			       journal->conf_file)
		     : 0;
}

/* 0: there is no such file. */
static uint64_t inode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_ino;
}

/* Keep the original beside the conf file, and say so in the journal. */
static int begin(struct journal *journal, const char *conf_file, struct err *err)
{
	cleanup_content struct content original = {0};
	struct path path = original_path(conf_file);
	int r = hostconf_check(conf_file, err);

	if (r == 0)
		r = conffile_read(conf_file, &original.data, &original.size, err);
	if (r == 0)
		r = conffile_copy(conf_file, path.text, original.data, original.size,
				  err);
	if (r < 0)
		return r;
	text_copy(journal->conf_file, sizeof(journal->conf_file), conf_file);
	journal->original_inode = inode_of(path.text);
	r = journal_write(journal, err);
	if (r < 0) {
		unlink(path.text);
		journal->conf_file[0] = '\0';
	}
	return r;
}

int hostconf_write(struct journal *journal, const char *conf_file, struct err *err)
{
	cleanup_content struct content original = {0};
	cleanup_content struct content edited = {0};
	int r = journal->conf_file[0] ? 0 : begin(journal, conf_file, err);

	if (r == 0)
		r = load_original(journal, &original, err);
	if (r == 0)
		r = conffile_edit(original.data, original.size, journal->mtu_set,
				  &edited.data, &edited.size, err);
	if (r < 0)
		return r;
	return conffile_replace(journal->conf_file, edited.data, edited.size, err);
}

/* Who put it back died before it could say so in the journal. */
static bool is_back(const struct journal *journal)
{
	struct path path = original_path(journal->conf_file);

	return journal->original_inode && !inode_of(path.text) &&
	       inode_of(journal->conf_file) == journal->original_inode;
}

int hostconf_restore(const struct journal *journal, struct err *err)
{
	cleanup_content struct content original = {0};
	struct path path = original_path(journal->conf_file);
	int r;

	if (is_back(journal))
		return 0;
	r = load_original(journal, &original, err);
	return r < 0 ? r : conffile_put_back(path.text, journal->conf_file, err);
}

static bool is_unchanged(const struct journal *journal)
{
	cleanup_content struct content original = {0};
	cleanup_content struct content now = {0};
	struct path path = original_path(journal->conf_file);

	return conffile_read(path.text, &original.data, &original.size, NULL) == 0 &&
	       conffile_read(journal->conf_file, &now.data, &now.size, NULL) == 0 &&
	       same(&original, &now);
}

/* A name that nobody has is taken in one step; the next number otherwise. */
static int rename_original(const struct path *original, const char *conf_file,
			   struct path *ret)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char date[32];
	struct tm utc;
	int r = -1;

	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
	if (snprintf(ret->text, sizeof(ret->text), "%s.mtusweep-%s", conf_file, date) >=
	    (int)sizeof(ret->text))
		return -ENAMETOOLONG;
	for (int i = 2; i < 100; i++) {
		r = renameat2(AT_FDCWD, original->text, AT_FDCWD, ret->text,
			      RENAME_NOREPLACE);
		if (r == 0 || errno != EEXIST)
			break;
		if (snprintf(ret->text, sizeof(ret->text), "%s.mtusweep-%s-%d",
			     conf_file, date, i) >= (int)sizeof(ret->text))
			return -ENAMETOOLONG;
	}
	return r == 0 ? 0 : -errno;
}

void hostconf_keep(const struct journal *journal, struct err *ret_text)
{
	struct path path = original_path(journal->conf_file);
	struct path kept;
	int r;

	ret_text->text[0] = '\0';
	if (!inode_of(path.text))
		return;
	if (is_unchanged(journal)) {
		unlink(path.text);
		return;
	}
	r = rename_original(&path, journal->conf_file, &kept);
	if (r == 0)
		err_set(ret_text, 0, "the conf file from before is '%.300s'",
			kept.text);
	else
		err_set(ret_text, 0,
			"the conf file from before is '%.200s', which could not be "
			"renamed: %s",
			path.text, strerror(-r));
}
