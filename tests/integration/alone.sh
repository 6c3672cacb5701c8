#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/alone.sh CASE
#
# mtusweep-peer --alone on a path whose condition is known, with a far end that has no
# mtusweep: the MTU for this end follows from the condition, what cannot be proved is said,
# and afterwards the host is as it was. If the kernel has netem (the virtual machine of
# tests/lab/vm), the round trip is 20 ms, and the time to the answer is limited.

# shellcheck source=tests/integration/alone_lib.sh
. "${BASH_SOURCE[0]%/*}/alone_lib.sh"

# The product's promise where nothing limits the rate of answers, in ms.
readonly LIMIT_MS=3000

took_ms()
{
	sed -n 's/^probes:.* \([0-9]*\) ms$/\1/p' "$tmp/peer.out"
}

# The run is stored, and what is made of it says what the peer said.
check_stored()
{
	local best
	best=$("$MTUSWEEP_BIN/mtusweep" best --db "$peer_db" | sed '/^$/,$d')
	check_same_text "$CASE: the stored answer" "$answer" "$best"
	check_match "$CASE: the message of it" "stored as run [0-9]+ in '$peer_db'" \
		"$(<"$tmp/peer.log")"
	check_equal "$CASE: an unknown MTU in the views" 0 "$(sql "$peer_db" \
		'SELECT count(*) FROM results WHERE server_mtu IS NOT NULL')"
}

# Arguments: MTU [LIMIT]. Check the recommendation, the exit status, which says if the MTU
# before fits, the time, and that nothing is left of it.
check_own()
{
	local mtu
	mtu=$(link_mtu peer)
	check_equal "$CASE: the first line" "recommended: peer MTU $1; predicted by probes \
of this end alone, not measured" "$(head -n 1 <<<"$answer")"
	check_equal "$CASE: the exit status" "$((mtu > $1 ? 3 : 0))" "$status"
	check_same_text "$CASE: both hosts" "$before" "$(everything)"
	check_stored
	! has_netem || check_equal "$CASE: slower than ${2-$LIMIT_MS} ms" '' \
		"$(took_ms | awk -v l="${2-$LIMIT_MS}" '$1 > l')"
}

# --- the path ------------------------------------------------------------------------

case_clean()
{
	begin
	alone
	check_own 1440
	check_says 'the far end' 'far end: its present MTU, about 1420, fits'
	check_says 'the proof' 'the endpoint 10.78.1.2 answers echoes with DF'
	check_says 'the clamp' 'maxseg size set 1400; .* maxseg size set 1380'
	# The printed lines are right for their programs.
	on peer bash -c "$(sed -n 's/^  \(nft .*\)/\1/p' <<<"$answer")"
	check_match 'nft takes its line' 'maxseg size set 1400' \
		"$(on peer nft list ruleset)"
	on peer nft delete table inet mtusweep_mss
}

case_hole_up()
{
	begin
	"$LAB" hole "$lab_name" upload 1440
	alone
	check_own 1380
	check_says upload 'up to 1440 bytes arrive whole, larger ones are lost'
	check_says 'the far end' 'far end: its present MTU, about 1420, fits'
}

# 60 + 1376 = 1436; 60 + 1392 = 1452 is lost.
case_hole_down()
{
	begin
	"$LAB" hole "$lab_name" download 1440
	alone
	check_own 1440
	check_says 'the far end' 'far end: MTU 1376 at most, .*: up to 1391 may fit'
	check_says 'the doubt' 'if a router fragments them is not visible here'
	check_says 'the clamp' 'maxseg size set 1336; '
}

case_uneven()
{
	begin
	"$LAB" hole "$lab_name" upload 1400
	"$LAB" hole "$lab_name" download 1460
	alone
	check_own 1340
	check_says 'the far end' 'far end: MTU 1392 at most'
}

case_pppoe()
{
	begin
	on server ip link set "$LAB_SERVER_IF" mtu 1500
	before=$(everything)
	"$LAB" narrow "$lab_name" upload 1492
	"$LAB" narrow "$lab_name" download 1492
	alone
	check_own 1432
	check_says 'the router' 'its next link takes 1492 bytes'
	check_says 'the far end' 'far end: MTU 1424 at most'
}

