#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/inner_ipv6.sh CASE
#
# A tunnel with IPv6 alone inside: the server takes its address by itself, the strategy
# smart recommends the right pair, both ends apply it, and the page can be read.
#
#	global      fd77::1 and fd77::2, and a neighbour of another link, who is refused
#	link_local  fe80::1 and fe80::2, with zone at the peer, without at the server

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Arguments: HOST ADDRESS
set_address()
{
	local interface=LAB_${1^^}_IF
	on "$1" ip addr flush dev "${!interface}"
	on "$1" ip addr add "$2/64" dev "${!interface}" nodad
}

# Arguments: HOST URL [OPTION ...] of curl. Print the status of the answer.
status_of()
{
	on "$1" curl -gs --max-time 10 -o /dev/null -w '%{http_code}' "${@:3}" "$2" || true
}

# A link-local address of another link than the tunnel, the server's line, is not one
# behind the tunnel, although the tunnel's route leads to such addresses.
check_neighbour()
{
	on router ip addr add fe80::2/64 dev server nodad
	on router ip -6 route add "$1/128" dev server src fe80::2
	on router ip -6 neigh replace "$1" dev server \
		lladdr "$(on server cat /sys/class/net/eth0/address)"
	check_equal 'a neighbour of another link' 403 \
		"$(status_of router "http://[$1]:5000/progress")"
}

check_page()
{
	check_equal 'the page' 200 "$(status_of peer "http://[$1]:5000/")"
	check_equal 'its data' 200 "$(status_of peer "http://[$1]:5000/progress")"
	check_equal 'its data on the host' 200 \
		"$(status_of server "http://127.0.0.1:5000/progress")"
}

case $1 in
global) net=fd77 zone= ;;
link_local) net=fe80 zone=yes ;;
*) echo "inner_ipv6.sh: no case '$1'" && exit 2 ;;
esac

test_begin
set_address server "$net::1"
set_address peer "$net::2"
if [[ $zone ]]; then
	for end in server peer; do
		interface=LAB_${end^^}_IF
		on "$end" wg set "${!interface}" \
			peer "$(on "$end" wg show "${!interface}" peers)" \
			allowed-ips fe80::/64
	done
	zone=%$LAB_PEER_IF
fi

run_on server "$MTUSWEEP_BIN/mtusweep-server" --interface "$LAB_SERVER_IF" \
	--db "$server_db" --persist best --conf-file "$LAB_SERVER_CONF" \
	</dev/null >"$tmp/server.log" 2>&1 &
server_pid=$!
LAB_SERVER_IP=$net::1
wait_for 10 'the server' grep -q 'waiting for a peer' "$tmp/server.log"
check_match 'the address that the server found' "waiting for a peer on $net::1 port 5000" \
	"$(<"$tmp/server.log")"

LAB_SERVER_IP=$net::1$zone
start_peer --persist best --conf-file "$LAB_PEER_CONF" --budget 10 --duration 1
wait_for 30 'a measurement' has_rows_in "$peer_db"
check_page "$net::1${zone/\%/%25}"
[[ $zone ]] || check_neighbour "$net::1"
wait_exit "$peer_pid" 90 'the peer'
check_equal "the peer's exit status" 0 "$status"
check_equal 'the recommendation' '1440|1440' "$(sql "$peer_db" 'SELECT server_mtu, peer_mtu
	FROM recommendation')"
check_equal 'both links' '1440 1440' "$(link_mtu server) $(link_mtu peer)"
check_equal 'both conf files' 'MTU = 1440 MTU = 1440' \
	"$(grep -h '^MTU' "$LAB_SERVER_CONF" "$LAB_PEER_CONF" | xargs)"
check_equal 'the addresses in the record' "$net::1|$net::2" "$(sql "$peer_db" \
	'SELECT server_address, peer_address FROM run')"
check_equal "those in the server's" "$net::1|$net::2" "$(sql "$server_db" \
	'SELECT server_address, peer_address FROM run')"
kill -TERM "$server_pid"
wait_exit "$server_pid" 10 'the server'
