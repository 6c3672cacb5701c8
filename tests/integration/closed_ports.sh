#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A firewall at the server closes a port that a run needs. The run ends as soon as that is
# known, and names the port, the end and a rule that mends it; the rule does.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Arguments: MATCH VERDICT
close_port()
{
	on server nft -f - <<-RULES
		table inet filter {
			chain input {
				type filter hook input priority filter;
				iifname "$LAB_SERVER_IF" $1 $2
			}
		}
	RULES
}

# Arguments: NAME. Do what the peer's last words advise, as they are.
follow_advice()
{
	local advice words
	advice=$(grep -o "'nft [^']*'" "$tmp/peer.log" | head -n 1 | tr -d "'")
	check_match "$1: the advice" '^nft insert rule inet filter input iifname ' "$advice"
	read -ra words <<<"$advice"
	on server "${words[@]}"
}

# Arguments: NAME WANTED. The peer fails, has said WANTED, and both hosts are as before.
check_refused()
{
	local began=${EPOCHREALTIME/[.,]/}
	wait_exit "$peer_pid" 30 "$1: the peer"
	echo "$1: the peer ended after $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) ms"
	check_equal "$1: exit status" 1 "$status"
	check_match "$1: what it says" "$2" "$(tr '\r\n' '  ' <"$tmp/peer.log")"
	check_same_text "$1: both hosts" "$before" "$(hosts_state)"
}

reopen()
{
	on server nft delete table inet filter
	rm -f "$peer_db"* "$server_db"*
}

test_begin
before=$(hosts_state)

start_server --persist best --conf-file "$LAB_SERVER_CONF"
close_port 'udp dport 5000' drop
start_peer --persist best --conf-file "$LAB_PEER_CONF" --wait 20
check_refused 'no UDP' "no pair can be applied: .*UDP port 5000 of the server"
check_equal 'no UDP: runs' 0 "$(sql "$peer_db" 'SELECT count(*) FROM run')"
start_peer --apply --pair 1400/1400 --conf-file "$LAB_PEER_CONF" --wait 20
check_refused 'no UDP, a pair' "no pair can be applied: .*UDP port 5000 of the server"
check_equal 'no UDP, a pair: runs' 0 "$(sql "$peer_db" 'SELECT count(*) FROM run')"
follow_advice 'no UDP'
start_peer --strategy probe --wait 20
wait_exit "$peer_pid" 30 'the probe with the rule'
check_equal 'the probe with the rule: exit status' 0 "$status"
reopen
kill -TERM "$server_pid"
wait_exit "$server_pid" 10 'the server, told to stop'

for verdict in drop 'reject with tcp reset' reject; do
	start_server
	close_port 'tcp dport 5201' "$verdict"
	start_peer --wait 20
	check_refused "$verdict" 'no test reached TCP port 5201 of the server'
	check_equal "$verdict: measurements" 1 "$(rows_of "$peer_db")"
	# A run that goes on has measurements, but met no open port either.
	start_peer --wait 20 --resume
	check_refused "$verdict, resumed" 'no test reached TCP port 5201 of the server'
	check_equal "$verdict, resumed: measurements" 2 "$(rows_of "$peer_db")"
	follow_advice "$verdict"
	start_peer --wait 20 --resume
	wait_for 20 'a test that reaches the port' grep -q '^\[3\].* up [0-9.]* .bit' \
		"$tmp/peer.log"
	kill -INT "$peer_pid"
	wait_exit "$peer_pid" 20 'the peer'
	reopen
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server, told to stop'
done