case_fragments_dropped()
{
	begin
	"$LAB" narrow "$lab_name" upload 1492
	"$LAB" narrow "$lab_name" download 1492
	"$LAB" nofrag "$lab_name" upload
	"$LAB" nofrag "$lab_name" download
	alone
	check_own 1432
	# The router makes its own fragments behind the rule that drops the host's: packets
	# without DF, which the kernel's WireGuard sends, arrive in them.
	check_says upload "up to 1492 bytes arrive whole, \
(up to 1500 bytes arrive in fragments, )?larger ones are lost"
}

case_lost_band()
{
	begin
	"$LAB" band "$lab_name" upload 1461 1500
	alone
	check_own 1400
	check_says upload \
		'up to 1460 bytes arrive whole, up to 1500 bytes are lost, larger .* frag'
}

case_ipv6_endpoint()
{
	begin --endpoint 6
	"$LAB" hole "$lab_name" upload 1460
	alone
	check_own 1380
}

case_inner_ipv6()
{
	begin
	"$LAB" hole "$lab_name" upload 1440
	"$LAB" narrow "$lab_name" download 1492
	alone --target fd77::1
	check_own 1380
	check_says 'the target' 'upload, as far as fd77::1'
}

# Without IPv6 inside smaller MTUs than 1280 are allowed.
case_shallow()
{
	begin --inner 4
	"$LAB" hole "$lab_name" upload 1300
	alone
	check_own 1240
}

# With IPv6 they are not.
case_too_shallow()
{
	begin
	"$LAB" hole "$lab_name" upload 1300
	alone
	check_equal 'the exit status' 1 "$status"
	check_says 'no MTU' 'recommended: no MTU, since none of 1280 or more'
	check_stored
	check_same_text 'both hosts' "$before" "$(everything)"
}

# Random loss, in both directions; in the virtual machine only.
case_loss()
{
	begin --loss-up 0.5 --loss-down 0.5
	"$LAB" hole "$lab_name" upload 1440
	"$LAB" hole "$lab_name" download 1460
	for _ in {1..5}; do
		alone
		check_own 1380
		check_says 'the far end' 'far end: MTU 1392 at most'
	done
}

# --- the far end ---------------------------------------------------------------------

# Arguments: RULE ... of what its tunnel's interface lets in
filter_server()
{
	local rule
	on server nft 'table inet far { chain in { type filter hook input priority 0; }; }'
	for rule; do
		on server nft add rule inet far in iifname "$LAB_SERVER_IF" "$rule"
	done
}

# The only answers come once a second.
case_icmp_limited()
{
	begin
	filter_server 'icmp type echo-request accept' \
		'meta l4proto udp limit rate 1/second burst 1 packets accept' drop
	"$LAB" hole "$lab_name" download 1440
	alone
	check_own 1440 30000
	check_says 'the way' 'with small answers \(to UDP datagrams'
	check_says 'the far end' 'far end: MTU 1376 at most'
}

case_one_port()
{
	begin
	filter_server 'tcp dport 5300 accept' drop
	on server iperf3 --server --one-off --bind "$LAB_SERVER_IP" \
		--port 5300 >/dev/null 2>&1 &
	local iperf_pid=$!
	wait_for 10 'iperf3' listening 5300
	"$LAB" hole "$lab_name" upload 1440
	alone --target "$LAB_SERVER_IP:5300"
	check_own 1380
	check_says download 'nothing is visible, since it answers no echoes'
	check_says 'the far end' 'far end: nothing is known'
	kill "$iperf_pid"
}

case_far_1280()
{
	begin
	on server ip link set "$LAB_SERVER_IF" mtu 1280
	before=$(everything)
	alone
	check_own 1440
	check_says 'the limit' "the far end's answers never exceed 1280 bytes inside"
}

# The endpoint answers nothing: what arrives may be fragmented on the way.
case_silent_endpoint()
{
	begin
	on server nft 'table inet far { chain in { type filter hook input priority 0; }; }'
	on server nft add rule inet far in iifname eth0 icmp type echo-request drop
	on server ip link set "$LAB_SERVER_IF" mtu 1500
	before=$(everything)
	"$LAB" narrow "$lab_name" upload 1492
	"$LAB" narrow "$lab_name" download 1492
	alone
	check_own 1424
	check_says 'the assumption' 'upload is assumed to be as well'
	check_says 'the doubt' 'if a router fragments them is not visible here'
}

