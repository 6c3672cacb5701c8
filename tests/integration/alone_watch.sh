#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/alone_watch.sh CASE
#
# mtusweep-peer --alone --watch on a path whose edge moves in the middle of it: what
# changed is told once and stored, and with --persist best the MTU follows it.

# shellcheck disable=SC2119 # begin's arguments are options
# shellcheck source=tests/integration/alone_lib.sh
. "${BASH_SOURCE[0]%/*}/alone_lib.sh"
# shellcheck source=tests/integration/watch_lib.sh
. "${BASH_SOURCE[0]%/*}/watch_lib.sh"

# Arguments: [OPTION ...]
watch()
{
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--db "$peer_db" --alone --watch 0.3 "$@" </dev/null >"$tmp/peer.out" \
		2>"$tmp/peer.log" &
	peer_pid=$!
}

case_moves()
{
	begin
	watch
	wait_for 30 'three probes' has_probes 3
	"$LAB" hole "$lab_name" upload 1440
	wait_for 60 'the news' told 'peer MTU 1420 no longer fits'
	check_match 'what changed' "peer MTU 1420 no longer fits: upload: whole to lost at \
1441 bytes.*; the largest that fits: peer MTU 1380\$" "$(<"$tmp/peer.log")"
	more_probes 4
	"$LAB" clear "$lab_name"
	wait_for 60 'the end of it' told 'peer MTU 1420 fits again'
	more_probes 4
	stop_watch
	check_equal 'each is told once' '1 1' \
		"$(count_told 'no longer fits') $(count_told 'fits again')"
	check_equal 'the news that are stored' 'misfit fits' "$(news)"
	# A probe during which the path changed may have seen both.
	check_equal 'the edges that are stored' '1500 1440 1500' "$(sql "$peer_db" "
		SELECT group_concat(upload_whole, ' ') FROM (SELECT upload_whole
			FROM path_probe WHERE seq = 1 OR event <> 'quiet' ORDER BY seq)")"
	check_equal 'the run' 'watch done' \
		"$(sql "$peer_db" "SELECT strategy || ' ' || outcome FROM run")"
	check_same_text 'both hosts' "$before" "$(everything)"
	check_history
}

check_history()
{
	local text
	text=$("$MTUSWEEP_BIN/mtusweep" history --db "$peer_db")
	echo "$text"
	check_match 'the history: the fall' \
		' 1440 .* -/1420 +-/1380 +does not fit +misfit$' "$text"
	check_match 'the history: the rise' ' 1500 .* -/1420 +-/1440 +fits +fits$' "$text"
	check_equal 'the history: each probe' "$(probes)" \
		"$("$MTUSWEEP_BIN/mtusweep" history --all --db "$peer_db" |
			grep -c '^20[0-9-]* .*/')"
	check_equal 'the history as JSON' "$(probes) $(probes)" \
		"$("$MTUSWEEP_BIN/mtusweep" history --json --db "$peer_db" |
			jq '.probes | length') $("$MTUSWEEP_BIN/mtusweep" export --db \
			"$peer_db" --format json | jq '.probes | length')"
}

case_applies()
{
	begin
	watch --persist best --conf-file "$LAB_PEER_CONF" --settle 1
	wait_for 30 'a probe' has_probes 1
	# The path carries more than the MTU in use.
	wait_for 60 'the larger MTU' has_applied 1
	"$LAB" hole "$lab_name" upload 1400
	wait_for 60 'the smaller MTU' has_applied 2
	wait_for 10 'the conf file' grep -q 'MTU = 1340' "$LAB_PEER_CONF"
	more_probes 3
	stop_watch
	check_equal 'the MTU stays' 1340 "$(link_mtu peer)"
	# The second MTU may have to wait for --settle.
	check_match 'the news' '^quiet:yes misfit(:yes| quiet:yes)$' "$(news)"
	check_equal 'it fits then' fits "$(sql "$peer_db" \
		'SELECT fit FROM path_probe ORDER BY seq DESC LIMIT 1')"
}

