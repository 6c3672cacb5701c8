#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/probe.sh CASE
#
# --strategy probe on a path whose condition is known: the bands that it finds in each
# direction follow from the condition, and afterwards both hosts are as they were: MTU,
# addresses, routes, rules. If the kernel has netem (the virtual machine of
# tests/lab/vm), the round trip is 20 ms, and the time of the probe is limited.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASE=${1:?which case}
# The lab's links, and the largest possible size.
readonly LINK=1500 MOST=65535
readonly CLEAN=$LINK:whole,$MOST:fragmented
# The product's promises for edges at usual sizes, and at any size, in ms.
readonly USUAL_MS=500 ANY_MS=1500

host=()
overhead=60

# Print all settings of both hosts that a probe changes.
everything()
{
	local end interface
	hosts_state
	for end in server peer; do
		interface=LAB_${end^^}_IF
		on "$end" ip rule show
		on "$end" ip -6 rule show
		on "$end" ip route show table all dev "${!interface}"
		on "$end" ip -6 route show table all dev "${!interface}"
	done
}

start_end()
{
	local end=$1 program=mtusweep-$1 interface=LAB_${1^^}_IF
	run_on "$end" "${host[@]}" "$MTUSWEEP_BIN/$program" --interface "${!interface}" \
		--server-ip "$LAB_SERVER_IP" --db "$tmp/db/$end.db" "${@:2}" \
		</dev/null >"$tmp/$end.out" 2>"$tmp/$end.log"
}

# Arguments: [OPTION ...] of lab up
begin()
{
	local delay=()
	! has_netem || delay=(--delay 10)
	test_begin "${delay[@]}" "$@"
	before=$(everything)
}

probe()
{
	start_end server --once --lease 3 &
	server_pid=$!
	start_end peer --strategy probe --wait 20 &
	peer_pid=$!
	wait_exit "$peer_pid" 60 'the peer'
}

# --once still waits for a run that measures.
end_server()
{
	check_match 'what the server says of the end' \
		'run [0-9]+, a probe of .*, ended: done' "$(<"$tmp/server.log")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_equal "the server's exit status, without a run" 1 "$status"
	check_match "the server's end" 'stopped by Terminated' "$(<"$tmp/server.log")"
}

took_ms()
{
	sed -n 's/^probes:.* \([0-9]*\) ms$/\1/p' "$tmp/peer.out"
}

# Arguments: NAME LIMIT. Check the time on a path of 20 ms round trip; other paths'
# times depend on the machine.
check_time()
{
	echo "$1: $(grep '^probes:' "$tmp/peer.out")"
	has_netem || return 0
	check_equal "$1: slower than $2 ms" '' "$(took_ms | awk -v l="$2" '$1 > l')"
}

# Arguments: BANDS. Print the largest inner packet that arrives whole.
fitting()
{
	local size=${1%%:*}
	echo $((size - overhead))
}

# Arguments: UP DOWN. Print the exit status that says if the pair before the probe fits.
fit_status()
{
	if ((LAB_MTU <= $(fitting "$1") && LAB_MTU <= $(fitting "$2"))); then
		echo 0
	else
		echo 3
	fi
}

# Arguments: DATABASE DIRECTION. Print the bands of the newest run.
bands()
{
	sql "$1" "SELECT group_concat(size_max || ':' || fate) FROM (
		SELECT size_max, fate FROM path_band
		WHERE run_id = (SELECT max(id) FROM run) AND direction = '$2'
		ORDER BY size_max)"
}

# Arguments: NAME UP DOWN. Check what both ends stored of the newest run.
check_stored()
{
	local end db
	for end in server peer; do
		db=$tmp/db/$end.db
		check_equal "$1: the $end's run" \
			"probe, done, 0 rows, $(fitting "$3")/$(fitting "$2") predicted" \
			"$(sql "$db" "SELECT format('%s, %s, %d rows, %d/%d %s', strategy,
				outcome, (SELECT count(*) FROM measurement), server_mtu,
				peer_mtu, status)
			FROM run JOIN recommendation ON run_id = id
				JOIN reason USING (run_id)
			ORDER BY id DESC LIMIT 1")"
		check_equal "$1: upload at the $end" "$2" "$(bands "$db" upload)"
		check_equal "$1: download at the $end" "$3" "$(bands "$db" download)"
	done
}

