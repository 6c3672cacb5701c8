#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/midrun.sh [CASE ...]: all of CASES below, or the given ones.
#
# Events during a sweep: its interface goes down and comes up again, on either end; the
# server is killed and started again, or has no descriptors left; a second peer calls;
# the disk fills up. The run continues, or ends with a message, and both hosts are as
# they were.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Arguments: END INTERFACE
down_and_up()
{
	fresh_run
	on "$1" ip link set "$2" down
	# Longer than the lease: the session expires and must be opened again.
	sleep 3
	on "$1" ip link set "$2" up
	wait_both 60
	check_complete "interface of the $1 down and up"
}

server_killed()
{
	fresh_run
	# The journal is the only record of the change.
	kill_all "$server_pid"
	start_server "${GRID_3X3[@]}" --once --lease 2
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
	# Two peers on one interface of one host never get as far as the server.
	on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$tmp/db/second.db" --wait 1 "${GRID_3X3[@]}" \
		</dev/null >"$tmp/second.log" 2>&1 || code=$?
	check_equal 'the exit status of a second peer' 1 "$code"
	check_match 'what the second peer says' "another mtusweep runs on interface" \
		"$(cat "$tmp/second.log")"
	wait_both 60
	check_complete 'beside a second peer'
}

# Arguments: REQUEST SERVER-MTU PEER-MTU TIME, as nft writes it.
# The path fails at the end of a run with --persist best, for longer than the lease and
# the request's deadline: just before the server is asked to set the pair again, or when
# it has committed and only its answer is lost. Both ends apply the pair in the end.
answer_lost()
{
	rm -f "$peer_db"* "$server_db"*
	start_server --mtu-min "$2" --mtu-max "$2" --once --lease 2 --persist best \
		--conf-file "$LAB_SERVER_CONF"
	start_peer --mtu-min "$3" --mtu-max "$3" --duration 3 --lease 2 --wait 20 \
		--persist best --conf-file "$LAB_PEER_CONF"
	wait_for 20 'both MTUs changed' mtus_are "$2" "$3"
	mute_server_after "$1" "$4"
	wait_both 60
	check_match "$1: what happened" 'waiting up to .* for mtusweep-server' \
		"$(cat "$tmp/peer.log")"
	unmute_server
	check_equal "MTUs when the answer to $1 was lost" "$2 $3" \
		"$(link_mtu server) $(link_mtu peer)"
	check_equal "confs when the answer to $1 was lost" "$2 $3" "$(sed -n \
		's/^MTU = //p' "$LAB_SERVER_CONF" "$LAB_PEER_CONF" | xargs)"
}

# All of a program's processes are killed, and --restore is used instead of another run.
restored_by_hand()
{
	local text
	rm -f "$peer_db"* "$server_db"*
	start_server "${GRID_3X3[@]}" --lease 2
	start_peer "${GRID_3X3[@]}" --duration 2 --lease 2
	# Those of the first pair: probes change the MTUs too, and give them back.
	wait_for 20 'the MTUs of the first pair' mtus_are 1300 1300
	kill_all "$peer_pid"
	check_equal 'the MTU is still another' yes \
		"$([[ $(link_mtu peer) == "$LAB_MTU" ]] || echo yes)"
	text=$(on peer "$MTUSWEEP_BIN/mtusweep-peer" \
		--restore --interface "$LAB_PEER_IF" 2>&1)
	check_match 'what --restore says' \
		"'$LAB_PEER_IF' is restored to MTU $LAB_MTU" "$text"
	text=$(on peer "$MTUSWEEP_BIN/mtusweep-peer" \
		--restore --interface "$LAB_PEER_IF" 2>&1)
	check_match 'what a second --restore says' 'nothing to restore' "$text"
	wait_for 10 'both MTUs back' mtus_are "$LAB_MTU" "$LAB_MTU"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_same_text '--restore: both hosts' "$before" "$(hosts_state)"
}

