#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Settings that distort a measurement without stopping it: a route's own mtu,
# tcp_mtu_probing, a /proc/sys that cannot be written. The user of the peer is warned
# for either end, and the warning is stored with the run.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Start the peer with a read-only /proc/sys, as in a container.
start_peer_read_only()
{
	run_on peer unshare --mount bash -c '
		mount --make-rprivate / && mount --bind /proc/sys /proc/sys &&
			mount -o remount,bind,ro /proc/sys && exec "$@"' bash \
		"$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$peer_db" "$@" </dev/null >"$tmp/peer.log" 2>&1 &
	peer_pid=$!
}

test_begin
on server sysctl -qw net.ipv4.tcp_mtu_probing=2
on peer ip route replace "$LAB_SERVER_IP" dev "$LAB_PEER_IF" mtu 1350
on server ip route replace "$LAB_PEER_IP" dev "$LAB_SERVER_IF" advmss 1200
before=$(hosts_state)
start_server --mtu-min 1400 --mtu-max 1400 --once
start_peer_read_only --mtu-min 1300 --mtu-max 1400 --mtu-step 100 --duration 0.3
wait_both 30
stored=$(sql "$peer_db" "SELECT group_concat(kind || ' ' || at_end || ' ' ||
	coalesce(mtu, '') || ' ' || coalesce(value, '') || ' ' || coalesce(detail, ''),
	char(10))
	FROM run_warning")
for facts in "route_mtu peer 1350  $LAB_SERVER_IP" 'mtu_probing server  2 ' \
	"advmss server  1200 $LAB_PEER_IP" \
	'path_mtu_cached peer   .*/proc/sys/net/ipv4/route/flush'; do
	check_match 'the facts that are stored' "$facts" "$stored"
done
warnings=$("$MTUSWEEP_BIN/mtusweep" show --db "$peer_db")
for text in "route to $LAB_SERVER_IP has an MTU of its own, 1350" \
	"the server: the route to $LAB_PEER_IP has an 'advmss' of 1200" \
	"the server: .*tcp_mtu_probing.*is 2" '/proc/sys/net/ipv4/route/flush'; do
	check_match 'what show says' "warning .*$text" "$warnings"
	check_match 'what the peer says' "warning: .*$text" "$(cat "$tmp/peer.log")"
done
check_equal 'warnings stored, each once' 4 \
	"$(sql "$peer_db" "SELECT count(*) FROM run_warning WHERE about = 'run'")"
check_equal 'rows measured all the same' 2 \
	"$(sql "$peer_db" "SELECT count(*) FROM results WHERE status = 'ok'")"
check_same_text 'both hosts' "$before" "$(hosts_state)"
