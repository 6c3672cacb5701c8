#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/fault/fault.sh [--count N] [--seed S] [--mode MODE] [--form FORM] [--kind KIND]
#                      [--state FILE]
#
# Disturbs running sweeps with the kinds of fault of kinds.sh, on either end, at random
# moments; N times (30). A run takes FAULTS_A_RUN faults. After each, both hosts must be
# as they were within the lease, or the run goes on and they are at its end. A run that
# ended continues with --resume, or starts anew if the peer ended before it stored a run.
# At a run's end every pair must be there once, with every row that was ever committed.
# Where a kind makes the restore impossible, the program must say what it left.
#
# The kinds are dealt like cards, so that each comes as often as the others. The modes:
#
#	link   the MTU of the link
#	route  --scope route at both ends
#	hub    the server's interface has another WireGuard peer, and every second run a
#	       route to the peer with an MTU; the link must keep its MTU throughout
#	alone, alone-route
#	       mtusweep-peer --alone: one end, whose run has one fault
#
# The conf files are wg-quick's; with --form keyfile NetworkManager's, with --form dropin
# drop-ins for networkd (modes link and alone).
#
# --persist is none, each or best (alone: none or best). The same seed makes the same
# faults after the same times; the states that they meet differ. Each fault is a line of
# the state file; a campaign with the file of one that was stopped goes on behind it.
#
# Everything happens in mount and PID namespaces of the script's own, with a /run of its
# own. MTUSWEEP_BIN is the folder of the programs. The last lines of output are one for
# each kind, and their sum:
#
#	KIND N: restored N, went on N, left and named N, failed N

if [[ ${1-} != --inside ]]; then
	exec unshare --mount --pid --fork --kill-child --mount-proc \
		bash "${BASH_SOURCE[0]}" --inside "$@"
fi
shift

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/../integration/lib.sh"
# shellcheck source=tests/fault/forms.sh
. "${BASH_SOURCE[0]%/*}/forms.sh"
# shellcheck source=tests/fault/hosts.sh
. "${BASH_SOURCE[0]%/*}/hosts.sh"
# shellcheck source=tests/fault/kinds.sh
. "${BASH_SOURCE[0]%/*}/kinds.sh"

readonly FAULTS_A_RUN=4
readonly LEASE=2
# Restoring, and seeing it, takes so long beyond the lease on a busy machine.
readonly RESTORE_S=18
readonly MODES=(link route hub alone alone-route)
# Userspace WireGuard takes multiples of 16 for a route.
readonly GRID=(--mtu-min 1296 --mtu-max 1392 --mtu-step 48)
# The outer size that is lost beyond in a run of --alone.
readonly ALONE_EDGE=1440
readonly ALONE_RIGHT=$((ALONE_EDGE - 60))

count=30
seed=$(($(date +%s) % 32768))
form=wg-quick
only_mode=
only_kind=
state=
struck_so_far=0
lost=0
run=0
deck=()

usage()
{
	echo 'usage: tests/fault/fault.sh [--count N] [--seed S] [--mode MODE]' \
		'[--form FORM] [--kind KIND] [--state FILE]' >&2
	exit 2
}

while (($#)); do
	(($# > 1)) || usage
	case $1 in
	--count) count=$2 ;;
	--seed) seed=$2 ;;
	--mode) only_mode=$2 ;;
	--form) form=$2 ;;
	--kind) only_kind=$2 ;;
	--state) state=$2 ;;
	*) usage ;;
	esac
	shift 2
done
[[ -z $only_mode || " ${MODES[*]} " == *" $only_mode "* ]] || usage
[[ -z $only_kind || " ${KINDS[*]} " == *" $only_kind "* ]] || usage

# Arguments: NAME. Report a failure of this campaign, with all that helps to find its
# cause.
report()
{
	outcome=failed
	failed "$1" "seed $seed, run $run, fault $struck_so_far: $kind ($detail) of the \
$end after $delay_ms ms, mode $mode, --persist $persist"
	show_differences
	show_logs
}

# Arguments: SECONDS COMMAND ... Return false, and report it, if it takes longer.
in_time()
{
	local deadline=$(($(now_ms) + $1 * 1000))
	until "${@:2}"; do
		if (($(now_ms) >= deadline)); then
			report "stuck: ${*:2}"
			return 1
		fi
		sleep 0.25
	done
}

# --- the programs --------------------------------------------------------------------

