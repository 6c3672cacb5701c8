#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/traps.sh [CASE ...]: all of CASES below, or the given ones.
#
# Other events during a sweep on a real host: its terminal, pipe or SSH session goes,
# the user types Ctrl-C or Ctrl-\, the host is suspended, the path is cut, another program
# recreates the interface or changes its MTU or conf file, the database is locked or
# cannot be written, one of the program's processes is killed. The run continues, or ends
# with a message, and both hosts are as they were. midrun.sh has more of these.
#
# clock_stepped sets the clock of the whole machine: it is not among CASES, and needs a
# virtual machine.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASES=(terminal_gone pipe_closed interrupt_key quit_key session_lost
	suspended_peer suspended_server path_cut both_links_down remade_peer remade_server
	mtu_by_another conf_by_another_each conf_by_another_best conf_folder_moved
	sys_read_only
	database_locked database_read_only killed_peer killed_server
	guard_stopped file_size_limit limits)

log()
{
	tr '\r' '\n' <"$tmp/$1.log"
}

outcome_of()
{
	sql "$1" 'SELECT outcome FROM run ORDER BY id DESC LIMIT 1'
}

are_back()
{
	mtus_are "$LAB_MTU" "$LAB_MTU"
}

# Check the server, which continues to serve, and the state of both hosts.
end_server()
{
	wait_for 20 'both MTUs back' are_back
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 20 'the server'
}

# --- terminals -----------------------------------------------------------------------

# Arguments: --default-signal=HUP or --ignore-signal=HUP. Start the peer in a session of
# a terminal of its own. $terminal_pid holds the other end, as sshd does; descriptor 8
# is its keyboard; the exit status comes into $tmp/status.
start_peer_on_terminal()
{
	rm -f "$peer_db"* "$server_db"* "$tmp/status" "$tmp/keys"
	start_server "${GRID_3X3[@]}" --once --lease 2
	cat >"$tmp/session" <<-SESSION
		ulimit -c 0
		# The session's shell ends with the terminal; the one that writes the
		# status does not.
		bash -c 'trap "" HUP INT QUIT
			"$LAB" exec "$lab_name" peer env --default-signal=INT,QUIT "$1" \\
				"$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \\
				--server-ip "$LAB_SERVER_IP" --db "$peer_db" \\
				${GRID_3X3[*]} --duration 0.3 --lease 2 --wait 20 \\
				--passes $passes
			echo \$? >"$tmp/status"'
	SESSION
	mkfifo "$tmp/keys"
	exec 8<>"$tmp/keys"
	script -qfc "exec bash '$tmp/session'" "$tmp/peer.log" <&8 >/dev/null 2>&1 8>&- &
	terminal_pid=$!
	wait_for 20 'a sweep under way' under_way
}

# Arguments: SECONDS. Set $status to the peer's exit status.
wait_status()
{
	wait_for "$1" "the end of the peer" test -s "$tmp/status"
	status=$(cat "$tmp/status")
	kill "$terminal_pid" 2>/dev/null || true
	wait "$terminal_pid" 2>/dev/null || true
	exec 8>&-
}

# The peer was started with nohup, and the terminal goes: only writing to it fails.
terminal_gone()
{
	start_peer_on_terminal --ignore-signal=HUP
	kill -KILL "$terminal_pid"
	wait_status 60
	check_equal "the peer's exit status without its terminal" 0 "$status"
	wait_exit "$server_pid" 10 'the server'
	check_complete 'terminal gone'
}

session_lost()
{
	passes=$ENDLESS
	start_peer_on_terminal --default-signal=HUP
	kill -KILL "$terminal_pid"
	wait_status 15
	check_equal "the peer's exit status when its session is lost" 1 "$status"
	end_server
	check_equal 'outcome of a lost session' 'interrupted interrupted' \
		"$(outcome_of "$peer_db") $(outcome_of "$server_db")"
}

