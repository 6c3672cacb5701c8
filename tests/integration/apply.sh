#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/apply.sh [CASE ...]: all of CASES below, or the given ones.
#
# --apply, and the proof and the two commits that it shares with --persist best: both
# ends apply a pair, or neither does.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASES=(given measured fragmented unproved lost fastest_unproved recommended
	udp_closed grid_unanswered no_persist peer_dies never_confirmed refused_there
	confirmed_late confirmed_unheard server_ends advised)

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
	apply 'a given pair' 0 'have applied this pair.*server MTU 1400, peer MTU 1380' \
		--pair 1400,1380
	check_equal 'a given pair' "$(kept 1400 1380)" "$(both_have)"
	check_equal 'the run' 'apply|done|1400|1380|ok' "$(sql "$peer_db" 'SELECT strategy,
		outcome, server_mtu, peer_mtu, status FROM run JOIN results
		ON run.id = run_id')"
	apply 'the same pair again' 0 'both ends have applied this pair' --pair 1400,1380
	check_equal 'the same pair again' "$(kept 1400 1380)" "$(both_have)"
	apply 'an MTU the server does not allow' 1 \
		'server allows MTUs 1280 to 1500, not 1501' \
		--pair 1501,1380
	local want
	want='this end allows MTUs 1280 to 1500, not peer MTU 1501: start it with other'
	apply 'an MTU that is not allowed here' 1 "$want" \
		--pair 1400,1501
	apply 'a server MTU below 1280' 1 \
		'below 1280 its interface must be without IPv6' --pair 1200,1380
	on peer ip -6 addr add fd99::2/64 dev "$LAB_PEER_IF" nodad
	apply 'an MTU below 1280 beside IPv6' 1 \
		"IPv6 on '$LAB_PEER_IF' of this end needs 1280" --pair 1400,1200
	on peer ip -6 addr del fd99::2/64 dev "$LAB_PEER_IF"
	check_equal 'after four refusals' "$(kept 1400 1380)" "$(both_have)"
	undo
}

