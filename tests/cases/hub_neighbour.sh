#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The server is a hub with two spokes. While one is swept, the hub sends
#            packets as large as its MTU of 1420, with DF, to the other. Links of 1500.
# RIGHT      1440/1440 or 1420/1440, and no packet to the other spoke is refused
# SOURCE     NethServer/nethsecurity issue 1467, "Allow editing of MTU for Wireguard
#            peers"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
add_spoke second 3
run_on server ping -i 0.2 -M "do" -s 1392 10.77.0.3 >"$tmp/ping" 2>&1 &
ping_pid=$!
smart
kill -INT "$ping_pid"
wait_exit "$ping_pid" 10 ping
must_be 'packets refused' 0 "$(grep -c 'message too long' "$tmp/ping" || true)"
check_match 'packets were sent' '[1-9][0-9]+ packets transmitted' "$(cat "$tmp/ping")"
must_recommend
