/* SPDX-License-Identifier: MIT */
#include "cmd/host/host.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/debug.h"
#include "base/io.h"
#include "base/privcheck.h"
#include "base/text.h"
#include "cmd/host/host_conf.h"
#include "cmd/host/progress.h"
#include "engine/runner.h"
#include "netctl/hostroute.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/keeper.h"
#include "netctl/linkipv6.h"
#include "netctl/lockfile.h"
#include "netctl/sysctl.h"
#include "netctl/wginfo.h"

static int finish_output(void)
{
	struct err err = ERR_INIT;

	if (io_finish_output(&err) == 0)
		return 0;
	host_tell("%s", err.text);
	return 1;
}

static int print_help(const struct host_program *program)
{
	printf("usage: %s\n\n%s\n\n", program->synopsis, program->summary);
	options_help(program->rows, stdout);
	return finish_output();
}

static int print_version(const struct host_program *program)
{
	printf("%s %s (%s)\n", program->name, MTUSWEEP_VERSION, program->libraries());
	return finish_output();
}

/* -1 to go on, else the exit status. */
static int parse_options(const struct host_program *program, int argc, char **argv)
{
	struct err err = ERR_INIT;
	int positional = 0;
	int r;

	host_say_as(program->name);
	io_survive_file_limit();
	io_fill_standard();
	io_close_inherited();
	r = options_parse(program->rows, argc, argv, &positional, &err);
	if (r == 0 && host_options.help)
		return print_help(program);
	if (r == 0 && host_options.version)
		return print_version(program);
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

static int check_range(const struct host_options *options, const struct rtlink *link,
		       struct err *err)
{
	const struct mtu_range *range = &options->range;

	if (range->min < MTU_MIN_IPV6 && link->has_ipv6)
		return err_set(
			err, -EINVAL,
			"--mtu-min %d is below 1280 and '%s' has an IPv6 address: the "
			"kernel would remove its IPv6 for good; use 1280 or more",
			range->min, link->name);
	if (range->min < MTU_MIN_IPV6 && !linkipv6_may_fall(link))
		return err_set(
			err, -EINVAL,
			"--mtu-min %d is below 1280 and IPv6 is in use on '%s', by a "
			"route or by addresses to come: the kernel would remove it for "
			"good; use 1280 or more, or set "
			"net.ipv6.conf.%s.disable_ipv6=1 first",
			range->min, link->name, link->name);
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

/* The smallest MTU that probes may ask for. */
static int find_least(const struct rtlink *link, int usual)
{
	if (!linkipv6_may_fall(link))
		return usual;
	return link->min_mtu > MTU_MIN ? link->min_mtu : MTU_MIN;
}

/* Find the range if the command line gives none: from 1280, or the link's MTU if that
 * is less, to the most that Ethernet links around it carry, within the limits of the
 * link's driver. */
static int find_range(const struct rtlink *link, int *ret_usual_min,
		      struct mtu_range *ret, struct err *err)
{
	struct mtu_range range = host_options.range;
	int around = 0;
	int r;

	*ret = range;
	*ret_usual_min = range.min;
	if (host_options_have_range())
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
	*ret_usual_min = range.min;
	range.min = find_least(link, range.min);
	*ret = range;
	return 0;
}

/* "ip vrf exec" puts the process into a control group of that name (ip-vrf(8)). */
static bool runs_in_vrf(const char *vrf)
{
	cleanup_file FILE *file = fopen("/proc/self/cgroup", "re");
	char wanted[IF_NAME_SIZE + 8];
	char line[512];

	snprintf(wanted, sizeof(wanted), "/vrf/%s", vrf);
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line) >= strlen(wanted) &&
		    strcmp(line + strlen(line) - strlen(wanted), wanted) == 0)
			return true;
	}
	return false;
}

/* Other sockets than those of the VRF cannot be bound to the tunnel's address. */
static int check_vrf(const struct rtlink *link, struct err *err)
{
	char vrf[IF_NAME_SIZE] = "?";

	if (!link->in_vrf)
		return 0;
	if_indextoname((unsigned)link->master, vrf);
	if (runs_in_vrf(vrf))
		return 0;
	return err_set(
		err, -EADDRNOTAVAIL,
		"interface '%s' is in the VRF '%s', whose addresses a program "
		"outside of it cannot use: start this one with 'ip vrf exec %s', "
		"or take the interface out for the run (ip link set %s nomaster)",
		link->name, vrf, vrf, link->name);
}