# Arguments: NAME UP DOWN [LIMIT]
check_probe()
{
	probe
	check_equal "$1: the peer's exit status" "$(fit_status "$2" "$3")" "$status"
	check_equal "$1: the first line" \
		"recommended: server MTU $(fitting "$3"), peer MTU $(fitting "$2"); \
predicted by probes, not measured" "$(head -n 1 "$tmp/peer.out")"
	check_stored "$@"
	check_time "$1" "${4-$USUAL_MS}"
	end_server
	check_same_text "$1: both hosts" "$before" "$(everything)"
}

# --- conditions of the path ----------------------------------------------------------

case_clean()
{
	begin
	check_probe clean "$CLEAN" "$CLEAN"
}

# 1460 is the edge, whether the router fragments or the sender that has learned of it.
case_narrow()
{
	begin
	"$LAB" narrow "$lab_name" upload 1460
	"$LAB" narrow "$lab_name" download 1492
	check_probe narrow "1460:whole,$MOST:fragmented" "1492:whole,$MOST:fragmented"
}

# A sender's fragments are as large as its link, and are lost as well.
case_hole()
{
	begin
	"$LAB" hole "$lab_name" upload 1460
	"$LAB" hole "$lab_name" download 1460
	check_probe hole "1460:whole,$MOST:lost" "1460:whole,$MOST:lost"
}

case_different()
{
	begin
	"$LAB" narrow "$lab_name" upload 1492
	"$LAB" hole "$lab_name" download 1440
	check_probe 'different edges' "1492:whole,$MOST:fragmented" "1440:whole,$MOST:lost"
}

case_fragments_dropped()
{
	begin
	"$LAB" nofrag "$lab_name" upload
	check_probe 'fragments dropped' "$LINK:whole,$MOST:lost" "$CLEAN"
}

case_lost_band()
{
	begin
	"$LAB" band "$lab_name" upload 1461 1500
	"$LAB" band "$lab_name" download 1441 1492
	check_probe 'lost band' "1460:whole,1500:lost,$MOST:fragmented" \
		"1440:whole,1492:lost,1500:whole,$MOST:fragmented"
}

case_odd_edges()
{
	begin
	"$LAB" band "$lab_name" upload 1347 1471
	"$LAB" hole "$lab_name" download 1423
	check_probe 'odd edges' "1346:whole,1471:lost,1500:whole,$MOST:fragmented" \
		"1423:whole,$MOST:lost" "$ANY_MS"
}

# Nothing of 1280 fits whole, and without IPv6 inside smaller MTUs are allowed: the server
# learns that after the answer.
case_shallow()
{
	begin --inner 4
	"$LAB" hole "$lab_name" upload 1300
	check_probe shallow "1300:whole,$MOST:lost" "$CLEAN" "$ANY_MS"
	check_equal 'the smallest MTU at the server' 1240 \
		"$(sql "$tmp/db/server.db" 'SELECT peer_mtu_min FROM run')"
}

case_ipv6()
{
	overhead=80
	begin --endpoint 6
	"$LAB" narrow "$lab_name" upload 1460
	"$LAB" hole "$lab_name" download 1480
	check_probe IPv6 "1460:whole,$MOST:fragmented" "1480:whole,$MOST:lost"
	"$LAB" clear "$lab_name"
	"$LAB" band "$lab_name" upload 1461 1500
	"$LAB" nofrag "$lab_name" download
	check_probe 'IPv6 again' "1460:whole,1500:lost,$MOST:fragmented" \
		"$LINK:whole,$MOST:lost"
}

case_jumbo()
{
	begin --mtu-outer 9000
	check_probe jumbo "9000:whole,$MOST:fragmented" "9000:whole,$MOST:fragmented"
	"$LAB" narrow "$lab_name" upload 1500
	check_probe 'jumbo at the ends' "1500:whole,$MOST:fragmented" \
		"9000:whole,$MOST:fragmented"
}

# --- other traffic and other kernels -------------------------------------------------

# TCP in both directions, whose own packets leave in fragments.
case_traffic()
{
	begin --mtu-inner 1480
	"$LAB" band "$lab_name" upload 1461 1500
	on server iperf3 --server --one-off --bind "$LAB_SERVER_IP" \
		--port 5300 >/dev/null 2>&1 &
	wait_for 10 'iperf3' listening 5300
	on peer iperf3 --client "$LAB_SERVER_IP" --port 5300 --time 60 \
		--bidir >/dev/null 2>&1 &
	local iperf_pid=$!
	sleep 1
	check_probe 'beside traffic' "1460:whole,1500:lost,$MOST:fragmented" "$CLEAN" \
		"$ANY_MS"
	kill "$iperf_pid"
}

