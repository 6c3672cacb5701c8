#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/apply.sh [CASE ...]: all of CASES below, or the given ones.
#
# --apply, and the proof and the two commits that it shares with --persist best: both
# ends apply a pair, or neither does.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASES=(given measured unproved lost fastest_unproved udp_closed no_persist
	peer_dies never_confirmed refused_there confirmed_late confirmed_unheard
	server_ends)

# Print the state of both ends: "links 1 2, confs 1 2".
both_have()
{
	echo "links $(link_mtu server) $(link_mtu peer), confs $(sed -n 's/^MTU = //p' \
		"$LAB_SERVER_CONF" "$LAB_PEER_CONF" | xargs)"
}

# Arguments: SERVER-MTU PEER-MTU
kept()
{
	echo "links $1 $2, confs $1 $2"
}

start_keeping_server()
{
	start_server --lease 2 --persist best --conf-file "$LAB_SERVER_CONF" "$@"
}

start_keeping_peer()
{
	start_peer --conf-file "$LAB_PEER_CONF" --duration 0.3 --lease 2 --wait 5 "$@"
}

# Arguments: NAME STATUS REGEX OPTION ... Run the peer with --apply to its end.
apply()
{
	start_keeping_peer --apply "${@:4}"
	wait_exit "$peer_pid" 60 "$1"
	check_equal "$1: exit status" "$2" "$status"
	check_match "$1: what it says" "$3" "$(tr '\n' ' ' <"$tmp/peer.log")"
}

# Return both ends to their state before the case.
undo()
{
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	on server ip link set "$LAB_SERVER_IF" mtu "$LAB_MTU"
	on peer ip link set "$LAB_PEER_IF" mtu "$LAB_MTU"
	cp "$tmp/server.conf" "$LAB_SERVER_CONF"
	cp "$tmp/peer.conf" "$LAB_PEER_CONF"
	rm -f "$peer_db"* "$server_db"* "$LAB_SERVER_CONF".mtusweep-2* \
		"$LAB_PEER_CONF".mtusweep-2*
	check_same_text 'both hosts after the case' "$before" "$(hosts_state)"
}

given()
{
	start_keeping_server
	apply 'a given pair' 0 'both ends keep this pair.*server MTU 1400, peer MTU 1380' \
		--pair 1400,1380
	check_equal 'a given pair' "$(kept 1400 1380)" "$(both_have)"
	check_equal 'the run' 'apply|done|1400|1380|ok' "$(sql "$peer_db" 'SELECT strategy,
		outcome, server_mtu, peer_mtu, status FROM run JOIN results
		ON run.id = run_id')"
	apply 'the same pair again' 0 'both ends keep this pair' --pair 1400,1380
	check_equal 'the same pair again' "$(kept 1400 1380)" "$(both_have)"
	apply 'an MTU the server does not allow' 1 \
		'server allows MTUs 1280 to 1500, not 1501' \
		--pair 1501,1380
	local want
	want='this end allows MTUs 1280 to 1500, not peer MTU 1501: start it with other'
	apply 'an MTU that is not allowed here' 1 "$want" \
		--pair 1400,1501
	check_equal 'after two refusals' "$(kept 1400 1380)" "$(both_have)"
	undo
}

