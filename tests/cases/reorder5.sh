#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  One packet in twenty overtakes those of the 10 ms before it. Outer packets
#            from the peer above 1440 are lost; links of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": 5 % reordering
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on router tc qdisc change dev server handle 1: root netem delay 10ms reorder 5%
on router tc qdisc change dev peer handle 1: root netem delay 10ms reorder 5%
"$LAB" hole "$lab_name" upload 1440
smart
must_recommend
