/* SPDX-License-Identifier: MIT */
/* The begin of a search with the answers of plain hosts. */
#include <errno.h>

#include "netctl/echofind.h"
#include "netctl/hostchange.h"

#define ETHERNET_MTU 1500
/* Extra time for answers, until some are late. */
#define GRACE_US 10000

int echofind_round_up(int size)
{
	return (size + ECHOFIND_STEP - 1) / ECHOFIND_STEP * ECHOFIND_STEP;
}

static void open_tap(struct echofind *f)
{
	int fd;

	if (f->facts.unseen || f->facts.endpoint_local)
		return;
	if (guard_tap(f->config.guard, &fd, NULL) == 0)
		probetap_new(fd, &f->tap, NULL);
}

static void choose_sizes(struct echofind *f)
{
	struct mtu_range range = hostchange_probe_range(&f->config.range);

	f->size_max = f->outer_mtu ? f->outer_mtu : ETHERNET_MTU;
	if (f->size_max < f->config.range.max)
		f->size_max = f->config.range.max;
	if (f->size_max > range.max)
		f->size_max = range.max;
	if (f->size_max > HOSTCHANGE_PROBE_MTU_MAX)
		f->size_max = HOSTCHANGE_PROBE_MTU_MAX;
	if (f->config.limit && f->size_max > f->config.limit)
		f->size_max = f->config.limit;
	f->largest = f->size_max;
	f->size_min = range.min;
}

static int check_facts(const struct echofind *f, struct err *err)
{
	if (f->facts.backend == BACKEND_NONE)
		return err_set(err, -EOPNOTSUPP,
			       "the interface is not WireGuard: the size of its outer "
			       "packets is unknown");
	if (!f->facts.endpoint_family)
		return err_set(err, -ENOTCONN,
			       "the WireGuard endpoint of %s is unknown",
			       f->config.remote);
	return 0;
}

/*
 * A hub's link is left alone. Below its MTU WireGuard pads to 16, so multiples of that
 * leave as they are, and so does a packet of the link's MTU.
 */
static void keep_link(struct echofind *f)
{
	f->unit = ECHOFIND_STEP;
	if (f->largest > f->facts.mtu)
		f->largest = f->facts.mtu;
	f->size_max = f->largest / ECHOFIND_STEP * ECHOFIND_STEP;
	f->size_min = echofind_round_up(f->size_min);
}

/* The kernel pads by the MTU of the packet's route: with another one than the link's,
 * multiples of 16 may leave as something else. */
static int lift_route(const struct echofind *f, struct err *err)
{
	const struct echofind_config *config = &f->config;

	if (!f->unit || f->facts.backend != BACKEND_KERNEL || !config->route_mtu ||
	    config->route_mtu == f->facts.mtu)
		return 0;
	return guard_set_for(config->guard, config->remote, f->facts.mtu,
			     config->lease_ms, err);
}

int echofind_begin(struct echofind *ret, const struct echofind_config *config,
		   struct err *err)
{
	int r;

	*ret = (struct echofind){.config = *config, .grace_us = GRACE_US};
	r = guard_get_facts(config->guard, config->remote, &ret->facts, err);
	if (r == 0)
		r = check_facts(ret, err);
	if (r < 0)
		return r;
	/* Probes must not inherit a path MTU that other programs' packets taught the
	 * kernel. */
	r = guard_settle(config->guard, NULL);
	if (r != -EPIPE)
		r = guard_get_facts(config->guard, config->remote, &ret->facts, err);
	if (r < 0)
		return r;
	ret->overhead = path_overhead(ret->facts.endpoint_family);
	if (!ret->facts.endpoint_local && ret->facts.outer_mtu < OUTER_SIZE_MAX)
		ret->outer_mtu = ret->facts.outer_mtu;
	choose_sizes(ret);
	if (ret->facts.by_route)
		keep_link(ret);
	if (ret->size_max < ret->size_min)
		return err_set(err, -ERANGE,
			       "'%s' has MTU %d: no packet of %d bytes fits below it",
			       config->interface, ret->facts.mtu, ret->size_min);
	ret->link_mtu = ret->unit ? ret->facts.mtu : ret->size_max;
	r = lift_route(ret, err);
	if (r < 0)
		return r;
	r = guard_probe(config->guard, ret->link_mtu, config->remote, 0,
			config->lease_ms, err);
	if (r < 0)
		return r;
	open_tap(ret);
	return 0;
}

void echofind_close(struct echofind *f)
{
	probetap_free(f->tap);
	f->tap = NULL;
}

void echofind_there(const struct echofind *f, struct bandfind *ret)
{
	const struct bandfind_config config = {
		.min = f->overhead + f->size_min,
		.max = f->overhead + f->size_max,
		.unit = f->unit,
		.sender_mtu = f->outer_mtu,
	};

	bandfind_init(ret, &config);
}

bool echofind_largest(const struct echofind *f, struct bandfind *ret)
{
	const struct bandfind_config config = {
		.min = f->overhead + f->largest,
		.max = f->overhead + f->largest,
		.sender_mtu = f->outer_mtu,
	};

	if (f->largest <= f->size_max)
		return false;
	bandfind_init(ret, &config);
	return true;
}

void echofind_back(const struct echofind *f, struct bandfind *ret)
{
	int max = f->size_max;
	struct bandfind_config config;

	if (f->split_back && f->largest_back && f->largest_back < max)
		max = f->largest_back;
	config = (struct bandfind_config){
		.min = f->overhead + echofind_round_up(f->size_min),
		.max = f->overhead + max / ECHOFIND_STEP * ECHOFIND_STEP,
		.unit = ECHOFIND_STEP,
	};
	if (config.min > config.max)
		config.min = config.max;
	bandfind_init(ret, &config);
}

void echofind_outside(const struct echofind *f, struct bandfind *ret)
{
	struct bandfind_config config = {
		.min = f->overhead + f->size_min,
		.max = f->outer_mtu ? f->outer_mtu : ETHERNET_MTU,
	};

	if (config.min > config.max)
		config.min = config.max;
	bandfind_init(ret, &config);
}
