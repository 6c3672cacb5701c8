#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer is started by root in a container without the capability SETGID.
# RIGHT      The message names the capability, and does not advise sudo
# SOURCE     openshift/origin issue 13443, "Nginx setgid(107) error"
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
start_server --once
run_on peer setpriv --bounding-set -setgid "$MTUSWEEP_BIN/mtusweep-peer" \
	--interface "$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" --db "$peer_db" --wait 10 \
	</dev/null >"$tmp/peer.log" 2>&1 &
peer_pid=$!
await_answer 60
must_say SETGID SETGID
must_not_say sudo sudo
