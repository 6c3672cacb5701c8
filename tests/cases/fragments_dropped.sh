#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A firewall on the way drops all fragments; links of 1500.
# RIGHT      1440/1440
# SOURCE     cilium/cilium issue 46100, "WireGuard node-to-node encryption: oversized
#            packets cause fragmentation, and BPF fragment tracking drops most second
#            fragments"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" nofrag "$lab_name" upload
"$LAB" nofrag "$lab_name" download
smart
must_recommend