# A main that hangs delays neither the user nor the restoring of its host.
stopped_main()
{
	local main
	start_server "${GRID_3X3[@]}" --lease 2
	start_peer "${GRID_3X3[@]}" --duration 0.5 --lease 2
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

# Nobody reads the peer's output: the hosts are restored all the same.
nobody_reads()
{
	local fifo=$tmp/fifo
	rm -f "$peer_db"* "$server_db"*
	mkfifo "$fifo"
	exec 7<>"$fifo"
	head -c 65536 /dev/zero >&7
	start_server "${GRID_3X3[@]}" --once
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$peer_db" "${GRID_3X3[@]}" --duration 0.3 \
		</dev/null >"$fifo" 2>&1 &
	peer_pid=$!
	wait_both 60
	exec 7>&-
	check_equal 'MTUs when nobody reads' "$LAB_MTU $LAB_MTU" \
		"$(link_mtu server) $(link_mtu peer)"
}

# Another peer has the server: this one waits for the end of its session.
server_busy()
{
	local end='"host":"other","interface":"wg0","address":"10.77.0.3","mtu":1420'
	local range='{"min":1300,"max":1400,"step":50}' key body
	end+=',"backend":"kernel","family":4,"versions":""'
	body='{"protocol":3,"secret":"0123456789abcdef0123456789abcdef",'
	# Long enough for the first peer to give up, and the second to start, meanwhile.
	body+='"lease_ms":10000,"run":{"uuid":"'
	body+="$(cat /proc/sys/kernel/random/uuid)\",\"started_at_ms\":1,\"peer\":{$end},"
	body+="\"server_range\":$range,\"peer_range\":$range,\"strategy\":\"grid\","
	body+='"passes":1,"seed":"1","duration_ms":500,"persist":"none","pairs":9}}'
	rm -f "$peer_db"* "$server_db"*
	key=$(on server wg show "$LAB_SERVER_IF" peers)
	on server wg set "$LAB_SERVER_IF" peer "$key" allowed-ips 10.77.0.2/32,10.77.0.3/32
	on peer ip addr add 10.77.0.3/24 dev "$LAB_PEER_IF"
	start_server "${GRID_3X3[@]}" --once
	wait_for 10 'the server to listen' listening 5000
	# shellcheck disable=SC2016 # perl's own variables
	check_match 'another peer opens a session' '200 OK.*"session"' "$(on peer perl \
		-MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(PeerAddr => "$ARGV[0]:5000",
			LocalAddr => "10.77.0.3") or die "connect: $!";
		print $s "POST /v1/session HTTP/1.1\r\nHost: $ARGV[0]\r\n",
			"Connection: close\r\nContent-Type: application/json\r\n",
			"Content-Length: ", length($ARGV[1]), "\r\n\r\n$ARGV[1]";
		local $/; my $answer = <$s>; $answer =~ s/\s+/ /g; print $answer;' \
		"$LAB_SERVER_IP" "$body")"
	start_peer "${GRID_3X3[@]}" --duration 0.3 --wait 1
	wait_exit "$peer_pid" 10 'a peer that waits for 1 s'
	check_equal 'its exit status' 1 "$status"
	check_match 'what it says' "server busy: a run from '10.77.0.3'" \
		"$(cat "$tmp/peer.log")"
	start_peer "${GRID_3X3[@]}" --duration 0.3 --wait 60
	wait_both 100
	check_match 'what a peer that waits longer says' 'waiting up to 60 s: .*busy' \
		"$(cat "$tmp/peer.log")"
	on peer ip addr del 10.77.0.3/24 dev "$LAB_PEER_IF"
	check_complete 'after another peer'
}

disk_full()
{
	local small=$tmp/small
	install -d -o "$DB_USER" "$small"
	mounted=$small
	mount -t tmpfs -o "size=300k,uid=$(id -u "$DB_USER")" none "$small"
	rm -f "$peer_db"* "$server_db"*
	start_server "${GRID_3X3[@]}" --lease 2
	peer_db=$small/peer.db start_peer "${GRID_3X3[@]}" --duration 0.5 \
		--lease 2 --passes 50
	wait_for 20 'a row on the small disk' has_rows_in "$small/peer.db"
	dd if=/dev/zero of="$small/filler" bs=1k count=1000 2>/dev/null || true
	wait_exit "$peer_pid" 60 'the peer on a full disk'
	check_equal "the peer's exit status on a full disk" 1 "$status"
	check_equal 'what the peer says of a full disk' 'the disk is full' \
		"$(grep -o 'the disk is full' "$tmp/peer.log")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_same_text 'full disk: both hosts' "$before" "$(hosts_state)"
	rm -f "$small/filler"
	check_match 'rows kept on the full disk' '^[1-9]' \
		"$(sql "$small/peer.db" 'SELECT count(*) FROM measurement')"
	umount "$small"
	mounted=
}

