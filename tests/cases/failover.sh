#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Fibre fails over to LTE during the run: a clean path of 1500 at first; from
#            the third visit on, outer packets above 1400 are lost.
# RIGHT      1340/1340, or no pair and the words "path changed"
# SOURCE     openwrt/packages issue 12800, "mwan3: Wireguard VPN connection is
#            connecting through wrong WAN interface"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
start_server --once
start_peer --wait 30
await_rows 2
"$LAB" hole "$lab_name" upload 1400
"$LAB" hole "$lab_name" download 1400
await_answer
must_say 'the path changed' 'path( has)? changed'
must_not_say 'a pair of the earlier path is the fastest' 'fastest measured'
[[ ! $pair ]] || must_recommend
