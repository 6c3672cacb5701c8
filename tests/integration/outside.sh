#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/outside.sh CASE
#
# An end's interface was made in another network namespace than the one that it is in.
# Packets to it above 1460 are lost. (A userspace daemon does not follow the new MTUs of an
# interface that was moved, so sizes from it may be unknown.)
#
#	entered    the peer looks at its outer packets in that namespace
#	several    so too where a third namespace has a socket with the same port
#	unseen     it may not enter it (no CAP_SYS_ADMIN): what arrives inside the tunnel
#	           decides, and it says what it cannot see
#	blind      another socket with the port makes it look in its own namespace,
#	           where the tap sees nothing
#	server     as unseen, but at the server, whose peer is told of it

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASE=${1:?which case}
# Without the capabilities to enter a namespace.
readonly CONFINED=(setpriv '--bounding-set=-sys_admin,-sys_ptrace')

inside='' other=''
upload='' download=''

remove_inside()
{
	local result=$? host
	[[ $BASHPID == "$$" ]] || return 0
	for host in $inside $other; do
		ip netns pids "$host" | xargs -r kill -KILL
		ip netns del "$host"
	done
	(exit "$result")
	test_end
}

answers()
{
	on peer ping -qc 1 -W 1 "$LAB_SERVER_IP" >/dev/null
}

# Arguments: server|peer. Move the interface of this end into a namespace of its own.
move()
{
	local host=LAB_${1^^} interface=LAB_${1^^}_IF address=$LAB_SERVER_IP
	[[ $1 == server ]] || address=$LAB_PEER_IP
	inside=ms-$lab_name-i
	ip netns add "$inside"
	ip -n "${!host}" link set "${!interface}" netns "$inside"
	declare -g "$host=$inside"
	ip -n "$inside" addr add "$address/24" dev "${!interface}"
	ip -n "$inside" link set "${!interface}" mtu 1420 up
	ip -n "$inside" route add default dev "${!interface}"
	wait_for 20 'an answer through the tunnel' answers
}

# Arguments: DIRECTION. Print the bands that the run has stored.
bands()
{
	sql "$peer_db" "SELECT group_concat(size_max || ':' || fate) FROM (
		SELECT size_max, fate FROM path_band WHERE direction = '$1'
		ORDER BY size_max)"
}

# Arguments: server|peer [PROGRAM-WORD ...]. Probe; the program of this end is started by
# these words. The upload ends in $upload, the download in $download.
probe()
{
	local by=("${@:2}") server=() peer=()
	[[ $1 == server ]] && server=("${by[@]}") || peer=("${by[@]}")
	run_on server "${server[@]}" "$MTUSWEEP_BIN/mtusweep-server" --once --interface \
		"$LAB_SERVER_IF" --server-ip "$LAB_SERVER_IP" --db "$server_db" \
		</dev/null >"$tmp/server.log" 2>&1 &
	server_pid=$!
	run_on peer "${peer[@]}" "$MTUSWEEP_BIN/mtusweep-peer" --strategy probe --wait 20 \
		--interface "$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" --db "$peer_db" \
		</dev/null >"$tmp/peer.log" 2>&1 &
	peer_pid=$!
	wait_exit "$peer_pid" 60 'the peer'
	# The pair before does not fit below 1460.
	check_equal "the peer's exit status" 3 "$status"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	upload=$(bands upload)
	download=$(bands download)
}

# Arguments: COUNT END
check_said()
{
	check_equal "what is said of the $2" "$1" \
		"$(grep -c "the $2's outer packets cannot be seen" "$tmp/peer.log" || true)"
}

case_entered()
{
	move peer
	"$LAB" hole "$lab_name" download 1460
	probe peer
	check_equal 'the download' 1460:whole,65535:lost "$download"
	check_said 0 peer
	check_match 'what the peer says of its packets' '1460 bytes arrive whole' \
		"$(<"$tmp/peer.log")"
}

case_several()
{
	local port
	move peer
	port=$(on peer wg show "$LAB_PEER_IF" listen-port)
	other=ms-$lab_name-o
	ip netns add "$other"
	ip -n "$other" link set lo up
	ip netns exec "$other" perl "${BASH_SOURCE[0]%/*}/udp_relay.pl" 127.0.0.1 "$port" \
		127.0.0.1 9 </dev/null >"$tmp/relay.log" 2>&1 &
	wait_for 10 'a socket with the port' grep -q ready "$tmp/relay.log"
	"$LAB" hole "$lab_name" download 1460
	probe peer
	check_said 0 peer
	check_match 'what the peer says of its packets' '1460 bytes arrive whole' \
		"$(<"$tmp/peer.log")"
}

case_unseen()
{
	move peer
	"$LAB" hole "$lab_name" download 1460
	probe peer "${CONFINED[@]}"
	check_equal 'the download' 1460:whole,65535:lost "$download"
	check_said 1 peer
	check_match 'what the peer says of its packets' \
		'1460 bytes arrive, not seen in fragments' "$(<"$tmp/peer.log")"
	check_match 'why' "'$LAB_PEER_IF': its outer packets are in another network "`
		`"namespace and cannot be seen: cannot look into " "$(<"$tmp/peer.log")"
}

case_blind()
{
	local port
	move peer
	"$LAB" hole "$lab_name" download 1460
	on peer ip link set lo up
	port=$(on peer wg show "$LAB_PEER_IF" listen-port)
	run_on peer perl "${BASH_SOURCE[0]%/*}/udp_relay.pl" 127.0.0.1 "$port" 127.0.0.1 9 \
		</dev/null >"$tmp/relay.log" 2>&1 &
	wait_for 10 'a socket with the port' grep -q ready "$tmp/relay.log"
	probe peer
	check_equal 'the download' 1460:whole,65535:lost "$download"
	check_said 1 peer
}

case_server()
{
	move server
	"$LAB" hole "$lab_name" upload 1460
	probe server "${CONFINED[@]}"
	check_equal 'the upload' 1460:whole,65535:lost "$upload"
	check_said 1 server
	check_said 0 peer
	check_match 'why' 'cannot look into ' "$(<"$tmp/server.log")"
}

[[ $(type -t "case_$CASE") == function ]] || {
	echo "no case '$CASE'"
	exit 1
}
test_begin
trap remove_inside EXIT
"case_$CASE"
