#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The server's interface is in a VRF; its sockets accept from all of them
#            (tcp_l3mdev_accept, udp_l3mdev_accept). Links of 1500.
# RIGHT      1440/1440, or no pair and a message that names the VRF
# SOURCE     vyos/vyos-1x pull request 5175, "wireguard: T8509: Add fwmark ip rules for
#            VRF-bound interfaces"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on server sysctl -qw net.ipv4.tcp_l3mdev_accept=1 net.ipv4.udp_l3mdev_accept=1
on server ip link add vrf-wg type vrf table 100
on server ip link set vrf-wg up
on server ip link set "$LAB_SERVER_IF" master vrf-wg
smart --wait 10
if [[ $pair ]]; then
	must_recommend
else
	must_say 'the VRF' 'VRF' "$(cat "$tmp"/*.log)"
fi
