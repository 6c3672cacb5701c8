#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A hub with three spokes, whose paths differ: the lab's peer, and two more hosts at its
# router. Each is swept and applied; the hub's link keeps its MTU, and no other spoke loses
# a packet meanwhile.
#
#                     ┌── peer    1500
#   server ── router ─┼── spoke3  1400: larger outer packets vanish
#                     └── spoke4  1492: larger outer packets are fragmented

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

spokes=()

hub_end()
{
	local result=$? spoke
	[[ $BASHPID == "$$" ]] || return 0
	set +e
	touch "$tmp/stop"
	for spoke in "${spokes[@]}"; do
		ip netns pids "$spoke" | xargs -r kill 2>/dev/null
		ip netns del "$spoke"
		rm -f "/var/run/wireguard/$(interface_of "$spoke").sock"
	done
	(exit "$result")
	test_end
}

# An interface's name has at most 15 characters.
interface_of()
{
	echo "wg$1"
}

# Arguments: NUMBER MTU. Set $spoke to its namespace.
add_spoke()
{
	local key dir=$tmp/spoke$1 interface
	spoke=$lab_name-$1
	interface=$(interface_of "$spoke")
	ip netns add "$spoke"
	spokes+=("$spoke")
	ip -n "$spoke" link set lo up
	ip link add eth0 netns "$spoke" type veth peer name "spoke$1" netns "$LAB_ROUTER"
	ip -n "$spoke" addr add "10.78.$1.2/24" dev eth0
	ip -n "$LAB_ROUTER" addr add "10.78.$1.1/24" dev "spoke$1"
	ip -n "$spoke" link set eth0 mtu "$2" up
	ip -n "$LAB_ROUTER" link set "spoke$1" mtu "$2" up
	ip -n "$spoke" route add default via "10.78.$1.1"
	key=$(wg genkey)
	mkdir -m 0700 "$dir"
	cat >"$dir/wg.conf" <<-CONF
		[Interface]
		ListenPort = 51820
		PrivateKey = $key

		[Peer]
		PublicKey = $(on server wg show "$LAB_SERVER_IF" public-key)
		AllowedIPs = 10.77.0.1/32
		Endpoint = 10.78.1.2:51820
	CONF
	if [[ $LAB_BACKEND == kernel ]]; then
		ip -n "$spoke" link add "$interface" type wireguard
	else
		LOG_LEVEL=error setsid ip netns exec "$spoke" wireguard-go -f "$interface" \
			</dev/null >"$tmp/wireguard-go.log" 2>&1 &
		wait_for 5 'wireguard-go' test -S "/var/run/wireguard/$interface.sock"
	fi
	ip netns exec "$spoke" wg setconf "$interface" "$dir/wg.conf"
	ip -n "$spoke" addr add "10.77.0.$1/24" dev "$interface"
	ip -n "$spoke" link set "$interface" mtu "$LAB_MTU" up
	on server wg set "$LAB_SERVER_IF" peer "$(wg pubkey <<<"$key")" \
		allowed-ips "10.77.0.$1/32" endpoint "10.78.$1.2:51820"
	ip netns exec "$spoke" bash -c 'echo >/dev/udp/10.77.0.1/9'
}

# Arguments: NUMBER. Print the MTU of the hub's packets to that spoke.
hub_mtu()
{
	local mtu
	mtu=$(on server ip route get "10.77.0.$1" | grep -o 'mtu [0-9]*' || true)
	[[ -n $mtu ]] || mtu=$(link_mtu server)
	echo "${mtu#mtu }"
}

# Arguments: NUMBER SIZE. Send packets of that size with DF from the hub, until the file
# "stop" is there; print how many were sent, and how many of them the hub refused.
send_packets()
{
	# shellcheck disable=SC2016 # it is perl's
	on server perl -MSocket -e '
		my ($to, $size, $stop) = @ARGV;
		my ($sent, $refused) = (0, 0);
		socket(my $s, AF_INET, SOCK_DGRAM, 0) or die;
		setsockopt($s, 0, 10, pack("i", 2)) or die;
		my $at = pack_sockaddr_in(9, inet_aton($to));
		until (-e $stop) {
			$sent++;
			$refused++ unless defined send($s, "x" x ($size - 28), 0, $at);
			select(undef, undef, undef, 0.02);
		}
		print "$sent $refused\n";' "10.77.0.$1" "$2" "$tmp/stop"
}

# Arguments: NUMBER OPTION ... Run the peer there, in the background, and set $peer_pid.
start_spoke()
{
	local host=$lab_name-$1 interface conf=$tmp/spoke$1/wg.conf
	interface=$(interface_of "$host")
	[[ $1 != 2 ]] || host=$LAB_PEER interface=$LAB_PEER_IF conf=$LAB_PEER_CONF
	ip netns exec "$host" "$MTUSWEEP_BIN/mtusweep-peer" --interface "$interface" \
		--server-ip "$LAB_SERVER_IP" --db "$tmp/db/$1.db" --conf-file "$conf" \
		"${@:2}" </dev/null >"$tmp/spoke$1.log" 2>&1 &
	peer_pid=$!
}

