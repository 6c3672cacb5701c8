#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# GET /metrics of a server before, during and after a sweep, over the tunnel and on its
# own host: Prometheus' own checker accepts it, and the values are the database's.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly PROMTOOL=${BASH_SOURCE[0]%/*}/../../build/promtool
# The server's answer may be two seconds old.
readonly FRESH_SECONDS=2

# Arguments: HOST ADDRESS. Fetch the metrics into $tmp/metrics; check their format.
scrape()
{
	local answer
	# shellcheck disable=SC2016 # its own arguments
	answer=$(on "$1" timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/5000"
		printf "GET /metrics HTTP/1.1\r\nHost: %s\r\n\r\n" "$1" >&3
		cat <&3' - "$2" | tr -d '\r')
	check_match "the answer to $1" \
		'^HTTP/1.1 200 OK.*Content-Type: text/plain; version=0.0.4' \
		"$(tr '\n' ' ' <<<"$answer")"
	sed '1,/^$/d' <<<"$answer" >"$tmp/metrics"
	check_equal "what promtool says of what $1 gets" '' \
		"$("$PROMTOOL" check metrics <"$tmp/metrics" 2>&1)"
}

over_tunnel()
{
	scrape peer "$LAB_SERVER_IP"
}

on_host()
{
	scrape server 127.0.0.1
}

# Arguments: NAME [LABELS]. Print the value of the sample whose last labels these are.
metric()
{
	awk -v name="mtusweep_$1{" -v labels="${2:+,$2}} " \
		'index($0, name) == 1 && index($0, labels) { print $NF }' "$tmp/metrics"
}

count_pairs()
{
	grep -c '^mtusweep_pair_' "$tmp/metrics" || true
}

session_is_open()
{
	over_tunnel
	[[ $(metric session_open) == 1 ]] && (($(metric run_visits) >= 2))
}

test_begin --inner 4
before=$(hosts_state)
start_server "${GRID_3X3[@]}"
wait_for 10 'the server to listen' listening 5000
over_tunnel
check_equal 'an open session, before' 0 "$(metric session_open)"
check_equal 'visits, before' '' "$(metric run_visits)"

start_peer "${GRID_3X3[@]}" --strategy grid --duration 0.8
wait_for 30 'a session with two visits' session_is_open
check_equal 'pairs over the tunnel' 0 "$(count_pairs)"
check_match 'the run under way' 'mtusweep_run_info\{.*strategy="grid",state="running"\} 1' \
	"$(cat "$tmp/metrics")"
on_host
check_match 'pairs on the host' '^[1-9]' "$(count_pairs)"
wait_exit "$peer_pid" 60 'the peer'
check_equal 'exit status of the peer' 0 "$status"

sleep "$FRESH_SECONDS"
on_host
check_equal 'an open session, after' 0 "$(metric session_open)"
check_equal 'visits, after' 9 "$(metric run_visits)"
check_equal 'visits planned' 9 "$(metric run_planned_visits)"
check_equal 'rates and failures of pairs' 36 "$(count_pairs)"
check_equal 'the upload of a pair, in bit/s' "$(sql "$server_db" \
	"SELECT printf('%d', round(upload_mbps * 1e6)) FROM results
	 WHERE (server_mtu, peer_mtu) =
		(SELECT server_mtu, peer_mtu FROM results LIMIT 1)")" \
	"$(awk -v bytes="$(metric pair_goodput_bytes_per_second "$(sql "$server_db" \
		"SELECT printf('server_mtu=\"%d\",peer_mtu=\"%d\",direction=\"upload\"',
		 server_mtu, peer_mtu) FROM results LIMIT 1")")" \
		'BEGIN { printf "%d", bytes * 8 }')"
check_equal 'the fastest pair' \
	"$("$MTUSWEEP_BIN/mtusweep" best --db "$server_db" |
		sed -n 's/^fastest measured: //p' | head -n 1)" \
	"server MTU $(metric mtu_fastest_bytes 'end="server"'), peer MTU $(metric \
		mtu_fastest_bytes 'end="peer"')"
# Every series says which tunnel it is of; the MTU in use is that of this host's link.
labels="server=\"[^\"]+\",peer=\"[^\"]+\",interface=\"$LAB_SERVER_IF\""
labels+=",tunnel=\"[^\"]{17}\""
check_equal 'series without the labels' 0 "$(grep '^mtusweep_' "$tmp/metrics" |
	grep -v '^mtusweep_server_info\|^mtusweep_session_open' |
	grep -cvE "[{]${labels}[,}]" || true)"
check_equal 'the MTU of the server now' "$(link_mtu server)" \
	"$(metric mtu_live_bytes 'end="server"')"
check_equal 'the MTU of the other host' '' "$(metric mtu_live_bytes 'end="peer"')"
check_equal 'the time of the last result' "$(metric run_end_time_seconds)" \
	"$(metric last_result_timestamp_seconds)"
check_same_text 'both hosts' "$before" "$(hosts_state)"
kill -TERM "$server_pid"
wait_exit "$server_pid" 10 'the server'