case_silent()
{
	begin
	filter_server drop
	alone
	check_equal 'the exit status' 1 "$status"
	check_match 'which it says' "nothing behind '$LAB_PEER_IF' answers" \
		"$(<"$tmp/peer.log")"
	check_equal 'a database' no "$([[ -e $peer_db ]] && echo yes || echo no)"
	check_same_text 'both hosts' "$before" "$(everything)"
}

# --- the database --------------------------------------------------------------------

case_json()
{
	begin
	alone --json
	check_equal 'the exit status' 0 "$status"
	check_says 'the pair' '"server_mtu":null,"peer_mtu":1440,"status":"predicted"'
	check_same_text 'the run as show prints it' "$answer" \
		"$("$MTUSWEEP_BIN/mtusweep" show --json --db "$peer_db")"
	alone --target "$LAB_SERVER_IP"
	check_own 1440
	check_equal 'two runs' "-/1440 -/1440" "$("$MTUSWEEP_BIN/mtusweep" runs \
		--db "$peer_db" | awk 'NR > 1 { print $10 }' | xargs)"
	check_equal 'the named target' "[\"$LAB_SERVER_IP\"]" "$(sql "$peer_db" \
		"SELECT json_extract(options, '\$.target') FROM run WHERE id = 2")"
}

case_no_database()
{
	begin
	alone --db "$tmp/no/peer.db"
	check_equal 'no folder: the exit status' 1 "$status"
	check_match 'no folder' "cannot use folder '$tmp/no' of database" \
		"$(<"$tmp/peer.log")"
	# The answer comes before the file.
	echo 'No database, but long enough to be one.' >"$tmp/db/text.db"
	alone --db "$tmp/db/text.db"
	check_equal 'a file of another user: the exit status' 1 "$status"
	check_says 'the answer' '^recommended: peer MTU 1440;'
	check_match 'a file of another user' 'cannot write database .*Permission denied' \
		"$(<"$tmp/peer.log")"
	chown "$DB_USER" "$tmp/db/text.db"
	alone --db "$tmp/db/text.db"
	check_equal 'no database: the exit status' 1 "$status"
	check_match 'no database' 'is not an SQLite database' "$(<"$tmp/peer.log")"
	check_same_text 'both hosts' "$before" "$(everything)"
}

# --- the MTU that is applied ----------------------------------------------------------

# Arguments: [OPTION ...]
apply()
{
	alone --persist best --conf-file "$LAB_PEER_CONF" "$@"
}

# No file keeps the MTU: it goes into the link, and the lines for it are printed.
case_apply_live()
{
	local said
	begin_apply
	"$LAB" hole "$lab_name" upload 1440
	"$LAB" hole "$lab_name" download 1460
	alone --persist best
	said=$(<"$tmp/peer.log")
	check_equal 'the exit status' 0 "$status"
	check_equal "the link's MTU" 1380 "$(link_mtu peer)"
	check_equal 'the conf file' "$(sha256sum <"$tmp/conf.before")" \
		"$(sha256sum <"$LAB_PEER_CONF")"
	check_match 'the start' "no file is known that keeps the MTU of" "$said"
	check_match 'what it says' 'this end has applied MTU 1380, in the link alone' \
		"$said"
	check_equal 'the lines' '[Interface] MTU = 1380' \
		"$(grep -A1 '^\[Interface\]$' "$tmp/peer.log" | xargs)"
}

# Arguments: MTU. It is in the link and in the conf file, and nothing else has changed.
check_applied()
{
	check_equal "$CASE: the exit status" 0 "$status"
	check_equal "$CASE: the link's MTU" "$1" "$(link_mtu peer)"
	# Compare digests: the files hold keys.
	check_equal "$CASE: the conf file, with MTU = $1 in it" \
		"$(sed "s/^MTU = .*/MTU = $1/" "$tmp/conf.before" | sha256sum)" \
		"$(sha256sum <"$LAB_PEER_CONF")"
	check_same_text "$CASE: all else" "$other" "$(others)"
	check_match "$CASE: what it says" "this end has applied MTU $1, in link and conf" \
		"$(<"$tmp/peer.log")"
	check_equal "$CASE: the run" 'done|best|' "$(sql "$peer_db" 'SELECT outcome,
		persist, outcome_text FROM run ORDER BY id DESC LIMIT 1')"
}

begin_apply()
{
	begin
	cp "$LAB_PEER_CONF" "$tmp/conf.before"
	other=$(others)
}

