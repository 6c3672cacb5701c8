#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Packets overtake one another by up to 60 ms: delay 50 ms, 30 ms more or
#            less. Outer packets from the peer above 1440 are lost; links of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": netem jitter of 30 ms
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
for port in server peer; do
	on router tc qdisc change dev "$port" handle 1: root \
		netem delay 50ms 30ms limit 10000
done
"$LAB" hole "$lab_name" upload 1440
smart
must_recommend