# Arguments: END [OPTION ...]
start_end()
{
	local options=(--lease "$LEASE" --persist "$persist")
	[[ $mode != route ]] || options+=(--scope route)
	[[ ! -s $tmp/$1.log ]] || cat "$tmp/$1.log" >>"$tmp/$1-earlier.log"
	case $1:$mode in
	server:*)
		start_server "${GRID[@]}" "${options[@]}" --conf-file "$LAB_SERVER_CONF"
		;;
	peer:alone*)
		[[ $mode != alone-route ]] || options+=(--scope route)
		run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
			--db "$peer_db" --alone "${options[@]}" \
			--conf-file "$LAB_PEER_CONF" </dev/null >"$tmp/peer.log" 2>&1 &
		peer_pid=$!
		;;
	*)
		start_peer "${GRID[@]}" "${options[@]}" --conf-file "$LAB_PEER_CONF" \
			--duration 0.3 --wait 20 --order shuffled "${@:2}"
		;;
	esac
}

# Arguments: END. Print the pid of its keeper.
keeper_of()
{
	[[ $1 == server ]] && echo "$server_pid" || echo "$peer_pid"
}

# Arguments: END. Set keeper, guard, main and runner to its pids, "" without one.
find_processes()
{
	local pid name
	keeper=$(keeper_of "$1") guard='' main='' runner=''
	while read -r pid name; do
		case $name in
		mtusweep-guard) guard=$pid ;;
		mtusweep-main) main=$pid ;;
		mtusweep-runner) runner=$pid ;;
		esac
	done < <(pgrep -l -P "$keeper")
}

has_ended()
{
	not_running "$(keeper_of "$1")"
}

restore_by_hand()
{
	local namespace interface conf end
	choose_end "$1"
	on "$1" "$MTUSWEEP_BIN/mtusweep-$1" --restore --interface "$interface" \
		>>"$tmp/restore.log" 2>&1
}

# The peer ended before it stored a run, so there is none to resume.
has_no_run()
{
	local runs
	[[ -e $peer_db ]] || return 0
	runs=$(sql "$peer_db" 'SELECT count(*) FROM run' 2>&1) || true
	[[ $runs == 0 || $runs == *'no such table'* ]]
}

start_ended()
{
	[[ $mode == alone* ]] || ! has_ended server || start_end server
	has_ended peer || return 0
	if [[ $mode == alone* ]] || has_no_run; then
		start_end peer
	else
		start_end peer --resume
	fi
}

# --- the rows ------------------------------------------------------------------------

# Print every row of the peer's database, one a line.
committed()
{
	sql "$peer_db" "SELECT run_id, seq, server_mtu, peer_mtu, upload_started_at,
		upload_status, download_status FROM measurement ORDER BY run_id, seq" \
		2>/dev/null || true
}

# Note all rows present at a fault: they must be there for ever.
note_committed()
{
	[[ $mode == alone* ]] || committed >>"$tmp/committed"
}

check_rows()
{
	local missing
	committed >"$tmp/now"
	missing=$(sort -u "$tmp/committed" | grep -vxFf "$tmp/now" | grep -c . || true)
	lost=$((lost + missing))
	((missing == 0)) || report "$missing rows lost"
}

# --- one fault -----------------------------------------------------------------------

