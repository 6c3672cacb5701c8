# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # lib.sh's
#
# Tunnels and hosts that tests/lab/lab has no word for. tests/cases/lib.sh sources this.

# Arguments: server|peer. Print the public key of this end.
key_of()
{
	local other=LAB_PEER_CONF
	[[ $1 == server ]] || other=LAB_SERVER_CONF
	sed -n 's/^PublicKey = //p' "${!other}"
}

# Arguments: server|peer
private_key_of()
{
	local conf=LAB_${1^^}_CONF
	sed -n 's/^PrivateKey = //p' "${!conf}"
}

# Arguments: FILE. Write a new private key.
new_key()
{
	(umask 077 && wg genkey >"$1")
}

# Make a folder for a conf of the peer's interface, and print the conf's path.
new_conf()
{
	install -d -m 0700 "$tmp/etc"
	echo "$tmp/etc/$LAB_PEER_IF.conf"
}

server_answers()
{
	on peer ping -q -c 1 -W 1 "$LAB_SERVER_IP" >/dev/null
}

await_tunnel()
{
	wait_for 30 'an answer through the tunnel' server_answers
}

# Arguments: ENDPOINT. The server forgets its peer's endpoint; the peer has ENDPOINT
# from now on, and begins anew.
join_by()
{
	local server_key peer_key
	server_key=$(key_of server) peer_key=$(key_of peer)
	on server wg set "$LAB_SERVER_IF" peer "$peer_key" remove
	on peer wg set "$LAB_PEER_IF" peer "$server_key" remove
	on server wg set "$LAB_SERVER_IF" peer "$peer_key" \
		allowed-ips "$LAB_PEER_IP/32,fd77::2/128"
	on peer wg set "$LAB_PEER_IF" peer "$server_key" endpoint "$1" \
		allowed-ips "$LAB_SERVER_IP/32,fd77::1/128" persistent-keepalive 25
	await_tunnel
}

# Arguments: HOST ARGUMENT-OF-udp_relay.pl ... Start a relay on a host.
start_relay()
{
	run_on "$1" perl "${BASH_SOURCE[0]%/*}/../integration/udp_relay.pl" "${@:2}" \
		</dev/null >"$tmp/relay.$1" 2>&1 &
	wait_for 10 "a relay on the $1" grep -q '^ready' "$tmp/relay.$1"
}

# The router passes datagrams on between the peer's IPv6 and the server's IPv4.
join_by_front()
{
	start_relay router fd78:0:2::1 4000 10.78.1.2 51820
	join_by '[fd78:0:2::1]:4000'
}

# Arguments: BYTES. A relay on each host; between the two, datagrams are BYTES larger.
join_by_relays()
{
	start_relay server 10.78.1.2 4000 127.0.0.1 51820 "-$1"
	start_relay peer 127.0.0.1 51830 10.78.1.2 4000 "$1"
	join_by 127.0.0.1:51830
}

# The lab's peer runs the server and the lab's server the peer.
swap_ends()
{
	local name server peer
	for name in '' _IF _IP _CONF; do
		server=LAB_SERVER$name peer=LAB_PEER$name
		server=${!server} peer=${!peer}
		printf -v "LAB_SERVER$name" %s "$peer"
		printf -v "LAB_PEER$name" %s "$server"
	done
	outer_server=$LAB_SERVER outer_peer=$LAB_PEER
}

# The peer's interface moves into a namespace of its own; its socket stays where it is.
move_peer_to_namespace()
{
	add_namespace inside
	ip -n "$LAB_PEER" link set "$LAB_PEER_IF" netns "$namespace"
	LAB_PEER=$namespace
	on peer ip addr add "$LAB_PEER_IP/24" dev "$LAB_PEER_IF"
	on peer ip link set "$LAB_PEER_IF" mtu "$LAB_MTU" up
	on peer ip route add default dev "$LAB_PEER_IF"
	await_tunnel
}

# Arguments: HOOK SIZE. Both hosts clamp the MSS of TCP that enters the tunnel.
clamp_mss()
{
	local end
	for end in server peer; do
		on "$end" nft -f - <<-RULES
			table inet clamp {
				chain clamp {
					type filter hook $1 priority mangle;
					oifname "wg*" tcp flags & (syn | rst) == syn \
						tcp option maxseg size set $2
				}
			}
		RULES
	done
}