measured()
{
	start_server --mtu-min 1340 --mtu-max 1400 --mtu-step 60 --once
	start_peer --mtu-min 1340 --mtu-max 1400 --mtu-step 60 --duration 0.3 --lease 2
	wait_both 60
	check_match 'a server with a lattice' ', MTUs 1340 to 1400 by 60$' \
		"$(grep 'waiting for a peer' "$tmp/server.log")"
	start_keeping_server
	apply 'the fastest of a run' 0 'both ends keep this pair'
	check_equal 'the fastest of a run' "$(kept "$(sql "$peer_db" 'SELECT server_mtu
		FROM results WHERE run_id = 1 ORDER BY upload_mbps + download_mbps DESC,
		server_mtu + peer_mtu DESC, server_mtu DESC LIMIT 1')" "$(sql "$peer_db" \
		'SELECT peer_mtu FROM results WHERE run_id = 1
		ORDER BY upload_mbps + download_mbps DESC, server_mtu + peer_mtu DESC,
		server_mtu DESC LIMIT 1')")" "$(both_have)"
	apply 'a pair of a run' 0 'both ends keep this pair' --run 1 --pair 1340,1400
	check_equal 'a pair of a run' "$(kept 1340 1400)" "$(both_have)"
	apply 'a pair that the run has not' 1 'run 1 has no pair of server MTU 1380' \
		--run 1 --pair 1380,1400
	apply 'a run that is not there' 1 "no run '9'" --run 9
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$peer_db" \
		"UPDATE run SET server_interface = 'wg9' WHERE id = 1"
	apply "another tunnel's run" 1 "another tunnel: the server's interface" --run 1
	"$MTUSWEEP_BIN/mtusweep" export --run 1 --format csv --db "$peer_db" >"$tmp/run.csv"
	setpriv --reuid "$DB_USER" --clear-groups "$MTUSWEEP_BIN/mtusweep" import \
		--db "$peer_db" "$tmp/run.csv" >/dev/null
	apply 'an imported run' 1 'run [0-9]+ was imported.*--pair' \
		--run "$(sql "$peer_db" \
		"SELECT id FROM run WHERE strategy = 'imported'")"
	check_equal 'after four refusals' "$(kept 1340 1400)" "$(both_have)"
	undo
}

# TCP works with this pair, since the smaller MTU bounds it both ways; packets as large
# as the server's own MTU are lost.
unproved()
{
	"$LAB" hole "$lab_name" download 1440
	start_keeping_server
	apply 'a pair that is not proved' 1 \
		"1420, peer MTU 1300 is not kept: packets as large as the server's MTU" \
		--pair 1420,1300
	check_match 'its tests' 'up [0-9.]+ Mbit/s, down [0-9.]+ Mbit/s' \
		"$(cat "$tmp/peer.log")"
	"$LAB" clear "$lab_name"
	undo
}

# TCP does not work with this pair either.
lost()
{
	"$LAB" hole "$lab_name" download 1400
	start_keeping_server
	local want
	want='MTU 1420, peer MTU 1400 is not kept: it was not ok.*download blackhole \('
	apply 'a pair that is lost' 1 "$want" \
		--pair 1420,1400
	"$LAB" clear "$lab_name"
	undo
}

# The same for the fastest pair of a sweep: the next one is applied.
fastest_unproved()
{
	"$LAB" hole "$lab_name" download 1440
	start_keeping_server --mtu-min 1300 --mtu-max 1420 --mtu-step 120
	start_keeping_peer --persist best --mtu-min 1300 --mtu-max 1300
	wait_exit "$peer_pid" 60 'the peer'
	check_equal 'its exit status' 0 "$status"
	check_equal 'pairs that were ok for TCP' 2 \
		"$(sql "$peer_db" "SELECT count(*) FROM results WHERE status = 'ok'")"
	check_equal 'the proved pair' "$(kept 1300 1300)" "$(both_have)"
	"$LAB" clear "$lab_name"
	undo
}

udp_closed()
{
	on server nft add table ip closed
	on server nft add chain ip closed in '{ type filter hook input priority 0; }'
	on server nft add rule ip closed in iifname "$LAB_SERVER_IF" udp dport 5000 drop
	start_keeping_server
	apply 'a closed UDP port' 1 'cannot be proved.*let UDP port 5000 in' \
		--pair 1400,1380
	local want
	want="failed: no pair is kept.*tunnel's interface of the server, 1 row received\$"
	check_match "the server's word of it" "$want" \
		"$(grep ' ended: ' "$tmp/server.log")"
	on server nft delete table ip closed
	undo
}

no_persist()
{
	start_server
	apply 'a server without --persist' 1 'started with --persist none' --pair 1400,1380
	check_match 'a server without a lattice' ', MTUs 1280 to 1500$' \
		"$(grep 'waiting for a peer' "$tmp/server.log")"
	undo
}

# Nobody confirms any more: the server restores its MTU within its lease.
peer_dies()
{
	start_keeping_server
	mute_server_after 'POST /v1/arm' 60s
	start_keeping_peer --apply --pair 1400,1380
	wait_for 20 'both MTUs changed' mtus_are 1400 1380
	kill_all "$peer_pid"
	wait_for 10 "the server's MTU to come back" server_is_back
	check_match 'what --restore says of another interface' \
		"to put back on 'lo'; one did on '$LAB_PEER_IF': name it with --interface" \
		"$(on peer "$MTUSWEEP_BIN/mtusweep-peer" --restore --interface lo 2>&1)"
	on peer "$MTUSWEEP_BIN/mtusweep-peer" --restore --interface "$LAB_PEER_IF" \
		2>/dev/null
	unmute_server
	undo
}

server_is_back()
{
	[[ $(link_mtu server) == "$LAB_MTU" ]]
}

# The confirmation never arrives: both ends restore, and the peer names the state that
# the server may have.
never_confirmed()
{
	start_keeping_server
	lose_request 'POST /v1/commit'
	apply 'a lost confirmation' 1 \
		'did not confirm that it keeps MTU 1400, so it may hold' \
		--pair 1400,1380
	find_request_again
	undo
}

# The server refuses with a reason: then it has not committed, and nothing is unclear.
refused_there()
{
	start_keeping_server
	wait_for 10 'the server to listen' listening 5000
	echo '# no section' >"$LAB_SERVER_CONF"
	apply 'a refused confirmation' 1 \
		'the server could not keep MTU 1400: [^:]*conf.*the server: as it was' \
		--pair 1400,1380
	check_equal 'links after a refused confirmation' "$LAB_MTU $LAB_MTU" \
		"$(link_mtu server) $(link_mtu peer)"
	undo
}

# The answer comes after this end's lease has expired, but in time for the request: TCP
# retransmits it after 3 s.
confirmed_late()
{
	start_keeping_server
	mute_server_after 'POST /v1/commit' 2600ms
	apply 'a late confirmation' 0 'the lease ran out.*both ends keep this pair' \
		--pair 1400,1380
	# Count from the commit, not from the start: the server may start later.
	check_equal 'no second commit' '' \
		"$(sed '0,/visits planned/d' "$tmp/peer.log" |
			grep 'waiting up to' || true)"
	check_equal 'a late confirmation' "$(kept 1400 1380)" "$(both_have)"
	# Meanwhile the session has expired there.
	local want
	want='could not be told that the run ended.*; it keeps MTU 1400, in link and conf'
	check_match 'the end of the run' "$want" \
		"$(cat "$tmp/peer.log")"
	unmute_server
	undo
}

