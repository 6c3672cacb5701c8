#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A mobile operator with a path of 1280, which fragments larger outer
#            packets; IPv6 inside the tunnel, which needs 1280. Nothing of 1280 or more
#            fits whole.
# RIGHT      1280/1280 or no pair, and the answer says that 1220 is what fits whole
# SOURCE     amnezia-vpn/amneziawg-windows-client issue 123, "Not an issue but win ipv6
#            require MTU >= 1280"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" narrow "$lab_name" upload 1280
"$LAB" narrow "$lab_name" download 1280
smart
must_say 1220 1220
[[ ! $pair ]] || must_recommend
