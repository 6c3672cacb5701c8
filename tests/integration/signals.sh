#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# SIGINT, SIGTERM and SIGHUP to either end during a sweep: it ends with exit status 1
# and names the rows that were stored, and both hosts are as they were.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly GRID=(--mtu-min 1300 --mtu-max 1400 --mtu-step 50)

# Wait for its second pair: one row is stored, and both links differ from before.
mid_sweep()
{
	[[ -e $peer_db && $(sql "$peer_db" "SELECT count(*) FROM results
		WHERE run_id > $last_run" 2>/dev/null) -ge 1 ]] &&
		[[ $(link_mtu server) != "$LAB_MTU" && $(link_mtu peer) != "$LAB_MTU" ]]
}

newest_run()
{
	[[ ! -e $peer_db ]] || sql "$peer_db" 'SELECT ifnull(max(run_id), 0) FROM results'
}

interrupt_peer()
{
	kill -s "$1" "$peer_pid"
	wait_exit "$peer_pid" 10 "the peer after SIG$1"
	check_equal "the peer's exit status after SIG$1" 1 "$status"
	check_match "what the peer says after SIG$1" '(kept|stored|measured).*' \
		"$(tail -n 3 "$tmp/peer.log" | tr '\r' '\n')"
	# The server continues to serve, with its own MTU restored.
	wait_for 10 "both MTUs back after the peer's SIG$1" mtus_are "$LAB_MTU" "$LAB_MTU"
	check_equal 'the server runs on' yes "$(not_running "$server_pid" || echo yes)"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server, told to stop'
}

# The server tells the peer, which restores at once: long before its lease ends, and it
# does not wait for another server.
interrupt_server()
{
	kill -s "$1" "$server_pid"
	wait_for 20 "the peer's MTU back after the server's SIG$1" mtus_are "$LAB_MTU" \
		"$LAB_MTU"
	wait_exit "$server_pid" 10 "the server after SIG$1"
	check_equal "the server's exit status after SIG$1" 1 "$status"
	check_match "what the server says after SIG$1" '(kept|stored|restored)' \
		"$(tail -n 3 "$tmp/server.log" | tr '\r' '\n')"
	check_equal "the server's MTU after its SIG$1" "$LAB_MTU" "$(link_mtu server)"
	wait_exit "$peer_pid" 20 "the peer after the server's SIG$1"
	check_equal "the peer's exit status after the server's SIG$1" 1 "$status"
	check_match "what the peer says after the server's SIG$1" \
		'the server: stopped by .*the server: as before the run' \
		"$(tr '\r\n' '  ' <"$tmp/peer.log")"
	check_match "what the server says of the peer after its SIG$1" \
		'stopped by .*; the peer was told' "$(cat "$tmp/server.log")"
}

test_begin
before=$(hosts_state)
for end in peer server; do
	for signal in INT TERM HUP; do
		last_run=$(newest_run)
		last_run=${last_run:-0}
		start_server "${GRID[@]}" --lease 60
		start_peer "${GRID[@]}" --duration 0.5 --wait 60 --lease 60
		wait_for 20 'a sweep under way' mid_sweep
		"interrupt_$end" "$signal"
		check_same_text "both hosts after SIG$signal to the $end" "$before" \
			"$(hosts_state)"
		check_equal "rows kept after SIG$signal to the $end" yes "$(sql "$peer_db" \
			"SELECT iif(count(*) > 0, 'yes', 'no') FROM results
			 WHERE run_id > $last_run")"
	done
done
