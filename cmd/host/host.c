/* SPDX-License-Identifier: MIT */
#include "cmd/host/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/debug.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "engine/runner.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/keeper.h"
#include "netctl/lockfile.h"
#include "netctl/sysctl.h"
#include "netctl/wginfo.h"

#define SAY_TIMEOUT_MS 250

static const char *program_name = "mtusweep";

void host_say(const char *text)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "%s: %s\n", program_name, text);

	if (length >= (int)sizeof(line))
		length = (int)sizeof(line) - 1;
	/* The terminal may be gone, or nobody may read: that holds nothing up. */
	io_write_or_drop(STDERR_FILENO, line, (size_t)length, SAY_TIMEOUT_MS);
}

void host_tell(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_printable(text);
	progress_clear();
	host_say(text);
}

static int finish_output(void)
{
	struct err err = ERR_INIT;

	if (io_finish_output(&err) == 0)
		return 0;
	host_tell("%s", err.text);
	return 1;
}

static int help(const struct host_program *program)
{
	printf("usage: %s\n\n", program->synopsis);
	options_help(program->rows, stdout);
	return finish_output();
}

static int version(const struct host_program *program)
{
	printf("%s %s\n", program->name, MTUSWEEP_VERSION);
	return finish_output();
}

/* -1 to go on, else the exit status. */
static int parse(const struct host_program *program, int argc, char **argv)
{
	struct err err = ERR_INIT;
	int positional = 0;
	int r;

	program_name = program->name;
	io_survive_file_limit();
	io_fill_standard();
	io_close_inherited();
	r = options_parse(program->rows, argc, argv, &positional, &err);
	if (r == 0 && host_options.help)
		return help(program);
	if (r == 0 && host_options.version)
		return version(program);
	if (r == 0 && positional > 0)
		r = err_set(&err, -EINVAL,
			    "unexpected argument '%s'; --help lists the options",
			    argv[1]);
	if (r == 0)
		r = host_options_check(&err);
	if (r == 0)
		r = program->check(&err);
	if (r == 0)
		return -1;
	host_say(err.text);
	return 2;
}

/*
 * Below 1280 the kernel forgets an interface's IPv6 settings; back above, it takes the
 * defaults (addrconf_notify() in net/ipv6/addrconf.c).
 */
static bool comes_back_with_ipv6(const struct rtlink *link)
{
	int disabled = 1;

	return link->mtu >= MTU_MIN_IPV6 &&
	       sysctl_read_int("net/ipv6/conf/default/disable_ipv6", &disabled, NULL) ==
		       0 &&
	       !disabled;
}

static int check_range(const struct host_options *options, const struct rtlink *link,
		       struct err *err)
{
	const struct mtu_range *range = &options->range;

	if (range->min < MTU_MIN_IPV6 && link->has_ipv6)
		return err_set(
			err, -EINVAL,
			"--mtu-min %d is below 1280 and '%s' has an IPv6 address: "
			"the kernel would remove its IPv6 for good; use 1280 or more",
			range->min, link->name);
	if (range->min < MTU_MIN_IPV6 && comes_back_with_ipv6(link))
		return err_set(
			err, -EINVAL,
			"--mtu-min %d is below 1280 and IPv6 is on for new "
			"interfaces: '%s' would come back with an IPv6 address it "
			"does not have; use 1280 or more, or set "
			"net.ipv6.conf.default.disable_ipv6=1 first",
			range->min, link->name);
	if (link->min_mtu && range->min < link->min_mtu)
		return err_set(
			err, -EINVAL,
			"--mtu-min %d is below the smallest MTU of '%s', which is %d",
			range->min, link->name, link->min_mtu);
	if (link->max_mtu && range->max > link->max_mtu)
		return err_set(
			err, -EINVAL,
			"--mtu-max %d is above the largest MTU of '%s', which is %d",
			range->max, link->name, link->max_mtu);
	return 0;
}

/* Find the range if the command line gives none: from 1280, or the link's MTU if that
 * is less, to the most that Ethernet links around it carry, within the limits of the
 * link's driver. */
static int find_range(const struct rtlink *link, struct mtu_range *ret, struct err *err)
{
	struct mtu_range range = host_options.range;
	int around = 0;
	int r;

	*ret = range;
	if (host_options_have_lattice())
		return 0;
	r = rtlink_get_ethernet_mtu(link->index, &around, err);
	if (r < 0)
		return r;
	if (around > HOSTCHANGE_PROBE_MTU_MAX)
		around = HOSTCHANGE_PROBE_MTU_MAX;
	if (range.max < around)
		range.max = around;
	if (range.max < link->mtu)
		range.max = link->mtu;
	if (link->max_mtu && range.max > link->max_mtu)
		range.max = link->max_mtu;
	if (range.min > link->mtu && link->mtu >= MTU_MIN)
		range.min = link->mtu;
	range.step = 1;
	*ret = range;
	return 0;
}

