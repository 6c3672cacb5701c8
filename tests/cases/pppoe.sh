#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  PPPoE at both ends: routers fragment outer packets above 1492.
# RIGHT      1432/1432
# SOURCE     opnsense/core issue 5393, "MTU of the Wireguard interface when WAN uses a
#            PPPoE connection"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" narrow "$lab_name" upload 1492
"$LAB" narrow "$lab_name" download 1492
smart
must_recommend
