#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer's interface was born in another network namespace than the one
#            that it is in (a container's only interface); its outer packets are there.
#            Links of 1500.
# RIGHT      1440/1440
# SOURCE     www.wireguard.com/netns, "Routing & Network Namespace Integration"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
move_peer_to_namespace
smart
must_recommend