# The server applies its MTU, but the answer is lost, and so is the answer to a second
# commit in a new session. The peer's last message must name the server's real state.
confirmed_unheard()
{
	start_keeping_server
	mute_server_after 'POST /v1/commit' 6s
	start_keeping_peer --apply --pair 1400,1380
	wait_for 20 'the server to keep its MTU' grep -q 'MTU 1400 is kept' \
		"$tmp/server.log"
	lose_request 'POST /v1/commit'
	wait_exit "$peer_pid" 60 'the peer'
	check_equal 'a confirmation unheard: exit status' 1 "$status"
	check_match 'a confirmation unheard: the session anew' 'session of .*session of ' \
		"$(tr '\n' ' ' <"$tmp/server.log")"
	check_match 'a confirmation unheard: what the peer says' \
		'may hold it or not.*the server: it keeps MTU 1400, in link and conf file' \
		"$(tr '\n' ' ' <"$tmp/peer.log")"
	check_equal 'a confirmation unheard: links' "1400 $LAB_MTU" \
		"$(link_mtu server) $(link_mtu peer)"
	find_request_again
	unmute_server
	undo
}

# The server is told to end after its commit, before the peer has closed the session.
server_ends()
{
	start_keeping_server
	lose_request 'POST /v1/close'
	start_keeping_peer --apply --pair 1400,1380
	wait_for 20 'the server to keep its MTU' grep -q 'MTU 1400 is kept' \
		"$tmp/server.log"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_equal "the server's exit status" 0 "$status"
	check_match 'what the server says' 'this end: keeps MTU 1400, in link and conf' \
		"$(cat "$tmp/server.log")"
	wait_exit "$peer_pid" 20 'the peer'
	check_equal "the peer's exit status" 0 "$status"
	check_equal 'a server that ends' "$(kept 1400 1380)" "$(both_have)"
	check_equal 'the outcome it stores' 'done|' \
		"$(sql "$server_db" 'SELECT outcome, outcome_text FROM run')"
	find_request_again
	# undo ends this server.
	start_keeping_server
	wait_for 10 'the server to listen' listening 5000
	undo
}

(($#)) || set -- "${CASES[@]}"
test_begin
cp "$LAB_SERVER_CONF" "$tmp/server.conf"
cp "$LAB_PEER_CONF" "$tmp/peer.conf"
before=$(hosts_state)
for case; do
	"$case"
done
