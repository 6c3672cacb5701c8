/* SPDX-License-Identifier: MIT */
/* The state of a conf file at some moment. */
#include "netctl/hostconf_stamp.h"

#include <string.h>
#include <sys/stat.h>

#include "netctl/conffile.h"

void hostconf_stamp_take(const char *conf_file, struct hostconf_stamp *ret)
{
	cleanup_conffile struct conffile file;
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (conffile_open(conf_file, &file, NULL) < 0 ||
	    conffile_stat(&file, "", &st) < 0)
		return;
	ret->known = true;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->size = st.st_size;
	ret->changed = st.st_ctim;
}

bool hostconf_stamp_holds(const char *conf_file, const struct hostconf_stamp *noted)
{
	struct hostconf_stamp now;

	hostconf_stamp_take(conf_file, &now);
	if (!now.known || !noted->known)
		return true;
	return now.device == noted->device && now.inode == noted->inode &&
	       now.size == noted->size && now.changed.tv_sec == noted->changed.tv_sec &&
	       now.changed.tv_nsec == noted->changed.tv_nsec;
}
