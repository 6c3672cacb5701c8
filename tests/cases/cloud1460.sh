#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A cloud network with links of 1460 that drops fragments.
# RIGHT      1400/1400
# SOURCE     wg-easy/wg-easy issue 1027, "Add option to set server MTU"
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --mtu-outer 1460 --mtu-inner 1380
"$LAB" nofrag "$lab_name" upload
"$LAB" nofrag "$lab_name" download
smart
must_recommend
