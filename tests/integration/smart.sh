#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/smart.sh CONDITION
#
# A run without ranges, which is --strategy smart, over a path of this condition, at a
# round trip of 20 ms if the kernel can delay packets (tests/lab/vm). It names the right
# pair, which follows from the condition itself, and its evidence, and leaves both hosts as
# they were. Each direction's right MTU is the largest whose every packet arrives whole:
# the path MTU minus WireGuard's overhead.
#
#	clean        nothing but the link's 1500
#	pppoe        routers fragment packets above 1492
#	icmp         they do so above 1460, and send an ICMP message if DF forbids it
#	hole         packets above 1460 are lost without a message
#	uneven       lost above 1440 upload, fragmented above 1480 download
#	nofrag       fragments are lost: all packets above the sender's own link
#	band         upload: unfragmented packets of 1461 to 1500 are lost, larger ones pass
#	             in fragments
#	lossy        one packet in a thousand is lost at random, at 40 ms
#	rates        100 Mbit/s upload, 20 download
#	shallow      a bottleneck that queues 5 ms
#	halving      the bottleneck loses half its capacity in the middle of the run
#	ipv6         outer packets are IPv6's
#	forgetful    nothing but the link's 1500, and the server's database loses rows
#	jumbo        links of 9000
#	resumed      as uneven, and all processes of the peer are killed during the run;
#	             when it is resumed, the path cannot be probed any more
#	filtered     packets above 1440 are lost, and so is all UDP inside the tunnel: only
#	             throughput shows the edge

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

condition=$1
delay=10 limit=30 overhead=60
# The largest whole outer packet; the peer sends upload.
upload=1500 download=1500
options=() peer_options=()

case $condition in
clean | nofrag | forgetful) ;;
pppoe) upload=1492 download=1492 ;;
icmp | hole) upload=1460 download=1460 ;;
uneven) upload=1440 download=1480 ;;
resumed) upload=1440 download=1480 peer_options=(--lease 2) ;;
band) upload=1460 ;;
lossy) delay=20 limit=60 options=(--loss-up 0.1 --loss-down 0.1) ;;
rates) options=(--rate-up 100 --rate-down 20) ;;
shallow) options=(--queue 5) ;;
halving) ;;
ipv6) overhead=80 options=(--endpoint 6) ;;
# More visits than a busy machine has time for.
filtered) upload=1440 download=1440 limit=120 peer_options=(--budget 0) ;;
jumbo) upload=9000 download=9000 options=(--mtu-outer 9000) ;;
*) echo "smart.sh: no condition '$condition'" && exit 2 ;;
esac

# Arguments: HOST. No UDP leaves the tunnel there.
filter_udp()
{
	local interface=$LAB_PEER_IF
	[[ $1 == peer ]] || interface=$LAB_SERVER_IF
	on "$1" nft add table inet filtered
	on "$1" nft 'add chain inet filtered in { type filter hook input priority 0; }'
	on "$1" nft add rule inet filtered in iifname "$interface" meta l4proto udp \
		counter drop
}

set_path()
{
	case $condition in
	pppoe | icmp)
		"$LAB" narrow "$lab_name" upload "$upload"
		"$LAB" narrow "$lab_name" download "$download"
		;;
	filtered)
		filter_udp server
		filter_udp peer
		"$LAB" hole "$lab_name" upload "$upload"
		"$LAB" hole "$lab_name" download "$download"
		;;
	hole)
		"$LAB" hole "$lab_name" upload "$upload"
		"$LAB" hole "$lab_name" download "$download"
		;;
	uneven | resumed)
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

copied()
{
	[[ -e $server_db ]] && (($(rows_of "$server_db") >= 1))
}

# Delete all rows that the server has copied so far.
lose_rows()
{
	wait_for 60 'a row of the copy' copied
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail -cmd '.timeout 5000' \
		"$server_db" 'DELETE FROM measurement'
}

# The shortest run makes two visits.
half_way()
{
	[[ -e $peer_db ]] && (($(rows_of "$peer_db") >= 1))
}

newest()
{
	sql "$peer_db" "SELECT $1 FROM $2 WHERE run_id = (SELECT max(id) FROM run)"
}

# Arguments: SEQ. Print the rows up to it, and the known facts about the path.
stored()
{
	sql "$peer_db" "SELECT seq, pass, server_mtu, peer_mtu, reference, upload_started_at
		FROM measurement WHERE seq <= $1 ORDER BY seq"
	sql "$peer_db" 'SELECT * FROM path_band ORDER BY direction, size_max'
	sql "$peer_db" 'SELECT * FROM path'
}

# Kill the peer in the middle of the run, and start it again while probes are
# unanswered.
interrupt()
{
	wait_for 60 'the first visit' half_way
	kill_all "$peer_pid"
	known=$(rows_of "$peer_db")
	kept=$(stored "$known")
	filter_udp server
	filter_udp peer
	start_peer --resume --wait 30 --lease 2
}

check_resumed()
{
	check_match 'resumed: what the peer says' \
		"run 1 continues after $known measurement" \
		"$(<"$tmp/peer.log")"
	check_same_text 'resumed: the first visits, and what is known of the path' "$kept" \
		"$(stored "$known")"
	check_equal 'resumed: runs' 1 "$(sql "$peer_db" 'SELECT count(*) FROM run')"
	check_equal 'resumed: visits made twice' 0 "$(sql "$peer_db" "SELECT count(*) -
		count(DISTINCT server_mtu || '/' || peer_mtu || '/' || pass)
		FROM measurement")"
	# The first visit, and each other visit of that pair.
	check_equal 'resumed: the reference series' "$right, complete, from 1" \
		"$(sql "$peer_db" "SELECT format('%s, %s, from %d',
			group_concat(DISTINCT server_mtu || '/' || peer_mtu),
			iif(max(pass) = count(*), 'complete', 'passes are missing'),
			min(seq)) FROM measurement WHERE reference")"
	check_equal 'resumed: rows at the server' "$(rows_of "$peer_db")" \
		"$(rows_of "$server_db")"
}

