#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/fuzz/live/exchanges.sh [--count N] [--seed S] [--state FILE]
#
# Whole HTTP exchanges, valid and odd ones, with a live server in the lab's tunnel
# (exchanges.c): N requests (2000). Each has a documented answer within a second, no
# process of the server ends, and its descriptors and memory are at the end what they were
# after the first tenth. Afterwards the server serves a probe of the path, and the host is
# as it was.
#
# A campaign with the state file of one that was stopped goes on behind it.

count=2000
# shellcheck source=tests/fuzz/live/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly EXCHANGES=$MTUSWEEP_BIN/../tests/exchanges

# Arguments: COUNT. Send requests up to this number.
exchange()
{
	on peer "$EXCHANGES" "$seed" "$1" "$state" "$LAB_SERVER_IP" "$LAB_PEER_IP" \
		"$NEIGHBOUR" "/run/netns/$LAB_SERVER"
}

echo "seed $seed"
test_begin --inner 4 --rate-up 0 --rate-down 0
state=${state:-$tmp/state}
add_neighbour
before=$(hosts_state)
start_server --lease 5 --persist best --conf-file "$LAB_SERVER_CONF"
wait_for 10 'the server to listen' listening 5000

status=0
{
	exchange $((count / 10)) >"$tmp/first" || status=$?
	note_resources
	exchange "$count" >"$tmp/answers" || status=$?
}
head -n -1 "$tmp/first" | head -n 40
head -n -1 "$tmp/answers" | head -n 40
check_equal 'the exit status of the exchanges' 0 "$status"
check_resources

start_peer --strategy probe --wait 20
wait_exit "$peer_pid" 60 'the peer'
check_match 'a probe of the path afterwards' '^recommended: ' "$(<"$tmp/peer.log")"
end_server
check_same_text 'both hosts' "$before" "$(hosts_state)"
echo "http seed $seed: $(tail -n 1 "$tmp/answers"); $resources"