static int check_link(const struct host_options *options, struct host *host,
		      struct err *err)
{
	int r = rtlink_get(options->interface, &host->link, err);

	if (r == -ENODEV)
		return err_set(err, r,
			       "no interface '%s' on this host; name the tunnel's with "
			       "--interface",
			       options->interface);
	if (r < 0)
		return r;
	host->backend = wginfo_backend(&host->link);
	if (host->backend == BACKEND_NONE && !options->force)
		return err_set(err, -ENOTSUP,
			       "interface '%s' is not WireGuard (kind '%s'); --force "
			       "accepts it",
			       options->interface,
			       host->link.kind[0] ? host->link.kind : "none");
	if (!host->link.up)
		return err_set(
			err, -ENETDOWN,
			"interface '%s' is down; bring it up first (wg-quick up %s)",
			options->interface, options->interface);
	r = check_vrf(&host->link, err);
	if (r == 0)
		r = check_range(options, &host->link, err);
	return r < 0 ? r
		     : find_range(&host->link, &host->usual_min,
				  &host->guard.bounds.range, err);
}

/* --- scope --- */

/* A range that the user gave is not bent. */
static int check_route_range(const struct mtu_range *range, int unit, int max,
			     struct err *err)
{
	if (range->min % unit == 0 && range->step % unit == 0 && range->max <= max)
		return 0;
	return err_set(
		err, -EINVAL,
		"MTUs %d to %d by %d cannot be had for routes through a "
		"userspace WireGuard: give --mtu-min and --mtu-step as multiples "
		"of %d, and --mtu-max up to %d",
		range->min, range->max, range->step, unit, max);
}

/* Where a userspace WireGuard carries routes: multiples of 16, up to the link's MTU. */
static int narrow_range(struct host *host, struct err *err)
{
	struct mtu_range *range = &host->guard.bounds.range;
	int unit = hostroute_unit(host->backend);
	int max = hostroute_mtu_max(host->backend, host->link.mtu);

	host->unit = unit;
	if (unit == 1)
		return 0;
	if (host_options_have_range())
		return check_route_range(range, unit, max, err);
	if (range->max > max)
		range->max = max;
	range->min = (range->min + unit - 1) / unit * unit;
	host->usual_min = (host->usual_min + unit - 1) / unit * unit;
	range->step = unit;
	if (host->usual_min > range->max)
		return err_set(err, -EINVAL,
			       "'%s' has MTU %d: no MTU of a route fits below it",
			       host->link.name, host->link.mtu);
	host_options.range = *range;
	host_options.range.min = host->usual_min;
	return 0;
}

static void tell_scope(const struct host *host)
{
	if (host->by_route && host->unit > 1)
		host_tell("'%s' has %d peer%s: only the routes to the other end get "
			  "MTUs, up to %d, the link's, and in multiples of %d "
			  "(userspace WireGuard); the link keeps its own",
			  host->link.name, host->peers, text_plural(host->peers),
			  host->link.mtu, host->unit);
	else if (host->by_route)
		host_tell("'%s' has %d peer%s: only the routes to the other end get "
			  "MTUs; the link keeps its own, %d",
			  host->link.name, host->peers, text_plural(host->peers),
			  host->link.mtu);
	else if (host->peers > 1)
		host_tell("warning: --scope link changes the MTU of '%s' for all its "
			  "%d peers: packets to the others may be lost meanwhile",
			  host->link.name, host->peers);
}

static int check_scope(struct host *host, struct err *err)
{
	enum scope scope = (enum scope)host_options.scope;

	wginfo_count_peers(&host->link, host->backend, &host->peers, NULL);
	if (scope == SCOPE_ROUTE && host->backend == BACKEND_NONE)
		return err_set(err, -EINVAL,
			       "--scope route is for WireGuard, which '%s' is not",
			       host->link.name);
	host->by_route = scope == SCOPE_ROUTE ||
			 (scope == SCOPE_AUTO && host->peers > 1);
	if (host->by_route) {
		int r = narrow_range(host, err);

		if (r < 0)
			return r;
	}
	tell_scope(host);
	return 0;
}

