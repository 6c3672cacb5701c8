#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A host with several uplinks has the rule "private networks by the main
#            table" at priority 10, before those of the program. Packets from the peer
#            above 1460 are lost, those to it are fragmented above 1492.
# RIGHT      1432/1400
# SOURCE     openwrt/packages issue 23480, "mwan3: Potential race condition between
#            mwan3 and tailscale"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
for end in server peer; do
	on "$end" ip rule add pref 10 to 10.0.0.0/8 lookup main
done
"$LAB" hole "$lab_name" upload 1460
"$LAB" narrow "$lab_name" download 1492
smart
must_recommend
