#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer's conf file is a single file that is bind-mounted into a
#            container, where no file can take its place; both programs have --persist
#            best.
# RIGHT      The peer refuses before it measures, or it writes the conf
# SOURCE     moby/moby issue 28187, "Allow rename() on /etc/resolv.conf & /etc/hosts"
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
mkdir -m 0700 "$tmp/etc"
: >"$tmp/etc/wg0.conf"
start_server --once --persist best --conf-file "$LAB_SERVER_CONF"
# shellcheck disable=SC2016 # expanded there
run_on peer unshare --mount bash -c '
	mount --make-rprivate / && mount --bind "$1" "$2" && exec "${@:3}"' bash \
	"$LAB_PEER_CONF" "$tmp/etc/wg0.conf" "$MTUSWEEP_BIN/mtusweep-peer" --interface \
	"$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" --db "$peer_db" --wait 10 \
	--mtu-min 1400 --mtu-max 1400 --duration 0.3 --persist best \
	--conf-file "$tmp/etc/wg0.conf" </dev/null >"$tmp/peer.log" 2>&1 &
peer_pid=$!
await_answer
measured=0
[[ ! -e $peer_db ]] || measured=$(rows_of "$peer_db")
if ((measured)); then
	must_be "the conf's MTU after $measured measurements" 1400 \
		"$(sed -n 's/^MTU = //p' "$LAB_PEER_CONF")"
else
	must_be 'exit status' 1 "$status"
	must_say 'the mount' 'mount'
fi
