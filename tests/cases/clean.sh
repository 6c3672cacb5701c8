#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Nothing is in the way: links of 1500, outer packets over IPv4.
# RIGHT      1440/1440
# SOURCE     openwrt/luci issue 4282, "wireguard MTU cannot exceed 1420"
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
smart
must_recommend
