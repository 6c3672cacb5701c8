#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  DS-Lite: outer packets above 1460 are lost without a message, both ways.
# RIGHT      1400/1400
# SOURCE     blog.henrici.name, "Networks: MTU with DS-Lite and WireGuard"
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" hole "$lab_name" upload 1460
"$LAB" hole "$lab_name" download 1460
smart
must_recommend
