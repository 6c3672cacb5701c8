#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/liar.sh [CASE ...]: all of CASES below, or the given ones.
#
# The other end lies (liar.c): wrong, huge, negative, late, repeated and contradictory
# figures, MTUs outside what was agreed, endless bodies, other runs. Each lie is a line of
# a table, with what the honest program says and stores. After each, links, addresses and
# conf files are as before, and the database is small.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly LIAR=${MTUSWEEP_BIN%/*}/tests/liar
# Bytes of a database with one run of two pairs; and the time of one run.
readonly SIZE_MAX=131072 SECONDS_MAX=40

# Bytes of a database with all the runs that a peer may begin within a day.
readonly FLOOD_MAX=4194304

spoke_before=
liar_pid=
iperf_pid=
before=

# Arguments: NAME. Print the lines of the table of this name.
lies()
{
	awk '/^#/ { next }
		/^\t/ { sub(/^\t/, " "); line = line $0; next }
		line { print line }
		{ line = $0 }
		END { print line }' "${BASH_SOURCE[0]%/*}/lies_$1"
}

# --- a lying server ------------------------------------------------------------------

stored()
{
	[[ -s $peer_db ]] || return 0
	sql "$peer_db" "SELECT format('%d %d %d', count(seq),
		coalesce(sum(upload_status = 'ok' AND download_status = 'ok'), 0),
		(SELECT count(*) FROM run_warning))
		FROM run LEFT JOIN measurement ON run_id = run.id GROUP BY run.id"
}

# Arguments: EXIT SAYS STORED LIE [OPTION ...] of the peer
server_lie()
{
	local began=$EPOCHSECONDS
	rm -f "$peer_db"*
	run_on server "$LIAR" server "$LAB_SERVER_IP" "$4" >>"$tmp/liar.log" 2>&1 &
	liar_pid=$!
	wait_for 10 'the liar to listen' listening 5000
	start_peer --mtu-min 1300 --mtu-max 1300 --duration 0.1 --lease 2 --wait 2 "${@:5}"
	wait_exit "$peer_pid" "$SECONDS_MAX" "the peer of '$4'"
	check_equal "$4: exit status" "$1" "$status"
	check_match "$4: what the peer says" "$2" "$(cat "$tmp/peer.log")"
	check_equal "$4: rows, whole ones, warnings" "${3#none}" "$(stored)"
	check_same_text "$4: both hosts" "$before" "$(hosts_state)"
	check_equal "$4: a small database" yes \
		"$( (($(stat -c %s "$peer_db") <= SIZE_MAX)) && echo yes)"
	kill -TERM "$liar_pid"
	wait "$liar_pid" || true
	echo "$((EPOCHSECONDS - began)) s: $4"
}

