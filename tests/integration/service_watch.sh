#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The service mtusweep-watch@.service, as it is installed, under the real systemd
# (tests/lab/booted): it is ready, stores its probes as its own user, tells the journal that
# the path changed, and comes back with the host restored when it is killed or stands still.
#
# MTUSWEEP_BUILD is the build that is installed (ctest sets it).

# shellcheck source=tests/integration/booted_lib.sh
. "${BASH_SOURCE[0]%/*}/booted_lib.sh" "${BASH_SOURCE[0]}" "$@"
# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

has_probes()
{
	(($(sqlite3 -readonly "$database" 'SELECT count(*) FROM path_probe') >= $1))
}

in_journal()
{
	journalctl --unit "$unit" --output cat --priority "$1" | grep -q "$2"
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

wait_comes_back 60 'main is killed' KILL
wait_comes_back 60 'main stands still' STOP
check_equal 'restarts' 2 "$(property NRestarts)"
end_service
# Each start restores what the one before it left; a probe sets other MTUs meanwhile.
check_equal "the peer's MTU" 1420 "$(link_mtu peer)"
check_unit
