#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Round trip 600 ms. Outer packets from the peer above 1440 are lost; links
#            of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": round trips of 300 and 600 ms
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --delay 300 --queue 600
"$LAB" hole "$lab_name" upload 1440
smart
must_recommend
