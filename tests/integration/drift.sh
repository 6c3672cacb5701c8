#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A shuffled grid on a line that loses half its capacity in the middle of the run: the
# reference series shows it, and the run is stored with a warning that gives its size.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly GRID=(--mtu-min 1300 --mtu-max 1400 --mtu-step 100)
# Four pairs, 10 passes, five more of the reference.
readonly VISITS=45

half_way()
{
	[[ -e $peer_db ]] && (($(rows_of "$peer_db") >= VISITS / 2))
}

# Slow enough that a busy machine is not the bottleneck. A short test counts what a queue
# held, so a loss of half is measured as one of 40 to 69 %.
test_begin --rate-up 4 --rate-down 6
before=$(hosts_state)
start_server "${GRID[@]}" --once
start_peer "${GRID[@]}" --order shuffled --seed 3 --passes 10 --duration 0.3
wait_for 90 'half of the visits' half_way
"$LAB" rate "$lab_name" upload $((LAB_RATE_UP / 2))
"$LAB" rate "$lab_name" download $((LAB_RATE_DOWN / 2))
wait_both 120
check_match 'what the peer says' \
	"$VISITS of $VISITS measurements stored, 0 of them failed" \
	"$(<"$tmp/peer.log")"
check_equal 'visits, and of the reference' "$VISITS 15" "$(sql "$peer_db" \
	"SELECT count(*) || ' ' || sum(reference) FROM measurement")"
check_equal 'visits of each pair' '1300/1300 15, 1300/1400 10, 1400/1300 10, 1400/1400 10' \
	"$(sql "$peer_db" \
	"SELECT group_concat(server_mtu || '/' || peer_mtu || ' ' || visits,
		', ') FROM (SELECT * FROM results ORDER BY server_mtu, peer_mtu)")"
want='^grid_drift download [456][0-9] 1300/1300,'
want+='grid_drift upload [456][0-9] 1300/1300$'
check_match 'the warnings that are stored' "$want" \
	"$(sql "$peer_db" "SELECT group_concat(kind || ' ' || direction || ' ' ||
		rate_percent || ' ' || server_mtu || '/' || peer_mtu)
		FROM (SELECT * FROM run_warning ORDER BY direction)")"
want='changed during the run: upload by -[456][0-9] %, '
want+='by the measurements of server MTU 1300, peer MTU 1300'
check_match 'what the peer warns of' "$want" "$(<"$tmp/peer.log")"
check_same_text 'both hosts' "$before" "$(hosts_state)"
grep warning "$tmp/peer.log"