static int check_link(const struct host_options *options, struct host *host,
		      struct err *err)
{
	int r = rtlink_get(options->interface, &host->link, err);

	if (r == -ENODEV)
		return err_set(err, r,
			       "no interface '%s' on this host; --interface names the "
			       "tunnel's",
			       options->interface);
	if (r < 0)
		return r;
	host->backend = wginfo_backend(&host->link);
	if (host->backend == BACKEND_NONE && !options->force)
		return err_set(
			err, -ENOTSUP,
			"interface '%s' is not WireGuard (kind '%s'); --force goes "
			"on all the same",
			options->interface,
			host->link.kind[0] ? host->link.kind : "none");
	if (!host->link.up)
		return err_set(
			err, -ENETDOWN,
			"interface '%s' is down; bring it up first (wg-quick up %s)",
			options->interface, options->interface);
	r = check_range(options, &host->link, err);
	return r < 0 ? r : find_range(&host->link, &host->guard.bounds.range, err);
}

static int warn_of_save_config(const char *path, struct err *err)
{
	cleanup_conffile struct conffile file;
	struct conffile_facts facts;
	char *data;
	size_t size;
	int r = conffile_open(path, &file, err);

	if (r == 0)
		r = conffile_read(&file, "", &data, &size, err);
	if (r < 0)
		return r;
	r = conffile_facts(data, size, &facts, err);
	conffile_wipe(data, size);
	if (r == 0 && facts.save_config)
		host_say(
			"warning: the conf file has SaveConfig = true: wg-quick writes "
			"the link's MTU into it on down, also in the midst of a run");
	return r;
}

static int check_conf(const struct host_options *options, struct guard_config *guard,
		      struct err *err)
{
	char path[4096];
	char real[4096];
	int r;

	if (options->persist == PERSIST_NONE && !options->conf_file)
		return 0;
	if (options->conf_file)
		text_copy(path, sizeof(path), options->conf_file);
	else
		snprintf(path, sizeof(path), "/etc/wireguard/%s.conf",
			 options->interface);
	r = conffile_check(path, real, err);
	if (r == -ENOENT && !options->conf_file)
		return err_set(
			err, r,
			"there is no conf file '%s' to write to: name wg-quick's "
			"file for '%s' with --conf-file",
			path, options->interface);
	if (r < 0 || options->persist == PERSIST_NONE)
		return r;
	text_copy(guard->bounds.conf_file, sizeof(guard->bounds.conf_file), real);
	r = hostconf_lock(real, options->interface, &guard->conf_lock_fd, err);
	if (r == 0)
		r = hostconf_check(real, err);
	return r < 0 ? r : warn_of_save_config(real, err);
}

/* *ret_text says what was restored; "": nothing had to be. */
static int put_back_leftovers(const char *interface, struct err *ret_text,
			      struct err *err)
{
	int r;

	*ret_text = (struct err)ERR_INIT;
	r = hoststate_restore_journal(interface, ret_text);
	if (r < 0 && r != -ESTALE)
		return err_set(err, r, "cannot put back what a killed run left: %.300s",
			       ret_text->text);
	return 0;
}

static int check_privileges(struct err *err)
{
	if (geteuid() == 0 && priv_have_net_admin())
		return 0;
	return err_set(err, -EPERM,
		       "changing an interface's MTU takes root's privileges; use sudo");
}

/* Restore what a killed run left before any other check can fail. */
static int begin(int *ret_lock_fd, struct err *ret_text, struct err *err)
{
	int r = check_privileges(err);

	if (r == 0)
		r = journal_lock(host_options.interface, ret_lock_fd, err);
	if (r == 0)
		r = put_back_leftovers(host_options.interface, ret_text, err);
	if (r == 0)
		journal_remove_useless();
	return r;
}

/* Report that nothing is to be restored, whether the interface exists, and which other
 * interfaces have something to restore. */
static void tell_nothing_left(const char *interface)
{
	struct rtlink link;
	char others[160];
	bool gone = rtlink_get(interface, &link, NULL) == -ENODEV;

	journal_list_left(others, sizeof(others));
	host_tell("no killed run left anything to put back on '%s'%s%s%s%s", interface,
		  gone ? ", and there is no such interface" : "",
		  others[0] ? "; one did on " : "", others,
		  others[0] ? ": name it with --interface"
		  : gone    ? ": name the tunnel's with --interface"
			    : "");
}

