#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# --resume: a run that was stopped or killed continues, measures only what is missing,
# and sends the server the rows that it lacks. A run with other options is refused.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly SERVER_GRID=(--mtu-min 1300 --mtu-max 1400 --mtu-step 50)
readonly PEER=(--mtu-min 1300 --mtu-max 1400 --mtu-step 50 --duration 0.3 --lease 2
	--order shuffled --wait 20)

runs()
{
	"$MTUSWEEP_BIN/mtusweep" runs --db "$peer_db"
}

runs_say()
{
	[[ $(runs) == *" $1 "* ]]
}

# Arguments: RUN COUNT. True if it has so many rows, or more.
has_rows()
{
	[[ -e $peer_db ]] && (($(sql "$peer_db" "SELECT count(*) FROM measurement
		WHERE run_id = $1" 2>/dev/null || echo 0) >= $2))
}

# Arguments: NAME ROWS. The newest run at both ends has all pairs and ROWS rows, each
# with a rate.
check_complete()
{
	local db
	for db in "$peer_db" "$server_db"; do
		check_equal "$1: ${db##*/}" "9 pairs, $2 rows, 9 ok, done" "$(sql "$db" "
			SELECT format('%d pairs, %d rows, %d ok, %s',
				count(*), sum(visits), sum(status = 'ok'),
				(SELECT outcome FROM run ORDER BY id DESC LIMIT 1))
			FROM results WHERE run_id = (SELECT max(id) FROM run)")"
	done
	# First, in the middle, last, and once as a pair of the grid.
	check_equal "$1: the reference series" \
		'1300/1300, 4 of 4 passes, first 1, last 12' \
		"$(sql "$peer_db" "SELECT format('%s, %d of %d passes, first %d, last %d',
			group_concat(DISTINCT server_mtu || '/' || peer_mtu),
			count(DISTINCT pass), count(*), min(seq), max(seq))
			FROM measurement WHERE reference
			AND run_id = (SELECT max(id) FROM run)")"
	check_equal "$1: rows not acknowledged" 0 "$(sql "$peer_db" \
		'SELECT count(*) FROM measurement WHERE NOT acknowledged')"
	check_same_text "$1: both hosts" "$before" "$(hosts_state)"
}

# Arguments: NAME [OPTION ...]. Resume, and run to the end.
resume()
{
	start_peer "${PEER[@]}" "${@:2}"
	wait_exit "$peer_pid" 60 "$1"
	check_equal "$1: exit status" 0 "$status"
}

# Arguments: NAME REGEX [OPTION ...]. The run is refused, and nothing changes.
refused()
{
	local rows
	rows=$(sql "$peer_db" 'SELECT count(*) FROM measurement')
	start_peer "${PEER[@]}" "${@:3}"
	wait_exit "$peer_pid" 20 "$1"
	check_equal "$1: exit status" 1 "$status"
	check_match "$1: what it says" "$2" "$(cat "$tmp/peer.log")"
	check_equal "$1: rows" "$rows" \
		"$(sql "$peer_db" 'SELECT count(*) FROM measurement')"
	check_same_text "$1: both hosts" "$before" "$(hosts_state)"
}

# Arguments: NAME. Check the last line of a peer that has one failed pair.
says_of_failures()
{
	check_match "$1: what is said at the end" \
		'12 of 12 measurements stored.*, 1 of them failed' "$(cat "$tmp/peer.log")"
}

first_rows()
{
	sql "$peer_db" "SELECT seq, server_mtu, peer_mtu, upload_started_at FROM measurement
		WHERE run_id = (SELECT max(id) FROM run) AND seq <= $1 ORDER BY seq"
}

test_begin --inner 4
before=$(hosts_state)
start_server "${SERVER_GRID[@]}" --lease 2

# Stopped by a signal; with a seed too large for a signed integer.
readonly SEED=18446744073709551615
start_peer "${PEER[@]}" --seed "$SEED"
wait_for 30 'two rows' has_rows 1 2
kill -TERM "$peer_pid"
wait_exit "$peer_pid" 20 'a peer that is stopped'
check_equal 'exit status of a peer that is stopped' 1 "$status"
check_match 'runs, after a signal' ' interrupted ' "$(runs)"
kept=$(first_rows 2)
check_equal 'the seed that is stored' "$SEED $SEED" "$(sql "$peer_db" \
	"SELECT seed || ' ' || json_extract(options, '\$.seed') FROM run")"
refused 'another large seed' "--seed $SEED, not 9223372036854775808" --resume \
	--seed 9223372036854775808
resume 'after a signal' --resume --seed "$SEED"
check_match 'after a signal: what is said' 'run 1 continues: [1-9][01]? of 12 ' \
	"$(cat "$tmp/peer.log")"
check_match 'after a signal: what is said at the end' '12 of 12 measurements stored' \
	"$(cat "$tmp/peer.log")"
check_match 'after a signal: the count at the peer' '\[12 of 12[],]' \
	"$(cat "$tmp/peer.log")"
check_match 'after a signal: the count at the server' '\[12 of 12\]' \
	"$(cat "$tmp/server.log")"
check_complete 'after a signal' 12
check_same_text 'the first rows are as they were' "$kept" "$(first_rows 2)"

# The run is complete.
resume 'a run that is done' --resume 1
check_complete 'a run that is done' 12

# All of its processes are killed; a row that the server lacks is sent again.
start_peer "${PEER[@]}"
wait_for 30 'three rows' has_rows 2 3
kill_all "$peer_pid"
# Main needs a moment to die.
wait_for 5 "'crashed' in the list of runs" runs_say crashed
# The server still has the dead peer's session: its address and run are the same.
setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$peer_db" \
	'UPDATE measurement SET acknowledged = 0 WHERE run_id = 2 AND seq = 2'
wait_for 10 "the server's session to end" grep -q 'was silent for' "$tmp/server.log"
setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail -cmd '.timeout 5000' "$server_db" \
	'DELETE FROM measurement WHERE run_id = 2 AND seq = 2'
resume 'after a crash' --resume 2
check_match 'after a crash: what is said' 'an earlier run was killed' \
	"$(cat "$tmp/peer.log")"
check_complete 'after a crash' 12
check_equal 'runs of the database' 2 "$(sql "$peer_db" 'SELECT count(*) FROM run')"

# Options that do not belong to the run.
refused 'another grid' '--mtu-min 1300, not 1350' --resume --mtu-min 1350
refused 'another duration' '--duration 0\.3, not 0\.5' --resume --duration 0.5
refused 'another order' '--order shuffled, not row' --resume --order row
refused 'another seed' '--seed [0-9]+, not 7' --resume --seed 7
refused 'no such run' "no run '9'" --resume 9
peer_db=$server_db refused "the server's copy" "server's copy" --resume 1
sql "$peer_db" 'VACUUM INTO '"'$tmp/db/other.db'"
# Without keys, names decide.
setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$tmp/db/other.db" \
	"DELETE FROM run_tunnel; UPDATE run SET server_interface = 'wg9'"
# An imported run is newer, but is no sweep of this tunnel.
cp "${BASH_SOURCE[0]%/*}/../bench/sweeps/pppoe.csv" "$tmp/log.csv"
chmod a+r "$tmp/log.csv"
setpriv --reuid "$DB_USER" --clear-groups "$MTUSWEEP_BIN/mtusweep" import "$tmp/log.csv" \
	--db "$tmp/db/other.db" >/dev/null
peer_db=$tmp/db/other.db refused 'an imported run' 'run 3 was imported' --resume 3
want="run [0-9]+ cannot be resumed: '.*/other.db.secrets' has no secret of run .*; "
peer_db=$tmp/db/other.db refused 'a copy without its secrets' "${want}copy the file" \
	--resume
setpriv --reuid "$DB_USER" --clear-groups cp "$peer_db.secrets" "$tmp/db/other.db.secrets"
peer_db=$tmp/db/other.db refused 'another tunnel' \
	"another tunnel: the server's interface is '$LAB_SERVER_IF', .* 'wg9'" --resume
kill -TERM "$server_pid"
wait_exit "$server_pid" 10 'the server'
start_server --mtu-min 1300 --mtu-max 1400 --mtu-step 100 --lease 2
refused "the server's grid" 'start it with --mtu-min 1300 --mtu-max 1400 --mtu-step 50' \
	--resume
kill -TERM "$server_pid"
wait_exit "$server_pid" 10 'the server'

# A pair that failed: it is measured again only on request.
start_server "${SERVER_GRID[@]}" --lease 2
"$LAB" hole "$lab_name" upload 1440
start_peer "${PEER[@]}"
wait_exit "$peer_pid" 60 'a sweep with failures'
failed=$(sql "$peer_db" 'SELECT count(*) FROM measurement WHERE run_id = 3
	AND upload_status <> "ok"')
check_equal 'pairs that failed' 1 "$failed"
# It is measured again, and fails again: it stays one pair, also when it is cut short.
resume 'with --repeat-failed, in vain' --resume --repeat-failed
says_of_failures 'with --repeat-failed, in vain'
start_peer "${PEER[@]}" --resume --repeat-failed
wait_for 20 'both MTUs changed' mtus_changed
kill -TERM "$peer_pid"
wait_exit "$peer_pid" 20 'a repetition that is stopped'
says_of_failures 'a repetition that is stopped'
"$LAB" clear "$lab_name"
resume 'without --repeat-failed' --resume
says_of_failures 'without --repeat-failed'
check_equal 'rows without --repeat-failed' 13 \
	"$(sql "$peer_db" 'SELECT count(*) FROM measurement WHERE run_id = 3')"
resume 'with --repeat-failed' --resume --repeat-failed
check_complete 'with --repeat-failed' 14
kill -TERM "$server_pid"
wait_exit "$server_pid" 10 'the server'