# Connection tracking reassembles packets before anything else sees them.
case_conntrack()
{
	local end
	begin
	for end in server peer; do
		on "$end" nft add table inet tracked
		on "$end" nft \
			'add chain inet tracked in { type filter hook input priority 0; }'
		on "$end" nft add rule inet tracked in ct state invalid counter
	done
	"$LAB" narrow "$lab_name" upload 1460
	check_probe conntrack "1460:whole,$MOST:fragmented" "$CLEAN"
}

# Without a tap the counters show the fate, one size a round.
case_counters()
{
	begin
	host=(setpriv --bounding-set -net_raw)
	"$LAB" hole "$lab_name" upload 1460
	check_probe counters "1460:whole,$MOST:lost" "$CLEAN" 5000
	check_equal 'which it says' 2 \
		"$(grep -c "was judged by the kernel's counters" "$tmp/peer.out")"
}

# Random loss, in both directions; in the virtual machine only.
case_loss()
{
	local i
	begin --loss-up 0.5 --loss-down 0.5
	"$LAB" hole "$lab_name" upload 1460
	for i in {1..5}; do
		check_probe "loss, $i" "1460:whole,$MOST:lost" "$CLEAN" "$ANY_MS"
	done
}

case_filtered()
{
	begin
	on server nft add table inet filtered
	on server nft 'add chain inet filtered in { type filter hook input priority 0; }'
	on server nft add rule inet filtered in iifname "$LAB_SERVER_IF" udp dport 5000 drop
	probe
	check_equal "filtered: the peer's exit status" 1 "$status"
	check_match 'which it says' 'no answer from UDP port 5000 of 10.77.0.1' \
		"$(<"$tmp/peer.log")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	on server nft delete table inet filtered
	check_same_text 'filtered: both hosts' "$before" "$(everything)"
}

# --- monitoring ----------------------------------------------------------------------

