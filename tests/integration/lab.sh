#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The lab itself: which packets its conditions let through, size by size, and that it
# leaves nothing behind. Datagrams go from peer to server outside the tunnel, where
# their sizes are exact. The server counts an arriving one as a datagram for a port that
# nobody has.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# The destination of datagrams: the server's end of the cable, by IPv4 by default.
to=10.78.1.2

counted()
{
	on server cat /proc/net/snmp /proc/net/snmp6 | awk '
		/^Udp:/ && ++n == 2 { total += $3 }
		/^Udp6NoPorts/ { total += $2 }
		END { print total }'
}

more_than()
{
	(($(counted) > $1))
}

# Arguments: BYTES of data
send()
{
	on peer bash -c "dd if=/dev/zero bs=$1 count=1 status=none >/dev/udp/$to/9"
}

# Arguments: SIZE of the IP packet. Print "arrives" or "lost". A small datagram behind
# it shows that it is over, so neither waits longer than necessary.
fate()
{
	local before headers=28
	[[ $to != *:* ]] || headers=48
	before=$(counted)
	send "$(($1 - headers))"
	send 1
	wait_for 5 'the small datagram' more_than "$before"
	if (($(counted) == before + 2)); then
		echo arrives
	else
		echo lost
	fi
}

# Arguments: CONDITION SIZE=FATE ...
condition()
{
	local words pair
	read -ra words <<<"$1"
	"$LAB" "${words[0]}" "$lab_name" "${words[@]:1}"
	for pair in "${@:2}"; do
		check_equal "$1, ${pair%=*} bytes to $to" "${pair#*=}" \
			"$(fate "${pair%=*}")"
	done
	"$LAB" clear "$lab_name"
}

# Arguments: NAME LOW HIGH FOUND
check_between()
{
	check_equal "$1: $4 between $2 and $3" yes \
		"$( (($2 <= $4 && $4 <= $3)) && echo yes)"
}

# Arguments: NAME. A bottleneck of 2 Mbit/s has no room for a datagram of 60,000 bytes.
check_rate()
{
	"$LAB" rate "$lab_name" upload 2
	check_equal "$1, 60000 bytes at 2 Mbit/s" lost "$(fate 60000)"
	"$LAB" rate "$lab_name" upload 0
	check_equal "$1, 60000 bytes without a bottleneck" arrives "$(fate 60000)"
	"$LAB" rate "$lab_name" upload "$LAB_RATE_UP"
}

# Print the milliseconds between the sending of a datagram by the peer and its arrival
# at the server.
travel_ms()
{
	local before started
	before=$(counted)
	started=${EPOCHREALTIME/[.,]/}
	send 1
	wait_for 5 'the datagram' more_than "$before"
	echo $(((${EPOCHREALTIME/[.,]/} - started) / 1000))
}

round_trip_ms()
{
	on peer ping -qc 1 -W 5 "$to" | awk -F / '/^rtt/ { print int($5) }'
}

# Arguments: DIR PERCENT. Print how many of 200 datagrams arrive under this loss, and
# end it.
arriving_of_200()
{
	local before
	before=$(counted)
	"$LAB" loss "$lab_name" "$1" "$2"
	# shellcheck disable=SC2016 # the inner shell's own
	on peer bash -c 'for ((i = 0; i < 200; i++)); do echo >"/dev/udp/$1/9"; done' \
		bash "$to"
	"$LAB" loss "$lab_name" "$1" 0
	# The datagrams have passed when this answer comes.
	on peer ping -qc 1 -W 5 "$to" >"$tmp/ping"
	echo $(($(counted) - before))
}

# The bounds are wide: on a slow machine, checking alone takes a part of a second.
delay_and_loss()
{
	"$LAB" delay "$lab_name" upload 1000
	check_between 'delay upload, there' 1000 5000 "$(travel_ms)"
	check_between 'delay upload, there and back' 1000 1900 "$(round_trip_ms)"
	check_rate 'delay upload'
	"$LAB" delay "$lab_name" upload 0
	"$LAB" delay "$lab_name" download 1000
	check_between 'delay download, there' 0 990 "$(travel_ms)"
	check_between 'delay download, there and back' 1000 1900 "$(round_trip_ms)"
	"$LAB" delay "$lab_name" download 0
	check_between 'no delay, there and back' 0 990 "$(round_trip_ms)"

	check_equal 'loss upload 100, arriving' 0 "$(arriving_of_200 upload 100)"
	check_between 'loss upload 50, arriving' 60 140 "$(arriving_of_200 upload 50)"
	check_equal 'loss download 100, arriving' 200 "$(arriving_of_200 download 100)"
}

