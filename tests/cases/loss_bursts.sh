#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Packets are lost in bursts: 6 % of them, three in a row on the average
#            (Gilbert-Elliott). Outer packets from the peer above 1440 are lost; links of
#            1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": bursts of loss
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
LOST_MAX=10
for port in server peer; do
	on router tc qdisc change dev "$port" handle 1: root \
		netem delay 10ms loss gemodel 2% 31%
done
"$LAB" hole "$lab_name" upload 1440
smart
must_recommend
