#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  One packet in twenty is lost, at random. Outer packets from the peer above
#            1440 are lost; links of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": 5 % random loss
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --loss-up 5 --loss-down 5
LOST_MAX=6
"$LAB" hole "$lab_name" upload 1440
smart
must_recommend
