#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A modem with a queue of 2 s at 1 Mbit/s up and 4 down. Outer packets from
#            the peer above 1440 are lost; links of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": 2 s of bufferbloat
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --rate-up 1 --rate-down 4 --queue 2000
"$LAB" hole "$lab_name" upload 1440
smart
must_recommend
