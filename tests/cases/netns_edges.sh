#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer's interface was born in another network namespace than the one
#            that it is in (a container's only interface); its outer packets are there.
#            Packets to the peer above 1460 are lost, those from it are fragmented above
#            1492.
# RIGHT      1400/1432
# SOURCE     www.wireguard.com/netns, "Routing & Network Namespace Integration"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
move_peer_to_namespace
"$LAB" hole "$lab_name" download 1460
"$LAB" narrow "$lab_name" upload 1492
smart
must_recommend