# Lines that take turns: the MTU ends at the smaller one.
case_flaps()
{
	begin
	watch --persist best --conf-file "$LAB_PEER_CONF" --settle 1
	for applied in 0 2; do
		"$LAB" clear "$lab_name"
		wait_for 60 'the larger MTU' has_applied $((applied + 1))
		"$LAB" hole "$lab_name" upload 1400
		wait_for 60 'the smaller MTU' has_applied $((applied + 2))
	done
	wait_for 30 'the news' told 'the path flaps'
	for _ in 1 2; do
		"$LAB" clear "$lab_name"
		more_probes 8
		"$LAB" hole "$lab_name" upload 1400
		more_probes 5
	done
	stop_watch
	check_equal 'the MTU' 1340 "$(link_mtu peer)"
	check_equal 'applied' 4 "$(sql "$peer_db" \
		"SELECT count(*) FROM path_probe WHERE applied = 'yes'")"
	check_equal 'the flapping is told once' 1 "$(count_told 'the path flaps')"
	check_equal 'nothing is told after it' 'flaps:yes' "$(news | sed 's/.* //')"
}

# The host itself sends fragments from now on: no probe is due for a day.
case_early()
{
	begin
	watch --watch 86400
	wait_for 30 'a probe' has_probes 1
	on peer ip link set eth0 mtu 1400
	on peer ping -q -i 0.2 -c 10 -s 1390 -M dont 10.77.0.1 >"$tmp/ping.out" || true
	wait_for 60 'the news' told 'no longer fits'
	check_equal 'the probe was early, and its fragments are counted' '1 1' \
		"$(sql "$peer_db" 'SELECT early, fragments > 5 FROM path_probe
			WHERE seq = 2' | tr '|' ' ')"
	# It is known now, and goes on.
	on peer ping -q -i 0.2 -c 20 -s 1390 -M dont 10.77.0.1 >"$tmp/ping.out" || true
	check_equal 'probes: the first, the early one, and its confirmation' 3 "$(probes)"
	on peer ip link set eth0 mtu 1500
	stop_watch
}

# This end is a hub: the route to the far end follows the path, the link stays as it is.
case_hub()
{
	begin
	on peer wg set "$LAB_PEER_IF" peer "$(wg genkey | wg pubkey)" \
		allowed-ips 10.77.0.9/32
	watch --persist best --conf-file "$LAB_PEER_CONF" --settle 2 \
		--target 10.77.0.1
	wait_for 60 'three probes' has_probes 3
	"$LAB" hole "$lab_name" upload 1400
	wait_for 90 'the news' told 'no longer fits: upload: whole to lost'
	wait_for 90 'the smaller MTU' route_has 1328
	more_probes 3
	stop_watch
	check_equal "the link's MTU" 1420 "$(link_mtu peer)"
	check_equal 'the MTU of a route to another peer' '' \
		"$(on peer ip route get 10.77.0.9 | grep -o 'mtu [0-9]*' || true)"
	check_equal 'it fits then' fits "$(sql "$peer_db" \
		'SELECT fit FROM path_probe ORDER BY seq DESC LIMIT 1')"
}

# Arguments: MTU
route_has()
{
	on peer ip route get 10.77.0.1 | grep -q "mtu $1"
}

# Arguments: PORT. Send a message; it counts from the end of a probe on.
warned()
{
	send_too_big 10.78.2.2 10.78.1.2 "$1"
	has_probes 2
}

