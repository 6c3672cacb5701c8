# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The kinds of fault of tests/fault/fault.sh, which sources this file. A kind is one name
# in the list and one function, kind_NAME. The function makes the fault, waits as long as
# the fault lasts, and ends it. It returns 1 if there was nothing to strike.
#
# It may read the end that is struck (end, keeper, guard, main, runner, interface, conf,
# namespace) and the run (mode, persist). It may set:
#
#	struck   the ends that are struck (that one)
#	by_hand  the ends of which nobody restores anything before --restore
#	start_names_original
#	         1 if an original may be left beside the conf file, which the next start
#	         names and waits for the user to judge
#	left     what a message of the end says if the fault makes the restore impossible
# A process that does not exist is an empty word less.
# shellcheck disable=SC2034,SC2154,SC2086

readonly KINDS=(
	kill_keeper kill_guard kill_main kill_runner kill_test kill_all
	kill_two kill_both_ends kill_everything reboot
	stop_keeper stop_guard stop_main stop_runner
	syscall_guard syscall_keeper
	run_full run_read_only run_covered run_owner
	folder_moved conf_immutable journal_removed original_removed
	address_removed route_moved link_renamed link_remade link_moved
)

readonly STOP_MS=30000
# A fault that is a state lasts at most so long; it ends sooner with the program.
readonly HOLD_MS=4000
# A guard that stands still counts as gone after 10 s, and its keeper ends it 5 s later.
readonly GUARD_GONE_S=25

readonly ERRNOS=(ENOSPC EIO EROFS ENOBUFS EINTR)
# The guard makes these calls for each pair, and others for the conf file; the keeper when
# it restores for a guard that died.
readonly GUARD_CALLS=(openat read write close fsync renameat renameat2 unlinkat newfstatat
	socket bind getsockname sendto sendmsg recvmsg recvfrom poll mkdir timerfd_settime
	getsockopt fchown fchmod flistxattr setsockopt)
readonly KEEPER_CALLS=(openat read write close fsync renameat unlinkat newfstatat
	socket bind getsockname sendto recvmsg getsockopt rt_sigtimedwait wait4 kill)

# True if this kind can strike the present run.
suits()
{
	case $1 in
	folder_moved | conf_immutable) [[ $persist != none ]] ;;
	original_removed) [[ $persist == each && $form != dropin ]] ;;
	kill_runner | stop_runner | kill_test | kill_both_ends | kill_everything)
		[[ $mode != alone* ]]
		;;
	esac
}

# --- deaths --------------------------------------------------------------------------

