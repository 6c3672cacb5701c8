#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A modem with a queue of 1.5 s at 2 Mbit/s up and 6 down; outer packets
#            above 1492 are fragmented.
# RIGHT      1432/1432
# SOURCE     hassio-addons/app-wireguard issue 180, "Custom MTU?"
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --rate-up 2 --rate-down 6 --delay 15 --queue 1500
"$LAB" narrow "$lab_name" upload 1492
"$LAB" narrow "$lab_name" download 1492
smart
must_recommend