# A router says that a packet to the endpoint was too big, for a reason of its own: the path
# MTU that the kernel knows does not fall, and nothing is fragmented.
case_icmp()
{
	local port
	begin
	watch --watch 86400
	wait_for 30 'a probe' has_probes 1
	port=$(on peer wg show "$LAB_PEER_IF" endpoints | sed 's/.*://')
	wait_for 60 'the early probe' warned "$port"
	check_equal 'the probe was early, messages are counted, no fragment is' '1 1 0' \
		"$(sql "$peer_db" 'SELECT early, too_big > 0, fragments FROM path_probe
			WHERE seq = 2' | tr '|' ' ')"
	check_equal 'the news' '' "$(news)"
	stop_watch
}

case_silent()
{
	begin
	watch --target 10.77.0.1
	wait_for 30 'two probes' has_probes 2
	on server ip link set "$LAB_SERVER_IF" down
	wait_for 60 'the news' told 'no answer: .*; the watch goes on'
	more_probes 2
	on server ip link set "$LAB_SERVER_IF" up
	wait_for 60 'the answers' told 'probes are answered again, after [0-9.]+ s'
	more_probes 3
	stop_watch
	check_equal 'each is told once' '1 1' \
		"$(count_told 'no answer: ') $(count_told 'answered again')"
	check_equal 'the news' 'silent back' "$(news)"
}

case_once()
{
	begin
	"$LAB" hole "$lab_name" upload 1440
	watch --watch-once
	check_ended 3 misfit
	"$LAB" clear "$lab_name"
	"$LAB" hole "$lab_name" upload 1490
	watch --watch-once
	wait_for 30 'two probes' has_probes 2
	"$LAB" clear "$lab_name"
	check_ended 4 moved
	"$LAB" hole "$lab_name" upload 1440
	watch --watch-once --persist best --conf-file "$LAB_PEER_CONF"
	check_ended 4 misfit:yes
	check_equal 'the MTU that was applied' 1380 "$(link_mtu peer)"
}

# A journal reads priorities.
case_priority()
{
	begin
	: >"$tmp/peer.log"
	"$LAB" hole "$lab_name" upload 1440
	export JOURNAL_STREAM
	JOURNAL_STREAM=$(stat -c '%d:%i' "$tmp/peer.log")
	watch --watch-once
	wait_exit "$peer_pid" 60 'the watch'
	check_match 'a warning' '^<4>mtusweep-peer: peer MTU 1420 does not fit' \
		"$(<"$tmp/peer.log")"
	export JOURNAL_STREAM=1:1
	watch --watch-once
	wait_exit "$peer_pid" 60 'the watch'
	check_match 'a warning for people' '^mtusweep-peer: peer MTU 1420 does not fit' \
		"$(<"$tmp/peer.log")"
}

# A database that cannot be written does not end the watch.
case_unstored()
{
	begin
	watch
	wait_for 30 'a probe' has_probes 1
	lock_database "$peer_db"
	wait_for 60 'the news' told 'probes are not stored: .*; the watch goes on'
	unlock_database
	wait_for 60 'the end of it' told 'probes are stored again'
	stop_watch
	check_equal 'told once' 1 "$(count_told 'are not stored')"
}

case_killed()
{
	begin
	watch
	wait_for 30 'a probe' has_probes 1
	kill_all "$peer_pid"
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" --restore \
		>"$tmp/peer.out" 2>"$tmp/peer.log" || true
	check_same_text 'both hosts' "$before" "$(everything)"
	check_match 'the run' 'watch +crashed' \
		"$("$MTUSWEEP_BIN/mtusweep" runs --db "$peer_db")"
}

case_usage()
{
	begin
	refuses 'once without watch' '--watch-once needs --watch' --alone --watch-once
	refuses 'settle without watch' '--settle needs --watch' --alone --settle 5
	refuses 'settle without best' 'give it with --persist best' --alone --watch 1 \
		--settle 5
	refuses 'json' '--watch has no use for --json' --alone --watch 1 --json
	refuses 'iperf' '--watch has no use for --iperf-server' --alone --watch 1 \
		--iperf-server 10.77.0.1
	refuses 'too often' 'expected seconds from 0.1 to 86400' --alone --watch 0.01
}

"case_$CASE"
