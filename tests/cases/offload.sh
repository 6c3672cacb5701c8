#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Offloads as on real hosts: GSO on the hosts' links, GRO on all links.
#            Packets of one size pass beside. Outer packets above 1460 are lost.
# RIGHT      1400/1400, in each of three probes and in a run
# SOURCE     tailscale/wireguard-go pull request 26, "tun: implement API for disabling
#            UDP GRO on Linux"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Arguments: HOST LINK. Turn GRO on (SIOCETHTOOL, ETHTOOL_SGRO).
turn_gro_on()
{
	# shellcheck disable=SC2016 # Perl's
	on "$1" perl -e 'socket(my $s, 2, 2, 0) or die; my $v = pack("LL", 0x2c, 1);
		ioctl($s, 0x8946, my $r = pack("a16Px16", $ARGV[0], $v)) or die' "$2"
}

case_begin --rate-up 8 --rate-down 12
for end in server peer; do
	on "$end" ip link set eth0 gso_max_segs 65535
	turn_gro_on "$end" eth0
	turn_gro_on router "$end"
done
"$LAB" hole "$lab_name" upload 1460
"$LAB" hole "$lab_name" download 1460
run_on server iperf3 --server --bind "$LAB_SERVER_IP" --port 5300 >/dev/null 2>&1 &
wait_for 10 iperf3 listening 5300
run_on peer iperf3 --client "$LAB_SERVER_IP" --port 5300 --udp --bitrate 2M \
	--length 1200 --time 100 --bidir >/dev/null 2>&1 &
iperf_pid=$!
for i in 1 2 3; do
	probe
	must_be "probe $i" 1400/1400 "$pair"
done
kill "$iperf_pid"
smart
must_recommend
