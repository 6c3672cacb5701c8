#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The privileges and open descriptors of each process during a sweep, on both ends, with
# and without --persist. The expected values are the tables of docs/safety.md, word for
# word.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly DOCUMENT=${BASH_SOURCE[0]%/*}/../../docs/safety.md
# Higher than the default of the programs' user: an end that does not change it is
# detected.
readonly OOM_STARTED=300

# linux/capability.h
declare -rA CAP_BITS=([CAP_CHOWN]=0 [CAP_DAC_OVERRIDE]=1 [CAP_FOWNER]=3 [CAP_KILL]=5
	[CAP_NET_ADMIN]=12 [CAP_NET_RAW]=13)
declare -A status_of caps_of persist_caps_of user_of oom_of open_of every

trim()
{
	local text=$1
	text=${text#"${text%%[! ]*}"}
	echo "${text%"${text##*[! ]}"}"
}

# Arguments: HEADING. Print the rows of the first table behind it, cells separated by
# tabs.
table_behind()
{
	sed -n "/^### $1\$/,/^#/p" "$DOCUMENT" | grep '^|' | tail -n +3 |
		sed 's/^| *//; s/ *|$//; s/ *| */\t/g; s/`//g'
}

read_document()
{
	local process user caps persist oom open field value
	while IFS=$'\t' read -r process user caps persist oom open; do
		user_of[$process]=$user caps_of[$process]=$caps
		persist_caps_of[$process]=$persist oom_of[$process]=$oom
		open_of[$process]=$open
	done < <(table_behind 'By process')
	while IFS=$'\t' read -r field value; do
		every[$field]=$value
	done < <(table_behind 'In every process')
	check_equal 'processes in the document' 'guard keeper main runner tap test' \
		"$(printf '%s\n' "${!caps_of[@]}" | sort | xargs)"
}

# --- facts about processes ------------------------------------------------------------

# Arguments: PID. Read its /proc/<pid>/status into status_of, with single blanks.
read_status()
{
	local field rest text
	# Read it at once: the text changes from one read to the next.
	text=$(<"/proc/$1/status")
	status_of=()
	while IFS=$'\t' read -r field rest; do
		rest=${rest//$'\t'/ }
		status_of[${field%:}]=${rest%% }
	done <<<"$text"
}

# Arguments: CAPABILITY ... Print the mask as /proc has it.
mask_of()
{
	local mask=0 name
	for name; do
		[[ $name == none ]] || mask=$((mask | 1 << CAP_BITS[$name]))
	done
	printf '%016x\n' "$mask"
}

# Arguments: PID. Print "KIND" of each descriptor above 2.
open_kinds()
{
	local fd target
	for fd in "/proc/$1/fd"/*; do
		((${fd##*/} > 2)) || continue
		# One that was closed meanwhile is not open.
		target=$(readlink "$fd") || continue
		case $target in
		socket:*) echo socket ;;
		pipe:*) echo pipe ;;
		anon_inode:*timerfd*) echo timer ;;
		anon_inode:*event*) echo event ;;
		/run/mtusweep/*.lock) echo lock ;;
		"$tmp"/db/*) echo database ;;
		/dev/null | /dev/urandom | '/tmp/iperf3.'*' (deleted)') echo file ;;
		*) echo "$target" ;;
		esac
	done | sort
}

# --- checks --------------------------------------------------------------------------

# Arguments: NAME PROCESS PID. Kinds with a number in the document are exact, others may
# have any.
check_open()
{
	local name=$1 item word count kind found rest
	rest=$(open_kinds "$3")
	IFS=, read -ra items <<<"${open_of[$2]}"
	for item in "${items[@]}"; do
		read -r count word <<<"$(trim "$item")"
		[[ $word ]] || word=$count
		kind=${word%s}
		found=$(grep -cx -e "$kind" <<<"$rest" || true)
		# The conf file has a lock, too.
		[[ $kind != lock || $persist == none || $2 == main ]] ||
			count=$((count + 1))
		[[ $count == "$word" ]] ||
			check_equal "$name: open: $kind" "$count" "$found"
		rest=$(grep -vx -e "$kind" <<<"$rest" || true)
	done
	check_equal "$name: open besides" '' "$rest"
}

# Arguments: NAME PROCESS. Check the capabilities of status_of.
check_caps()
{
	local names field mask bounds=$2
	# A process without CAP_SETPCAP keeps its parent's bounding set.
	[[ $2 != tap ]] || bounds=guard
	read -ra names <<<"${caps_of[$2]}"
	[[ $persist == none ]] || read -ra names <<<"${caps_of[$2]} ${persist_caps_of[$2]}"
	mask=$(mask_of "${names[@]}")
	for field in CapPrm CapEff; do
		check_equal "$1: $field" "$mask" "${status_of[$field]}"
	done
	[[ $bounds == "$2" ]] || read -ra names <<<"${caps_of[$bounds]}"
	check_equal "$1: CapBnd" "$(mask_of "${names[@]}")" "${status_of[CapBnd]}"
}

# Arguments: NAME PROCESS. Check the ids of status_of.
check_user()
{
	local uid=0 gid=0
	if [[ ${user_of[$2]} != root ]]; then
		uid=$db_uid gid=$db_gid
	fi
	check_equal "$1: Uid" "$uid $uid $uid $uid" "${status_of[Uid]}"
	check_equal "$1: Gid" "$gid $gid $gid $gid" "${status_of[Gid]}"
}

# The thread sanitizer has a thread of its own in each process, from the start.
has_foreign_threads()
{
	[[ $(nm -D "$MTUSWEEP_BIN/mtusweep-server") == *__tsan_init* ]]
}

# Arguments: NAME PROCESS PID
check_process()
{
	local field value task tasks=("/proc/$3/task"/*)
	! has_foreign_threads || tasks=("/proc/$3/task/$3")
	for task in "${tasks[@]}"; do
		read_status "$3/task/${task##*/}"
		check_user "$1" "$2"
		check_caps "$1" "$2"
		for field in "${!every[@]}"; do
			value=${every[$field]/none/}
			[[ $field != Cap* ]] || value=0000000000000000
			check_equal "$1: $field" "$value" "${status_of[$field]}"
		done
	done
	value=${oom_of[$2]}
	[[ $value != 'as started' ]] || value=$OOM_STARTED
	((value > 0 || may_lower)) || value=0
	check_equal "$1: oom_score_adj" "$value" "$(<"/proc/$3/oom_score_adj")"
	check_open "$@"
}

