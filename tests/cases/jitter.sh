#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Packets overtake one another: delay 20 ms, 15 ms more or less. Outer
#            packets above 1492 are lost.
# RIGHT      1432/1432
# SOURCE     angt/glorytun issue 43, "Out of order packets with aggregation."
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --rate-up 0 --rate-down 0
for port in server peer; do
	on router tc qdisc replace dev "$port" root netem delay 20ms 15ms limit 2000
done
"$LAB" hole "$lab_name" upload 1492
"$LAB" hole "$lab_name" download 1492
smart
must_recommend