interrupt_key()
{
	passes=$ENDLESS
	start_peer_on_terminal --default-signal=HUP
	printf '\003' >&8
	wait_status 15
	check_equal "the peer's exit status after Ctrl-C" 1 "$status"
	check_match 'what it says after Ctrl-C' 'stopped by Interrupt' "$(log peer)"
	check_equal 'deaths by Ctrl-C' '' "$(log peer | grep -E 'died|was killed' || true)"
	end_server
	check_equal 'outcome after Ctrl-C' interrupted "$(outcome_of "$peer_db")"
}

# The key kills keeper and main at once.
quit_key()
{
	passes=$ENDLESS
	start_peer_on_terminal --default-signal=HUP
	printf '\034' >&8
	wait_status 15
	check_equal "the peer's exit status after Ctrl-\\" $((128 + 3)) "$status"
	end_server
	check_equal "outcome after Ctrl-\\" running "$(outcome_of "$peer_db")"
}

# The same as | head.
pipe_closed()
{
	local fifo=$tmp/pipe
	rm -f "$peer_db"* "$server_db"*
	mkfifo "$fifo"
	head -n 1 <"$fifo" >/dev/null &
	start_server "${GRID_3X3[@]}" --once --lease 2
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$peer_db" "${GRID_3X3[@]}" --duration 0.3 \
		--lease 2 \
		</dev/null >"$fifo" 2>&1 &
	peer_pid=$!
	wait_both 60
	check_complete 'pipe closed'
}

# --- suspended hosts, cut paths ------------------------------------------------------

# Arguments: KEEPER. Print all processes of a program, the test's too.
processes_of()
{
	local pids
	mapfile -t pids < <(pgrep -P "$1")
	echo "$1" "${pids[@]}" "$(pgrep -P "$(pgrep -P "$1" -x mtusweep-runner)" | xargs)"
}

# Arguments: END OTHER KEEPER. Stop them as in suspend, for longer than the lease.
suspended()
{
	local pids guard
	read -ra pids < <(processes_of "$3")
	guard=$(pgrep -P "$3" -x mtusweep-guard)
	kill -STOP "${pids[@]}"
	wait_for 10 "the MTU of the $2, whose other end is suspended" \
		end_is_back "$2"
	sleep 2
	check_equal 'the MTU of the suspended end has not changed' yes \
		"$([[ $(link_mtu "$1") == "$LAB_MTU" ]] || echo yes)"
	# Any of them may wake first: the guard's timer has continued.
	kill -CONT "$guard"
	wait_for 5 "the guard of the $1 to restore" end_is_back "$1"
	kill -CONT "${pids[@]}" 2>/dev/null || kill -CONT "$3"
	wait_both 60
	check_complete "$1 suspended"
}

end_is_back()
{
	[[ $(link_mtu "$1") == "$LAB_MTU" ]]
}

suspended_peer()
{
	fresh_run
	suspended peer server "$peer_pid"
}

suspended_server()
{
	fresh_run
	suspended server peer "$server_pid"
}

# The router drops everything during a test, for longer than the lease.
path_cut()
{
	fresh_run
	"$LAB" hole "$lab_name" upload 0
	"$LAB" hole "$lab_name" download 0
	wait_for 10 'both MTUs back while the path is cut' are_back
	"$LAB" clear "$lab_name"
	wait_both 60
	check_complete 'path cut'
}

both_links_down()
{
	fresh_run
	on server ip link set "$LAB_SERVER_IF" down
	on peer ip link set "$LAB_PEER_IF" down
	wait_for 10 'both MTUs back while both links are down' are_back
	on peer ip link set "$LAB_PEER_IF" up
	on server ip link set "$LAB_SERVER_IF" up
	wait_both 60
	check_complete 'both links down and up'
}

# --- changes by other programs -------------------------------------------------------