# A kind that is dealt but does not suit the run comes in a later one.
deal()
{
	local i j
	if ((${#deck[@]} == 0)); then
		deck=("${KINDS[@]}")
		[[ -z $only_kind ]] || deck=("$only_kind")
		for ((i = ${#deck[@]} - 1; i > 0; i--)); do
			j=$((RANDOM % (i + 1)))
			kind=${deck[i]} deck[i]=${deck[j]} deck[j]=$kind
		done
	fi
	for i in "${!deck[@]}"; do
		kind=${deck[i]}
		suits "$kind" || continue
		unset "deck[$i]"
		deck=("${deck[@]}")
		return 0
	done
	return 1
}

struck_has_ended()
{
	local one
	for one in "${struck[@]}"; do
		has_ended "$one" || return 1
	done
}

# While a fault lasts.
hold()
{
	local until_ms=$(($(now_ms) + HOLD_MS))
	while (($(now_ms) < until_ms)) && ! struck_has_ended; do
		sleep 0.1
	done
}

# A fault that makes the restore impossible ends the run, at the next pair at the latest.
has_gone_on()
{
	[[ -z $left && $mode != alone* ]] && (($(rows_of "$peer_db") > rows_then))
}

# The struck ends have ended, or the run goes on.
has_settled()
{
	struck_has_ended || has_gone_on || has_ended peer
}

said_what_is_left()
{
	[[ -n $left ]] && grep -Eq "$left" "$tmp/$end.log"
}

is_whole_or_named()
{
	hosts_are_whole || said_what_is_left
}

# Arguments: END. A process that was killed is the only one that may die.
check_end_of()
{
	local pid all status=0
	pid=$(keeper_of "$1")
	wait "$pid" 2>/dev/null || status=$?
	((status < 128 || status == 137)) || report "the $1: exit status $status"
	read -ra all <<<"${pids[$1]}"
	in_time 30 are_dead "${all[@]}" || true
}

# A journal that could not be removed when the program ended goes with the next start.
remove_left_journal()
{
	local one
	((journal_may_stay)) || return 0
	for one in $(ends_of_mode); do
		[[ ! -e $(journal_of "$one") ]] || ! has_ended "$one" ||
			restore_by_hand "$one" || report 'a journal that was left'
	done
}

judge()
{
	local one ended=
	in_time 90 has_settled || return 1
	for one in $(ends_of_mode); do
		if has_ended "$one"; then
			ended=1
			check_end_of "$one"
		fi
	done
	if [[ -z $ended ]]; then
		outcome='went on'
		return 0
	fi
	for one in "${by_hand[@]}"; do
		restore_by_hand "$one" || report '--restore failed'
	done
	remove_left_journal
	((start_names_original == 0)) || is_whole "$end" || start_ended
	in_time $((LEASE + RESTORE_S)) is_whole_or_named || return 1
	! said_what_is_left || hosts_are_whole || outcome='left and named'
}

# Strike once. Return 1 if this run is of no more use, 2 if it was over before.
strike()
{
	local left='' detail='' start_names_original=0
	local struck by_hand=() one rows_then keeper guard main runner
	local -A pids=()
	deal || return 2
	choose_end peer
	[[ $mode == alone* ]] || ((RANDOM % 2)) || choose_end server
	delay_ms=$((RANDOM % 2500))
	[[ $mode != alone* ]] || delay_ms=$((delay_ms * 3 / 5))
	struck=("$end")
	sleep_ms "$delay_ms"
	! has_ended peer || return 2
	for one in $(ends_of_mode); do
		find_processes "$one"
		pids[$one]="$keeper $guard $main $runner"
	done
	find_processes "$end"
	note_committed
	check_link
	outcome=restored journal_may_stay=0
	if ! "kind_$kind"; then
		deck+=("$kind")
		return 2
	fi
	struck_so_far=$((struck_so_far + 1))
	rows_then=$([[ $mode == alone* ]] || rows_of "$peer_db")
	since_ms=$(now_ms)
	judge || true
	printf '%s\t' "$run" "$kind" "$mode" "$persist" "$end" "$outcome" \
		"$(($(now_ms) - since_ms))" "$detail" | sed 's/\t$/\n/' | tee -a "$state"
	[[ $outcome != failed && $outcome != left* ]] || return 1
	[[ $mode != alone* ]] || return 1
	start_ended
}

# The link of a hub is never changed, nor is one with --scope route.
check_link()
{
	[[ $mode == link || $mode == alone || $(link_mtu "$end") == "$LAB_MTU" ||
		($mode == hub && $end == peer) ]] ||
		report "the link of the $end has MTU $(link_mtu "$end")"
}

# --- one run -------------------------------------------------------------------------

# Run until the peer is finished, with as many restarts as needed.
finish_run()
{
	for _ in {1..5}; do
		in_time 120 has_ended peer || return 1
		status=0
		wait "$peer_pid" || status=$?
		((status != 0)) || return 0
		sleep 1
		start_ended
	done
	report "the run did not complete: exit status $status"
	return 1
}

check_run()
{
	local pairs
	pairs=$(sql "$peer_db" \
		"SELECT format('%d pairs, %d rows, %s', count(*), sum(visits),
		(SELECT outcome FROM run ORDER BY id DESC LIMIT 1)) FROM results
		WHERE run_id = (SELECT max(id) FROM run)")
	[[ $pairs == '9 pairs, 12 rows, done' ]] || report "at the end: $pairs"
	check_rows
	[[ $(sql "$peer_db" \
		'SELECT count(*) FROM measurement WHERE NOT acknowledged') == 0 ]] ||
		report 'rows that the server has not acknowledged'
	[[ $(sql "$server_db" 'SELECT count(DISTINCT server_mtu || "/" || peer_mtu)
		FROM measurement WHERE run_id = (SELECT max(id) FROM run)') == 9 ]] ||
		report "the server's database lacks rows"
}

# The next start of a run with one end is not blocked by what the last one left.
check_next_start()
{
	local mtu=$ALONE_RIGHT
	[[ $persist == best ]] || mtu=$LAB_MTU
	reset_end peer
	start_end peer
	in_time 60 has_ended peer || return 1
	status=0
	wait "$peer_pid" || status=$?
	[[ $status == 0 || ($status == 3 && $persist == none) ]] ||
		report "the next start: exit status $status"
	[[ $mode == alone-route || $(link_mtu peer) == "$mtu" ]] ||
		report "the next start: MTU $(link_mtu peer), not $mtu"
}

end_programs()
{
	local one pid
	for one in $(ends_of_mode); do
		pid=$(keeper_of "$one")
		[[ -z $pid ]] || not_running "$pid" || kill_all "$pid"
	done
}

# Before a run, and after one that a fault has made useless.
reset_hosts()
{
	end_faults
	reset_end server
	reset_end peer
}

run_pair_of_ends()
{
	local faults=0 result
	start_end server
	start_end peer
	while ((faults < FAULTS_A_RUN && struck_so_far < count)); do
		result=0
		strike || result=$?
		case $result in
		0) faults=$((faults + 1)) ;;
		1)
			end_programs
			check_rows
			return
			;;
		# The run ended before: it had its faults.
		2) break ;;
		esac
	done
	finish_run || return 0
	kill -TERM "$server_pid" 2>/dev/null || true
	journal_may_stay=0
	in_time 40 has_ended server || return 0
	in_time 10 hosts_are_whole || return 0
	check_run
}

run_alone()
{
	local result=0
	start_end peer
	strike || result=$?
	if ((result == 2)); then
		in_time 60 has_ended peer || return 0
		wait "$peer_pid" || true
	fi
	end_programs
	[[ $outcome == failed ]] || check_next_start
}

run_once()
{
	local persists=(none each best)
	outcome=restored kind=none detail='' delay_ms=0 end=peer
	RANDOM=$(((seed * 211 + run) % 32768))
	mode=${MODES[RANDOM % 5]}
	[[ -z $only_mode ]] || mode=$only_mode
	[[ $mode != alone* ]] || persists=(none best)
	persist=${persists[RANDOM % ${#persists[@]}]}
	journal_may_stay=0
	rm -f "$peer_db"* "$server_db"* "$tmp"/*.log
	: >"$tmp/committed"
	"$LAB" clear "$lab_name"
	[[ $mode != alone* ]] || "$LAB" hole "$lab_name" upload "$ALONE_EDGE"
	begin_mode
	note_hosts
	if [[ $mode == alone* ]]; then
		run_alone
	else
		run_pair_of_ends
	fi
	end_programs
	reset_hosts
	end_mode
	# A failure behind the last fault is that fault's.
	[[ $outcome != failed ]] ||
		sed -i '$s/\t\(restored\|went on\)\t/\tfailed\t/' "$state"
}

summarise()
{
	awk -F '\t' '
		function line(k) {
			printf "%s %d: restored %d, went on %d, left and named %d, ",
				k, all[k], n[k, "restored"], n[k, "went on"],
				n[k, "left and named"]
			printf "failed %d\n", n[k, "failed"]
		}
		{ all[$2]++; n[$2, $6]++; all["in all"]++; n["in all", $6]++ }
		END { for (k in all) line(k) }' "$state" | sort
	awk -F '\t' '$6 == "restored" && $7 > slowest { slowest = $7 }
		END { printf "slowest restore: %d ms\n", slowest }' "$state"
	echo "rows lost $lost"
}

mount --make-rshared /
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -m 0700 /run/mtusweep /run/tmp
chmod 1777 /run/tmp
mount -t tmpfs -o mode=0700,size=128k tmpfs /run/mtusweep
export TMPDIR=/run/tmp
test_begin --inner 4 --rate-up 8 --rate-down 12
use_form
[[ -n $state ]] || state=$tmp/state
touch "$state"
struck_so_far=$(wc -l <"$state")
run=$(($(tail -n 1 "$state" | cut -f 1) + 1))
hub_key=$(wg genkey | wg pubkey)
cp -p "$LAB_SERVER_CONF" "$tmp/pristine-server"
cp -p "$LAB_PEER_CONF" "$tmp/pristine-peer"
echo "fault.sh: seed $seed, $count faults"
while ((struck_so_far < count && failures < 20)); do
	run_once
	run=$((run + 1))
done
summarise
((failures > 0)) || passed
