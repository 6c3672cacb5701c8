#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The AppArmor profile of the package, enforced: server and peer do all of their work in it,
# with and without the other end, and are refused what is not their job. The profile comes
# into this machine's kernel, so it is for tests/lab/vm.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=tests/fault/forms.sh
. "${BASH_SOURCE[0]%/*}/../fault/forms.sh"

readonly PROFILE=mtusweep-agent
SOURCE=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)/packaging/apparmor/$PROFILE
readonly SOURCE
readonly GRID=(--mtu-min 1340 --mtu-max 1400 --mtu-step 60)

# The places that only a test has: the built programs, the lab's conf files.
load_profile()
{
	[[ -d /sys/kernel/security/apparmor ]] ||
		mount -t securityfs securityfs /sys/kernel/security
	install -d /etc/apparmor.d/local
	cat >"/etc/apparmor.d/local/$PROFILE" <<-RULES
		$MTUSWEEP_BIN/mtusweep-{server,peer} mr,
		$tmp/*.log w,
		$tmp/db/ r,
		$tmp/db/** rwk,
		${LAB_SERVER_CONF%/*}/ r,
		${LAB_SERVER_CONF%/*}/* rw,
		${LAB_PEER_CONF%/*}/ r,
		${LAB_PEER_CONF%/*}/* rw,
	RULES
	apparmor_parser --replace --skip-cache "$SOURCE"
}

# Arguments: HOST PROGRAM [OPTION ...]. Replaces the shell.
confined_on()
{
	run_on "$1" aa-exec -p "$PROFILE" -- "$MTUSWEEP_BIN/$2" "${@:3}"
}

start_confined()
{
	confined_on server mtusweep-server --interface "$LAB_SERVER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$server_db" "$@" </dev/null >"$tmp/server.log" 2>&1 &
	server_pid=$!
	wait_for 20 'the server to listen' listening 5000
}

start_confined_peer()
{
	confined_on peer mtusweep-peer --interface "$LAB_PEER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$peer_db" "$@" </dev/null >"$tmp/peer.log" 2>&1 &
	peer_pid=$!
}

# Arguments: KEEPER NAME. All processes of the program are in the profile.
check_confined()
{
	local pid
	for pid in "$1" $(pgrep -P "$1"); do
		check_equal "the profile of $2's process $(cat "/proc/$pid/comm")" \
			"$PROFILE (enforce)" "$(cat "/proc/$pid/attr/current")"
	done
}

# What the kernel refused since the last call.
refused()
{
	dmesg --read-clear | grep 'apparmor="DENIED".*profile="'"$PROFILE"'"' |
		sed 's/.*\(operation=.*\)/\1/' || true
}

# Its guard is killed: the keeper restores, and signals the others.
killed()
{
	local before guard
	before=$(hosts_state)
	start_confined --once "${GRID[@]}"
	start_confined_peer "${GRID[@]}" --duration 2
	wait_for 60 'a sweep under way' under_way
	guard=$(pgrep -P "$peer_pid" -x mtusweep-guard)
	kill -KILL "$guard"
	wait_exit "$peer_pid" 30 'the peer without its guard'
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 30 'the server'
	check_same_text 'both hosts after a guard was killed' "$before" "$(hosts_state)"
	check_equal 'refused around a kill' '' "$(refused)"
}

sweep()
{
	start_confined --once "${GRID[@]}" --persist best --conf-file "$LAB_SERVER_CONF"
	start_confined_peer "${GRID[@]}" --duration 0.5 --persist best \
		--conf-file "$LAB_PEER_CONF"
	wait_for 60 'a sweep under way' under_way
	check_confined "$server_pid" 'the server'
	check_confined "$peer_pid" 'the peer'
	wait_both 120
	check_equal 'rows of the sweep' 4 "$(rows_of "$peer_db")"
	check_equal "the MTU in the peer's conf" 'MTU = 1400' \
		"$(grep ^MTU "$LAB_PEER_CONF")"
	check_equal 'refused during the sweep' '' "$(refused)"
}

# Arguments: NAME [OPTION ...]
alone()
{
	confined_on peer mtusweep-peer --alone --interface "$LAB_PEER_IF" --target \
		"$LAB_SERVER_IP" --db "$tmp/db/alone.db" "${@:2}" </dev/null \
		>"$tmp/peer.log" 2>&1 &
	peer_pid=$!
	wait_exit "$peer_pid" 60 "the peer alone, $1"
	check_equal "exit status of the peer alone, $1" 0 "$status"
	check_match "what it says, $1" 'recommended: peer MTU' "$(cat "$tmp/peer.log")"
	check_equal "refused alone, $1" '' "$(refused)"
}

# Arguments: FORM FILE. The MTU is applied in the places of the package.
alone_in_form()
{
	local form_key=
	form=$1
	[[ $1 == keyfile ]] && form_key=mtu= || form_key=MTUBytes=
	make_conf "$2"
	alone "$1" --persist best --conf-file "$2"
	check_equal "the MTU in the $1" "$form_key$(link_mtu peer)" \
		"$(grep "^$form_key" "$2")"
	check_match "applied in the $1" 'in link and conf file' "$(cat "$tmp/peer.log")"
	on peer ip link set "$LAB_PEER_IF" mtu "$LAB_MTU"
}

# No file elsewhere, and no other program.
elsewhere()
{
	local text
	text=$( (confined_on peer mtusweep-peer --alone --interface "$LAB_PEER_IF" \
		--target "$LAB_SERVER_IP" --db /etc/other.db --user root) 2>&1 </dev/null ||
		true)
	check_match 'what it says of a database elsewhere' "'/etc/other.db'" "$text"
	check_equal 'the database elsewhere' no "$([[ ! -e /etc/other.db ]] && echo no)"
	check_match 'refused elsewhere' 'name="/etc/other.db"' "$(refused)"
	aa-exec -p "$PROFILE" -- sh -c '/bin/true; exit $?' 2>/dev/null && status=0 ||
		status=$?
	check_equal 'another program, from within the profile: exit status' 126 "$status"
}

test_begin
check_equal 'AppArmor in this kernel' Y \
	"$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)"
load_profile
refused >/dev/null
killed
sweep
alone plain
on peer ip link set "$LAB_PEER_IF" mtu "$LAB_MTU"
alone_in_form keyfile /etc/NetworkManager/system-connections/wg.nmconnection
alone_in_form dropin /etc/systemd/network/wg.network.d/zz-mtusweep.conf
elsewhere
