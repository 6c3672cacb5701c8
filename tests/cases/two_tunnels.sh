#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  One host is the server of a tunnel and the peer of another; both are swept at
#            once. Links of 1500.
# RIGHT      1440/1440 for both
# SOURCE     oquijano.net, "NSWG Part 2: Hocus Pocus"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
# The lab's server has a second tunnel to a third host, of which it is the peer.
add_host third 3
third=$namespace
tie "$third" "wgt$$" 10.80.0.1 10.78.3.2 "$LAB_SERVER" "wgs$$" 10.80.0.2 10.78.1.2
# shellcheck disable=SC2034 # for run_on
LAB_THIRD=$third
run_on third "$MTUSWEEP_BIN/mtusweep-server" --interface "wgt$$" --server-ip 10.80.0.1 \
	--db "$tmp/db/third.db" --once </dev/null >"$tmp/third.log" 2>&1 &
third_pid=$!
run_on server "$MTUSWEEP_BIN/mtusweep-peer" --interface "wgs$$" --server-ip 10.80.0.1 \
	--db "$tmp/db/second.db" --wait 30 </dev/null >"$tmp/second.log" 2>&1 &
second_pid=$!
smart
wait_exit "$second_pid" 240 'the second peer'
second=$(sed -n 's/^recommended: .* MTU \([0-9]*\), peer MTU \([0-9]*\);.*/\1\/\2/p' \
	"$tmp/second.log")
kill -TERM "$third_pid" 2>/dev/null || true
wait_exit "$third_pid" 20 'the third server'
must_be 'the other tunnel' 1440/1440 "$second"
must_recommend
