#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Wi-Fi in a train: uplinks are bundled by a tunnel of the operator. Packets
#            from the peer above 1424 are lost, those to it are fragmented above 1424.
# RIGHT      1364/1364
# SOURCE     kaanlabs.com, "Fix broken WireGuard VPN connection on certain public Wi-Fi
#            networks"
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --delay 40 --loss-up 0.3 --loss-down 0.3
LOST_MAX=3
"$LAB" hole "$lab_name" upload 1424
"$LAB" narrow "$lab_name" download 1424
smart
must_recommend
