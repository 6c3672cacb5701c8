#!/usr/bin/env bash
#
# What happens to a sweep under way: its interface goes down and comes up again, on either
# end; the server is killed and started again; a second peer calls; the disk fills up. The
# run goes on, or ends with a message, and both hosts are as they were.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly LATTICE=(--mtu-min 1300 --mtu-max 1400 --mtu-step 50)

# DATABASE: rows of its newest run
rows_of()
{
	sql "$1" 'SELECT count(*) FROM measurement
		WHERE run_id = (SELECT max(id) FROM run)' 2>/dev/null || echo 0
}

has_rows_in()
{
	[[ -e $1 ]] && (($(rows_of "$1") >= 1))
}

mtus_changed()
{
	[[ $(link_mtu server) != "$LAB_MTU" && $(link_mtu peer) != "$LAB_MTU" ]]
}

under_way()
{
	has_rows_in "$peer_db" && mtus_changed
}

# WHAT: every pair once, each with a rate, in both databases
check_complete()
{
	local db
	for db in "$peer_db" "$server_db"; do
		check_equal "$1: pairs in ${db##*/}" '9 pairs, 9 rows, 9 ok, done' "$(sql "$db" "
			SELECT format('%d pairs, %d rows, %d ok, %s',
				count(DISTINCT server_mtu || '/' || peer_mtu), count(*),
				sum(upload_status = 'ok' AND download_status = 'ok'),
				(SELECT outcome FROM run ORDER BY id DESC LIMIT 1))
			FROM measurement WHERE run_id = (SELECT max(id) FROM run)")"
	done
	check_same_text "$1: both hosts" "$before" "$(hosts_state)"
}

fresh_run()
{
	rm -f "$peer_db"* "$server_db"*
	start_server "${LATTICE[@]}" --once --lease 2
	start_peer "${LATTICE[@]}" --duration 0.5 --lease 2 --wait 20
	wait_for 20 'a sweep under way' under_way
}

# END INTERFACE
down_and_up()
{
	fresh_run
	on "$1" ip link set "$2" down
	# Longer than the lease: the session is lost, and must be had again.
	sleep 3
	on "$1" ip link set "$2" up
	wait_both 60
	check_complete "interface of the $1 down and up"
}

server_killed()
{
	fresh_run
	# All its processes at once: only the journal knows.
	# shellcheck disable=SC2046 # several words
	kill -KILL "$server_pid" $(pgrep -P "$server_pid")
	wait "$server_pid" || true
	start_server "${LATTICE[@]}" --once --lease 2
	wait_both 60
	check_match 'what the server says of the run before' 'an earlier run was killed' \
		"$(cat "$tmp/server.log")"
	check_equal 'the killed server: rows of the peer' 9 "$(rows_of "$peer_db")"
	check_equal 'the killed server: rows of the server' 9 "$(rows_of "$server_db")"
	check_same_text 'the killed server: both hosts' "$before" "$(hosts_state)"
}

second_peer()
{
	local code=0
	fresh_run
	# Another interface's name keeps it from the lock; the server sees the same address.
	on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$tmp/db/second.db" --wait 1 "${LATTICE[@]}" \
		</dev/null >"$tmp/second.log" 2>&1 || code=$?
	check_equal 'the exit status of a second peer' 1 "$code"
	check_match 'what the second peer says' "another mtusweep runs on interface" \
		"$(cat "$tmp/second.log")"
	wait_both 60
	check_complete 'beside a second peer'
}

# The path dies between the last row and the commit of the best pair, for longer than a
# request waits: both ends keep the pair in the end, or neither.
commit_lost()
{
	rm -f "$peer_db"* "$server_db"*
	start_server --mtu-min 1340 --mtu-max 1340 --once --lease 2 --persist best \
		--conf-file "$LAB_SERVER_CONF"
	start_peer --mtu-min 1300 --mtu-max 1300 --duration 0.3 --lease 2 --wait 20 \
		--persist best --conf-file "$LAB_PEER_CONF"
	wait_for 20 'the only row' has_rows_in "$peer_db"
	"$LAB" hole "$lab_name" download 1
	sleep 7
	"$LAB" clear "$lab_name"
	wait_both 60
	check_equal 'MTUs after a commit on a dead path' '1340 1300' \
		"$(link_mtu server) $(link_mtu peer)"
	check_equal 'confs after a commit on a dead path' '1340 1300' "$(sed -n \
		's/^MTU = //p' "$LAB_SERVER_CONF" "$LAB_PEER_CONF" | xargs)"
}