# Arguments: NAME NUMBER. One more host at the router: 10.78.NUMBER.2 at port NAME, with
# the lab's line to it. Sets $namespace.
add_host()
{
	add_namespace "$1"
	ip -n "$LAB_ROUTER" link add "$1" type veth peer name eth0 netns "$namespace"
	ip -n "$namespace" link set eth0 gso_max_segs 1
	ip -n "$LAB_ROUTER" addr add "10.78.$2.1/24" dev "$1"
	ip -n "$namespace" addr add "10.78.$2.2/24" dev eth0
	ip -n "$LAB_ROUTER" link set "$1" up
	ip -n "$namespace" link set eth0 up
	ip -n "$namespace" route add default via "10.78.$2.1"
	tc -n "$LAB_ROUTER" qdisc replace dev "$1" root tbf rate 6mbit burst 16kb \
		latency 50ms
}

# Arguments: NAMESPACE INTERFACE. wireguard-go needs a name that no other interface has,
# on no host.
make_wireguard()
{
	if [[ $LAB_BACKEND == kernel ]]; then
		ip -n "$1" link add "$2" type wireguard
		return
	fi
	LOG_LEVEL=error ip netns exec "$1" wireguard-go -f "$2" </dev/null \
		>"$tmp/$2.log" 2>&1 &
	disown
	wait_for 10 "the interface $2" test -S "/var/run/wireguard/$2.sock"
}

# Arguments: NAMESPACE INTERFACE ADDRESS KEY-FILE CONF. Make an interface with this
# conf.
make_interface()
{
	make_wireguard "$1" "$2"
	ip netns exec "$1" wg setconf "$2" <(wg-quick strip "$5")
	ip netns exec "$1" wg set "$2" private-key "$4"
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$1" link set "$2" mtu "$LAB_MTU" up
}

# Arguments: OTHERS-PUBLIC-KEY OTHERS-OUTER-ADDRESS OTHERS-ADDRESS
conf_of_tie()
{
	cat <<-CONF
		[Interface]
		ListenPort = 51900
		[Peer]
		PublicKey = $1
		Endpoint = $2:51900
		AllowedIPs = $3/32
	CONF
}

# Arguments: NAMESPACE INTERFACE ADDRESS OUTER-ADDRESS, and the same of the other end. A
# tunnel between two hosts.
tie()
{
	local keys=$tmp/keys.$2
	install -d -m 0700 "$tmp/etc" "$keys"
	new_key "$keys/one"
	new_key "$keys/two"
	conf_of_tie "$(wg pubkey <"$keys/two")" "$8" "$7" >"$tmp/etc/$2.conf"
	conf_of_tie "$(wg pubkey <"$keys/one")" "$4" "$3" >"$tmp/etc/$6.conf"
	make_interface "$1" "$2" "$3" "$keys/one" "$tmp/etc/$2.conf"
	make_interface "$5" "$6" "$7" "$keys/two" "$tmp/etc/$6.conf"
}

# Arguments: NAME. Print the name of a spoke's interface.
spoke_if()
{
	echo "wg$1$$"
}

# Arguments: NAME NUMBER. One more spoke of the server: host NAME, its interface
# spoke_if NAME, with 10.77.0.NUMBER, and the conf of the interface in $tmp/etc.
add_spoke()
{
	local interface
	interface=$(spoke_if "$1")
	add_host "$1" "$2"
	install -d -m 0700 "$tmp/etc"
	new_key "$tmp/key.$1"
	cat >"$tmp/etc/$interface.conf" <<-CONF
		[Interface]
		ListenPort = 51820
		Address = 10.77.0.$2/24
		MTU = $LAB_MTU

		[Peer]
		PublicKey = $(key_of server)
		AllowedIPs = 10.77.0.1/32
		Endpoint = 10.78.1.2:51820
	CONF
	make_interface "$namespace" "$interface" "10.77.0.$2" "$tmp/key.$1" \
		"$tmp/etc/$interface.conf"
	on server wg set "$LAB_SERVER_IF" peer "$(wg pubkey <"$tmp/key.$1")" \
		allowed-ips "10.77.0.$2/32" endpoint "10.78.$2.2:51820"
	wait_for 30 "the spoke $1" \
		ip netns exec "$namespace" ping -q -c 1 -W 1 10.77.0.1 >/dev/null
}