/* *ret_text names the restored changes; "": there were none. */
static int restore_leftovers(const char *interface, struct err *ret_text,
			     struct err *err)
{
	int r;

	*ret_text = (struct err)ERR_INIT;
	r = hoststate_restore_journal(interface, ret_text);
	if (r < 0 && r != -ESTALE)
		return err_set(err, r,
			       "cannot restore the changes of a killed run: %.300s",
			       ret_text->text);
	return 0;
}

/* Restore what a killed run left before any other check can fail. */
static int lock_and_restore(int *ret_lock_fd, struct err *ret_text, struct err *err)
{
	int r = privcheck_net_admin(err);

	if (r == 0)
		r = journal_lock(host_options.interface, ret_lock_fd, err);
	if (r == 0)
		r = restore_leftovers(host_options.interface, ret_text, err);
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
	host_tell("nothing to restore on '%s'%s%s%s%s", interface,
		  gone ? ", and no such interface exists" : "",
		  others[0] ? "; a killed run left changes on " : "", others,
		  others[0] ? ": name it with --interface"
		  : gone    ? ": name the tunnel's with --interface"
			    : "");
}

static int run_restore(void)
{
	struct err text = ERR_INIT;
	struct err err = ERR_INIT;
	int lock_fd = -1;
	int r = lock_and_restore(&lock_fd, &text, &err);

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
 * Check privileges, lock, remains of a killed run, interface, MTU range, conf file and
 * user. Nothing is changed, except that the changes in a journal are restored.
 */
static int prepare_host(struct host *ret, struct err *err)
{
	const struct host_options *options = &host_options;
	struct guard_config *guard = &ret->guard;
	struct err left = ERR_INIT;
	int r;

	memset(ret, 0, sizeof(*ret));
	guard->lock_fd = -1;
	r = lock_and_restore(&guard->lock_fd, &left, err);
	if (left.text[0])
		host_tell("an earlier run was killed: %.300s", left.text);
	if (r == 0)
		r = check_link(options, ret, err);
	if (r == 0)
		r = check_scope(ret, err);
	if (r == 0)
		r = host_conf_check(options, ret, err);
	if (r == 0)
		r = priv_find_user(options->user, options->db, &ret->user, err);
	if (r == 0)
		r = privcheck_rest(
			&ret->user,
			PRIV_KEEP_KILL |
				(guard->bounds.conf_file[0] ? PRIV_KEEP_CONF_FILE : 0),
			err);
	text_copy(guard->bounds.interface, sizeof(guard->bounds.interface),
		  options->interface);
	guard->bounds.persist = (enum persist)options->persist;
	guard->bounds.scope = (enum scope)options->scope;
	guard->say = host_say;
	return r;
}

static void log_start(const struct host_program *program, int argc, char **argv)
{
	struct utsname kernel;

	if (!host_options.debug && !debug_is_wanted())
		return;
	debug_start("keeper");
	debug_phase("start");
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
static int run_program(const struct host_program *program, struct host *host)
{
	const struct keeper_roles roles = {
		.main = program->main,
		.runner = runner_serve,
		.ctx = program->ctx,
	};
	struct err err = ERR_INIT;
	int status = 1;

	if (prepare_host(host, &err) < 0 || program->ready(host, &err) < 0) {
		host_say(err.text);
		if (program->failed)
			program->failed(err.text);
	} else {
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
	int status = parse_options(program, argc, argv);

	if (status >= 0)
		return status;
	io_unblock_standard();
	log_start(program, argc, argv);
	return host_options.restore ? run_restore() : run_program(program, &host);
}

int host_set_mtu(struct guard *guard, const char *address, int mtu, int64_t lease_ms,
		 bool *warned, struct err *ret_warning, struct err *err)
{
	struct err why = ERR_INIT;
	int r = guard_set_for(guard, address, mtu, lease_ms, err);

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
