#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2119 # begin takes options of lab up, and needs none
#
# tests/integration/alone_server.sh CASE
#
# mtusweep-server --alone toward a peer that has no mtusweep: what it sends is download, the
# MTU for this end follows from the path, and so does the largest one for the peer.

# shellcheck disable=SC2034 # alone_lib.sh's
END=server
# shellcheck source=tests/integration/alone_lib.sh
. "${BASH_SOURCE[0]%/*}/alone_lib.sh"

# Arguments: MTU [CURRENT]. Check the recommendation, the exit status, which says if the
# current MTU fits, what is stored, and that nothing is left of it.
check_own()
{
	local mtu=${2-$(link_mtu server)}
	check_match "$CASE: the first line" \
		"^recommended: server MTU $1; predicted by probes" \
		"$answer"
	check_equal "$CASE: the exit status" "$((mtu > $1 ? 3 : 0))" "$status"
	check_same_text "$CASE: both hosts" "$before" "$(everything)"
	check_same_text "$CASE: the stored answer" "$answer" \
		"$("$MTUSWEEP_BIN/mtusweep" best --db "$server_db" | sed '/^$/,$d')"
	check_equal "$CASE: the stored run" "server|$1|65535|65535" "$(sql "$server_db" '
		SELECT role, r.server_mtu, r.peer_mtu, peer_mtu_max
		FROM run JOIN recommendation AS r ON run_id = run.id
		ORDER BY run.id DESC LIMIT 1')"
}

case_uneven()
{
	begin
	"$LAB" hole "$lab_name" download 1400
	"$LAB" hole "$lab_name" upload 1460
	alone --peer "$LAB_PEER_IP"
	check_own 1340
	check_says download \
		"download, as far as $LAB_PEER_IP: .* 1400 bytes arrive whole, .* lost"
	check_says upload "upload, from $LAB_PEER_IP: outer packets up to 1452 bytes arrive"
	check_says 'the peer' 'far end: MTU 1392 at most'
	check_says "the peer's line" 'configuration, section \[Interface\]: MTU = 1392'
	check_match 'text for the peer' 'mtu=.1392' "$("$MTUSWEEP_BIN/mtusweep" best \
		--db "$server_db" --as uci)"
}

# Without --peer it asks the addresses of AllowedIPs.
case_found()
{
	begin
	alone --json
	check_equal 'the exit status' 0 "$status"
	check_match 'the document' '"server_mtu": ?1440,"peer_mtu": ?null' "$answer"
	check_equal 'the target' "$LAB_PEER_IP" "$(sql "$server_db" \
		'SELECT target FROM one_end')"
	check_equal 'the keys' "$(on server wg show "$LAB_SERVER_IF" public-key)|$(on peer \
		wg show "$LAB_PEER_IF" public-key)|17" "$(sql "$server_db" \
		'SELECT server_key, peer_key, length(tunnel) FROM run_tunnel')"
}

# The hub's other peer: an address that nobody has.
add_spoke()
{
	on server wg set "$LAB_SERVER_IF" peer "$(wg genkey | wg pubkey)" \
		allowed-ips 10.77.0.99/32
}

watch_link()
{
	on server ip monitor link dev "$LAB_SERVER_IF" >"$tmp/link.log" &
	monitor_pid=$!
}

# A hub's link keeps its MTU, 1420; sizes are multiples of 16, and 1420.
case_hub()
{
	begin
	add_spoke
	alone
	check_equal 'no peer is named: the exit status' 1 "$status"
	check_match 'no peer is named' 'has 2 peers: name the address of one with --peer' \
		"$(<"$tmp/server.log")"
	watch_link
	alone --peer "$LAB_PEER_IP"
	check_own 1420
	check_says 'the limit' 'nothing larger was sent: the link keeps its MTU'
	"$LAB" hole "$lab_name" download 1400
	alone --peer "$LAB_PEER_IP"
	check_own 1328
	check_says 'the steps' 'proved in steps: up to 1343 may fit'
	# 1420 itself is asked for, and lost.
	"$LAB" clear "$lab_name"
	"$LAB" hole "$lab_name" download 1470
	alone --peer "$LAB_PEER_IP"
	check_own 1408
	check_says 'the last step' 'proved in steps: up to 1419 may fit'
	"$LAB" clear "$lab_name"
	"$LAB" hole "$lab_name" upload 1440
	alone --peer "$LAB_PEER_IP"
	check_own 1420
	check_says 'the peer' 'far end: .*MTU (of 1376 fits|1376 at most)'
	check_says "the peer's line" "leave the peer's MTU if it works"
	check_match 'text for the peer' 'known to fit, and a larger one may' \
		"$("$MTUSWEEP_BIN/mtusweep" best --db "$server_db" --as wg-quick)"
	check_match 'text for all peers' 'This interface has 2 WireGuard peers' \
		"$("$MTUSWEEP_BIN/mtusweep" best --db "$server_db" --as wg-quick \
			--end server 2>&1)"
	kill "$monitor_pid"
	check_equal 'changes of the link' '' "$(grep -o 'mtu [0-9]*' "$tmp/link.log" |
		grep -v "mtu $LAB_MTU" || true)"
}