# Arguments: NAME KEEPER. Check all processes but the tap, which exists only during a
# probe.
check_program()
{
	local process pid runner
	runner=$(pgrep -P "$2" -x mtusweep-runner)
	for process in "${!caps_of[@]}"; do
		case $process in
		tap) continue ;;
		keeper) pid=$2 ;;
		# The next one may be set up already.
		test) pid=$(pgrep -o -P "$runner") ;;
		*) pid=$(pgrep -P "$2" -x "mtusweep-$process") ;;
		esac
		check_process "$1, --persist $persist, $process" "$process" "$pid"
	done
}

has_test()
{
	local runner
	runner=$(pgrep -P "$1" -x mtusweep-runner) && pgrep -P "$runner" >/dev/null
}

both_test()
{
	has_test "$server_pid" && has_test "$peer_pid"
}

# Arguments: KEEPER PROCESS
child_of()
{
	pgrep -P "$1" -x "mtusweep-$2"
}

# Arguments: KEEPER
tap_of()
{
	local guard
	guard=$(child_of "$1" guard) && child_of "$guard" tap
}

# Both mains are stopped, so that the probe lasts.
both_tap()
{
	tap_of "$server_pid" >/dev/null || return 1
	kill -STOP "$(child_of "$server_pid" main)"
	tap_of "$peer_pid" >/dev/null || return 1
	kill -STOP "$(child_of "$peer_pid" main)"
	tap_of "$peer_pid" >/dev/null
}

check_taps()
{
	local keeper
	# Without an answer a probe takes a second at least.
	on server nft -f - <<-RULES
		table ip unheard {
			chain in {
				type filter hook input priority filter;
				iifname "$LAB_SERVER_IF" udp dport 5000 drop
			}
		}
	RULES
	start_server
	start_peer --strategy probe
	wait_for 20 'a tap at both ends' both_tap
	check_process 'server, tap' tap "$(tap_of "$server_pid")"
	check_process 'peer, tap' tap "$(tap_of "$peer_pid")"
	for keeper in "$server_pid" "$peer_pid"; do
		kill -CONT "$(child_of "$keeper" main)"
	done
	wait_exit "$peer_pid" 20 'the peer that probes'
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 20 'the server that is probed'
	on server nft delete table ip unheard
}

read_document
test_begin
before=$(hosts_state)
# Without CAP_SYS_RESOURCE, as in some containers, no process can go below 0.
read_status $$
may_lower=$((0x${status_of[CapEff]} >> 24 & 1))
db_uid=$(id -u "$DB_USER") db_gid=$(id -g "$DB_USER")
echo "$OOM_STARTED" >/proc/self/oom_score_adj
for persist in none each best; do
	start_server --mtu-min 1380 --mtu-max 1380 --persist "$persist" \
		--conf-file "$LAB_SERVER_CONF"
	start_peer --mtu-min 1380 --mtu-max 1380 --persist "$persist" \
		--conf-file "$LAB_PEER_CONF" --duration 100
	wait_for 20 'a test at both ends' both_test
	check_program server "$server_pid"
	check_program peer "$peer_pid"
	kill -TERM "$peer_pid"
	wait_exit "$peer_pid" 20 'the peer'
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 20 'the server'
done
persist=none
check_taps
check_same_text 'both hosts' "$before" "$(hosts_state)"
