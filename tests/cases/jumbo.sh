#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A cloud network with jumbo frames: all links have 9001.
# RIGHT      8941/8941
# SOURCE     edgelesssys/constellation pull request 1146, "cli: enable jumbo frames for
#            GCP VPCs"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --mtu-outer 9001 --mtu-inner 8921
smart
must_recommend
