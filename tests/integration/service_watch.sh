#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The service mtusweep-watch@.service, as it is installed, under the real systemd
# (tests/lab/booted): it is ready, stores its probes as its own user, tells the journal that
# the path changed, and comes back with the host restored when it is killed or stands still.
#
# MTUSWEEP_BUILD is the build that is installed (ctest sets it).

if [[ ${1-} != booted ]]; then
	: "${MTUSWEEP_BUILD:?is not set: give the folder of a build}"
	exec bash "${BASH_SOURCE[0]%/*}/../lab/booted" --install "$MTUSWEEP_BUILD" \
		env MTUSWEEP_BIN=/usr/local/sbin \
		bash "$(realpath "${BASH_SOURCE[0]}")" booted
fi

# It changes the machine that it runs on.
[[ -e /booted.sh ]] || {
	echo 'service_watch.sh: "booted" is for the inside of tests/lab/booted'
	exit 2
}

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Print a property of the service.
property()
{
	systemctl show --value --property "$1" "$unit"
}

is_ready()
{
	[[ $(property ActiveState) == active && $(property MainPID) != "${1-0}" ]]
}

has_probes()
{
	(($(sqlite3 -readonly "$database" 'SELECT count(*) FROM path_probe') >= $1))
}

in_journal()
{
	journalctl --unit "$unit" --output cat --priority "$1" | grep -q "$2"
}

# Arguments: WHAT SIGNAL, which its main process gets.
check_comes_back()
{
	local before
	before=$(property MainPID)
	kill "-$2" "$(pgrep -P "$before" -x mtusweep-main)"
	wait_for 60 "$1: a new service" is_ready "$before"
}

test_begin
unit=mtusweep-watch@$LAB_PEER_IF.service
database=/var/lib/mtusweep/$LAB_PEER_IF.db
mkdir -p "/run/systemd/system/$unit.d"
# The lab's peer has a namespace of its own; a watchdog of three minutes takes too long.
cat >"/run/systemd/system/$unit.d/lab.conf" <<END
[Service]
NetworkNamespacePath=/run/netns/$LAB_PEER
WatchdogSec=20
RestartSec=1
END
echo "MTUSWEEP_WATCH_OPTIONS='--alone --watch 0.5'" >/etc/default/mtusweep-watch
systemctl daemon-reload
systemctl start "$unit"
check_equal 'started means ready' active "$(property ActiveState)"
wait_for 60 'two probes' has_probes 2
check_equal 'the database' 'mtusweep:mtusweep' "$(stat -c '%U:%G' "$database")"
check_match 'its state' '^probe [0-9]+: arrives whole up to: upload 1500' \
	"$(property StatusText)"
"$LAB" hole "$lab_name" upload 1400
wait_for 90 'the news' in_journal warning 'peer MTU 1420 no longer fits'
check_equal 'other lines are no warnings' no \
	"$(in_journal warning 'a probe every' && echo yes || echo no)"

check_comes_back 'main is killed' KILL
check_comes_back 'main stands still' STOP
check_equal 'restarts' 2 "$(property NRestarts)"
systemctl stop "$unit"
check_equal 'stopped' 'inactive success' "$(property ActiveState) $(property Result)"
# Each start restores what the one before it left; a probe sets other MTUs meanwhile.
check_equal "the peer's MTU" 1420 "$(link_mtu peer)"
check_equal 'processes left' '' "$(pgrep -x mtusweep-main || true)"
check_equal 'its system calls and sockets were enough' '' \
	"$(journalctl --unit "$unit" --output cat | grep -i 'not permitted' || true)"

exposure=$(systemd-analyze security --offline=yes \
	"/usr/local/lib/systemd/system/${unit/@*/@.service}" |
	sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p')
echo "systemd-analyze security: $exposure"
check_equal 'exposure below 3' yes \
	"$(awk -v e="$exposure" 'BEGIN { print e != "" && e < 3 ? "yes" : e }')"
check_equal 'the unit is sound' '' "$(systemd-analyze verify "$unit" 2>&1)"
journalctl --unit "$unit" --output cat | tail -n 40