# Arguments: NUMBER EXPECTED. Sweep and apply it, while the others' packets are watched.
check_spoke()
{
	local other sender senders=()
	rm -f "$tmp/stop"
	for other in 2 3 4; do
		((other != $1)) || continue
		send_packets "$other" "$(hub_mtu "$other")" >"$tmp/sent$other" &
		senders+=($!)
	done
	start_spoke "$1" --strategy smart --persist best --budget 10 --duration 0.3
	wait_exit "$peer_pid" 150 "the run of spoke $1"
	check_equal "spoke $1: exit status" 0 "$status"
	check_equal 'the link of the hub' "$link" "$(link_mtu server)"
	check_equal "the hub's MTU to spoke $1" "$2" "$(hub_mtu "$1")"
	touch "$tmp/stop"
	for sender in "${senders[@]}"; do
		wait "$sender"
	done
	for other in 2 3 4; do
		((other != $1)) || continue
		check_match "packets to spoke $other, and refused ones" \
			'^[1-9][0-9]* 0$' "$(<"$tmp/sent$other")"
	done
}

# Arguments: NUMBER. Full-size packets of the hub arrive there, and one byte more is
# refused.
check_full_size()
{
	local mtu
	mtu=$(hub_mtu "$1")
	check_match "spoke $1: packets of $mtu bytes" ' 0% packet loss' \
		"$(on server ping -M 'do' -c 3 -i 0.2 -W 2 -s $((mtu - 28)) "10.77.0.$1")"
	check_match "spoke $1: one byte more" 'mtu=|too long' \
		"$(on server ping -M 'do' -c 1 -W 2 -s $((mtu - 27)) "10.77.0.$1" 2>&1 ||
			true)"
}

test_begin --inner 4
trap hub_end EXIT
add_spoke 3 1500
add_spoke 4 1492
"$LAB" exec "$lab_name" router nft -f - <<-RULES
	table inet spokes {
		chain forward {
			type filter hook forward priority 0;
			oifname spoke3 meta length > 1400 drop
			iifname spoke3 meta length > 1400 drop
		}
	}
RULES

# The kernel obeys a route's MTU above the link's; wireguard-go has multiples of 16 up to
# that.
if [[ $LAB_BACKEND == kernel ]]; then
	link=1420 expected=(0 0 1440 1340 1432)
else
	link=1440 expected=(0 0 1440 1328 1424)
fi
on server ip link set "$LAB_SERVER_IF" mtu "$link"

start_server --persist best --conf-file "$LAB_SERVER_CONF"
wait_for 20 'the server' listening 5000
check_match 'what the server says' "'$LAB_SERVER_IF' has 3 peers: only the routes" \
	"$(<"$tmp/server.log")"
for number in 2 3 4; do
	check_spoke "$number" "${expected[number]}"
done
for number in 2 3 4; do
	check_full_size "$number"
	check_match "the conf file's line for spoke $number" \
		"PostUp = ip -4 route replace 10.77.0.$number/32 dev %i proto 77 .*mtu \
${expected[number]} # mtusweep 10.77.0.$number" "$(<"$LAB_SERVER_CONF")"
done
check_equal "the conf file's line for the link" "MTU = $LAB_MTU" \
	"$(grep '^MTU' "$LAB_SERVER_CONF")"
check_equal 'lines of routes' 3 "$(grep -c '^PostUp' "$LAB_SERVER_CONF")"

# A tunnel is its two public keys, at both ends alike.
hub_key=$(on server wg show "$LAB_SERVER_IF" public-key)
for number in 2 3 4; do
	host=$lab_name-$number interface=$(interface_of "$lab_name-$number")
	[[ $number != 2 ]] || host=$LAB_PEER interface=$LAB_PEER_IF
	key=$(ip netns exec "$host" wg show "$interface" public-key)
	query="SELECT DISTINCT tunnel, server_key, peer_key FROM run_tunnel JOIN run
		ON id = run_id WHERE peer_address = '10.77.0.$number'"
	keys=$(printf '%.8s\n' "$hub_key" "$key" | LC_ALL=C sort | paste -sd -)
	keys="$keys|$hub_key|$key"
	check_equal "spoke $number: its tunnel" "$keys" \
		"$(sql "$tmp/db/$number.db" "$query")"
	check_equal "spoke $number: its tunnel at the hub" "$keys" \
		"$(sql "$server_db" "$query")"
	check_equal "spoke $number: the hub's runs of its tunnel" 1 \
		"$("$MTUSWEEP_BIN/mtusweep" runs --db "$server_db" --tunnel "$key" |
			sed 1d | wc -l)"
done

# At once: the second waits for the first.
start_spoke 2 --strategy probe
first=$peer_pid
start_spoke 3 --strategy probe
second=$peer_pid
wait_exit "$first" 60 'the probe of spoke 2'
check_equal 'spoke 2: exit status' 0 "$status"
wait_exit "$second" 60 'the probe of spoke 3'
check_equal 'spoke 3: exit status' 0 "$status"
for number in 2 3 4; do
	check_equal "the hub's MTU to spoke $number" "${expected[number]}" \
		"$(hub_mtu "$number")"
done
kill "$server_pid"
wait_exit "$server_pid" 20 'the server'

# Userspace WireGuard sends nothing larger than its link: the rest is not known.
if [[ $LAB_BACKEND != kernel ]]; then
	on server ip link set "$LAB_SERVER_IF" mtu 1360
	start_server
	wait_for 20 'the server' listening 5000
	start_spoke 2 --strategy probe
	wait_exit "$peer_pid" 60 'the probe below a small link'
	check_match 'what is known of sizes that the hub cannot send' \
		'download: packets of up to 1420 bytes arrive whole, larger ones could' \
		"$(tr '\n' ' ' <"$tmp/spoke2.log")"
	kill "$server_pid"
	wait_exit "$server_pid" 20 'the server'
fi
