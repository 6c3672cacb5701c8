#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The two ends' endpoints are of different families: a front on the way
#            passes datagrams on. The peer's host speaks IPv6 to it, the server's IPv4.
#            Links of 1500.
# RIGHT      1420/1420: a datagram of 1500 bytes over IPv4 has 1520 over IPv6, so that
#            the front sends it in fragments
# SOURCE     fosrl/pangolin issue 3471, "Cannot connect when on an IPv6 ISP (mobile)"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
join_by_front
smart
must_recommend
