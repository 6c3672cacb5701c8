#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The path changes during the run, after the first test: links of 1500, then
#            outer packets from the peer above 1440 are lost.
# RIGHT      1440/1380, measured after the change; the run says that the path changed
# SOURCE     issue 14, "Noise that is not the MTU's": a path whose edge moves in mid-run
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
start_server --once
start_peer --wait 30
await_rows 1
"$LAB" hole "$lab_name" upload 1440
await_answer
must_say 'the path changed' 'path changed during the run' "$(cat "$tmp/peer.log")"
must_not_say 'the new pair is measured' 'not measured'
# Each pair has the figures of one path, and each line the number of its row.
must_be 'pairs of two paths' none "$(sql "$peer_db" "
	SELECT coalesce(group_concat(server_mtu || '/' || peer_mtu), 'none')
	FROM results JOIN (SELECT server_mtu, peer_mtu, count(*) AS later
			FROM measurement JOIN path_detail USING (run_id)
			WHERE seq > since_seq GROUP BY server_mtu, peer_mtu)
		USING (server_mtu, peer_mtu)
	WHERE visits <> later")"
printed=$(tr '\r' '\n' <"$tmp/peer.log" | sed -n 's/^\[\([0-9]*\)[],].*/\1/p')
must_be 'the printed numbers' rising \
	"$(sort -ncu <<<"$printed" 2>/dev/null && echo rising ||
		echo "${printed//$'\n'/ }")"
must_recommend