server()
{
	local status says stored lie
	run_on server iperf3 -s -B "$LAB_SERVER_IP" >"$tmp/iperf.log" 2>&1 &
	iperf_pid=$!
	wait_for 10 'iperf3 to listen' listening 5201
	while IFS='|' read -r -u 8 status says stored lie; do
		says=${says# }
		stored=${stored% }
		server_lie "${status% }" "${says% }" "${stored# }" "${lie# }" \
			--strategy grid --no-probe
	done 8< <(lies server)
	kill "$iperf_pid"
}

# --- a lying peer --------------------------------------------------------------------

server_stored()
{
	sql "$server_db" "SELECT count(*) FROM measurement
		WHERE run_id = (SELECT max(id) FROM run)"
}

# Arguments: STEP ... Print the names of the answers in a line.
ask()
{
	on peer "$LIAR" peer "$LAB_SERVER_IP" "$@" | tee -a "$tmp/liar.log" |
		awk '{ printf "%s%s", (NR == 1 ? "" : " "), $5 } END { print "" }'
}

# Arguments: ANSWERS ROWS STEP ... The session is closed after the last step.
peer_lie()
{
	local answers=$1 rows=$2
	shift 2
	check_equal "$*: answers" "$answers" "$(ask "$@" close | sed 's/ [A-Z]*$//')"
	check_equal "$*: rows of the newest run" "$rows" "$(server_stored)"
	check_same_text "$*: both hosts" "$before" "$(hosts_state)"
}

peer()
{
	local answers rows text steps
	rm -f "$server_db"*
	start_server "${GRID_3X3[@]}" --lease 3 --persist best \
		--conf-file "$LAB_SERVER_CONF"
	wait_for 10 'the server to listen' listening 5000
	ask open pair row close >"$tmp/honest"
	check_equal 'an honest peer' 'OK OK OK OK' "$(cat "$tmp/honest")"
	while IFS='|' read -r -u 8 answers rows text; do
		text=${text# }
		mapfile -t steps <<<"${text// ; /$'\n'}"
		rows=${rows# }
		peer_lie "${answers% }" "${rows% }" "${steps[@]}"
	done 8< <(lies peer)
	check_equal 'MTUs of the copies outside what was agreed' 0 "$(sql "$server_db" "
		SELECT count(*) FROM measurement
		WHERE server_mtu NOT BETWEEN 1300 AND 1400 OR peer_mtu = 65535")"
	check_equal 'a small database' yes \
		"$( (($(stat -c %s "$server_db") <= 4 * SIZE_MAX)) && echo yes)"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_equal "the server's exit status" 0 "$status"
}

# --- a hostile spoke -----------------------------------------------------------------

# Arguments: ADDRESS. Print the MTU of the hub's route to it.
route_to()
{
	on server ip route get "$1" | grep -o 'mtu [0-9]*' || echo "the link's"
}

is_restored()
{
	[[ $(hosts_state) == "$before" && $(route_to "$LAB_PEER_IP") == "$spoke_before" ]]
}

# A spoke of a hub has its own route's MTU changed, and nobody else's; it cannot name
# another spoke, and a second session is refused to it while another's lasts.
spoke()
{
	local other=10.77.0.9 other_before
	rm -f "$server_db"*
	on server wg set "$LAB_SERVER_IF" peer "$(wg genkey | wg pubkey)" \
		allowed-ips "$other/32"
	spoke_before=$(route_to "$LAB_PEER_IP")
	other_before=$(route_to "$other")
	# As routes through a userspace WireGuard can have them.
	start_server --mtu-min 1296 --mtu-max 1392 --mtu-step 48 --lease 2
	wait_for 10 'the server to listen' listening 5000
	check_equal 'a session with the address of another spoke' 'OK OK' "$(ask \
		'open {"run":{"server_range":{"min":1296,"max":1392,"step":48},
		"peer":{"address":"10.77.0.9"}}}' 'pair {"mtu":1296}')"
	check_match 'its own route' 'mtu 1296' "$(route_to "$LAB_PEER_IP")"
	check_same_text 'the route to the other spoke' "$other_before" \
		"$(route_to "$other")"
	check_same_text "the hub's link" "$before" "$(hosts_state | grep -v journal)"
	wait_for 20 'the end of the lease' is_restored
	check_equal 'whose run it is' "$LAB_PEER_IP" \
		"$(sql "$server_db" 'SELECT peer_address FROM run')"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	on server wg set "$LAB_SERVER_IF" peer "$(on server wg show "$LAB_SERVER_IF" \
		allowed-ips | awk -v ip="$other/32" '$2 == ip { print $1 }')" remove
}

# --- as much as possible -------------------------------------------------------------

# Arguments: STEP ... Print how many requests got which answer.
ask_many()
{
	on peer "$LIAR" peer "$LAB_SERVER_IP" "$@" |
		awk '{ printf "%s%s %s", (NR == 1 ? "" : ", "), $1, $5 } END { print "" }'
}

flood()
{
	local size
	rm -f "$server_db"*
	start_server "${GRID_3X3[@]}" --lease 5
	wait_for 10 'the server to listen' listening 5000
	check_equal 'rows without a pair' '1 OK, 100 OK, 50 EDQUOT, 1 OK' \
		"$(ask_many open 'row*150' close)"
	check_equal 'paths and recommendations' \
		'1 OK, 1 OK, 100 OK, 20 OK, 1 OK' "$(ask_many open path \
		'path*100 {"download":true}' 'recommendation*20' close)"
	check_equal 'paths that are stored' '2 4' "$(sql "$server_db" "
		SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM path_band)" |
		tr '|' ' ')"
	# With the two above.
	check_equal 'runs of a day' '1998 OK, 3 EDQUOT' "$(ask_many 'run*2001')"
	check_equal 'runs that are stored' 2000 \
		"$(sql "$server_db" 'SELECT count(*) FROM run')"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	size=$(stat -c %s "$server_db")
	echo "$size bytes, and $(stat -c %s "$server_db.secrets") of secrets"
	check_equal 'the database is small' yes "$( ((size <= FLOOD_MAX)) && echo yes)"
}

readonly CASES=(server peer spoke flood)

(($#)) || set -- "${CASES[@]}"
test_begin
before=$(hosts_state)
for case; do
	"$case"
done
