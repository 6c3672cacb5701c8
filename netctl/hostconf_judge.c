/* SPDX-License-Identifier: MIT */
/* Does the conf file still belong to the run? */
#include "netctl/hostconf_judge.h"

#include <errno.h>
#include <string.h>

#include "netctl/hostconf.h"
#include "netctl/hostroute.h"

#define ORIGINAL HOSTCONF_SUFFIX

void hostconf_content_release(struct hostconf_content *content)
{
	conffile_wipe(content->data, content->size);
}

bool hostconf_same(const struct hostconf_content *a, const struct hostconf_content *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

int hostconf_read(const struct conffile *file, const char *suffix,
		  struct hostconf_content *ret, struct err *err)
{
	return conffile_read(file, suffix, &ret->data, &ret->size, err);
}

bool hostconf_is_noted_folder(const struct conffile *file,
			      const struct journal *journal)
{
	return file->folder.device == journal->changes.conf.folder_device &&
	       file->folder.inode == journal->changes.conf.folder_inode;
}

bool hostconf_is_the_folder(const struct conffile *file, const struct journal *journal)
{
	return hostconf_is_noted_folder(file, journal) &&
	       heldfolder_is_in_place(&file->folder);
}

int hostconf_another_folder(const struct journal *journal, struct err *err)
{
	return err_set(
		err, -EIO,
		"the folder of conf file '%.120s' is not the one from the start of the "
		"run (moved, or not mounted?): move or mount that one back",
		journal->changes.conf.file);
}

/* --- judging --- */

int hostconf_edit(const struct journal *journal,
		  const struct hostconf_content *original, int mtu,
		  struct hostconf_content *ret, struct err *err)
{
	enum conffile_form form = conffile_form(journal->changes.conf.file);

	if (journal->changes.route.count && form != CONFFILE_WG_QUICK)
		return err_set(
			err, -EOPNOTSUPP,
			"conf file '%.200s' cannot keep the MTU of routes to one "
			"peer",
			journal->changes.conf.file);
	if (journal->changes.route.count)
		return hostroute_edit_conf(&journal->changes.route, original->data,
					   original->size, mtu, &ret->data, &ret->size,
					   err);
	return conffile_edit(form, original->data, original->size, mtu, &ret->data,
			     &ret->size, err);
}

/* Return 1 if the conf file is the original with the given MTU, else 0; -ENOMEM. */
static int conf_has_mtu(const struct journal *journal,
			const struct hostconf_content *now,
			const struct hostconf_content *original, int mtu)
{
	cleanup_hostconf_content struct hostconf_content edited = {0};
	int r = hostconf_edit(journal, original, mtu, &edited, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return hostconf_same(now, &edited);
}

static int conf_changed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%s' was changed by somebody else and is left as it "
		       "is; the one from before the run is '%s" ORIGINAL "%s'",
		       journal->changes.conf.file, journal->changes.conf.file,
		       conffile_ending(journal->changes.conf.file));
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
		       "from before the run is '%.85s" ORIGINAL "%s'",
		       journal->changes.conf.file, line, remedy,
		       journal->changes.conf.file,
		       conffile_ending(journal->changes.conf.file));
}

static int conf_differs(const struct journal *journal,
			const struct hostconf_content *now,
			const struct hostconf_content *original, struct err *err)
{
	enum conffile_form form = conffile_form(journal->changes.conf.file);
	int line = conffile_mtu(form, now->data, now->size);
	int before = conffile_mtu(form, original->data, original->size);

	if (line > 0 && line != before &&
	    (line == journal->changes.link.set || line == journal->changes.link.before))
		return conf_edited(journal, line, before, err);
	return conf_changed(journal, err);
}

static int conf_removed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%s' was removed by somebody else; the one from "
		       "before the run is '%s" ORIGINAL "%s'",
		       journal->changes.conf.file, journal->changes.conf.file,
		       conffile_ending(journal->changes.conf.file));
}

static int original_removed(const struct journal *journal, struct err *err)
{
	return err_set(err, -ESTALE,
		       "conf file '%.120s' is left as it is: '%.120s" ORIGINAL
		       "%s' of before the run no longer exists; correct its MTU by "
		       "hand",
		       journal->changes.conf.file, journal->changes.conf.file,
		       conffile_ending(journal->changes.conf.file));
}

/* The original, if the conf file is still one of ours, as far as this folder tells. */
static int load_ours(const struct conffile *file, const struct journal *journal,
		     struct hostconf_content *ret, struct err *err)
{
	cleanup_hostconf_content struct hostconf_content now = {0};
	int r = hostconf_read(file, ORIGINAL, ret, err);

	if (r == -ENOENT || conffile_is_another(r))
		return original_removed(journal, err);
	if (r < 0)
		return r;
	r = hostconf_read(file, "", &now, err);
	if (r == -ENOENT)
		return conf_removed(journal, err);
	if (conffile_is_another(r))
		return conf_changed(journal, err);
	if (r < 0)
		return r;
	if (hostconf_same(&now, ret))
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

int hostconf_load_original(const struct conffile *file, const struct journal *journal,
			   struct hostconf_content *ret, struct err *err)
{
	int r = load_ours(file, journal, ret, err);

	return r == -ESTALE && !hostconf_is_the_folder(file, journal)
		       ? hostconf_another_folder(journal, err)
		       : r;
}