remade_peer()
{
	# Long enough not to expire meanwhile: the session would begin anew.
	lease=10 passes=$ENDLESS
	fresh_run
	"$LAB" remake "$lab_name" peer
	wait_exit "$peer_pid" 30 'the peer whose interface was made anew'
	check_equal 'its exit status' 1 "$status"
	check_match 'what it says' "'$LAB_PEER_IF' was deleted and created again" \
		"$(log peer)"
	end_server
}

# The run ends; the next one uses the interface as it is.
remade_server()
{
	lease=10 passes=$ENDLESS
	fresh_run
	"$LAB" remake "$lab_name" server
	wait_exit "$peer_pid" 30 'the peer of a server whose interface was made anew'
	check_equal "the peer's exit status" 1 "$status"
	check_match 'what the peer says' "'$LAB_SERVER_IF' was deleted and created again" \
		"$(log peer)"
	wait_for 20 'both MTUs back' are_back
	start_peer "${GRID_3X3[@]}" --duration 0.3 --lease 2 --wait 20
	wait_both 60
	check_complete 'on the new interface'
}

# Arguments: END INTERFACE. Check that each log names the end of the changed MTU as it is
# there, once, and no other cause.
check_one_cause()
{
	local log other
	local changed="the MTU of '$2' was changed to 1333 by somebody else"
	for log in server peer; do
		other="the $1"
		[[ $log != "$1" ]] || other='this end'
		check_equal "what the $log's log says of the $1's MTU" "$other: $changed" \
			"$(log "$log" | grep -o "[a-z]* [a-z]*: $changed")"
		check_equal "other causes in the $log's log" '' "$(log "$log" |
			grep -E 'lease|is slow|cannot tell|interrupted' || true)"
	done
}

# Arguments: END INTERFACE
mtu_changed_on()
{
	passes=$ENDLESS
	fresh_run
	on "$1" ip link set "$2" mtu 1333
	wait_exit "$peer_pid" 30 "the peer after a change of the $1's MTU"
	check_equal "the peer's exit status" 1 "$status"
	check_match "what the peer says of the $1's MTU" \
		"the MTU of '$2' was changed to 1333 by somebody else" "$(log peer)"
	check_equal "their MTU on the $1" 1333 "$(link_mtu "$1")"
	on "$1" ip link set "$2" mtu "$LAB_MTU"
	end_server
	check_one_cause "$1" "$2"
	check_same_text "MTU of the $1 changed: both hosts" "$before" "$(hosts_state)"
}

mtu_by_another()
{
	mtu_changed_on peer "$LAB_PEER_IF"
	mtu_changed_on server "$LAB_SERVER_IF"
}

conf_by_another_each()
{
	local theirs
	rm -f "$peer_db"* "$server_db"*
	start_server "${GRID_3X3[@]}" --lease 2 --persist each \
		--conf-file "$LAB_SERVER_CONF"
	start_peer "${GRID_3X3[@]}" --duration 0.3 --lease 2 --persist each \
		--passes "$ENDLESS" --conf-file "$LAB_PEER_CONF"
	wait_for 20 'a sweep under way' under_way
	cp -p "$LAB_PEER_CONF" "$tmp/conf"
	echo '# theirs' >>"$LAB_PEER_CONF"
	theirs=$(sha256sum <"$LAB_PEER_CONF")
	wait_exit "$peer_pid" 30 'the peer whose conf file somebody changed'
	check_equal 'its exit status' 1 "$status"
	check_match 'what it says' \
		"conf file '.*' was changed by somebody else and is left as it is" \
		"$(log peer)"
	check_equal 'their conf file' "$theirs" "$(sha256sum <"$LAB_PEER_CONF")"
	mv "$LAB_PEER_CONF.mtusweep-original" "$LAB_PEER_CONF"
	end_server
}

