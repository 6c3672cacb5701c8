# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The parts that the integration tests share: a lab of the test's own, the two programs
# in it, checks that print what was expected and what was found, and a clean-up of
# everything. A test sources this file, calls test_begin, checks, and ends. It fails
# when a check or a command did.
#
# MTUSWEEP_BIN is the folder of the three programs (ctest sets it). In a sanitizer's build,
# a report of any of their processes fails the test as well.

set -Eeuo pipefail
PATH=$PATH:/usr/sbin:/sbin
# These variables would select the user of the unprivileged processes.
unset SUDO_UID SUDO_GID

: "${MTUSWEEP_BIN:?is not set: give the folder that holds the three programs}"
# shellcheck source=tests/reports.sh
. "${BASH_SOURCE[0]%/*}/../reports.sh"

# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

readonly LAB=${BASH_SOURCE[0]%/*}/../lab/lab
# The owner of the databases' folder, and so the user of the unprivileged processes.
readonly DB_USER=daemon

tmp=
lab_name=
mounted=
server_pid=
peer_pid=
status=

# --- start and end of a test ---------------------------------------------------------

# Arguments: [OPTION ...] of lab up
# shellcheck disable=SC2120
test_begin()
{
	((EUID == 0)) || {
		echo 'this test makes network namespaces: it must be run as root'
		exit 1
	}
	trap test_end EXIT
	trap 'exit 1' INT TERM HUP
	trap 'echo "ended at ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
	tmp=$(mktemp -d)
	chmod 0755 "$tmp"
	reports_watch "$tmp/reports"
	install -d -o "$DB_USER" "$tmp/db"
	server_db=$tmp/db/server.db
	peer_db=$tmp/db/peer.db
	lab_name=it$$
	"$LAB" up "$lab_name" --owner $$ "$@"
	eval "$("$LAB" env "$lab_name")"
}

show_logs()
{
	local log
	for log in "$tmp"/*.log; do
		[[ -s $log ]] || continue
		echo "--- the end of ${log##*/}"
		tail -n 30 "$log" | tr '\r' '\n'
	done
}

check_reports()
{
	local reports
	if reports=$(reports_check "$tmp/reports"); then
		passed
	else
		failed 'what the sanitizers report' "$reports"
	fi
}

test_end()
{
	local result=$?
	# A child that has not yet become its program runs this too if it is ended then.
	[[ $BASHPID == "$$" ]] || return 0
	trap - EXIT ERR
	trap '' INT TERM HUP
	set +e
	[[ -z $lab_name ]] || "$LAB" down "$lab_name" || result=1
	# Check after all processes have ended.
	[[ -z $tmp ]] || check_reports
	((result == 0 && failures == 0)) || show_logs
	# Unmount the test's file systems once nobody uses them.
	[[ -z $mounted ]] || umount "$mounted" 2>/dev/null
	[[ -z $tmp ]] || rm -rf "$tmp"
	echo "$checks checks, $failures failed"
	((failures == 0)) || result=1
	exit "$result"
}

