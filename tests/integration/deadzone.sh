#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/deadzone.sh hole|band
#
# A 6x6 sweep across MTUs with which the path loses full-size packets without a message:
# all above a size (hole), or unfragmented packets in a band of sizes, while larger ones
# leave the sender in fragments and arrive (band). The sizes differ between directions. The
# sweep finishes, each pair has the status that the path model predicts, and none takes
# longer than its deadline.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly DURATION=0.2
# The limit for a direction in a dead zone beyond its setup, in seconds, and the time
# that a busy machine may add to one.
readonly DEADLINE=2 NOISE=4

# Set the path: DIRECTION LOW HIGH of each "lost" condition, for unfragmented outer
# packets. (The hole loses fragments as well: the first one is as large as the link.)
set_path()
{
	case $1 in
	hole)
		mtu_min=1330 mtu_max=1430 step=20
		# 1390 is no multiple of 16: from a larger sender it leaves as 1392, and
		# 1452 is too large for a limit of 1450.
		up_low=1452 up_high=65535 down_low=1481 down_high=65535
		"$LAB" hole "$lab_name" upload $((up_low - 1))
		"$LAB" hole "$lab_name" download $((down_low - 1))
		;;
	band)
		mtu_min=1340 mtu_max=1540 step=40
		up_low=1461 up_high=1500 down_low=1445 down_high=1460
		"$LAB" band "$lab_name" upload "$up_low" "$up_high"
		"$LAB" band "$lab_name" download "$down_low" "$down_high"
		;;
	esac
}

# Print each pair's status by the documented path model. The outer packet of a full-size
# segment is 60 + min(tx, ceil16(min(tx, rx))). Packets above the sender's link of 1500
# leave in fragments; the first has 1500 bytes.
predicted()
{
	awk -v min="$mtu_min" -v max="$mtu_max" -v step="$step" \
		-v up_low="$up_low" -v up_high="$up_high" \
		-v down_low="$down_low" -v down_high="$down_high" '
		function least(a, b) { return a < b ? a : b }
		function fate(tx, rx, low, high,    outer) {
			outer = 60 + least(tx, int((least(tx, rx) + 15) / 16) * 16)
			if (outer > 1500)
				return high > 1500 ? "blackhole" : "ok"
			return outer >= low && outer <= high ? "blackhole" : "ok"
		}
		BEGIN {
			for (server = min; server <= max; server += step)
				for (peer = min; peer <= max; peer += step)
					print server "/" peer,
						fate(peer, server, up_low, up_high),
						fate(server, peer, down_low, down_high)
		}'
}

measured()
{
	sql "$peer_db" "SELECT format('%d/%d %s %s', server_mtu, peer_mtu, upload_status,
			download_status)
		FROM results ORDER BY server_mtu, peer_mtu"
}

# Print the sorted seconds of each direction that failed: from its first byte to the
# next direction's, minus its test and the median of that time between tests that are
# ok.
costs()
{
	sql "$peer_db" "
		WITH direction AS (
			SELECT seq, 0 AS dir, upload_status AS status,
				upload_started_at AS at FROM measurement
			UNION ALL SELECT seq, 1, download_status, download_started_at
				FROM measurement),
		spacing AS (
			SELECT status, (julianday(lead(at) OVER (ORDER BY seq, dir)) -
				julianday(at)) * 86400 AS s FROM direction),
		setup AS (
			SELECT s - $DURATION AS s, row_number() OVER (ORDER BY s) AS i,
				count(*) OVER () AS n
			FROM spacing WHERE status = 'ok' AND s IS NOT NULL)
		SELECT round(s - (SELECT avg(s) FROM setup
			WHERE 2 * i BETWEEN n AND n + 2), 3)
		FROM spacing WHERE status <> 'ok' AND s IS NOT NULL ORDER BY 1"
}

# Arguments: NAME LIMIT FOUND
check_at_most()
{
	if awk -v limit="$2" -v found="$3" \
		'BEGIN { exit !(found + 0 == found && found <= limit) }'; then
		passed
	else
		failed "$1" "expected: at most $2" "found:    $3"
	fi
}

check_costs()
{
	local seconds
	mapfile -t seconds < <(costs)
	check_equal 'directions that failed, with a cost' yes \
		"$( ((${#seconds[@]} >= 5)) && echo yes || echo "${#seconds[@]}")"
	echo "dead directions cost ${seconds[0]} to ${seconds[-1]} s beyond their setup," \
		"median ${seconds[${#seconds[@]} / 2]} s"
	check_at_most 'seconds of a dead direction, the median' "$DEADLINE" \
		"${seconds[${#seconds[@]} / 2]}"
	check_at_most 'seconds of a dead direction, the slowest' $((DEADLINE + NOISE)) \
		"${seconds[-1]}"
}

test_begin --inner 4
before=$(hosts_state)
set_path "$1"
grid=(--mtu-min "$mtu_min" --mtu-max "$mtu_max" --mtu-step "$step")
start_server "${grid[@]}" --once
start_peer "${grid[@]}" --duration "$DURATION"
wait_both 180
check_same_text 'status of each cell' "$(predicted)" "$(measured)"
check_costs
check_same_text 'both hosts' "$before" "$(hosts_state)"