# Arguments: END. The folder of its conf file is moved away when the next pair is set,
# and moved back. The run ends, and the conf file is restored: no copy of it is left,
# and nobody's change was lost.
folder_moved_on()
{
	local conf=$LAB_PEER_CONF folder
	[[ $1 == peer ]] || conf=$LAB_SERVER_CONF
	folder=${conf%/*}
	rm -f "$peer_db"* "$server_db"*
	start_server "${GRID_3X3[@]}" --lease 2 --persist each \
		--conf-file "$LAB_SERVER_CONF"
	start_peer "${GRID_3X3[@]}" --duration 0.3 --lease 2 --persist each \
		--passes "$ENDLESS" --conf-file "$LAB_PEER_CONF"
	wait_for 20 'a sweep under way' under_way
	mv "$folder" "$folder.away"
	wait_for 20 "the $1 to miss the folder" missed_on "$1"
	sleep 2
	check_equal "the swept MTU in the $1's conf file" yes \
		"$(grep -qx "MTU = $LAB_MTU" "$folder.away/${conf##*/}" || echo yes)"
	mv "$folder.away" "$folder"
	wait_exit "$peer_pid" 30 "the peer after the $1's folder was away"
	check_equal "the peer's exit status" 1 "$status"
	end_server
	check_equal "somebody's change at the $1" '' \
		"$(log "$1" | grep 'by somebody else' || true)"
	check_same_text "the $1's folder moved: both hosts" "$before" "$(hosts_state)"
}

missed_on()
{
	log "$1" |
		grep -q "cannot use conf file '.*': cannot open folder '.*': No such file"
}

conf_folder_moved()
{
	folder_moved_on peer
	folder_moved_on server
}

# Their lines stay, beside the recommended MTU.
conf_by_another_best()
{
	rm -f "$peer_db"* "$server_db"*
	start_server --mtu-min 1340 --mtu-max 1340 --once --lease 2 --persist best \
		--conf-file "$LAB_SERVER_CONF"
	start_peer --mtu-min 1320 --mtu-max 1320 --duration 2 --lease 2 --persist best \
		--conf-file "$LAB_PEER_CONF"
	wait_for 20 'both MTUs changed' mtus_changed
	echo '# theirs' >>"$LAB_PEER_CONF"
	wait_both 60
	check_equal 'the peer'\''s conf file' '1320 # theirs' \
		"$(sed -n 's/^MTU = //p; $p' "$LAB_PEER_CONF" | xargs)"
	check_match 'what the peer says' 'conf file .* changed .* their' "$(log peer)"
	# The state before, for the last check.
	rm "$LAB_PEER_CONF".mtusweep-2* "$LAB_SERVER_CONF".mtusweep-2*
	sed -i "s/^MTU = .*/MTU = $LAB_MTU/; \$d" "$LAB_PEER_CONF"
	sed -i "s/^MTU = .*/MTU = $LAB_MTU/" "$LAB_SERVER_CONF"
	on peer ip link set "$LAB_PEER_IF" mtu "$LAB_MTU"
	on server ip link set "$LAB_SERVER_IF" mtu "$LAB_MTU"
}

# The server's /proc/sys, as in a container; warnings.sh tests the peer's.
sys_read_only()
{
	rm -f "$peer_db"* "$server_db"*
	run_on server unshare --mount bash -c '
		mount --make-rprivate / && mount --bind /proc/sys /proc/sys &&
			mount -o remount,bind,ro /proc/sys && exec "$@"' bash \
		"$MTUSWEEP_BIN/mtusweep-server" --interface "$LAB_SERVER_IF" --server-ip \
		"$LAB_SERVER_IP" --db "$server_db" "${GRID_3X3[@]}" --once \
		</dev/null >"$tmp/server.log" 2>&1 &
	server_pid=$!
	start_peer "${GRID_3X3[@]}" --duration 0.3
	wait_both 60
	check_match 'the warning stored with the run' "/proc/sys/net/ipv4/route/flush" \
		"$(sql "$peer_db" 'SELECT group_concat(detail) FROM run_warning')"
	check_match 'the warning the server shows' \
		'warning: .*/proc/sys/net/ipv4/route/flush' \
		"$(log server)"
	check_complete '/proc/sys read-only'
}

