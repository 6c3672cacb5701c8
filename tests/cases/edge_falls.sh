#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The path changes during the run, after the first test: links of 1500, then
#            outer packets from the peer above 1440 are lost.
# RIGHT      1440/1380, measured after the change; the run says that the path changed
# SOURCE     issue 14, "Noise that is not the MTU's": a path whose edge moves in mid-run
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
start_server --once
start_peer --wait 30
await_rows 1
"$LAB" hole "$lab_name" upload 1440
await_answer
must_say 'the path changed' 'path changed during the run' "$(cat "$tmp/peer.log")"
must_not_say 'the new pair is measured' 'not measured'
must_recommend