# The size where losses begin is certain. Below it the result depends on how steady
# rates are, and may be a smaller pair.
check_filtered()
{
	local want
	check_equal 'filtered: the pair fits whole, server and peer' '1 1' "$(newest \
		"(server_mtu BETWEEN 1280 AND ${right%/*}) || ' ' ||
		(peer_mtu BETWEEN 1280 AND ${right#*/})" recommendation)"
	want='^path, (up|down)load: .* to 1440 (bytes )?arrive[a-z ,]*, '
	want+='those of 1441 to [0-9]* are lost, larger ones could not be judged \(inferred'
	check_equal 'filtered: directions known to lose what exceeds 1440 bytes' 2 \
		"$(grep -cE "$want" "$tmp/peer.log")"
	want='the path cannot be probed, '
	want+=".*no answer from UDP port 5000 of $LAB_SERVER_IP"
	check_match 'filtered: what the peer says before' "$want" "$(<"$tmp/peer.log")"
	check_match 'filtered: and after' \
		'probes got no answer, so it is not proved that UDP fits' \
		"$(<"$tmp/peer.log")"
}

# Without netem there is no delay: the pair is the same.
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
start_peer "${peer_options[@]}"
[[ $condition != forgetful ]] || lose_rows
[[ $condition != resumed ]] || interrupt
if [[ $condition == halving ]]; then
	wait_for 30 'the first visit' half_way
	"$LAB" rate "$lab_name" upload $((LAB_RATE_UP / 2))
	"$LAB" rate "$lab_name" download $((LAB_RATE_DOWN / 2))
fi
wait_both $((2 * limit))
seconds=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000000))
pair=$(newest "server_mtu || '/' || peer_mtu" recommendation)
[[ $condition == filtered ]] ||
	check_equal "$condition: the pair, server/peer" "$right" "$pair"
# Time by the virtual machine's clock, which no other program slows down.
[[ $delayed == no ]] || check_equal "$condition: in under $limit s" yes \
	"$( ((seconds < limit)) && echo yes || echo "$seconds s")"
check_match "$condition: what the peer says" \
	"recommended: server MTU ${pair%/*}, peer MTU ${pair#*/}" "$(cat "$tmp/peer.log")"
# Probes show the pair before the first measurement, where they are answered.
prediction=$(tr '\r' '\n' <"$tmp/peer.log" | sed -n '/^\[1\] /q;/^predicted: /p')
case $condition in
filtered | resumed) check_equal "$condition: no prediction" '' "$prediction" ;;
*)
	check_equal "$condition: the prediction" \
		"predicted: server MTU ${right%/*}, peer MTU ${right#*/}; tests follow" \
		"$prediction"
	;;
esac
check_equal "$condition: how far it is proved, here and there" 'confirmed confirmed' \
	"$(newest status reason) $(sql "$server_db" 'SELECT status FROM reason')"
check_equal "$condition: totals that are none" '' \
	"$(grep -E '^\[[0-9]+( of|,)' "$tmp/peer.log" "$tmp/server.log" || true)"
# A resumed run counts on from the measurements that it has.
first=1
[[ $condition != resumed ]] || first='[2-9]'
check_match "$condition: the count of visits" "\\[$first\\] [0-9]+/[0-9]+: up" \
	"$(cat "$tmp/peer.log")"
check_equal "$condition: the strategy" smart "$(sql "$peer_db" 'SELECT strategy FROM run')"
found='SELECT path.overhead, upload_probes, download_probes, direction, size_max, fate,
	server_mtu, peer_mtu, settled FROM path, path_band, recommendation'
[[ $condition == filtered ]] ||
	check_match "$condition: the path is stored" '[|](whole|lost)[|]' \
	"$(sql "$peer_db" "$found")"
check_equal "$condition: the server's copy" "$(sql "$peer_db" "$found")" \
	"$(sql "$server_db" "$found")"
rests_on()
{
	"$MTUSWEEP_BIN/mtusweep" best --db "$1" | sed '/^$/,$d'
}
if [[ $condition == forgetful ]]; then
	check_match "$condition: what it rests on there" "warning: the pair is the peer's" \
		"$(rests_on "$server_db")"
	check_equal "$condition: the reason there" "$(sql "$peer_db" \
		'SELECT kind, visits FROM reason')" "$(sql "$server_db" \
		'SELECT kind, visits FROM reason')"
else
	check_equal "$condition: what it rests on there" "$(rests_on "$peer_db")" \
		"$(rests_on "$server_db")"
fi
check_equal "$condition: sentences stored" 0 "$(sql "$peer_db" \
	"SELECT count(*) FROM recommendation WHERE text <> ''")"
[[ $(type -t "check_$condition") != function ]] || "check_$condition"
check_same_text "$condition: both hosts" "$before" "$(hosts_state)"
tail -n 25 "$tmp/peer.log" | tr '\r' '\n'
echo "$condition: $pair in $seconds s, $(newest 'count(*)' measurement) visits"