# --- the database --------------------------------------------------------------------

# Arguments: REGEX. Check the peer's message about the server's database.
peer_says_locked()
{
	log peer | grep -q "the server: database '$server_db' is locked .*$1"
}

database_locked()
{
	local rows
	# For less than the timeout, on either end: nothing is lost.
	fresh_run
	lock_database "$peer_db"
	sleep 2
	unlock_database
	lock_database "$server_db"
	sleep 2
	unlock_database
	wait_both 60
	check_complete 'locked for 2 s'
	# For longer than the timeout.
	passes=$ENDLESS
	fresh_run
	lock_database "$peer_db"
	rows=$(rows_of "$peer_db")
	wait_exit "$peer_pid" 60 'the peer whose database is locked'
	check_equal 'the exit status with a locked database' 1 "$status"
	check_match 'what it says' "database '$peer_db' is locked by another program" \
		"$(log peer)"
	wait_for 10 'both MTUs back with a locked database' are_back
	unlock_database
	check_equal 'rows kept in the locked database' "$rows" "$(rows_of "$peer_db")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 20 'the server'
	# The server's: the peer learns the reason in time, continues, and sends the
	# rows again.
	passes=1
	fresh_run
	lock_database "$server_db"
	wait_for 10 "the peer to hear of the server's locked database" \
		peer_says_locked 'the rows that it lacks will be sent again'
	unlock_database
	wait_both 60
	check_complete "the server's locked"
	# At the start, too.
	rm -f "$peer_db"* "$server_db"*
	start_server "${GRID_3X3[@]}" --once --lease 2
	wait_for 10 'the server to listen' listening 5000
	lock_database "$server_db"
	start_peer "${GRID_3X3[@]}" --duration 0.3 --lease 2 --wait 20
	wait_for 10 "the peer to hear of the server's locked database" \
		peer_says_locked 'try again'
	unlock_database
	wait_both 60
	check_complete "the server's locked at the start"
}

database_read_only()
{
	local fixed=$tmp/fixed program code
	install -d -o "$DB_USER" "$fixed"
	mounted=$fixed
	mount -t tmpfs -o "size=1m,uid=$(id -u "$DB_USER")" none "$fixed"
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 "$fixed/old.db" 'VACUUM'
	mount -o remount,ro "$fixed"
	for program in server peer; do
		code=0
		on "$program" "$MTUSWEEP_BIN/mtusweep-$program" --interface \
			"$([[ $program == server ]] && echo "$LAB_SERVER_IF" ||
				echo "$LAB_PEER_IF")" \
			--server-ip "$LAB_SERVER_IP" --db "$fixed/old.db" \
			"${GRID_3X3[@]}" \
			</dev/null >"$tmp/$program.log" 2>&1 || code=$?
		check_equal "the $program's exit status with a read-only database" 1 "$code"
		check_match "what the $program says" \
			"cannot write database '$fixed/old.db'.*read-only" \
			"$(log "$program")"
	done
	umount "$fixed"
	mounted=
}

# --- deaths --------------------------------------------------------------------------

# Arguments: END KEEPER PROCESS. Print its pid.
process_of()
{
	if [[ $3 == keeper ]]; then
		echo "$2"
	else
		pgrep -P "$2" -x "mtusweep-$3"
	fi
}

all_gone()
{
	local pid
	for pid; do
		[[ ! -e /proc/$pid ]] || return 1
	done
}

