#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/fault/outages.sh [--count N] [--seed S]
#
# Makes N outages (200) of 0.5 to 5 s at random moments of sweeps: the router drops
# everything, in both directions or in one. Some pairs of the sweep are in a real black
# hole. Each row's status is compared with the path's effect on its pair; a row with
# another status is false. A row that is ok with less than half of the usual rate is
# slow if an outage met its test (a busy machine makes such rows too) and the run
# carries no warning about it. The same seed makes the same outages; the moments of the
# sweep that they meet differ.
#
# MTUSWEEP_BIN is the folder of the programs. The last line of output is:
#
#	outages N, rows N, false N, slow N, failed runs N

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/../integration/lib.sh"

readonly WAYS=(both upload download)
# The outer sizes above which the path loses packets; they lie between the sizes of the
# grid's full-size segments: 60 + min(tx, ceil16(min(tx, rx))).
readonly HOLE_UP=1410 HOLE_DOWN=1450
readonly DURATION=1
# A run that ends between rows leaves no child behind; this many seconds suffice to end
# it.
readonly END_SECONDS=40

count=200
seed=$(($(date +%s) % 32768))
failed_runs=0
# (begin, end), ... in ms, for SQL
outages=

while (($#)); do
	case $1:$# in
	--count:1 | --seed:1) echo "outages.sh: $1 takes a value" >&2 && exit 2 ;;
	--count:*) count=$2 ;;
	--seed:*) seed=$2 ;;
	*) echo 'usage: tests/fault/outages.sh [--count N] [--seed S]' >&2 && exit 2 ;;
	esac
	shift 2
done

# Arguments: both|upload|download
cut_line()
{
	local ports='{ "server", "peer" }'
	[[ $1 != upload ]] || ports='"server"'
	[[ $1 != download ]] || ports='"peer"'
	on router nft -f - <<-RULES
		table inet cut {
			chain forward {
				type filter hook forward priority filter - 1;
				oifname $ports drop
			}
		}
	RULES
}

mend_line()
{
	on router nft delete table inet cut
}

start_sweep()
{
	start_server "${GRID_3X3[@]}"
	start_peer "${GRID_3X3[@]}" --duration "$DURATION" --passes 1000 --order shuffled
}

# Start both programs again if the run has ended by itself.
restart_if_ended()
{
	! not_running "$peer_pid" || {
		failed_runs=$((failed_runs + 1))
		failed "a run ended, after $made outages" "$(tail -n 3 "$tmp/peer.log")"
		kill -TERM "$server_pid"
		wait_exit "$server_pid" 20 'the server'
		start_sweep
	}
}

end_sweep()
{
	kill -TERM "$peer_pid" 2>/dev/null || true
	wait_exit "$peer_pid" "$END_SECONDS" 'the peer'
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 20 'the server'
}

make_outages()
{
	local up_ms down_ms way began_ms
	for ((made = 1; made <= count; made++)); do
		way=${WAYS[RANDOM % 3]}
		down_ms=$((500 + RANDOM % 4501))
		up_ms=$((1000 + RANDOM % 7000))
		sleep_ms "$up_ms"
		restart_if_ended
		began_ms=$(now_ms)
		cut_line "$way"
		sleep_ms "$down_ms"
		mend_line
		outages+=${outages:+, }"($began_ms, $(now_ms))"
		((made % 10)) || echo "outages.sh: $made of $count," \
			"$(sql "$peer_db" 'SELECT count(*) FROM measurement') rows"
	done
	# Give the current visit time to be recorded.
	sleep 12
}

# Every direction of every row
readonly DIRECTIONS="
	SELECT run_id, seq, server_mtu, peer_mtu, 'upload' AS dir,
		upload_status AS status, upload_text AS text,
		coalesce(upload_goodput_bps, upload_received_bps) AS bps,
		upload_started_at AS at, peer_mtu AS tx, server_mtu AS rx,
		$HOLE_UP AS hole FROM measurement
	UNION ALL SELECT run_id, seq, server_mtu, peer_mtu, 'download',
		download_status, download_text,
		coalesce(download_goodput_bps, download_received_bps),
		download_started_at, server_mtu, peer_mtu, $HOLE_DOWN FROM measurement"

false_rows()
{
	sql "$peer_db" "
		WITH direction AS ($DIRECTIONS), truth AS (
			SELECT *, iif(60 + min(tx, (min(tx, rx) + 15) / 16 * 16) > hole,
				'blackhole', 'ok') AS expected FROM direction)
		SELECT format('run %d row %d, server MTU %d, peer MTU %d: '
				|| '%s %s (%s), not %s',
			run_id, seq, server_mtu, peer_mtu, dir, status, text, expected)
		FROM truth WHERE status <> expected ORDER BY run_id, seq"
}

slow_rows()
{
	sql "$peer_db" "
		WITH direction AS (
			SELECT *, round((julianday(at) - 2440587.5) * 86400000) AS at_ms
			FROM ($DIRECTIONS)),
		usual AS (
			SELECT dir, max(bps) * 0.45 AS least FROM direction
			WHERE status = 'ok' GROUP BY dir),
		outage (began_ms, ended_ms) AS (VALUES $outages)
		SELECT format('run %d row %d, server MTU %d, peer MTU %d: %s %.1f Mbit/s, '
				|| 'outage %d to %d ms after its start',
			run_id, seq, server_mtu, peer_mtu, dir, bps / 1e6,
			began_ms - at_ms, ended_ms - at_ms)
		FROM direction JOIN usual USING (dir) JOIN outage ON
			at_ms BETWEEN began_ms - $((DURATION * 1000 + 500)) AND ended_ms
		WHERE status = 'ok' AND bps < least AND NOT EXISTS (
			SELECT 1 FROM run_warning AS w WHERE w.run_id = direction.run_id
			AND w.kind = 'line_down' AND w.direction = dir
			AND w.server_mtu = direction.server_mtu
			AND w.peer_mtu = direction.peer_mtu)
		ORDER BY run_id, seq"
}

# Arguments: TEXT. Count its lines.
lines()
{
	[[ -z $1 ]] || wc -l <<<"$1"
}

check_rows()
{
	local wrong slow rows
	wrong=$(false_rows)
	slow=$(slow_rows)
	rows=$(sql "$peer_db" 'SELECT count(*) FROM measurement')
	check_same_text 'rows with a status that the path does not have' '' "$wrong"
	check_same_text 'rows that are ok with less than half of the rate' '' "$slow"
	check_equal 'black holes found' yes "$(sql "$peer_db" "SELECT iif(count(*) > 0,
		'yes', 'no') FROM measurement WHERE upload_status = 'blackhole'")"
	echo "outages $count, rows $rows, false $(($(lines "$wrong") + 0))," \
		"slow $(($(lines "$slow") + 0)), failed runs $failed_runs"
}

RANDOM=$seed
test_begin --inner 4
echo "outages.sh: seed $seed, $count outages"
before=$(hosts_state)
"$LAB" hole "$lab_name" upload "$HOLE_UP"
"$LAB" hole "$lab_name" download "$HOLE_DOWN"
start_sweep
wait_for 30 'the first row' has_rows_in "$peer_db"
make_outages
end_sweep
check_rows
check_same_text 'both hosts' "$before" "$(hosts_state)"
