#!/usr/bin/env bash
#
# tests/integration/smart.sh CONDITION
#
# A run without a lattice, which is --strategy smart, over a path of this condition, at a round trip of 20 ms where the kernel
# can delay packets (tests/lab/vm): it names the right pair, which follows from the condition
# itself, says why, and leaves both hosts as they were. Each direction's right MTU is the
# largest whose every packet arrives whole: the size up to which the path takes packets,
# less WireGuard's overhead.
#
#	clean        nothing but the link's 1500
#	pppoe        routers fragment what exceeds 1492
#	icmp         they do at 1460, and answer where that is forbidden
#	hole         what exceeds 1460 is lost without a word
#	uneven       lost above 1440 upload, fragmented above 1480 download
#	nofrag       fragments are lost: what exceeds the sender's own link
#	band         upload, unfragmented ones of 1461 to 1500 are lost, larger ones pass in
#	             fragments
#	lossy        one packet in a thousand is lost at random, at 40 ms
#	rates        100 Mbit/s upload, 20 download
#	shallow      a bottleneck that queues 5 ms
#	halving      the bottleneck has half its capacity from the middle of the run on
#	ipv6         outer packets are IPv6's
#	jumbo        links of 9000

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

condition=$1
delay=10 limit=30 overhead=60
# The largest whole outer packet: upload is what the peer sends.
upload=1500 download=1500
options=()

case $condition in
clean | nofrag) ;;
pppoe) upload=1492 download=1492 ;;
icmp | hole) upload=1460 download=1460 ;;
uneven) upload=1440 download=1480 ;;
band) upload=1460 ;;
lossy) delay=20 limit=60 options=(--loss-up 0.1 --loss-down 0.1) ;;
rates) options=(--rate-up 100 --rate-down 20) ;;
shallow) options=(--queue 5) ;;
halving) ;;
ipv6) overhead=80 options=(--endpoint 6) ;;
jumbo) upload=9000 download=9000 options=(--mtu-outer 9000) ;;
*) echo "smart.sh: no condition '$condition'" && exit 2 ;;
esac

set_path()
{
	case $condition in
	pppoe | icmp)
		"$LAB" narrow "$lab_name" upload "$upload"
		"$LAB" narrow "$lab_name" download "$download"
		;;
	hole)
		"$LAB" hole "$lab_name" upload "$upload"
		"$LAB" hole "$lab_name" download "$download"
		;;
	uneven)
		"$LAB" hole "$lab_name" upload "$upload"
		"$LAB" narrow "$lab_name" download "$download"
		;;
	nofrag)
		"$LAB" nofrag "$lab_name" upload
		"$LAB" nofrag "$lab_name" download
		;;
	band) "$LAB" band "$lab_name" upload $((upload + 1)) 1500 ;;
	esac
}

half_way()
{
	[[ -e $peer_db ]] && (($(rows_of "$peer_db") >= 3))
}

newest()
{
	sql "$peer_db" "SELECT $1 FROM $2 WHERE run_id = (SELECT max(id) FROM run)"
}

# Wherever netem is missing there is no delay: the pair is the same.
test_begin "${options[@]}"
delayed=no
if "$LAB" delay "$lab_name" upload "$delay" 2>/dev/null; then
	"$LAB" delay "$lab_name" download "$delay"
	delayed=yes
fi
set_path
before=$(hosts_state)
right="$((download - overhead))/$((upload - overhead))"
begun=${EPOCHREALTIME/[.,]/}
start_server --once
start_peer
if [[ $condition == halving ]]; then
	wait_for 30 'three visits' half_way
	"$LAB" rate "$lab_name" upload $((LAB_RATE_UP / 2))
	"$LAB" rate "$lab_name" download $((LAB_RATE_DOWN / 2))
fi
wait_both $((2 * limit))
seconds=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000000))
check_equal "$condition: the pair, server/peer" "$right" \
	"$(newest "server_mtu || '/' || peer_mtu" recommendation)"
# Of the virtual machine's clock, which no other program slows down.
[[ $delayed == no ]] || check_equal "$condition: in under $limit s" yes \
	"$( ((seconds < limit)) && echo yes || echo "$seconds s")"
check_match "$condition: what the peer says" \
	"recommended: server MTU ${right%/*}, peer MTU ${right#*/}" "$(cat "$tmp/peer.log")"
check_equal "$condition: the strategy" smart "$(sql "$peer_db" 'SELECT strategy FROM run')"
check_same_text "$condition: both hosts" "$before" "$(hosts_state)"
tail -n 25 "$tmp/peer.log" | tr '\r' '\n'
echo "$condition: $right in $seconds s, $(newest 'count(*)' measurement) visits"
