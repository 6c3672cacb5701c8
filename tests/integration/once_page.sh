#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# With --once the server's page does not die at the moment of the result: a reader, which
# asks every second as the page does, gets the end of the run.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Ask until nobody listens; leave the last good answer in $tmp/last. A refusal (the server
# is busy) is none.
read_page()
{
	local url="http://$LAB_SERVER_IP:5000/progress?reader=0123abcd" result
	while :; do
		result=0
		on peer curl -sf --max-time 10 "$url" >"$tmp/answer" || result=$?
		((result == 0)) && mv "$tmp/answer" "$tmp/last"
		# 7: no connection.
		((result != 7)) || [[ ! -e $tmp/last ]] || break
		sleep 0.5
	done
}

test_begin
start_server "${GRID_3X3[@]}" --once
wait_for 10 'the server to listen' listening 5000
read_page &
reader_pid=$!
start_peer "${GRID_3X3[@]}" --duration 0.3
wait_both 60
wait_exit "$reader_pid" 20 'the reader'
check_match 'the last answer to the reader' '"state": ?"done"' "$(cat "$tmp/last")"
check_match 'its measurements' '"visits": ?9,' "$(cat "$tmp/last")"
check_match 'its recommendation' '"recommended": ?\{' "$(cat "$tmp/last")"