now_ms()
{
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# Arguments: MILLISECONDS
sleep_ms()
{
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

# --- the hosts -----------------------------------------------------------------------

# Arguments: HOST COMMAND [ARG ...]. The same as "lab exec", without a shell that reads
# the whole script first: a test calls this hundreds of times.
on()
{
	local namespace=LAB_${1^^}
	ip netns exec "${!namespace}" "${@:2}"
}

# True if the kernel can delay and lose packets.
has_netem()
{
	unshare -n tc qdisc add dev lo root netem delay 1ms 2>/dev/null
}

# Arguments: server|peer. Print the tunnel link's MTU.
link_mtu()
{
	local interface=$LAB_PEER_IF
	[[ $1 == peer ]] || interface=$LAB_SERVER_IF
	on "$1" ip -o link show dev "$interface" | sed -n 's/.* mtu \([0-9]*\) .*/\1/p'
}

mtus_are()
{
	[[ $(link_mtu server) == "$1" && $(link_mtu peer) == "$2" ]]
}

end_state()
{
	local conf=$3
	echo "$1: mtu $(link_mtu "$1")"
	on "$1" ip -o addr show dev "$2" | awk -v e="$1" '{ print e ": " $3, $4 }'
	echo "$1: conf $(stat -c '%a %U:%G' "$conf") $(sha256sum <"$conf")"
	echo "$1: beside the conf: $(find "${conf%/*}" -mindepth 1 -printf '%f ')"
	find /run/mtusweep -name "*-$2" -printf "$1: journal %f\n" 2>/dev/null || true
}

# Print all settings of both hosts that a sweep may touch; never keys.
hosts_state()
{
	end_state server "$LAB_SERVER_IF" "$LAB_SERVER_CONF"
	end_state peer "$LAB_PEER_IF" "$LAB_PEER_CONF"
}

# --- the programs --------------------------------------------------------------------

# A script's background processes ignore Ctrl-C's signals; a user's do not.
run_on()
{
	local namespace=LAB_${1^^}
	exec ip netns exec "${!namespace}" env --default-signal=INT,HUP,TERM "${@:2}"
}

start_server()
{
	run_on server "$MTUSWEEP_BIN/mtusweep-server" --interface "$LAB_SERVER_IF" \
		--server-ip "$LAB_SERVER_IP" --db "$server_db" "$@" \
		</dev/null >"$tmp/server.log" 2>&1 &
	server_pid=$!
}

start_peer()
{
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--server-ip "$LAB_SERVER_IP" --db "$peer_db" "$@" \
		</dev/null >"$tmp/peer.log" 2>&1 &
	peer_pid=$!
}

is_sanitized()
{
	grep -Eq '__(asan|tsan)_init' "$MTUSWEEP_BIN/mtusweep-server"
}

# Arguments: DATABASE. A transaction of another program writes to it until
# unlock_database.
lock_database()
{
	rm -f "$tmp/sqlite"
	mkfifo "$tmp/sqlite"
	exec 9<>"$tmp/sqlite"
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" <&9 >"$tmp/locked" \
		2>&1 9>&- &
	sqlite_pid=$!
	printf '.timeout 5000\nBEGIN IMMEDIATE;\nSELECT '\''held'\'';\n' >&9
	wait_for 10 'the lock on the database' grep -q held "$tmp/locked"
}

unlock_database()
{
	printf 'ROLLBACK;\n.quit\n' >&9
	exec 9>&-
	wait "$sqlite_pid" || true
}

not_running()
{
	! kill -0 "$1" 2>/dev/null
}

# Arguments: PID SECONDS NAME. Set $status to its exit status.
wait_exit()
{
	wait_for "$2" "the end of $3" not_running "$1"
	status=0
	wait "$1" || status=$?
}

# Arguments: SECONDS. Wait for the end of a run that must succeed, at both ends (the
# server: --once).
wait_both()
{
	wait_exit "$peer_pid" "$1" 'the peer'
	check_equal "the peer's exit status" 0 "$status"
	wait_exit "$server_pid" 10 'the server'
	check_equal "the server's exit status" 0 "$status"
}

# Arguments: PID ... True if all have ended; zombies count as ended.
are_dead()
{
	local pid
	for pid; do
		[[ ! -e /proc/$pid || $(cut -d ')' -f 2 "/proc/$pid/stat" 2>/dev/null) != \
			' '[^ZX]* ]] || return 1
	done
}

# Arguments: KEEPER. Kill all processes of a program at one moment, so that none can
# restore anything. With the last of them the lock is released.
kill_all()
{
	local pids
	mapfile -t pids < <(pgrep -P "$1")
	kill -STOP "$1" "${pids[@]}"
	kill -KILL "$1" "${pids[@]}"
	wait "$1" || true
	wait_for 10 'the death of all processes' are_dead "${pids[@]}"
}

# Arguments: WORDS. Print the nftables match for a TCP segment that begins with them.
begins_with()
{
	local hex
	hex=$(printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n')
	# 32 bytes of TCP header: an established connection has time stamps.
	echo "tcp dport 5000 @th,256,$((${#hex} * 4)) 0x$hex"
}

# Arguments: REQUEST. Drop the requests that begin with these words on their way to the
# server, until find_request_again.
lose_request()
{
	on server nft -f - <<-RULES
		table ip lost {
			chain in {
				type filter hook input priority filter;
				$(begins_with "$1") drop
			}
		}
	RULES
}

find_request_again()
{
	on server nft delete table ip lost
}

# Arguments: REQUEST TIME, as nft writes it. After the next request that begins with
# these words, which still arrives, drop all that leaves the server through the tunnel
# for TIME. Only once: the request is sent again.
mute_server_after()
{
	on server nft -f - <<-RULES
		table ip mute {
			set muted {
				type ipv4_addr
				flags dynamic, timeout
			}
			set once {
				type ipv4_addr
				flags dynamic
			}
			chain in {
				type filter hook input priority filter;
				$(begins_with "$1") \
					ip saddr != @once add @once { ip saddr } \
					add @muted { ip saddr timeout $2 }
			}
			chain out {
				type filter hook output priority filter;
				oifname "$LAB_SERVER_IF" ip daddr @muted counter drop
			}
		}
	RULES
}

unmute_server()
{
	on server nft delete table ip mute
}

listening()
{
	[[ -n $(on server ss -Hltn "src $LAB_SERVER_IP and sport = :$1") ]]
}

# --- the databases -------------------------------------------------------------------

# Arguments: DATABASE QUERY. Run it as the database's owner: a reader that is root can
# lock the writer out while SQLite creates its shared memory file.
sql()
{
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -readonly -bail "$1" "$2"
}

# --- a running sweep, to be disturbed ------------------------------------------------

readonly GRID_3X3=(--mtu-min 1300 --mtu-max 1400 --mtu-step 50)

# Arguments: DATABASE. Print the number of rows of its newest run.
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

# Settings of fresh_run. A run that must not finish is longer than any busy machine
# takes to disturb it.
lease=2
passes=1
# shellcheck disable=SC2034 # of the tests
readonly ENDLESS=50

# Start a run and wait until it measures.
fresh_run()
{
	rm -f "$peer_db"* "$server_db"*
	start_server "${GRID_3X3[@]}" --once --lease "$lease"
	start_peer "${GRID_3X3[@]}" --duration 0.3 --lease "$lease" --wait 20 \
		--passes "$passes"
	wait_for 20 'a sweep under way' under_way
}

# Arguments: NAME [ROWS of all passes]. Every pair is there, each row with a rate, in both
# databases; both hosts are as in $before.
check_complete()
{
	local db rows=${2:-9}
	for db in "$peer_db" "$server_db"; do
		check_equal "$1: pairs in ${db##*/}" "9 pairs, $rows rows, $rows ok, done" \
			"$(sql "$db" "
			SELECT format('%d pairs, %d rows, %d ok, %s',
				count(DISTINCT server_mtu || '/' || peer_mtu), count(*),
				sum(upload_status = 'ok' AND download_status = 'ok'),
				(SELECT outcome FROM run ORDER BY id DESC LIMIT 1))
			FROM measurement WHERE run_id = (SELECT max(id) FROM run)")"
	done
	check_same_text "$1: both hosts" "${before-}" "$(hosts_state)"
}
