#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer's interface was born in another network namespace than the one
#            that it is in (a container's only interface), and the peer lacks the
#            capability SYS_ADMIN, so it cannot look there. Packets to the peer above
#            1460 are lost, those from it are fragmented above 1492.
# RIGHT      1400/1432; the first lines say that fragments cannot be told from whole
#            packets at the peer
# SOURCE     www.wireguard.com/netns, "Routing & Network Namespace Integration"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
move_peer_to_namespace
"$LAB" hole "$lab_name" download 1460
"$LAB" narrow "$lab_name" upload 1492
start_server --once
run_on peer setpriv --bounding-set -sys_admin,-sys_ptrace "$MTUSWEEP_BIN/mtusweep-peer" \
	--interface "$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" --db "$peer_db" --wait 30 \
	</dev/null >"$tmp/peer.log" 2>&1 &
peer_pid=$!
await_answer
must_recommend
must_say 'what cannot be seen' 'the peer: .*fragments cannot be told from whole packets' \
	"$(head -n 3 <<<"$answer")"
