#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  PPPoE, outer packets over IPv6: routers answer "packet too big" above 1492.
# RIGHT      1412/1412
# SOURCE     lists.zx2c4.com, WireGuard, August 2023, "IPv6 and PPPoE with MSSFIX"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --endpoint 6
"$LAB" narrow "$lab_name" upload 1492
"$LAB" narrow "$lab_name" download 1492
smart
must_recommend
