#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/watch.sh CASE
#
# mtusweep-peer --watch with a server: the path changes, the server goes and comes, and with
# --persist best both ends' MTUs follow the path.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=tests/integration/watch_lib.sh
. "${BASH_SOURCE[0]%/*}/watch_lib.sh"

readonly CASE=${1:?which case}

# Arguments: [OPTION ...]
watch()
{
	start_peer --watch 0.5 --wait 30 "$@"
}

begin()
{
	test_begin
	before=$(hosts_state)
}

stop_server()
{
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 20 'the server'
}

case_moves()
{
	begin
	start_server
	watch
	wait_for 60 'two probes' has_probes 2
	"$LAB" hole "$lab_name" download 1440
	wait_for 90 'the news' told "server MTU 1420, peer MTU 1420 no longer fits: \
download: whole to lost at 1441 bytes; \
the largest that fits: server MTU 1380, peer MTU 1440"
	more_probes 3
	"$LAB" clear "$lab_name"
	wait_for 90 'the end of it' told 'server MTU 1420, peer MTU 1420 fits again'
	more_probes 2
	stop_watch
	check_equal 'each is told once' '1 1' \
		"$(count_told 'no longer fits') $(count_told 'fits again')"
	check_equal 'the news' 'misfit fits' "$(news)"
	check_equal 'the run' "watch done $LAB_SERVER_IF $LAB_PEER_IF" "$(sql "$peer_db" "
		SELECT strategy || ' ' || outcome || ' ' || server_interface || ' '
			|| peer_interface FROM run")"
	check_same_text 'both hosts' "$before" "$(hosts_state)"
	stop_server
	check_equal 'the server tells a watch once' 1 \
		"$(grep -c ' a watch$' "$tmp/server.log")"
	check_equal 'the server stores nothing of it' 0 \
		"$(sql "$server_db" 'SELECT count(*) FROM run')"
}

case_applies()
{
	begin
	start_server --persist best --conf-file "$LAB_SERVER_CONF"
	watch --persist best --conf-file "$LAB_PEER_CONF" --settle 2
	wait_for 90 'the larger pair' has_applied 1
	"$LAB" hole "$lab_name" upload 1400
	wait_for 90 'the smaller pair' has_applied 2
	more_probes 3
	stop_watch
	check_equal 'the pair stays' '1440 1340' "$(link_mtu server) $(link_mtu peer)"
	check_match "the peer's conf file" 'MTU = 1340' "$(<"$LAB_PEER_CONF")"
	check_match "the server's conf file" 'MTU = 1440' "$(<"$LAB_SERVER_CONF")"
	# The second pair may have to wait for --settle.
	check_match 'the news' '^quiet:yes misfit(:yes| quiet:yes)$' "$(news)"
	check_equal 'it fits then' fits "$(sql "$peer_db" \
		'SELECT fit FROM path_probe ORDER BY seq DESC LIMIT 1')"
	stop_server
}

# The server is a hub: the routes to the peer follow the path, the link stays as it is.
case_hub()
{
	begin
	on server wg set "$LAB_SERVER_IF" peer "$(wg genkey | wg pubkey)" \
		allowed-ips 10.77.0.9/32
	start_server --persist best --conf-file "$LAB_SERVER_CONF"
	watch --persist best --conf-file "$LAB_PEER_CONF" --settle 2
	wait_for 90 'the larger pair' has_applied 1
	"$LAB" hole "$lab_name" download 1400
	wait_for 90 'the smaller pair' has_applied 2
	more_probes 3
	stop_watch
	check_equal "the MTU of the hub's link" 1420 "$(link_mtu server)"
	check_equal 'the MTU of the route to the peer' 'mtu 1328' \
		"$(on server ip route get 10.77.0.2 | grep -o 'mtu [0-9]*')"
	check_equal 'the MTU of a route to another peer' '' \
		"$(on server ip route get 10.77.0.9 | grep -o 'mtu [0-9]*' || true)"
	check_match "the server's conf file" \
		'PostUp = ip -4 route replace 10.77.0.2/32 dev %i proto 77 mtu 1328 ' \
		"$(<"$LAB_SERVER_CONF")"
	check_equal 'it fits then' fits "$(sql "$peer_db" \
		'SELECT fit FROM path_probe ORDER BY seq DESC LIMIT 1')"
	stop_server
}

case_server_gone()
{
	begin
	start_server
	watch
	wait_for 60 'two probes' has_probes 2
	stop_server
	wait_for 90 'the news' told 'no answer: .*; the watch goes on'
	more_probes 2
	start_server
	wait_for 90 'the answers' told 'probes are answered again'
	more_probes 2
	stop_watch
	check_equal 'each is told once' '1 1' \
		"$(count_told 'no answer: ') $(count_told 'answered again')"
	check_equal 'the news' 'silent back' "$(news)"
	check_same_text 'both hosts' "$before" "$(hosts_state)"
	stop_server
}

case_killed()
{
	begin
	start_server --lease 2
	watch
	wait_for 60 'a probe' has_probes 1
	kill_all "$peer_pid"
	rm -f "$peer_db"*
	# The next watch restores, and finds the server free once the lease has ended.
	watch
	wait_for 60 'probes' has_probes 2
	stop_watch
	check_same_text 'both hosts' "$before" "$(hosts_state)"
	stop_server
}

case_once()
{
	begin
	start_server
	"$LAB" hole "$lab_name" upload 1440
	watch --watch-once
	check_ended 3 misfit
	check_same_text 'both hosts' "$before" "$(hosts_state)"
	stop_server
}

case_usage()
{
	local peer=$MTUSWEEP_BIN/mtusweep-peer
	begin
	refuses()
	{
		status=0
		"$peer" --server-ip 10.77.0.1 "${@:3}" >"$tmp/peer.out" \
			2>"$tmp/peer.log" || status=$?
		check_equal "$1: the exit status" 2 "$status"
		check_match "$1" "$2" "$(<"$tmp/peer.log")"
	}
	refuses 'a strategy' '--watch probes, --strategy smart measures' --watch 1 \
		--strategy smart
	refuses 'a check' '--watch has no use for --check' --watch 1 --check \
		--strategy probe
	refuses 'apply' '--watch has no use for --apply' --watch 1 --apply
	refuses 'resume' '--watch has no use for --resume' --watch 1 --resume
	refuses 'a duration' '--duration is for --strategy' --watch 1 --duration 3
	refuses 'settle' '--settle needs --watch' --settle 3
}

"case_$CASE"
