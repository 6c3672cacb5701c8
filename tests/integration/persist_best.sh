#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# --persist best: at the end the fastest proved pair is in both links and both conf
# files, nothing else in the files has changed, and the old ones are kept beside them.
# An end that was started without --persist refuses before any change.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly GRID=(--mtu-min 1360 --mtu-max 1420 --mtu-step 60)

# Arguments: END CONF MTU
check_committed()
{
	check_equal "the MTU of the $1's link" "$3" "$(link_mtu "$1")"
	# Compare digests: the files hold keys.
	check_equal "the $1's conf, with MTU = $3 in it" \
		"$(sed "s/^MTU = .*/MTU = $3/" "$tmp/$1.before" | sha256sum)" \
		"$(sha256sum <"$2")"
	check_equal "the $1's conf, mode and owner" '640 daemon:games' \
		"$(stat -c '%a %U:%G' "$2")"
	kept=$(find "${2%/*}" -mindepth 1 ! -path "$2")
	check_match "the $1's file beside the conf" \
		"^${2//./\\.}\\.mtusweep-20[0-9]{6}T[0-9]{6}Z\$" "$kept"
	check_equal "the $1's old conf" "$(sha256sum <"$tmp/$1.before")" \
		"$(sha256sum <"$kept")"
	check_equal "the $1's old conf, mode and owner" '640 daemon:games' \
		"$(stat -c '%a %U:%G' "$kept")"
	check_match "the $1's old conf is named" "from before the run is '$kept'" \
		"$(cat "$tmp/peer.log")"
}

# List the locks of interfaces and conf files; they disappear with the programs.
locks()
{
	find /run/mtusweep \( -name "*-$LAB_SERVER_IF.lock" -o -name "*-$LAB_PEER_IF.lock" \
		-o -name "conf-*-${LAB_SERVER_CONF##*/}.lock" \
		-o -name "conf-*-${LAB_PEER_CONF##*/}.lock" \) -printf '%f '
}

has_locks()
{
	[[ $(locks | wc -w) == "$1" ]]
}

refused_without_persist()
{
	local before
	before=$(hosts_state)
	start_server --once "${GRID[@]}"
	start_peer "${GRID[@]}" --duration 0.5 --persist best \
		--conf-file "$LAB_PEER_CONF"
	wait_exit "$peer_pid" 20 'the peer that may not persist'
	check_equal 'exit status of the peer that may not persist' 1 "$status"
	check_match 'what it says' 'persist' "$(cat "$tmp/peer.log")"
	check_same_text 'both hosts after it was refused' "$before" "$(hosts_state)"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server, told to stop'
}

test_begin
# The usual pair is dead here: 1420 at both ends makes outer packets of 1480 bytes. With
# 1420 at one end only, TCP works, but other packets of that size are lost: of the three
# pairs that are ok only one is proved.
"$LAB" hole "$lab_name" upload 1450
"$LAB" hole "$lab_name" download 1450
sed -i '/^\[Interface\]/a PostUp = ip link set mtu 1300 dev %i' "$LAB_PEER_CONF"
chown daemon:games "$LAB_SERVER_CONF" "$LAB_PEER_CONF"
chmod 0640 "$LAB_SERVER_CONF" "$LAB_PEER_CONF"
cp "$LAB_SERVER_CONF" "$tmp/server.before"
cp "$LAB_PEER_CONF" "$tmp/peer.before"

# Locks that an earlier lab of the same name left.
read -ra old < <(locks) || true
((${#old[@]} == 0)) || (cd /run/mtusweep && rm -f "${old[@]}")
refused_without_persist

start_server --once "${GRID[@]}" --persist best --conf-file "$LAB_SERVER_CONF"
start_peer "${GRID[@]}" --duration 1 --persist best --conf-file "$LAB_PEER_CONF"
wait_for 20 'the locks of both ends' has_locks 4
wait_both 60
check_equal 'locks that stay' '' "$(locks)"
check_equal 'pairs that are ok for TCP' 3 "$(sql "$peer_db" 'SELECT count(*) FROM results
	WHERE status = "ok" AND run_id = (SELECT max(run_id) FROM results)')"
check_equal 'status of the pair that the path swallows' 'blackhole|blackhole|blackhole' \
	"$(sql "$peer_db" 'SELECT status, upload_status, download_status FROM results
		WHERE server_mtu = 1420 AND peer_mtu = 1420 ORDER BY run_id DESC LIMIT 1')"
check_equal 'its rates' '|' "$(sql "$peer_db" 'SELECT upload_mbps, download_mbps
	FROM results WHERE server_mtu = 1420 AND peer_mtu = 1420
	ORDER BY run_id DESC LIMIT 1')"
check_committed server "$LAB_SERVER_CONF" 1360
check_committed peer "$LAB_PEER_CONF" 1360
check_match "what the peer says of the conf's own command, at the start" \
	'warning: PostUp in line 3 of the conf file sets MTU 1300' "$(<"$tmp/peer.log")"
check_match 'and when the pair is applied' \
	"this end: at the tunnel's next start PostUp in line 3" "$(<"$tmp/peer.log")"

# Without --persist the same two ends leave everything as it is now.
after=$(hosts_state)
start_server --once "${GRID[@]}" --persist best --conf-file "$LAB_SERVER_CONF"
start_peer "${GRID[@]}" --duration 0.5
wait_both 60
check_same_text 'both hosts after a sweep without --persist' "$after" "$(hosts_state)"
