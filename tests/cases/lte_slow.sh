#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A mobile line: 1 Mbit/s up, 3 down, round trip 100 ms, half a per cent of
#            loss. Outer packets above 1428 are lost.
# RIGHT      1368/1368
# SOURCE     SagerNet/sing-box issue 3390, "Low WireGuard throughput on 3G/4G networks"
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --rate-up 1 --rate-down 3 --delay 50 --loss-up 0.5 --loss-down 0.5 \
	--queue 200
LOST_MAX=3
"$LAB" hole "$lab_name" upload 1428
"$LAB" hole "$lab_name" download 1428
smart
must_recommend