measured()
{
	start_server --mtu-min 1340 --mtu-max 1400 --mtu-step 60 --once
	start_peer --mtu-min 1340 --mtu-max 1400 --mtu-step 60 --duration 0.3 \
		--no-probe --lease 2
	wait_both 60
	check_match 'a server with a grid' ', MTUs 1340 to 1400 by 60$' \
		"$(grep 'waiting for a peer' "$tmp/server.log")"
	start_keeping_server
	apply 'the fastest of a run' 0 \
		'the pair to apply is [0-9/]*, the fastest of run 1 \(done\)'
	check_equal 'the fastest of a run' "$(kept "$(sql "$peer_db" 'SELECT server_mtu
		FROM results WHERE run_id = 1 ORDER BY upload_mbps + download_mbps DESC,
		server_mtu + peer_mtu DESC, server_mtu DESC LIMIT 1')" "$(sql "$peer_db" \
		'SELECT peer_mtu FROM results WHERE run_id = 1
		ORDER BY upload_mbps + download_mbps DESC, server_mtu + peer_mtu DESC,
		server_mtu DESC LIMIT 1')")" "$(both_have)"
	apply 'a pair of a run' 0 'both ends have applied this' --run 1 --pair 1340,1400
	check_equal 'a pair of a run' "$(kept 1340 1400)" "$(both_have)"
	apply 'a pair that the run has not' 1 'run 1 has no pair 1380/1400 that was ok' \
		--run 1 --pair 1380,1400
	apply 'a run that is not there' 1 "no run '9'" --run 9
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$peer_db" \
		"DELETE FROM run_tunnel WHERE run_id = 1;
		UPDATE run SET server_interface = 'wg9' WHERE id = 1"
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

# Fragments arrive too, but only probes see them. The user's own pair is applied all the
# same; of a grid's pairs, one whose packets arrive whole.
fragmented()
{
	local want
	"$LAB" narrow "$lab_name" upload 1460
	start_keeping_server
	want="packets as large as the peer's MTU arrive in fragments.*although they are"
	apply 'a pair in fragments' 0 "$want fragmented.*both ends have applied this pair" \
		--pair 1420,1420
	check_equal 'a pair in fragments' "$(kept 1420 1420)" "$(both_have)"
	start_keeping_peer --persist best --mtu-min 1400 --mtu-max 1420 --mtu-step 20
	wait_exit "$peer_pid" 60 'the grid'
	check_equal 'the grid: exit status' 0 "$status"
	check_equal "the peer's MTU of a grid's pairs" 1400 "$(link_mtu peer)"
	"$LAB" clear "$lab_name"
	undo
}

# TCP works with this pair, since the smaller MTU bounds it both ways; packets as large
# as the server's own MTU are lost.
unproved()
{
	"$LAB" hole "$lab_name" download 1440
	start_keeping_server
	apply 'a pair that is not proved' 1 \
		"1420, peer MTU 1300 is not applied: packets as large as the server's MTU" \
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
	want='MTU 1420, peer MTU 1400 is not applied: it was not ok.*download blackhole \('
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

# Upload is lost above 1440, download fragmented above 1420. Many pairs work for TCP, and
# which one is fastest is noise: the largest one that fits whole is applied.
recommended()
{
	local range=(--mtu-min 1360 --mtu-max 1420 --mtu-step 20)
	"$LAB" hole "$lab_name" upload 1440
	"$LAB" narrow "$lab_name" download 1420
	start_keeping_server "${range[@]}"
	start_keeping_peer --persist best "${range[@]}"
	wait_exit "$peer_pid" 120 'the peer'
	check_equal 'its exit status' 0 "$status"
	check_equal 'the pair' "$(kept 1360 1380)" "$(both_have)"
	check_match 'what the grid says first of all' \
		'^predicted: server MTU 1360, peer MTU 1380; tests follow' \
		"$(grep -m 1 'MTU 1360' "$tmp/peer.log")"
	check_match 'and at its end' \
		'^recommended: server MTU 1360, peer MTU 1380; upload [0-9.]+ Mbit/s' \
		"$(grep -m 1 '^recommended' "$tmp/peer.log")"
	check_equal 'measurements' 16 "$(sql "$peer_db" 'SELECT count(*) FROM measurement')"
	check_equal 'what the probes say' 'download|1420|whole upload|1440|whole' \
		"$(sql "$peer_db" "SELECT direction, size_max, fate FROM path_band
			WHERE fate = 'whole' ORDER BY direction" | xargs)"
	check_match 'what explains a pair' \
		'download: [^;]*; the path carries those above 1420 bytes in fragments' \
		"$("$MTUSWEEP_BIN/mtusweep" explain --db "$peer_db" --pair 1420,1420)"
	apply 'the recommended pair again' 0 \
		'the pair to apply is 1360/1380, recommended by run 1 \(done\)'
	check_equal "the server's copy" 'grid|1360|1380|fits' "$(sql "$server_db" 'SELECT
		strategy, server_mtu, peer_mtu, kind FROM recommendation
		JOIN reason USING (run_id) JOIN run ON run.id = run_id')"
	"$LAB" clear "$lab_name"
	undo
}

close_udp()
{
	on server nft add table ip closed
	on server nft add chain ip closed in '{ type filter hook input priority 0; }'
	on server nft add rule ip closed in iifname "$LAB_SERVER_IF" udp dport 5000 drop
}

# A grid without an answer to its probes has nothing but rates: it applies nothing, and
# says so before it measures. It does measure with --no-probe, and recommends no pair.
grid_unanswered()
{
	local range=(--mtu-min 1400 --mtu-max 1420 --mtu-step 20) want
	close_udp
	start_keeping_server "${range[@]}"
	start_keeping_peer --persist best "${range[@]}"
	wait_exit "$peer_pid" 60 'the grid without an answer'
	check_equal 'its exit status' 1 "$status"
	want='no pair can be applied: .*UDP port 5000 of the server .*let it in'
	check_match 'what it says' "$want" "$(tr '\n' ' ' <"$tmp/peer.log")"
	check_equal 'its runs' 0 "$(sql "$peer_db" 'SELECT count(*) FROM run')"
	start_keeping_peer --no-probe "${range[@]}"
	wait_exit "$peer_pid" 60 'the grid without probes'
	check_equal 'its exit status' 0 "$status"
	check_equal 'its measurements, and what is known of the path' '4 0 0' \
		"$(sql "$peer_db" 'SELECT count(*) FROM measurement UNION ALL
			SELECT count(*) FROM path UNION ALL
			SELECT count(*) FROM recommendation' | xargs)"
	on server nft delete table ip closed
	undo
}

# Arguments: REGEX. Print the command that the peer's last lines have behind it.
advice()
{
	sed -nE "s|^$1: *||p" "$tmp/peer.log" | head -n 1
}

# The last lines of a run say what the current pair loses, and have the command that
# applies the recommended one: each works as it is typed, whatever the database is called.
advised()
{
	local db="$tmp/db/it's mine.db" command lost arrive
	"$LAB" hole "$lab_name" upload 1440
	start_server --once
	peer_db=$db start_peer --budget 1 --duration 0.3 --wait 20
	wait_exit "$peer_pid" 60 'the run that gives advice'
	check_equal 'its exit status' 0 "$status"
	check_match 'the pairs' '^recommended: 1440/1380 .*; before the run: 1420/1420$' \
		"$(cat "$tmp/peer.log")"
	lost='^with 1420/1420, upload: the tunnel loses every packet above 1376 bytes'
	lost+=' \(with this MTU WireGuard pads one of 1377 to 1392\)$'
	check_match 'what the pair before the run loses' "$lost" "$(cat "$tmp/peer.log")"
	arrive='packets of up to 1420 bytes, its MTU, arrive whole$'
	check_match 'what arrives' "^with 1420/1420, download: $arrive" \
		"$(cat "$tmp/peer.log")"
	check_equal 'what nobody asked for' '' "$(grep 'fastest measured' "$tmp/peer.log" ||
		true)"
	check_match 'the map' '^WireGuard MTUs: ' "$(bash -c "$(advice map)")"
	lost='^upload: .*the path loses those above 1440 bytes'
	check_match 'the explanation' "$lost" "$(bash -c "$(advice explanation)")"
	check_match 'the fastest pair' 'fastest measured: ' \
		"$(bash -c "$(advice 'fastest pair')")"
	wait_exit "$server_pid" 20 'the server'
	command=$(advice 'to apply it, start at the server')
	check_match "the server's command" '^mtusweep-server .*--persist best$' "$command"
	# The lab's conf files are not in the usual folder.
	run_on server bash -c "$MTUSWEEP_BIN/$command --db '$server_db' \
		--conf-file $LAB_SERVER_CONF" </dev/null >"$tmp/server.log" 2>&1 &
	server_pid=$!
	on peer bash -c "$(advice 'and here') --conf-file $LAB_PEER_CONF" \
		>"$tmp/applied.log" 2>&1
	check_equal 'the advice, followed' "$(kept 1440 1380)" "$(both_have)"
	wait_exit "$server_pid" 20 'the server'
	"$LAB" clear "$lab_name"
	# undo ends this server.
	start_keeping_server
	wait_for 10 'the server to listen' listening 5000
	undo
}

udp_closed()
{
	close_udp
	start_keeping_server
	apply 'a closed UDP port' 1 'can be proved.*let it in .*udp dport 5000 accept' \
		--pair 1400,1380
	local want="failed: no pair can be applied.* 0 rows received\$"
	check_match "the server's word of it" "$want" \
		"$(grep ' ended: ' "$tmp/server.log")"
	on server nft delete table ip closed
	undo
}

no_persist()
{
	start_server
	apply 'a server without --persist' 1 'started with --persist none' --pair 1400,1380
	check_match 'a server without a grid' ', MTUs 1280 to 1500$' \
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
		"on 'lo'; a killed run left changes on '$LAB_PEER_IF': name it with" \
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
		'did not confirm that it applied MTU 1400: check' \
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
		'server could not apply MTU 1400: [^:]*conf.*the server: as before' \
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
	apply 'a late confirmation' 0 'the lease expired.*have applied this pair' \
		--pair 1400,1380
	# Count from the commit, not from the start: the server may start later.
	check_equal 'no second commit' '' \
		"$(sed '0,/measurements planned/d' "$tmp/peer.log" |
			grep 'waiting up to' || true)"
	check_equal 'a late confirmation' "$(kept 1400 1380)" "$(both_have)"
	# Meanwhile the session has expired there.
	local want
	want='cannot tell the server that the run ended.*; it has applied MTU 1400'
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
	wait_for 20 'the server to keep its MTU' grep -q 'MTU 1400 is applied' \
		"$tmp/server.log"
	lose_request 'POST /v1/commit'
	wait_exit "$peer_pid" 60 'the peer'
	check_equal 'a confirmation unheard: exit status' 1 "$status"
	check_match 'a confirmation unheard: the session anew' 'session of .*session of ' \
		"$(tr '\n' ' ' <"$tmp/server.log")"
	check_match 'a confirmation unheard: what the peer says' \
		'check its link and conf file \(.*server: it has applied MTU 1400,' \
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
	wait_for 20 'the server to keep its MTU' grep -q 'MTU 1400 is applied' \
		"$tmp/server.log"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_equal "the server's exit status" 0 "$status"
	check_match 'what the server says' 'this end: MTU 1400 is applied, in link' \
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
