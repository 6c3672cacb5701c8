#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The capacity halves during the run, after the first test. Outer packets from
#            the peer above 1440 are lost; links of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": a path whose capacity halves
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" hole "$lab_name" upload 1440
start_server --once
start_peer --wait 30
await_rows 1
"$LAB" rate "$lab_name" upload 2
"$LAB" rate "$lab_name" download 3
await_answer
must_recommend
