#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Upload: unfragmented outer packets of 1461 to 1500 are lost, larger ones
#            pass in fragments. Download: fragmented above 1467.
# RIGHT      1407/1400
# SOURCE     nitred/nr-wg-mtu-finder, the sweep of its author that its README shows
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" band "$lab_name" upload 1461 1500
"$LAB" narrow "$lab_name" download 1467
smart
must_recommend
