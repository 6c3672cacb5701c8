/* SPDX-License-Identifier: MIT */
/* The file that keeps the MTU: found, named, checked and locked. */
#include "cmd/host/host_conf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/debug.h"
#include "base/text.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hostdropin.h"

static void warn_of_hook(const struct conffile_hook *hook)
{
	char text[256];
	char mtu[32] = "the MTU";

	if (hook->mtu)
		snprintf(mtu, sizeof(mtu), "MTU %d", hook->mtu);
	snprintf(text, sizeof(text),
		 "warning: %s in line %d of the conf file sets %s at each start of the "
		 "tunnel, so an MTU applied now lasts until then; remove that command",
		 hook->key, hook->line, mtu);
	host_say(text);
}

/* Warn of what makes another MTU than the conf file's MTU line count. */
static int warn_of_conf(const char *path, const char *interface, struct err *err)
{
	cleanup_conffile struct conffile file;
	struct conffile_facts facts;
	enum conffile_form form = conffile_form(path);
	struct conffile_hook hook = {0};
	char *data;
	size_t size;
	int r = conffile_open(path, &file, err);

	if (r == 0)
		r = conffile_read(&file, "", &data, &size, err);
	if (r < 0)
		return r;
	r = conffile_facts(form, data, size, &facts, err);
	if (form == CONFFILE_WG_QUICK)
		hook = conffile_find_hook(data, size, interface);
	conffile_wipe(data, size);
	if (r == 0 && facts.save_config)
		host_say("warning: the conf file has SaveConfig = true: wg-quick down "
			 "writes the link's MTU into it, during a run too");
	if (r == 0 && hook.line)
		warn_of_hook(&hook);
	return r;
}

/* --- the file --- */

static int take_conf(const char *path, const char *interface,
		     struct guard_config *guard, struct err *err)
{
	char real[PATH_MAX];
	int r = conffile_check(path, real, err);

	if (r < 0)
		return r;
	text_copy(guard->bounds.conf_file, sizeof(guard->bounds.conf_file), real);
	r = hostconf_lock(real, interface, &guard->conf_lock_fd, err);
	if (r == 0)
		r = hostconf_check(real, err);
	return r < 0 ? r : warn_of_conf(real, interface, err);
}

static int take_dropin(const char *path, const char *interface,
		       struct guard_config *guard, struct err *err)
{
	struct err restored = ERR_INIT;
	char folder[PATH_MAX];
	char real[PATH_MAX];
	int r;

	hostdropin_folder(path, folder);
	r = hostconf_lock(folder, interface, &guard->conf_lock_fd, err);
	if (r == 0)
		r = hostdropin_check(path, real, &restored);
	if (r < 0)
		return restored.text[0] ? err_set(err, r, "%s", restored.text) : r;
	if (restored.text[0])
		host_say(restored.text);
	text_copy(guard->bounds.conf_file, sizeof(guard->bounds.conf_file), real);
	return 0;
}

static int take_file(const char *path, const char *interface,
		     struct guard_config *guard, struct err *err)
{
	return conffile_form(path) == CONFFILE_DROPIN
		       ? take_dropin(path, interface, guard, err)
		       : take_conf(path, interface, guard, err);
}

/* --- its choice --- */

/* Where the routes have the MTU, only wg-quick's file can keep it. */
static void refuse_routes(const struct host *host, struct confhome *home)
{
	if (!host->by_route || !home->file[0] ||
	    conffile_form(home->file) == CONFFILE_WG_QUICK)
		return;
	home->file[0] = '\0';
	snprintf(home->why, sizeof(home->why),
		 "its file cannot keep the MTU of routes to one peer");
}

static void tell_home(const struct host *host, const struct confhome *home)
{
	const char *name = confhome_name(home->kind);
	const char *interface = host->link.name;

	if (home->file[0])
		host_tell("%s keeps the MTU of '%s', in '%.300s'", name, interface,
			  home->file);
	else if (name)
		host_tell(
			"%s keeps the MTU of '%s', and mtusweep does not write it%s%s: "
			"an MTU is applied to the host alone, and the lines that make "
			"it last are printed",
			name, interface, home->why[0] ? ", since " : "", home->why);
	else
		host_tell(
			"no file is known that keeps the MTU of '%s' "
			"(/etc/wireguard/%s.conf does not exist): an MTU is applied to "
			"the host alone, until the interface's next start; wg-quick's "
			"file at another place is for --conf-file",
			interface, interface);
}

/* The user names a file: it must be there, also for a run that does not write it. */
static int check_named(const struct host_options *options, struct host *host,
		       struct err *err)
{
	char real[PATH_MAX];
	enum conffile_form form = conffile_form(options->conf_file);

	host->home.kind = form == CONFFILE_KEYFILE  ? CONFHOME_NETWORKMANAGER
			  : form == CONFFILE_DROPIN ? CONFHOME_NETWORKD
						    : CONFHOME_WG_QUICK;
	if (options->persist != PERSIST_NONE)
		return take_file(options->conf_file, options->interface, &host->guard,
				 err);
	return form == CONFFILE_DROPIN ? 0
				       : conffile_check(options->conf_file, real, err);
}

int host_conf_check(const struct host_options *options, struct host *host,
		    struct err *err)
{
	struct confhome *home = &host->home;

	if (options->conf_file)
		return check_named(options, host, err);
	if (options->persist == PERSIST_NONE)
		return 0;
	confhome_find("", options->interface, host->link.index, confhome_is_managed(),
		      home);
	refuse_routes(host, home);
	tell_home(host, home);
	return home->file[0]
		       ? take_file(home->file, options->interface, &host->guard, err)
		       : 0;
}

const char *host_kept_in(bool by_route, bool live_only)
{
	if (by_route)
		return live_only ? "the routes alone" : "routes and conf file";
	return live_only ? "the link alone" : "link and conf file";
}

bool host_is_live_only(const struct host *host)
{
	return !host->guard.bounds.conf_file[0];
}

const char *host_conf_system(const struct host *host)
{
	if (!host_is_live_only(host))
		return NULL;
	return host->home.kind == CONFHOME_UNKNOWN ? confhome_name(CONFHOME_WG_QUICK)
						   : confhome_name(host->home.kind);
}
