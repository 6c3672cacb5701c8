#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer's network has IPv6 only; a NAT64 passes its datagrams on to the
#            server's IPv4 and back, on the way to the peer in fragments of up to 1280.
#            IPv4 only inside the tunnel.
# RIGHT      1200/1420
# SOURCE     freifunk-gluon/gluon pull request 1808, "introduce XLAT, native IPv4 for
#            clients"; NICMx/Jool issue 436, "IPv4 endpoints on links with MTU < 1280
#            can't be accessed"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --inner 4
join_by_front
"$LAB" narrow "$lab_name" download 1280
smart
must_recommend
