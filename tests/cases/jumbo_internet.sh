#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The hosts' links have 9001, the way between them is the internet: outer
#            packets above 1500 are lost.
# RIGHT      1440/1440
# SOURCE     edgelesssys/constellation pull request 1146, "cli: enable jumbo frames for
#            GCP VPCs"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --mtu-outer 9001 --mtu-inner 1420
"$LAB" hole "$lab_name" upload 1500
"$LAB" hole "$lab_name" download 1500
smart
must_recommend
