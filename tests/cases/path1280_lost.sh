#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A mobile operator with a path of 1280, which loses larger outer packets;
#            IPv6 inside the tunnel, which needs 1280.
# RIGHT      no pair, and the answer says that 1220 is what fits whole, without IPv6
#            inside
# SOURCE     cilium/cilium issue 45423, "wireguard: mtuReconciler sets cilium_wg0 MTU
#            below IPV6_MIN_MTU, breaking IPv6 in tunnel+encryption mode"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" hole "$lab_name" upload 1280
"$LAB" hole "$lab_name" download 1280
smart
must_say 1220 1220
must_say 'IPv6 inside' 'IPv6'
[[ ! $pair ]] || must_recommend