# Arguments: END. One process after another is killed during a run that rewrites the
# conf files. The run ends: MTU and conf file are as before, and no other file is left.
killed_on()
{
	local process pids keeper expected state
	for process in keeper guard main runner; do
		rm -f "$peer_db"* "$server_db"*
		start_server "${GRID_3X3[@]}" --lease 2 --persist each \
			--conf-file "$LAB_SERVER_CONF"
		start_peer "${GRID_3X3[@]}" --duration 0.3 --lease 2 --wait 1 \
			--persist each \
			--passes "$ENDLESS" --conf-file "$LAB_PEER_CONF"
		wait_for 20 'a sweep under way' under_way
		keeper=$peer_pid expected=1
		[[ $1 == peer ]] || keeper=$server_pid
		[[ $process != keeper ]] || expected=137
		read -ra pids < <(processes_of "$keeper")
		kill -KILL "$(process_of "$1" "$keeper" "$process")"
		wait_exit "$keeper" 20 "the $1 whose $process was killed"
		check_equal "exit status of the $1, $process killed" "$expected" "$status"
		wait_for 10 "the end of the other processes of the $1, $process killed" \
			all_gone "${pids[@]}"
		wait_for 10 "both MTUs back, $process of the $1 killed" are_back
		if [[ $1 == peer ]]; then
			kill -TERM "$server_pid"
			wait_exit "$server_pid" 20 'the server'
		else
			wait_exit "$peer_pid" 30 'the peer without its server'
			check_equal "the peer's exit status without its server" 1 "$status"
		fi
		[[ $process != keeper ]] ||
			check_match "what the $1 says without its keeper" \
			"the keeper process was killed; the guard: '.*' is restored" \
			"$(log "$1")"
		[[ $1/$process != peer/keeper ]] || check_match 'how the run can go on' \
			'--resume continues it' "$(log peer)"
		state=$(hosts_state)
		check_same_text "both hosts, $process of the $1 killed" "$before" "$state"
		check_match "outcome at the peer, $process of the $1 killed" \
			'^(failed|running|interrupted)$' "$(outcome_of "$peer_db")"
	done
}

killed_peer()
{
	killed_on peer
}

killed_server()
{
	killed_on server
}

# A stopped guard restores nothing; the keeper ends it and restores in its place.
guard_stopped()
{
	local guard
	passes=$ENDLESS
	fresh_run
	guard=$(pgrep -P "$server_pid" -x mtusweep-guard)
	kill -STOP "$guard"
	wait_exit "$server_pid" 90 'the server whose guard stands still'
	check_equal "the server's exit status" 1 "$status"
	check_match 'what the server says' \
		'the keeper: .* is restored to MTU .*' "$(log server)"
	check_equal "the server's MTU" "$LAB_MTU" "$(link_mtu server)"
	wait_exit "$peer_pid" 40 'the peer without its server'
	check_equal "the peer's exit status" 1 "$status"
}

# --- limits --------------------------------------------------------------------------

# Arguments: LIMIT ... Run the peer with prlimit's options, its output in $text, its
# exit status in $status.
run_limited()
{
	status=0
	# Write to a pipe: the limit does not apply to it.
	text=$(on peer prlimit "$@" "$MTUSWEEP_BIN/mtusweep-peer" --interface \
		"$LAB_PEER_IF" --server-ip "$LAB_SERVER_IP" --db "$peer_db" --mtu-min 1300 \
		--mtu-max 1300 --duration 0.3 --lease 2 --wait 5 --persist each \
		--conf-file "$LAB_PEER_CONF" </dev/null 2>&1 | cat) || status=$?
}

peer_says_or_ended()
{
	log peer | grep -Eq -e "$1" || not_running "$peer_pid"
}

