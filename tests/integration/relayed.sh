#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/relayed.sh CASE
#
# Paths with a relay for the tunnel's outer packets:
#
#	families, swapped   on the router, between an IPv6 and an IPv4 end:
#
#		server -- IPv6 -- router: relay -- IPv4 -- peer
#
#	local               on each host, as udp2raw and others: the endpoints are 127.0.0.1
#	roams               none, but the endpoints move from IPv4 to IPv6 during the run
#
# Each end has the overhead of its own endpoint. The programs say what they cannot see.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASE=${1:?which case}
readonly RELAY_PORT=4000
# The bytes that the local relays add to each datagram.
readonly EXTRA=44

swapped=

log()
{
	tr '\r' '\n' <"$tmp/$1.log"
}

# Arguments: LOG
relay_is_ready()
{
	grep -q ready "$1"
}

# Arguments: HOST NAME RELAY-ARGUMENT... It ends with the lab.
start_relay()
{
	run_on "$1" "${BASH_SOURCE[0]%/*}/udp_relay.pl" "${@:3}" </dev/null \
		>"$tmp/$2.log" 2>&1 &
	wait_for 10 'the relay' relay_is_ready "$tmp/$2.log"
}

# Arguments: CONF. Print the key of the other end.
key_in()
{
	sed -n 's/^PublicKey = //p' "$1"
}

# Arguments: HOST INTERFACE CONF [ENDPOINT]. Begin anew with the other end, with this
# endpoint or, without one, with the one that is learned from what arrives.
meet()
{
	local key allowed
	key=$(key_in "$3")
	allowed=$(on "$1" wg show "$2" allowed-ips | cut -f 2 | tr ' ' ,)
	on "$1" wg set "$2" peer "$key" remove
	on "$1" wg set "$2" peer "$key" allowed-ips "$allowed" ${4:+endpoint "$4"}
}

answers()
{
	on peer ping -qc 1 -W 1 "$LAB_SERVER_IP" >"$tmp/ping.out"
}

# Arguments: ENDPOINT, of the lab's peer.
meet_both()
{
	meet server "$LAB_SERVER_IF" "$LAB_SERVER_CONF"
	meet peer "$LAB_PEER_IF" "$LAB_PEER_CONF" "$1"
	wait_for 20 'an answer through the tunnel' answers
}

# The lab's peer is the IPv6 end and calls; its server is the IPv4 end.
join_families()
{
	start_relay router relay fd78:0:2::1 "$RELAY_PORT" 10.78.1.2 51820
	meet_both "[fd78:0:2::1]:$RELAY_PORT"
}

# The lab's own names of hosts, once the ends are swapped.
run_on()
{
	local host=$1
	if [[ $swapped ]]; then
		case $host in
		server) host=peer ;;
		peer) host=server ;;
		esac
	fi
	exec "$LAB" exec "$lab_name" "$host" env --default-signal=INT,HUP,TERM "${@:2}"
}

# From here on the lab's two ends have each other's part.
swap_ends()
{
	swapped=yes
	local name other value
	for name in LAB_SERVER LAB_SERVER_IF LAB_SERVER_CONF; do
		other=${name/SERVER/PEER}
		value=${!name}
		declare -g "$name=${!other}" "$other=$value"
	done
	LAB_SERVER_IP=10.77.0.2
}

run_both()
{
	start_server --once
	start_peer --duration 0.3 --wait 20
	wait_both 150
}

recommended()
{
	sql "$1" "SELECT server_mtu || '/' || peer_mtu FROM recommendation"
}

# Arguments: PAIR. Both databases recommend it.
check_recommended()
{
	check_equal "the peer's recommendation" "$1" "$(recommended "$peer_db")"
	check_equal "the server's recommendation" "$1" "$(recommended "$server_db")"
}

# Arguments: DOWNLOAD UPLOAD
check_overheads()
{
	local db
	for db in "$peer_db" "$server_db"; do
		check_equal "the overheads in ${db##*/}" "$1/$2" "$(sql "$db" \
			"SELECT download_overhead || '/' || upload_overhead
			FROM path_detail")"
	done
}