case_apply()
{
	begin_apply
	"$LAB" hole "$lab_name" upload 1440
	"$LAB" hole "$lab_name" download 1460
	apply
	check_says 'the answer' '^recommended: peer MTU 1380;'
	check_applied 1380
	check_stored
	# Packets as large as the MTU pass now.
	on peer ping -q -c 1 -W 5 -M "do" -s 1352 "$LAB_SERVER_IP" >/dev/null ||
		failed 'a full-size echo'
	apply --json
	check_applied 1380
	check_says 'the run as JSON' '"outcome":"done".*"persist":"best"'
}

# Echoes of this size do not come back: small answers prove the MTU.
case_apply_hole_down()
{
	begin_apply
	"$LAB" hole "$lab_name" download 1400
	apply
	check_says 'the answer' '^recommended: peer MTU 1440;'
	# TCP would ask the far end for packets of 1440 bytes, which do not arrive.
	check_says 'what helps' 'TCP works both ways with MTU 1328 here, or with the clamp'
	check_applied 1328
	check_match 'why' 'MTU 1328 is applied in place of 1440: TCP asks the far end' \
		"$(<"$tmp/peer.log")"
}

# Arguments: COMMAND ... that is run after the answer and before the MTU is set: a locked
# database holds the program there. Set $status.
apply_meanwhile()
{
	alone
	lock_database "$peer_db"
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--db "$peer_db" --alone --persist best --conf-file "$LAB_PEER_CONF" \
		--lease 2 </dev/null >"$tmp/peer.out" 2>"$tmp/peer.log" &
	peer_pid=$!
	wait_for 20 'the answer' grep -q '^probes:' "$tmp/peer.out"
	"$@"
	unlock_database
}

outcome()
{
	sql "$peer_db" 'SELECT outcome, outcome_text FROM run ORDER BY id DESC LIMIT 1'
}

# The path becomes worse than the answer: nothing stays applied.
case_apply_unanswered()
{
	begin_apply
	apply_meanwhile "$LAB" hole "$lab_name" upload 1300
	wait_exit "$peer_pid" 20 'the peer'
	check_equal 'the exit status' 1 "$status"
	check_match 'which it says' "MTU 1440 is not applied: with it no packet of 1440 \
bytes was answered within the lease of 2 s; the MTU is restored" "$(<"$tmp/peer.log")"
	check_same_text 'both hosts' "$before" "$(everything)"
	check_match 'the run' '^failed\|MTU 1440 is not applied' "$(outcome)"
}

is_set()
{
	[[ $(link_mtu peer) == 1440 ]]
}

# A stop while the MTU waits for its proof.
case_apply_stopped()
{
	begin_apply
	apply_meanwhile "$LAB" hole "$lab_name" upload 1300
	wait_for 10 'the MTU that is to be applied' is_set
	kill -TERM "$peer_pid"
	wait_exit "$peer_pid" 10 'the peer'
	check_equal 'the exit status' 1 "$status"
	check_same_text 'both hosts' "$before" "$(everything)"
	check_match 'the run' '^interrupted\|MTU 1440 is not applied: stopped by Term' \
		"$(outcome)"
}

# The guard outlives the keeper, and restores.
case_apply_killed()
{
	begin_apply
	apply_meanwhile "$LAB" hole "$lab_name" upload 1300
	wait_for 10 'the MTU that is to be applied' is_set
	kill -KILL "$peer_pid"
	wait_exit "$peer_pid" 10 'the peer'
	wait_for 10 'the MTU of before' has_mtu "$LAB_MTU"
	check_same_text 'both hosts' "$before" "$(everything)"
	check_match 'the run' '^interrupted\|MTU 1440 is not applied' "$(outcome)"
}

has_mtu()
{
	[[ $(link_mtu peer) == "$1" ]]
}

# --- this end ------------------------------------------------------------------------

