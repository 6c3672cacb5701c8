#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/slow_path.sh probe|sweep|smart|bloat
#
# A path whose round trip takes seconds, as by satellite or through a modem's full queue:
# the server is found, the path is probed, a pair is measured, stored rows reach the
# server, and the session is closed. probe, sweep: 3 s at any time, by a relay for the
# tunnel's outer packets; smart: 0.6 s. bloat: almost none at first, and up to 4 s once a
# test has filled the queue. --lease and --wait have their defaults; the lease grows by
# itself.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly RELAY_PORT=51821
delay_ms=${SLOW_PATH_DELAY_MS:-1500}

relay_is_ready()
{
	grep -q ready "$tmp/relay.log"
}

# Redirect the peer's tunnel through a relay on the router, which is slow from here on.
# It ends with the lab.
slow_down()
{
	local key
	key=$(sed -n 's/^PublicKey = //p' "$LAB_PEER_CONF")
	run_on router "${BASH_SOURCE[0]%/*}/line_relay.pl" 10.78.2.1 "$RELAY_PORT" \
		10.78.1.1 \
		10.78.1.2 51820 "$delay_ms" </dev/null >"$tmp/relay.log" 2>&1 &
	relay_pid=$!
	wait_for 10 'the relay' relay_is_ready
	on peer wg set "$LAB_PEER_IF" peer "$key" endpoint "10.78.2.1:$RELAY_PORT"
	# The server follows the peer's new source address.
	on peer ping -qc 2 -W 5 "$LAB_SERVER_IP" >"$tmp/ping.log"
	kill -USR1 "$relay_pid"
	round_trip=$(on peer ping -qc 1 -W 20 "$LAB_SERVER_IP" |
		sed -n 's/^rtt [^=]*= \([0-9.]*\).*/\1/p')
	check_near 'the round trip, ms' $((2 * delay_ms)) 10 "$round_trip"
}

log()
{
	tr '\r' '\n' <"$tmp/$1.log"
}

rows()
{
	sql "$1" "SELECT group_concat(format('%d/%d %s %s', server_mtu, peer_mtu,
		upload_status, download_status)) FROM measurement"
}

check_both_have()
{
	check_equal "rows in the peer's database" "$1" "$(rows "$peer_db")"
	check_equal "rows in the server's database" "$1" "$(rows "$server_db")"
	check_equal 'how the run ended at the server' 'done' \
		"$(sql "$server_db" 'SELECT outcome FROM run')"
	check_equal 'rows that the server has not acknowledged' 0 \
		"$(sql "$peer_db" \
		'SELECT count(*) FROM measurement WHERE NOT acknowledged')"
}

probe()
{
	test_begin --inner 4
	slow_down
	before=$(hosts_state)
	start_server
	start_peer --strategy probe
	wait_exit "$peer_pid" 200 'the peer'
	check_equal "the peer's exit status" 0 "$status"
	check_match 'what the probe found' \
		'recommended: server MTU 1440, peer MTU 1440; predicted' "$(log peer)"
	check_match 'a longer lease, said' 'the lease is [0-9]+ s instead of 10' \
		"$(log peer)"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_same_text 'both hosts' "$before" "$(hosts_state)"
}

sweep()
{
	test_begin --inner 4
	slow_down
	before=$(hosts_state)
	start_server --mtu-min 1400 --mtu-max 1400 --once
	start_peer --mtu-min 1400 --mtu-max 1400 --duration 1
	wait_both 250
	check_both_have '1400/1400 ok ok'
	check_match 'what the rates are worth' '^short_tests 1000 [0-9]+ [0-9]+$' "$(sql \
		"$peer_db" "SELECT
			kind || ' ' || duration_ms || ' ' || rtt_ms || ' ' || value
			FROM run_warning")"
	check_same_text 'both hosts' "$before" "$(hosts_state)"
}

# The recommendation says that the tests are short, not a warning of the run beside it.
smart()
{
	local sentence="tests of 1.0 s are short .*TCP's start"
	delay_ms=300
	test_begin --inner 4
	slow_down
	start_server --once
	start_peer --strategy smart --mtu-min 1400 --mtu-max 1440 --mtu-step 40 \
		--duration 1 --budget 1
	wait_both 250
	check_match 'what the answer says' "warning: $sentence" \
		"$(sed -n '/^recommended: /,$p' <<<"$(log peer)")"
	check_match 'what is said before' "$sentence" \
		"$(sed '/^recommended: /,$d' <<<"$(log peer)")"
	check_equal 'what is stored' 'recommendation short_tests 1000' "$(sql "$peer_db" \
		"SELECT about || ' ' || kind || ' ' || duration_ms FROM run_warning
		WHERE kind = 'short_tests'")"
}

bloat()
{
	test_begin --inner 4 --rate-up 3 --rate-down 3 --queue 4000
	before=$(hosts_state)
	start_server --mtu-min 1400 --mtu-max 1400 --once
	# Unlike cubic, reno does not leave slow start before it has filled the queue.
	start_peer --mtu-min 1400 --mtu-max 1400 --duration 5 --congestion reno
	wait_both 250
	check_both_have '1400/1400 ok ok'
	check_equal 'a queue of seconds was filled' yes "$(sql "$peer_db" "SELECT
		iif(upload_rtt_us > 1000000, 'yes', upload_rtt_us) FROM measurement")"
	check_same_text 'both hosts' "$before" "$(hosts_state)"
}

"$1"
