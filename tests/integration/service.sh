#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The service mtusweep-server@.service, as it is installed, under the real systemd
# (tests/lab/booted): it is ready when it listens, serves a run as its own user, and comes
# back with the host restored when it is killed or stands still. Each of its restrictions
# holds meanwhile.
#
# MTUSWEEP_BUILD is the build that is installed (ctest sets it).

# shellcheck source=tests/integration/booted_lib.sh
. "${BASH_SOURCE[0]%/*}/booted_lib.sh" "${BASH_SOURCE[0]}" "$@"
# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

measure()
{
	start_peer --mtu-min 1400 --mtu-max 1400 --duration 0.3 --wait 20
	wait_exit "$peer_pid" 40 'the peer'
	check_equal "$1: the peer's exit status" 0 "$status"
}

# Arguments: WHAT SIGNAL, which its main process gets.
check_comes_back()
{
	wait_comes_back 30 "$@"
	check_equal "$1: the server's MTU" 1420 "$(link_mtu server)"
	measure "$1"
}

half_way()
{
	grep -q '^\[1 of 3' "$tmp/peer.log"
}

test_begin
unit=mtusweep-server@$LAB_SERVER_IF.service
database=/var/lib/mtusweep/$LAB_SERVER_IF.db
mkdir -p "/run/systemd/system/$unit.d"
# The lab's server has a namespace of its own; a watchdog of a minute takes too long.
cat >"/run/systemd/system/$unit.d/lab.conf" <<END
[Service]
NetworkNamespacePath=/run/netns/$LAB_SERVER
WatchdogSec=3
RestartSec=1
END
echo "MTUSWEEP_SERVER_OPTIONS='--mtu-min 1300 --mtu-max 1300'" >/etc/default/mtusweep-server
systemctl daemon-reload

check_equal 'the folder of the databases' 'mtusweep:mtusweep 750' \
	"$(stat -c '%U:%G %a' /var/lib/mtusweep)"
systemctl start "$unit"
check_equal 'started means ready' yes "$(listening 5000 && echo yes)"
check_equal 'the folder of journals' 'root:root 700' "$(stat -c '%U:%G %a' /run/mtusweep)"
measure 'a run'
check_equal 'the database' 'mtusweep:mtusweep 1' \
	"$(stat -c '%U:%G' "$database") $(sqlite3 "$database" 'SELECT count(*) FROM run')"
check_equal 'warnings of the run' '' "$(sqlite3 "$database" \
	"SELECT kind FROM run_warning WHERE kind IN ('path_mtu_cached')")"

check_comes_back 'main is killed' KILL
# The watchdog ends it.
check_comes_back 'main stands still' STOP

# All are killed at once in the middle of a run: the next start restores.
start_peer --mtu-min 1400 --mtu-max 1400 --passes 3 --duration 1 --wait 30
wait_for 30 'the first measurement' half_way
check_equal 'in a run' 1300 "$(link_mtu server)"
systemctl kill --signal KILL "$unit"
wait_exit "$peer_pid" 90 'the peer'
check_equal "all killed: the peer's exit status" 0 "$status"
check_equal "all killed: the server's MTU" 1420 "$(link_mtu server)"

# Main killed, main standing still, all killed; the watchdog took no living one for dead.
check_equal 'restarts' 3 "$(property NRestarts)"
end_service
check_unit