# Print the MTU of the routes to the peer.
route_mtu()
{
	on server ip route get "$LAB_PEER_IP" | grep -o 'mtu [0-9]*' || true
}

# On a hub the routes to the peer get the MTU, and the conf file has them.
case_hub_apply()
{
	begin
	add_spoke
	"$LAB" hole "$lab_name" download 1400
	alone --peer "$LAB_PEER_IP" --persist best --conf-file "$LAB_SERVER_CONF"
	check_equal 'the exit status' 0 "$status"
	check_equal "the link's MTU" "$LAB_MTU" "$(link_mtu server)"
	check_equal "the routes' MTU" 'mtu 1328' "$(route_mtu)"
	check_match 'the conf file' 'PostUp.* mtu 1328' "$(<"$LAB_SERVER_CONF")"
	before=$(everything)
	alone --peer "$LAB_PEER_IP"
	check_own 1328 1328
	check_says 'the route' 'current MTU of this end: 1328: fits'
	check_equal 'the MTU before' 1328 "$(sql "$server_db" \
		'SELECT server_link_mtu FROM run ORDER BY id DESC LIMIT 1')"
	# A larger MTU fits now: the route needs none of its own.
	"$LAB" clear "$lab_name"
	alone --peer "$LAB_PEER_IP"
	check_says 'more fits' '1328: fits, and may be larger'
}

# The routes have an MTU, of which the kernel's padding depends.
case_hub_route()
{
	begin
	add_spoke
	on server ip route add "$LAB_PEER_IP" dev "$LAB_SERVER_IF" mtu 1340
	before=$(everything)
	"$LAB" hole "$lab_name" download 1400
	alone --peer "$LAB_PEER_IP"
	check_own 1328 1340
	check_says 'the route' 'current MTU of this end: 1340: does not fit'
	"$LAB" clear "$lab_name"
	alone --peer "$LAB_PEER_IP"
	check_own 1420 1340
	on server ip route del "$LAB_PEER_IP"
}

# The link's MTU is the right one: the routes need none.
case_hub_fits()
{
	begin
	add_spoke
	alone --peer "$LAB_PEER_IP" --persist best --conf-file "$LAB_SERVER_CONF"
	check_equal 'the exit status' 0 "$status"
	check_match 'which it says' 'has MTU 1420 already: nothing is applied' \
		"$(<"$tmp/server.log")"
	check_same_text 'both hosts' "$before" "$(everything)"
}

case_apply()
{
	begin
	"$LAB" hole "$lab_name" download 1400
	alone --persist best --conf-file "$LAB_SERVER_CONF"
	check_equal 'the exit status' 0 "$status"
	check_equal "the link's MTU" 1340 "$(link_mtu server)"
	check_match 'the conf file' 'MTU *= *1340' "$(<"$LAB_SERVER_CONF")"
	check_equal 'the run' 'done' "$(sql "$server_db" 'SELECT outcome FROM run')"
}

case_usage()
{
	begin
	refuses 'a peer of a service' '--peer needs --alone' --peer 10.77.0.2
	refuses 'a document of a service' '--json needs --alone' --json
	refuses 'two peers' '--peer is given twice' --alone --peer 10.77.0.2 \
		--peer 10.77.0.3
	refuses 'an option of a service' 'no use for --once' --alone --once
	refuses 'a port' 'no use for --server-port' --alone --server-port 5001
	refuses 'no address' "invalid value 'x' for --peer" --alone --peer x
	alone --peer 10.78.2.2
	check_equal 'a peer beside the tunnel: the exit status' 1 "$status"
	check_match 'a peer beside the tunnel' 'do not leave by' "$(<"$tmp/server.log")"
}

"case_$CASE"
