#!/usr/bin/env bash
#
# The lab itself: what its conditions let through, size by size, and that nothing of it
# is left behind. Datagrams go from peer to server outside of the tunnel, where their
# sizes are exact; one that arrives is counted there as one for a port nobody has.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

counted()
{
	# shellcheck disable=SC2016 # awk's own field
	on server awk '/^Udp:/ && ++n == 2 { print $3 }' /proc/net/snmp
}

more_than()
{
	(($(counted) > $1))
}

# SIZE of the IP packet: arrives or lost. Neither is waited for longer than it needs: a
# small one behind it says that it is over.
fate()
{
	local before
	before=$(counted)
	on peer bash -c "head -c $(($1 - 28)) /dev/zero >/dev/udp/10.78.1.2/9"
	on peer bash -c 'echo >/dev/udp/10.78.1.2/9'
	wait_for 5 'the small datagram' more_than "$before"
	if (($(counted) == before + 2)); then
		echo arrives
	else
		echo lost
	fi
}

# CONDITION SIZE=FATE ...
condition()
{
	local words pair
	read -ra words <<<"$1"
	"$LAB" "${words[0]}" "$lab_name" "${words[@]:1}"
	for pair in "${@:2}"; do
		check_equal "$1, ${pair%=*} bytes" "${pair#*=}" "$(fate "${pair%=*}")"
	done
	"$LAB" clear "$lab_name"
}

test_begin
# Every answer may come: the kernel counts and limits those it sends to one host.
on server sysctl -qw net.ipv4.icmp_ratelimit=0
condition clear 1280=arrives 1500=arrives 1501=arrives 3000=arrives
condition 'hole upload 1440' 1440=arrives 1441=lost 1500=lost 2000=lost
condition 'hole download 1440' 1500=arrives
condition 'band upload 1461 1500' 1460=arrives 1461=lost 1500=lost 1501=arrives
condition 'nofrag upload' 1500=arrives 1501=lost 3000=lost

# With an answer: the first with DF is lost and tells, the next ones fit.
"$LAB" narrow "$lab_name" upload 1400
check_equal 'narrow, the first of 1450 bytes' lost "$(fate 1450)"
check_equal 'narrow, the next of 1450 bytes' arrives "$(fate 1450)"
check_match 'narrow, what the peer knows then' 'mtu 1400' \
	"$(on peer ip route get 10.78.1.2)"

for end in server:$LAB_SERVER_CONF peer:$LAB_PEER_CONF; do
	conf=${end#*:}
	check_equal "$conf, mode" 600 "$(stat -c %a "$conf")"
	check_match "$conf, MTU" "^MTU = $LAB_MTU\$" "$(grep MTU "$conf")"
	check_equal "MTU of the ${end%%:*}'s link" "$LAB_MTU" "$(link_mtu "${end%%:*}")"
done

# A second lab of its own beside this one, taken down in the making at some moments.
other=${lab_name}x
for delay in 0.02 0.05 0.08 0.11 0.14; do
	"$LAB" up "$other" 2>/dev/null &
	sleep "$delay"
	kill -TERM $! 2>/dev/null || true
	wait $! || "$LAB" down "$other"
	"$LAB" down "$other"
	# Namespaces, state, sockets; other labs come and go there as well.
	check_equal "left, ended after $delay s" '' \
		"$(find /run -maxdepth 2 -name "*$other*" 2>/dev/null || true)"
done