static int restore(void)
{
	struct err text = ERR_INIT;
	struct err err = ERR_INIT;
	int lock_fd = -1;
	int r = begin(&lock_fd, &text, &err);

	if (r < 0)
		host_say(err.text);
	else if (text.text[0])
		host_say(text.text);
	else
		tell_nothing_left(host_options.interface);
	lockfile_release(&lock_fd);
	return r < 0 ? 1 : 0;
}

/*
 * Privileges, lock, what a killed run left behind, interface, MTU range, conf file, user.
 * Nothing is changed, but for putting back what a journal says.
 */
static int prepare(struct host *ret, struct err *err)
{
	const struct host_options *options = &host_options;
	struct guard_config *guard = &ret->guard;
	struct err left = ERR_INIT;
	int r;

	memset(ret, 0, sizeof(*ret));
	guard->lock_fd = -1;
	r = begin(&guard->lock_fd, &left, err);
	if (left.text[0])
		host_tell("an earlier run was killed: %.300s", left.text);
	if (r == 0)
		r = check_link(options, ret, err);
	if (r == 0)
		r = check_conf(options, guard, err);
	if (r == 0)
		r = priv_find_user(options->user, options->db, &ret->user, err);
	text_copy(guard->bounds.interface, sizeof(guard->bounds.interface),
		  options->interface);
	guard->bounds.persist = (enum persist)options->persist;
	guard->say = host_say;
	return r;
}

static void log_start(const struct host_program *program, int argc, char **argv)
{
	struct utsname kernel;

	if (!host_options.debug && !debug_is_wanted())
		return;
	debug_start("keeper");
	debug_log("process", "%s " MTUSWEEP_VERSION " begins", program->name);
	if (uname(&kernel) == 0)
		debug_log("process", "kernel %s, %s", kernel.release, kernel.machine);
	for (int i = 1; i < argc; i++)
		debug_log("process", "argument %d: '%s'", i, argv[i]);
}

static void log_host(const struct host *host)
{
	const struct guard_config *guard = &host->guard;

	debug_log("host", "interface '%s': %s WireGuard, MTU %d, range %d to %d",
		  host->link.name, backend_name(host->backend), host->link.mtu,
		  guard->bounds.range.min, guard->bounds.range.max);
	debug_log("host", "user %d, persist %s, conf file '%s'", (int)host->user.uid,
		  persist_name(guard->bounds.persist), guard->bounds.conf_file);
}

/* The keeper is the last of those that hold the locks. */
static int run(const struct host_program *program, struct host *host)
{
	const struct keeper_roles roles = {
		.main = program->main,
		.runner = runner_serve,
		.ctx = program->ctx,
	};
	struct err err = ERR_INIT;
	int status = 1;

	if (prepare(host, &err) < 0 || program->ready(host, &err) < 0)
		host_say(err.text);
	else {
		log_host(host);
		status = keeper_run(&host->guard, &host->user, &roles);
	}
	lockfile_release(&host->guard.conf_lock_fd);
	lockfile_release(&host->guard.lock_fd);
	return status;
}

int host_main(const struct host_program *program, int argc, char **argv)
{
	struct host host;
	int status = parse(program, argc, argv);

	if (status >= 0)
		return status;
	io_unblock_standard();
	log_start(program, argc, argv);
	return host_options.restore ? restore() : run(program, &host);
}

int host_set_mtu(struct guard *guard, int mtu, int64_t lease_ms, bool *warned,
		 struct err *ret_warning, struct err *err)
{
	struct err why = ERR_INIT;
	int r = guard_set(guard, mtu, lease_ms, err);

	if (r < 0)
		return r;
	r = guard_settle(guard, &why);
	if (r == -EPIPE)
		return err_set(err, r, "%s", why.text);
	if (r < 0 && !*warned)
		*ret_warning = why;
	*warned |= r < 0;
	return 0;
}

void host_facts(const struct host *host, const char *versions, struct end_facts *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (gethostname(ret->host, sizeof(ret->host) - 1) < 0)
		ret->host[0] = '\0';
	text_copy(ret->interface, sizeof(ret->interface), host->guard.bounds.interface);
	text_copy(ret->versions, sizeof(ret->versions), versions);
	ret->link_mtu = host->link.mtu;
	ret->backend = host->backend;
}