# All of a program's processes killed, and --restore instead of another run.
restored_by_hand()
{
	local text
	rm -f "$peer_db"* "$server_db"*
	start_server "${LATTICE[@]}" --lease 2
	start_peer "${LATTICE[@]}" --duration 2 --lease 2
	wait_for 20 'both MTUs changed' mtus_changed
	# shellcheck disable=SC2046 # several words
	kill -KILL "$peer_pid" $(pgrep -P "$peer_pid")
	wait "$peer_pid" || true
	check_equal 'the MTU is still another' yes \
		"$([[ $(link_mtu peer) == "$LAB_MTU" ]] || echo yes)"
	text=$(on peer "$MTUSWEEP_BIN/mtusweep-peer" --restore --interface "$LAB_PEER_IF" 2>&1)
	check_match 'what --restore says' "'$LAB_PEER_IF' has its MTU $LAB_MTU back" "$text"
	text=$(on peer "$MTUSWEEP_BIN/mtusweep-peer" --restore --interface "$LAB_PEER_IF" 2>&1)
	check_match 'what a second --restore says' 'no killed run' "$text"
	wait_for 10 'both MTUs back' mtus_are "$LAB_MTU" "$LAB_MTU"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_same_text '--restore: both hosts' "$before" "$(hosts_state)"
}

# A main that reacts to nothing any more does not hold the user up, nor its host.
stopped_main()
{
	local main
	start_server "${LATTICE[@]}" --lease 2
	start_peer "${LATTICE[@]}" --duration 0.5 --lease 2
	wait_for 20 'both MTUs changed' mtus_changed
	main=$(pgrep -P "$peer_pid" -x mtusweep-main)
	kill -STOP "$main"
	wait_for 10 'both MTUs back' mtus_are "$LAB_MTU" "$LAB_MTU"
	kill -TERM "$peer_pid"
	wait_exit "$peer_pid" 45 'a peer whose main does not react'
	check_equal 'its exit status' 1 "$status"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

# Nobody reads what the peer says: the hosts come back all the same.
nobody_reads()
{
	local fifo=$tmp/fifo
	rm -f "$peer_db"* "$server_db"*
	mkfifo "$fifo"
	exec 7<>"$fifo"
	head -c 65536 /dev/zero >&7
	start_server "${LATTICE[@]}" --once
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$peer_db" "${LATTICE[@]}" --duration 0.3 \
		</dev/null >"$fifo" 2>&1 &
	peer_pid=$!
	wait_both 60
	exec 7>&-
	check_equal 'MTUs when nobody reads' "$LAB_MTU $LAB_MTU" \
		"$(link_mtu server) $(link_mtu peer)"
}

disk_full()
{
	local small=$tmp/small
	install -d -o "$DB_USER" "$small"
	mount -t tmpfs -o "size=300k,uid=$(id -u "$DB_USER")" none "$small"
	rm -f "$peer_db"* "$server_db"*
	start_server "${LATTICE[@]}" --lease 2
	peer_db=$small/peer.db start_peer "${LATTICE[@]}" --duration 0.5 --lease 2 --passes 50
	wait_for 20 'a row on the small disk' has_rows_in "$small/peer.db"
	dd if=/dev/zero of="$small/filler" bs=1k count=1000 2>/dev/null || true
	wait_exit "$peer_pid" 60 'the peer on a full disk'
	check_equal "the peer's exit status on a full disk" 1 "$status"
	check_match 'what the peer says of a full disk' 'the disk is full' \
		"$(cat "$tmp/peer.log")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_same_text 'full disk: both hosts' "$before" "$(hosts_state)"
	rm -f "$small/filler"
	check_match 'rows kept on the full disk' '^[1-9]' \
		"$(sql "$small/peer.db" 'SELECT count(*) FROM measurement')"
	umount "$small"
}

test_begin --inner 4
trap 'umount "$tmp/small" 2>/dev/null || true; test_end' EXIT
before=$(hosts_state)
down_and_up peer "$LAB_PEER_IF"
down_and_up server "$LAB_SERVER_IF"
server_killed
second_peer
disk_full
nobody_reads
restored_by_hand
stopped_main
commit_lost
