#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A mobile operator with a path of 1280, which loses larger outer packets; no
#            IPv6 inside the tunnel, which has the default MTU of 1420.
# RIGHT      1220/1220, without options
# SOURCE     denoland/clawpatrol pull request 822, "wireguard: derive the client MTU
#            from the path, add a gateway mtu knob"
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --inner 4
"$LAB" hole "$lab_name" upload 1280
"$LAB" hole "$lab_name" download 1280
smart
# Below 1280 the kernel forgot the interfaces' IPv6 settings.
for end in server peer; do
	interface=LAB_${end^^}_IF
	check_equal "addresses of IPv6 at the $end" '' \
		"$(on "$end" ip -6 addr show dev "${!interface}")"
	check_equal "IPv6 of the $end" 1 \
		"$(on "$end" sysctl -n "net.ipv6.conf.${!interface}.disable_ipv6")"
done
must_recommend
