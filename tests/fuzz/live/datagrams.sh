#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/fuzz/live/datagrams.sh [--count N] [--seed S] [--state FILE]
#
# Datagrams to the ports of probes, in the lab's tunnel (datagrams.c): N of them (20000).
# Four tenths go to a server that probes with the fuzzer's own session, which answers
# nothing that is not of the session. Three tenths go to the server and three to the peer
# while probes of the path are run, each of which finds the right edges, or gives up since
# the line was down: the datagrams may fill the tunnel of a busy machine. No process of the
# server ends, and its descriptors and memory stay the same.
#
# A campaign with the state file of one that was stopped goes on behind it: FILE.own,
# FILE.server and FILE.peer.

count=20000
# shellcheck source=tests/fuzz/live/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly DATAGRAMS=$MTUSWEEP_BIN/../tests/datagrams
# The largest outer packets that arrive whole.
readonly UP=1460 DOWN=1440
runs=0
given_up=0
senders=()

# Arguments: NAME HOST WAY COUNT ARG ...
send()
{
	on "$2" "$DATAGRAMS" "$3" "$seed" "$4" "$state.$1" "${@:5}" >"$tmp/$1.sent"
}

are_sending()
{
	! are_dead "${senders[@]}"
}

# Probe the path once, beside what is sent.
probe()
{
	start_peer --strategy probe --wait 20
	wait_exit "$peer_pid" 60 'the peer'
	if ((status == 1)) &&
		grep -q 'in 5 attempts: the line was down' "$tmp/peer.log"; then
		given_up=$((given_up + 1))
	else
		runs=$((runs + 1))
	fi
}

# Arguments: DATABASE. Print the different findings of its runs, and how many of each.
findings()
{
	sql "$1" "SELECT count(*) || ' ' || up || ' ' || down FROM (
		SELECT (SELECT group_concat(size_max || ':' || fate) FROM path_band
				WHERE run_id = run.id AND direction = 'upload') AS up,
			(SELECT group_concat(size_max || ':' || fate) FROM path_band
				WHERE run_id = run.id AND direction = 'download') AS down
		FROM run WHERE outcome = 'done') GROUP BY up, down"
}

echo "seed $seed"
test_begin --inner 4 --rate-up 0 --rate-down 0
state=${state:-$tmp/state}
add_neighbour
"$LAB" narrow "$lab_name" upload "$UP"
"$LAB" hole "$lab_name" download "$DOWN"
before=$(hosts_state)
start_server --lease 60
wait_for 10 'the server to listen' listening 5000

own=("$LAB_PEER_IF" "$LAB_PEER_IP" "$LAB_SERVER_IP" "$NEIGHBOUR")
probe
send own peer own $((count / 20)) "${own[@]}" || true
note_resources
status=0
send own peer own $((count * 4 / 10)) "${own[@]}" || status=$?
check_equal 'the exit status of the datagrams with a session' 0 "$status"

send server peer beside $((count * 3 / 10)) "$LAB_PEER_IF" "$LAB_PEER_IP" \
	"$LAB_SERVER_IP" &
senders+=($!)
send peer server beside $((count * 3 / 10)) "$LAB_SERVER_IF" "$LAB_SERVER_IP" \
	"$LAB_PEER_IP" &
senders+=($!)
probe
while are_sending; do
	probe
done
wait "${senders[@]}"
for db in "$server_db" "$peer_db"; do
	check_equal "the findings in ${db##*/}" \
		"$runs $UP:whole,65535:fragmented $DOWN:whole,65535:lost" \
		"$(findings "$db")"
done
check_resources
end_server
check_same_text 'both hosts' "$before" "$(hosts_state)"
cat "$tmp"/*.sent
echo "probes seed $seed: $(cat "$tmp"/*.sent | awk '$2 ~ /^[0-9]+$/ { sum += $2 }
	END { print sum }') datagrams, $runs runs with right edges, $given_up gave up; \
$resources"