# Arguments: NAME STATUS LINE [OPTION ...]. Check the status of --check, that it prints one
# line, and what that begins with.
check_line()
{
	start_end peer --strategy probe --check --wait 20 "${@:4}" &
	peer_pid=$!
	wait_exit "$peer_pid" 60 'the peer'
	check_equal "$1: the exit status" "$2" "$status"
	check_equal "$1: lines" 1 "$(wc -l <"$tmp/peer.out")"
	check_equal "$1: the line" "$3" "$(cut -c "-${#3}" "$tmp/peer.out")"
	check_equal "$1: a database of the peer" no \
		"$([[ -e $tmp/db/peer.db ]] && echo yes || echo no)"
	check_equal "$1: runs of the server" 0 \
		"$(sql "$tmp/db/server.db" 'SELECT count(*) FROM run')"
}

case_check()
{
	local pair="current pair: server MTU 1420, peer MTU 1420:"
	begin
	start_end server --lease 3 &
	server_pid=$!
	check_line clean 0 "MTU OK - $pair fits whole; largest that fits: server MTU 1440, \
peer MTU 1440 | server_mtu=1420 peer_mtu=1420 server_fits=1440 peer_fits=1440 probe="
	"$LAB" narrow "$lab_name" upload 1460
	check_line narrow 3 "MTU CRITICAL - $pair does not fit: upload packets of 1393 to \
1420 bytes arrive in fragments; largest that fits: server MTU 1440, peer MTU 1400 | "
	"$LAB" clear "$lab_name"
	"$LAB" hole "$lab_name" download 1440
	check_line hole 3 "MTU CRITICAL - $pair does not fit: download packets of 1377 to \
1420 bytes are lost; largest that fits: server MTU 1380, peer MTU 1440 | "
	"$LAB" clear "$lab_name"
	on server nft add table inet filtered
	on server nft 'add chain inet filtered in { type filter hook input priority 0; }'
	on server nft add rule inet filtered in iifname "$LAB_SERVER_IF" udp dport 5000 drop
	check_line filtered 1 \
		'MTU UNKNOWN - no answer from UDP port 5000 of 10.77.0.1 through the tunnel'
	on server nft delete table inet filtered
	check_line 'no interface' 1 "MTU UNKNOWN - no interface 'none' on this host" \
		--interface none
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_line 'no server' 1 'MTU UNKNOWN - ' --wait 1
	check_same_text 'checks: both hosts' "$before" "$(everything)"
}

# --- the stored run ------------------------------------------------------------------

# Arguments: COMMAND [ARG ...]
mtusweep()
{
	"$MTUSWEEP_BIN/mtusweep" "$@" --db "$tmp/db/peer.db"
}

# Arguments: STATUS [OPTION ...] of the peer
run_peer()
{
	start_end peer --wait 20 "${@:2}" &
	peer_pid=$!
	wait_exit "$peer_pid" 60 'the peer'
	check_equal "the exit status of ${*:2}" "$1" "$status"
}

# The document is that of the run; commands that need measurements take an older run; the
# predicted pair can be applied.
case_stored()
{
	local predicted='server MTU 1440, peer MTU 1440'
	begin
	start_end server --persist best --conf-file "$LAB_SERVER_CONF" &
	server_pid=$!
	run_peer 0 --mtu-min 1400 --mtu-max 1440 --mtu-step 40 --duration 0.3
	run_peer 0 --strategy probe --json
	check_same_text 'the document' "$(mtusweep show 2 --json)" "$(<"$tmp/peer.out")"
	check_match 'best' "^recommended: $predicted; predicted by probes, not measured" \
		"$(mtusweep best)"
	check_match 'no fastest pair' 'fastest measured: none' "$(mtusweep best)"
	check_match 'the path' '^Upload, peer to server$' "$(mtusweep heatmap)"
	check_match 'the export' '"status":"predicted"' "$(mtusweep export --format json)"
	check_match 'the metrics' 'mtu_recommended_bytes\{.*,end="peer"\} 1440' \
		"$(mtusweep export --format prometheus)"
	check_same_text 'before the apply: both hosts' "$before" "$(everything)"
	run_peer 0 --apply --duration 0.3 --conf-file "$LAB_PEER_CONF"
	check_match 'what is applied' "run 2 predicted 1440/1440 by probes and did not" \
		"$(<"$tmp/peer.log")"
	check_equal 'the MTUs' '1440 1440' "$(link_mtu server) $(link_mtu peer)"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

# --- failures ------------------------------------------------------------------------

probing()
{
	[[ $(link_mtu server) != "$LAB_MTU" && $(link_mtu peer) != "$LAB_MTU" ]]
}

set_up_there()
{
	[[ $(link_mtu server) != "$LAB_MTU" ]]
}

# All processes of both ends are killed at once: the next start restores from the
# journal.
case_killed()
{
	local end
	begin
	# The server's answer to the set-up request does not arrive: no probe changes an
	# MTU, and both ends wait, the peer for 3 s, the server for 5.
	mute_server_after 'POST /v1/probe' 60s
	start_server --once --lease 60
	start_peer --strategy probe --lease 60
	wait_for 20 'both ends set up' set_up_there
	kill_all "$peer_pid"
	kill_all "$server_pid"
	for end in server peer; do
		check_equal "$end: the MTU of a probe" yes \
			"$([[ $(link_mtu "$end") != "$LAB_MTU" ]] && echo yes || echo no)"
		[[ $LAB_BACKEND != kernel ]] ||
			check_match "$end: the rule of a probe" '^1:' \
				"$(on "$end" ip rule show)"
		(start_end "$end" --restore)
		check_match "$end: restored" "is restored to MTU $LAB_MTU" \
			"$(<"$tmp/$end.log")"
	done
	unmute_server
	check_same_text 'killed: both hosts' "$before" "$(everything)"
}

# The user interrupts: both ends restore.
case_interrupted()
{
	begin
	on server nft add table inet filtered
	on server nft 'add chain inet filtered in { type filter hook input priority 0; }'
	on server nft add rule inet filtered in udp dport 5000 drop
	start_server --lease 2
	start_peer --strategy probe --lease 2
	wait_for 20 'a probe under way' probing
	kill -INT "$peer_pid"
	wait_exit "$peer_pid" 20 'the peer'
	check_equal "the peer's exit status" 1 "$status"
	on server nft delete table inet filtered
	check_same_text 'interrupted: both hosts' "$before" "$(everything)"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

[[ $(type -t "case_$CASE") == function ]] || {
	echo "no case '$CASE'"
	exit 1
}
"case_$CASE"