# Arguments: PID ... Kill them at one moment.
kill_now()
{
	(($#)) || return 1
	(($# == 1)) || kill -STOP "$@" 2>/dev/null || true
	kill -KILL "$@" 2>/dev/null
}

kind_kill_keeper() { kill_now "$keeper"; }
kind_kill_guard() { kill_now $guard; }
kind_kill_main() { kill_now $main; }
kind_kill_runner() { kill_now $runner; }

# A test's child lives only for moments.
kind_kill_test()
{
	local pid
	for _ in {1..50}; do
		pid=$(pgrep -P "${runner:-0}" | head -n 1) || true
		[[ -z $pid ]] || break
		sleep 0.02
	done
	kill_now $pid
}

kind_kill_all()
{
	by_hand=("$end")
	kill_now "$keeper" $guard $main $runner
}

kind_kill_two()
{
	local victims=(keeper guard main) first second pause_ms=$((RANDOM % 500))
	[[ $mode == alone* ]] || victims+=(runner)
	first=$((RANDOM % ${#victims[@]}))
	second=$(((first + 1 + RANDOM % (${#victims[@]} - 1)) % ${#victims[@]}))
	first=${victims[first]} second=${victims[second]}
	detail="$first, after $pause_ms ms $second"
	[[ "$first $second" != *keeper* || "$first $second" != *guard* ]] ||
		by_hand=("$end")
	kill_now ${!first} || return 1
	sleep_ms "$pause_ms"
	kill_now ${!second} || true
}

kind_kill_both_ends()
{
	local victims=(keeper guard main runner) which one other
	which=${victims[RANDOM % 4]} one=${!which}
	detail="$which of the $end"
	find_processes "$(other_end)"
	which=${victims[RANDOM % 4]} other=${!which}
	detail+=", $which of the $(other_end)"
	find_processes "$end"
	struck=(server peer)
	kill_now $one $other
}

kind_kill_everything()
{
	local theirs
	find_processes "$(other_end)"
	theirs="$keeper $guard $main $runner"
	find_processes "$end"
	struck=(server peer)
	by_hand=(server peer)
	kill_now "$keeper" $guard $main $runner $theirs
}

# The journal is lost, the conf file and what lies beside it is not.
kind_reboot()
{
	kill_now "$keeper" $guard $main $runner || return 1
	in_time 10 are_dead "$keeper" $guard $main $runner || return 0
	rm -f "/run/mtusweep/$(stat -Lc %i "/run/netns/$namespace")"-*
	remake_link
	by_hand=("$end")
	start_names_original=1
	left='saved by an interrupted run, differs from the conf file'
}

# --- processes that stand still ------------------------------------------------------

# Arguments: PID [SECONDS, by which both hosts must be restored although it stands still]
stop_process()
{
	local until_ms=$(($(now_ms) + STOP_MS))
	[[ -n $1 ]] && kill -STOP "$1" 2>/dev/null || return 1
	(($# < 2)) || in_time "$2" hosts_are_whole || true
	while (($(now_ms) < until_ms)) && kill -0 "$1" 2>/dev/null; do
		sleep 0.2
	done
	kill -CONT "$1" 2>/dev/null || true
}

kind_stop_keeper() { stop_process "$keeper"; }
kind_stop_guard() { stop_process "$guard" "$GUARD_GONE_S"; }
kind_stop_main() { stop_process "$main" $((LEASE + RESTORE_S)); }
kind_stop_runner() { stop_process "$runner"; }

# --- system calls that fail ----------------------------------------------------------

is_traced()
{
	! kill -0 "$1" 2>/dev/null || grep -q '^TracerPid:.[1-9]' "/proc/$1/status"
}

# Arguments: PID VICTIM CALL ... Fail a call of the process, once VICTIM (if any) is dead.
fail_one_call()
{
	local pid=$1 victim=$2 call errno tracer
	shift 2
	[[ -n $pid ]] || return 1
	call=${*:1 + RANDOM % $#:1}
	errno=${ERRNOS[RANDOM % 5]}
	detail="$call with $errno"
	strace -qq -o "$tmp/strace" -p "$pid" -e "trace=$call" \
		-e "inject=$call:error=$errno:when=1" 2>"$tmp/strace.err" &
	tracer=$!
	in_time 10 is_traced "$pid" || true
	[[ -z $victim ]] || kill_now "$victim" || true
	hold
	kill "$tracer" 2>/dev/null || true
	wait "$tracer" 2>/dev/null || true
	grep -q INJECTED "$tmp/strace" || detail+=' (not made)'
}

kind_syscall_guard() { fail_one_call "$guard" '' "${GUARD_CALLS[@]}"; }
kind_syscall_keeper() { fail_one_call "$keeper" "$guard" "${KEEPER_CALLS[@]}"; }

# --- the folder of journals ----------------------------------------------------------

# A journal that could not be removed is named, and the next start removes it.
kind_run_full()
{
	head -c 1m /dev/zero >/run/mtusweep/fill 2>/dev/null || true
	hold
	rm -f /run/mtusweep/fill
}

# A read-only view of the folder covers it: the locks that are open for writing keep the
# mount itself from becoming read-only.
kind_run_read_only()
{
	mkdir -p /run/view
	mount --bind /run/mtusweep /run/view
	mount -o remount,bind,ro /run/view
	mount --bind /run/view /run/mtusweep
	hold
	umount -l /run/mtusweep
	umount -l /run/view
	journal_may_stay=1
}

kind_run_covered()
{
	mount -t tmpfs -o mode=0700 tmpfs /run/mtusweep
	hold
	umount -l /run/mtusweep
	journal_may_stay=1
}

kind_run_owner()
{
	chown daemon /run/mtusweep
	hold
	chown root /run/mtusweep
	journal_may_stay=1
}

# --- the conf file -------------------------------------------------------------------

kind_folder_moved()
{
	mv "${conf%/*}" "${conf%/*}.away"
	hold
	mv "${conf%/*}.away" "${conf%/*}"
}

kind_conf_immutable()
{
	chattr +i "$conf" || return 1
	hold
	chattr -i "$conf"
}

# The guard has in its memory what the journal said.
kind_journal_removed()
{
	rm "$(journal_of "$end")" 2>/dev/null || return 1
	((RANDOM % 2)) || kill_now $main
}

kind_original_removed()
{
	rm "$conf.mtusweep-original$form_end" 2>/dev/null || return 1
	left='conf file .* is left as it is.*no longer exists'
}

# --- the link ------------------------------------------------------------------------

kind_address_removed()
{
	local address=10.77.0.1/24
	[[ $end == server ]] || address=10.77.0.2/24
	ip -n "$namespace" addr del "$address" dev "$interface"
	hold
	ip -n "$namespace" addr add "$address" dev "$interface"
	# It took its routes along.
	begin_mode
	start_as_conf
}

kind_route_moved()
{
	local to=$LAB_PEER_IP gateway=10.78.1.1
	[[ $end == server ]] || to=$LAB_SERVER_IP gateway=10.78.2.1
	ip -n "$namespace" route prepend "$to" via "$gateway" dev eth0
	hold
	ip -n "$namespace" route del "$to" via "$gateway" dev eth0
}

kind_link_renamed()
{
	ip -n "$namespace" link set dev "$interface" name wgother 2>/dev/null || return 1
	hold
	ip -n "$namespace" link set dev wgother name "$interface"
}

kind_link_remade()
{
	remake_link
}

# No process of the namespace can reach it any more. Before the first change, and once a
# pair is applied, there is nothing to restore.
kind_link_moved()
{
	[[ -e $(journal_of "$end") ]] || return 1
	ip netns add wgelsewhere
	ip -n "$namespace" link set dev "$interface" netns wgelsewhere
	hold
	ip -n wgelsewhere link set dev "$interface" netns "$namespace"
	ip netns del wgelsewhere
	# Routes go with the move: the link itself was left alone.
	if [[ $mode == *route || ($mode == hub && $end == server) ]]; then
		remake_link
	else
		left="interface '$interface' is gone"
	fi
}