# Arguments: END PROCESS BYTES WORDS. Its files may grow no more, during a run that
# rewrites the conf files: it ends with a message, and both hosts are as they were.
limited_on()
{
	local keeper as_user
	rm -f "$peer_db"* "$server_db"*
	start_server "${GRID_3X3[@]}" --lease 2 --persist each \
		--conf-file "$LAB_SERVER_CONF"
	start_peer "${GRID_3X3[@]}" --duration 0.3 --lease 2 --wait 1 --persist each \
		--passes "$ENDLESS" --conf-file "$LAB_PEER_CONF"
	wait_for 20 'a sweep under way' under_way
	keeper=$peer_pid
	[[ $1 == peer ]] || keeper=$server_pid
	as_user=()
	# Root in a container may not limit another user's process.
	[[ $2 != main ]] ||
		as_user=(setpriv --reuid "$DB_USER" --regid "$DB_USER" --clear-groups)
	"${as_user[@]}" prlimit --pid "$(process_of "$1" "$keeper" "$2")" --fsize="$3"
	# The keeper must then restore by itself.
	[[ $2 != keeper ]] || kill -KILL "$(process_of "$1" "$keeper" guard)"
	wait_for 20 "what is said of files of the $1's $2" peer_says_or_ended "$4"
	# The peer continues without the server's database: its own has all rows.
	[[ "$1 $2" != 'server main' ]] || kill -TERM "$peer_pid"
	wait_exit "$peer_pid" 40 "the peer, files of the $1's $2 limited"
	check_equal "the peer's exit status, files of the $1's $2 limited" 1 "$status"
	check_match "what the peer says, files of the $1's $2 limited" "$4" "$(log peer)"
	end_server
	check_same_text "both hosts, files of the $1's $2 limited" "$before" \
		"$(hosts_state)"
}

file_size_limit()
{
	local limit='the file size limit \(ulimit -f\) is reached'
	rm -f "$peer_db"*
	run_limited --fsize=0
	check_equal 'exit status with no file at all' 1 "$status"
	check_match 'what it says of no file at all' "/run/mtusweep/.*: $limit" "$text"
	run_limited --fsize=2000
	check_equal 'exit status with small files' 1 "$status"
	check_match 'what it says of small files' "database '$peer_db': $limit" "$text"
	limited_on peer main 30000 "database '$peer_db': $limit"
	limited_on server main 30000 "database '$server_db': $limit"
	limited_on peer guard 16 "cannot write .*: $limit"
	limited_on server guard 16 "cannot write .*: $limit"
	limited_on peer keeper 16 '.'
}

# Each limit is reached: the message names it, and the host is as it was.
limits()
{
	local limit stack=65536
	# A sanitizer makes each stack frame several times larger.
	! is_sanitized || stack=1048576
	fresh_run
	# The soft limit of processor time ends main, and no other process.
	kill -XCPU "$peer_pid" "$(process_of peer "$peer_pid" guard)" \
		"$(process_of peer "$peer_pid" runner)"
	wait_both 60
	check_complete 'processor time of keeper, guard and runner'
	fresh_run
	kill -XCPU "$(process_of peer "$peer_pid" main)"
	wait_exit "$peer_pid" 20 'the peer at the end of its processor time'
	check_equal 'exit status at the end of processor time' 1 "$status"
	check_match 'what it says' 'stopped by CPU time limit exceeded' "$(log peer)"
	end_server
	start_server "${GRID_3X3[@]}" --lease 2 --persist each \
		--conf-file "$LAB_SERVER_CONF"
	wait_for 10 'the server to listen' listening 5000
	for limit in nofile=5 nofile=8 nofile=12 nproc=1 stack=$stack; do
		rm -f "$peer_db"*
		run_limited "--$limit"
		check_match "what it says with $limit" 'mtusweep-peer: ' "$text"
		wait_for 10 "both MTUs back with $limit" are_back
		check_same_text "both hosts with $limit" "$before" "$(hosts_state)"
	done
	end_server
}

# --- the clock -----------------------------------------------------------------------

# The clock is stepped by an hour in both directions: deadlines and leases ignore it.
clock_stepped()
{
	fresh_run
	date -s "@$(($(date +%s) + 3600))" >/dev/null
	sleep 1
	date -s "@$(($(date +%s) - 7200))" >/dev/null
	wait_both 60
	date -s "@$(($(date +%s) + 3600))" >/dev/null
	check_complete 'clock stepped'
}

(($#)) || set -- "${CASES[@]}"
test_begin --inner 4
before=$(hosts_state)
for case; do
	"$case"
	check_same_text "$case: both hosts" "$before" "$(hosts_state)"
done