# All rows are stored, but the end of the run is not.
end_not_stored()
{
	fresh_run
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail -cmd '.timeout 5000' \
		"$peer_db" \
		"CREATE TEMP TABLE other AS SELECT * FROM run;
		UPDATE other SET id = id + 1, outcome = 'done',
			uuid = '99999999-1111-4222-8333-444444444444';
		INSERT INTO run SELECT * FROM other;
		CREATE UNIQUE INDEX no_end ON run (outcome) WHERE outcome = 'done'"
	wait_exit "$peer_pid" 60 'the peer'
	check_equal "the peer's exit status" 1 "$status"
	check_match 'what it says' 'cannot store that the run .* crashed: .*UNIQUE' \
		"$(cat "$tmp/peer.log")"
	check_match 'how the run is shown' ' crashed ' \
		"$("$MTUSWEEP_BIN/mtusweep" runs --db "$peer_db")"
	wait_exit "$server_pid" 10 'the server'
	check_equal "the server's exit status" 0 "$status"
	check_same_text 'end not stored: both hosts' "$before" "$(hosts_state)"
}

# Arguments: PID [SOFT]. Print the limit on its descriptors, or set it. Run as the
# process's user: root in a container may lack CAP_SYS_RESOURCE.
limit_descriptors()
{
	local uid gid
	uid=$(sed -n 's/^Uid:\s*\([0-9]*\).*/\1/p' "/proc/$1/status")
	gid=$(sed -n 's/^Gid:\s*\([0-9]*\).*/\1/p' "/proc/$1/status")
	setpriv --reuid "$uid" --regid "$gid" --clear-groups prlimit --pid "$1" \
		"--nofile${2:+=$2:}" --output SOFT --noheadings
}

# Arguments: PID. Print its lowest free descriptor.
free_fd()
{
	local fd=0
	while [[ -e /proc/$1/fd/$fd ]]; do
		fd=$((fd + 1))
	done
	echo "$fd"
}

# Arguments: MAIN. It gets no new descriptors. It waits for events with those it has,
# and needs them all.
peer_waits_without_lookups()
{
	limit_descriptors "$1" "$(free_fd "$1")"
	grep -q 'waiting up to' "$tmp/peer.log"
}

# Arguments: MAIN. One descriptor is free: the connection takes it, and none is left for
# the lookup. Connections that the server keeps end meanwhile, so it is set each time.
is_answered_503()
{
	limit_descriptors "$1" "$(($(free_fd "$1") + 1))"
	grep -q '^HTTP/1.1 503 .*"EAGAIN"' <<<"$(on peer perl \
		"${BASH_SOURCE[0]%/*}/hostile.pl" \
		get "$LAB_PEER_IP" "$LAB_SERVER_IP" /v1/hello)"
}

# The server has no descriptor for its route lookup: the peer asks again, also for the
# session that expires meanwhile.
lookup_fails()
{
	local main limit
	fresh_run
	main=$(pgrep -P "$server_pid" -x mtusweep-main)
	limit=$(limit_descriptors "$main")
	wait_for 20 'the peer to wait for the server' peer_waits_without_lookups "$main"
	for _ in 1 2 3; do
		wait_for 10 'an answer without a lookup' is_answered_503 "$main"
	done
	check_equal 'the peer goes on' yes "$(kill -0 "$peer_pid" && echo yes)"
	limit_descriptors "$main" "$((limit))"
	wait_both 60
	check_complete 'lookups that fail'
}

readonly CASES=(peer_link_down server_link_down server_killed second_peer server_busy
	disk_full nobody_reads restored_by_hand stopped_main commit_lost row_lost
	end_not_stored lookup_fails)

peer_link_down()
{
	down_and_up peer "$LAB_PEER_IF"
}

server_link_down()
{
	down_and_up server "$LAB_SERVER_IF"
}

commit_lost()
{
	# The commit has 5 s, the first attempt to find the server 2 s, and round trips.
	answer_lost 'POST /v1/commit' 1340 1300 8500ms
}

row_lost()
{
	answer_lost 'PUT /v1/run/' 1360 1320 16s
}

(($#)) || set -- "${CASES[@]}"
test_begin --inner 4
before=$(hosts_state)
for case; do
	"$case"
done
