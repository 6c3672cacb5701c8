/* SPDX-License-Identifier: MIT */
/* The list of the kinds of change. */
#include "netctl/hostchange.h"

#include <stddef.h>

const struct hostchange_kind *const hostchange_kinds[] = {
	&hostlink_kind, &hostway_kind,    &hostroute_kind,
	&hostconf_kind, &hostdropin_kind, NULL,
};

int hostchange_mtu(const struct hostchange_records *records)
{
	return records->route.count ? records->route.set : records->link.set;
}

int hostchange_mtu_before(const struct hostchange_records *records)
{
	return records->route.count ? records->route.before : records->link.before;
}

bool hostchange_has_file(const struct hostchange_records *records)
{
	return records->conf.file[0] || records->dropin.file[0];
}

void hostchange_end_strings(struct hostchange_request *want)
{
	want->address[sizeof(want->address) - 1] = '\0';
}

struct mtu_range hostchange_probe_range(const struct mtu_range *range)
{
	return (struct mtu_range){
		.min = range->min < MTU_MIN_IPV6 ? range->min : MTU_MIN_IPV6,
		.max = range->max > HOSTCHANGE_PROBE_MTU_MAX ? range->max
							     : HOSTCHANGE_PROBE_MTU_MAX,
		.step = 1,
	};
}
