#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The server's line is a GRE tunnel with an MTU of 1476.
# RIGHT      1416/1416
# SOURCE     openwrt/openwrt issue 15266, "GRETap tunnel MTU problem"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on server ip link add gre1 type gre local 10.78.1.2 remote 10.78.1.1
on server ip addr add 10.79.0.2/24 dev gre1
on server ip link set gre1 up
on router ip link add gre1 type gre local 10.78.1.1 remote 10.78.1.2
on router ip addr add 10.79.0.1/24 dev gre1
on router ip link set gre1 up
on server ip route add 10.78.2.0/24 via 10.79.0.1 dev gre1 src 10.79.0.2
join_by 10.79.0.2:51820
check_equal "the link's MTU" 1476 \
	"$(on server ip -o link show gre1 | sed 's/.* mtu \([0-9]*\) .*/\1/')"
smart
must_recommend