# wg-quick's policy routing: what goes to the endpoint has WireGuard's mark.
case_full_tunnel()
{
	local conf
	begin
	on peer ip link del "$LAB_PEER_IF"
	conf=$tmp/wgfull.conf
	LAB_PEER_IF=wgfull
	cat >"$conf" <<-CONF
		[Interface]
		Address = 10.77.0.2/24, fd77::2/64
		PrivateKey = $(sed -n 's/^PrivateKey *= *//p' "$LAB_PEER_CONF")
		MTU = 1420

		[Peer]
		PublicKey = $(sed -n 's/^PublicKey *= *//p' "$LAB_PEER_CONF")
		AllowedIPs = 0.0.0.0/0, ::/0
		Endpoint = 10.78.1.2:51820
	CONF
	on peer wg-quick up "$conf" >"$tmp/wg-quick.log" 2>&1
	before=$(everything)
	"$LAB" narrow "$lab_name" upload 1492
	"$LAB" hole "$lab_name" download 1460
	alone
	check_own 1432
	check_says 'the router, which an echo outside the tunnel reached' \
		'its next link takes 1492 bytes'
	check_says 'the far end' 'far end: MTU 1392 at most'
	on peer wg-quick down "$conf" >>"$tmp/wg-quick.log" 2>&1
}

# With several peers one is named, and the link keeps its MTU, but where it is asked for.
case_hub()
{
	begin
	on peer wg set "$LAB_PEER_IF" peer "$(wg genkey | wg pubkey)" \
		allowed-ips 10.77.0.99/32
	alone
	check_equal 'the exit status' 1 "$status"
	check_match 'which it says' 'has 2 peers: name the address of one with --target' \
		"$(<"$tmp/peer.log")"
	alone --target "$LAB_SERVER_IP" --target 10.77.0.99
	check_match 'two are named' 'name the address of one' "$(<"$tmp/peer.log")"
	alone --target "$LAB_SERVER_IP" --iperf-server 10.77.0.99
	check_match 'rates of another peer' 'is behind another WireGuard peer than' \
		"$(<"$tmp/peer.log")"
	alone --target "$LAB_SERVER_IP"
	check_own "$LAB_MTU"
	alone --target "$LAB_SERVER_IP" --scope link
	check_own 1440
}

is_probing()
{
	[[ $(link_mtu peer) != "$LAB_MTU" ]]
}

# A probe whose answers come once a second takes long enough to be stopped.
case_stopped()
{
	begin
	filter_server 'icmp type echo-request accept' \
		'meta l4proto udp limit rate 1/second burst 1 packets accept' drop
	"$LAB" hole "$lab_name" download 1440
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--db "$peer_db" --alone </dev/null >"$tmp/peer.out" 2>"$tmp/peer.log" &
	peer_pid=$!
	wait_for 20 'a probe' is_probing
	kill -TERM "$peer_pid"
	wait_exit "$peer_pid" 5 'the peer'
	check_equal 'the exit status' 1 "$status"
	check_match 'which it says' 'stopped by Terminated; the MTU is restored' \
		"$(<"$tmp/peer.log")"
	check_same_text 'both hosts' "$before" "$(everything)"
}

case_usage()
{
	begin
	refuses 'an option of a sweep' 'no use for --duration' --alone --duration 3
	refuses 'a server' 'no use for --server-ip' --alone --server-ip 10.77.0.1
	refuses 'the conf file at each step' 'no use for --persist each' --alone \
		--persist each
	refuses 'a target of a sweep' '--target needs --alone' --target 10.77.0.1
	refuses 'a server of tests in a sweep' '--iperf-server needs --alone' \
		--iperf-server 10.77.0.1
	refuses 'the strategy of probes' 'no use for --strategy without --iperf' \
		--alone --strategy grid
	refuses 'a strategy without tests' 'measures no throughput, --iperf-server' \
		--alone --iperf-server 10.77.0.1 --strategy probe
	refuses 'an option of a grid' 'no use for --passes here: .* --strategy grid' \
		--alone --iperf-server 10.77.0.1 --passes 2
	refuses 'an option of two ends' 'no use for --margin: it measures all MTUs' \
		--alone --iperf-server 10.77.0.1 --strategy grid --margin 3
	refuses 'no address of iperf3' "invalid value 'x' for --iperf-server" --alone \
		--iperf-server x
	refuses 'a long test' '--duration is at most 300' --alone --duration 301 \
		--iperf-server 10.77.0.1
	refuses 'no address' "invalid value 'x' for --target" --alone --target x
	refuses 'no port' 'expected ADDRESS, IPV4:PORT' --alone --target 10.77.0.1:x
	alone --target 10.78.1.2
	check_equal 'a target beside the tunnel: the exit status' 1 "$status"
	check_match 'a target beside the tunnel' 'do not leave by' "$(<"$tmp/peer.log")"
}

"case_$CASE"