# Arguments: HOST INTERFACE MTU. Full-size packets leave unfragmented: none of the lab's
# router sees a fragment come in.
check_leaves_whole()
{
	on "$1" ip link set "$2" mtu "$3"
	on router nft -f - <<-'RULES'
		table inet see {
			chain in {
				type filter hook prerouting priority -450;
				exthdr frag exists counter
				ip frag-off & 0x3fff != 0 counter
			}
		}
	RULES
	on "$1" ping -qc 5 -i 0.05 -W 1 -M dont -s $(($3 - 28)) "$4" \
		>"$tmp/ping.out" || true
	check_equal "fragments on the line, $1 MTU $3" '0 0' "$(
		on router nft list table inet see |
		sed -n 's/.*counter packets \([0-9]*\).*/\1/p' | xargs)"
	on router nft delete table inet see
}

# Each host sends at most 1500 bytes. The links carry 20 more, so that what the relay
# makes of a packet of 1500 bytes over IPv4 stays whole over IPv6.
begin_between_families()
{
	local end route port
	test_begin --mtu-outer 1520
	for end in server peer; do
		route=$(on "$end" ip -4 route show default)
		port=${route##*dev }
		# shellcheck disable=SC2086 # words
		on "$end" ip -4 route change $route mtu 1500
		on "$end" sysctl -qw "net.ipv6.conf.${port%% *}.mtu=1500"
	done
	join_families
}

# The server is the IPv6 end.
case_families()
{
	begin_between_families
	swap_ends
	run_both
	check_recommended 1420/1440
	check_overheads 80 60
	check_match 'which the answer says' "the server's by 80 bytes" "$(log peer)"
	check_leaves_whole server "$LAB_SERVER_IF" 1420 10.77.0.1
}

case_swapped()
{
	begin_between_families
	run_both
	check_recommended 1440/1420
	check_overheads 60 80
	check_leaves_whole peer "$LAB_PEER_IF" 1420 10.77.0.1
}

join_locally()
{
	start_relay server near 10.78.1.2 "$RELAY_PORT" 127.0.0.1 51820 "-$EXTRA"
	start_relay peer far 127.0.0.1 51830 10.78.1.2 "$RELAY_PORT" "$EXTRA"
	meet_both 127.0.0.1:51830
}

# 1492 - 44 - 60 = 1388: the relays' own packets are fragmented above that.
case_local()
{
	test_begin
	join_locally
	"$LAB" narrow "$lab_name" upload 1492
	"$LAB" narrow "$lab_name" download 1492
	run_both
	check_recommended 1388/1388
	check_match 'what cannot be seen, within five lines' \
		'endpoint is an address of its own host' \
		"$(log peer | grep -A 4 '^recommended:')"
}

# The path is probed again at the end of the run, and nothing measured before counts.
case_roams()
{
	test_begin
	start_server --once --mtu-min 1400 --mtu-max 1440 --mtu-step 20
	start_peer --duration 0.3 --wait 20 --mtu-min 1400 --mtu-max 1440 --mtu-step 20
	wait_for 30 'a measurement' has_rows_in "$peer_db"
	# The other pairs of the grid leave time for a move in the middle of the run. Any
	# packet that still arrives by IPv4 would bring the endpoint back.
	on router nft -f - <<-'RULES'
		table ip moved {
			chain forward {
				type filter hook forward priority filter;
				ip protocol udp drop
			}
		}
	RULES
	on peer wg set "$LAB_PEER_IF" peer "$(key_in "$LAB_PEER_CONF")" \
		endpoint "[fd78:0:1::2]:51820"
	wait_both 150
	check_recommended 1420/1420
	check_overheads 80 80
	check_match 'what is said' \
		'endpoint moved from 10.78.1.2 to fd78:0:1::2: the path was probed again' \
		"$(log peer)"
	check_equal 'the reason' 'fits, 0 visits' \
		"$(sql "$peer_db" "SELECT kind || ', ' || visits || ' visits' FROM reason")"
	check_equal 'rows that do not count' 0 "$(sql "$peer_db" '
		SELECT max(seq) - since_seq
		FROM measurement JOIN path_detail USING (run_id)')"
}

[[ $(type -t "case_$CASE") == function ]] || {
	echo "no case '$CASE'"
	exit 1
}
"case_$CASE"
