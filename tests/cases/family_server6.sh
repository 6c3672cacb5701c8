#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The two ends' endpoints are of different families: a front on the way
#            passes datagrams on. The server's host speaks IPv6 to it, the peer's IPv4.
#            Links of 1500.
# RIGHT      1420/1420: a datagram of 1500 bytes over IPv4 has 1520 over IPv6, so that
#            the front sends it in fragments
# SOURCE     ngoduykhanh/wireguard-ui issue 623, "Wireguard-ui currently only supports
#            setting one Endpoint Address"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
join_by_front
swap_ends
smart
must_recommend