# Arguments: COMMAND [ARG ...] of lab, on a kernel without netem
refused()
{
	local found=0
	"$LAB" "$@" 2>"$tmp/refused" || found=$?
	check_equal "exit status without netem: lab $*" 1 "$found"
	check_match "what it says: lab $*" 'this kernel has no netem' \
		"$(cat "$tmp/refused")"
}

test_begin
# Permit every answer: the kernel counts and limits ICMP messages to one host.
on server sysctl -qw net.ipv4.icmp_ratelimit=0
condition clear 1280=arrives 1500=arrives 1501=arrives 3000=arrives
condition 'hole upload 1440' 1440=arrives 1441=lost 1500=lost 2000=lost
condition 'hole download 1440' 1500=arrives
condition 'band upload 1461 1500' 1460=arrives 1461=lost 1500=lost 1501=arrives
condition 'nofrag upload' 1500=arrives 1501=lost 3000=lost
to=fd78:0:1::2
condition 'hole upload 1440' 1440=arrives 1441=lost
condition 'band upload 1461 1500' 1460=arrives 1461=lost 1500=lost 1501=arrives
condition 'nofrag upload' 1500=arrives 1501=lost
to=10.78.1.2
check_rate 'rate alone'

# With an ICMP message: the first packet with DF is lost and teaches, the next ones fit.
"$LAB" narrow "$lab_name" upload 1400
check_equal 'narrow, the first of 1450 bytes' lost "$(fate 1450)"
check_equal 'narrow, the next of 1450 bytes' arrives "$(fate 1450)"
check_match 'narrow, what the peer knows then' 'mtu 1400' \
	"$(on peer ip route get 10.78.1.2)"

# A second lab of this test, beside the first.
other=${lab_name}x
if on router tc qdisc add dev lo root netem 2>/dev/null; then
	delay_and_loss
	"$LAB" up "$other" --endpoint 6 --delay-up 30 --loss-down 0.5 --queue 5
	check_match 'what the options make' 'delay 30ms.*loss 0.5%' \
		"$("$LAB" exec "$other" router tc qdisc show | xargs)"
else
	refused delay "$lab_name" upload 10
	refused loss "$lab_name" download 1
	check_equal 'after that' arrives "$(fate 1500)"
	refused up "$other" --delay 10
	"$LAB" up "$other" --endpoint 6 --queue 5
fi
"$LAB" rate "$other" upload 30
check_match 'what --queue makes, also at another rate' 'tbf .* 30Mbit .* lat 5ms' \
	"$("$LAB" exec "$other" router tc qdisc show dev server | xargs)"
check_match 'an endpoint in IPv6' '\[fd78:0:1::2\]' \
	"$("$LAB" exec "$other" peer wg show all endpoints)"
"$LAB" down "$other"

for end in server:$LAB_SERVER_CONF peer:$LAB_PEER_CONF; do
	conf=${end#*:}
	check_equal "$conf, mode" 600 "$(stat -c %a "$conf")"
	check_match "$conf, MTU" "^MTU = $LAB_MTU\$" "$(grep MTU "$conf")"
	check_equal "MTU of the ${end%%:*}'s link" "$LAB_MTU" "$(link_mtu "${end%%:*}")"
done

# The lab's creation is interrupted at several moments.
for delay in 0.02 0.05 0.08 0.11 0.14; do
	"$LAB" up "$other" 2>/dev/null &
	sleep "$delay"
	kill -TERM $! 2>/dev/null || true
	wait $! || "$LAB" down "$other"
	"$LAB" down "$other"
	# Namespaces, state, sockets; other labs appear and disappear there as well.
	check_equal "left, ended after $delay s" '' \
		"$(find /run -maxdepth 2 -name "*$other*" 2>/dev/null || true)"
done
