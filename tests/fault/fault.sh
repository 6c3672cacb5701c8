#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/fault/fault.sh [--hub] [--form FORM] [--count N] [--seed S]
#
# Kills one process of a running sweep (keeper, guard, main, runner or a test's child,
# or all of a program's at once), on either end, with SIGKILL, at a random moment; N
# times (30). A run takes KILLS_A_RUN kills. After each, both hosts must be as they were
# within the lease; then the run continues, with --resume if the peer was hit, or starts
# anew if the peer ended before it stored a run. At the run's end every pair must be there
# once, with every row that was ever committed. If all processes of an end died, --restore
# restores that end. The same seed kills the same processes after the same times; their
# state at that moment differs.
#
# With --hub the server's interface has another WireGuard peer, so that the server changes
# the route to the peer; with an even seed that route exists before, with an MTU. The link
# must keep its MTU, also while a sweep runs.
#
# The conf files are wg-quick's; with --form keyfile NetworkManager's, with --form dropin
# drop-ins for networkd.
#
# MTUSWEEP_BIN is the folder of the programs. The last line of output is:
#
#	killed N, restored N, rows lost N, stuck N, started anew N

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/../integration/lib.sh"
# shellcheck source=tests/fault/forms.sh
. "${BASH_SOURCE[0]%/*}/forms.sh"

readonly KILLS_A_RUN=3
readonly LEASE=2
# The time beyond the lease that detecting, restoring and checking take, and so many times
# as long as one look at both hosts takes: a busy machine is slower at everything.
readonly SLACK_MS=3000
readonly SLACK_LOOKS=10
readonly ENDS=(server peer)
readonly VICTIMS=(keeper guard main runner test all)

count=30
seed=$(($(date +%s) % 32768))
form=wg-quick
killed=0
restored=0
lost=0
stuck=0
anew=0
slowest_ms=0

hub=
grid=("${GRID_3X3[@]}")

while (($#)); do
	case $1:$# in
	--hub:*)
		# Userspace WireGuard takes multiples of 16 for a route.
		hub=1 grid=(--mtu-min 1296 --mtu-max 1392 --mtu-step 48)
		shift
		continue
		;;
	--form:1 | --count:1 | --seed:1) echo "fault.sh: $1 takes a value" >&2 && exit 2 ;;
	--form:*) form=$2 ;;
	--count:*) count=$2 ;;
	--seed:*) seed=$2 ;;
	*)
		echo 'usage: tests/fault/fault.sh [--hub] [--form FORM] [--count N]' \
			'[--seed S]' >&2
		exit 2
		;;
	esac
	shift 2
done

now_ms()
{
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# Draw numbers in this shell only: a subshell has its own RANDOM.
draw()
{
	end=${ENDS[RANDOM % 2]}
	victim=${VICTIMS[RANDOM % 6]}
	delay_ms=$((RANDOM % 2500))
}

start_end()
{
	local options=("${grid[@]}" --lease "$LEASE" --persist "$persist")
	if [[ $1 == server ]]; then
		start_server "${options[@]}" --conf-file "$LAB_SERVER_CONF"
	else
		start_peer "${options[@]}" --conf-file "$LAB_PEER_CONF" --duration 0.3 \
			--wait 20 --order shuffled "${@:2}"
	fi
	tail -n +1 "$tmp/$1.log" >>"$tmp/$1-all.log"
}

# Arguments: END. Print the pid of its keeper.
keeper_of()
{
	[[ $1 == server ]] && echo "$server_pid" || echo "$peer_pid"
}

state_and_routes()
{
	hosts_state
	on server ip -4 route show dev "$LAB_SERVER_IF"
	on peer ip -4 route show dev "$LAB_PEER_IF"
}

both_are_back()
{
	[[ $(state_and_routes) == "$before" ]]
}

# One more WireGuard peer, that nobody is.
make_hub()
{
	on server wg set "$LAB_SERVER_IF" peer "$(wg genkey | wg pubkey)" \
		allowed-ips 10.77.0.9/32
	((seed % 2)) ||
		on server ip route add "$LAB_PEER_IP" dev "$LAB_SERVER_IF" mtu 1408
}

# The link of a hub is never changed.
check_link()
{
	[[ -z $hub || $(link_mtu server) == "$LAB_MTU" ]] ||
		report "the hub's link has MTU $(link_mtu server)"
}

interface_of()
{
	[[ $1 == server ]] && echo "$LAB_SERVER_IF" || echo "$LAB_PEER_IF"
}

restore_by_hand()
{
	on "$1" "$MTUSWEEP_BIN/mtusweep-$1" --restore --interface "$(interface_of "$1")" \
		>>"$tmp/restore.log" 2>&1
}

# Arguments: KEEPER VICTIM. Print the victim's pids, nothing if there is no such process
# now.
pids_of()
{
	local runner
	case $2 in
	keeper) echo "$1" ;;
	all) echo "$1 $(pgrep -P "$1" | xargs)" ;;
	test)
		runner=$(pgrep -P "$1" -x mtusweep-runner) || return 0
		pgrep -P "$runner" | head -n 1 || true
		;;
	*) pgrep -P "$1" -x "mtusweep-$2" || true ;;
	esac
}

# Print every row of the peer's database, one a line.
committed()
{
	sql "$peer_db" "SELECT run_id, seq, server_mtu, peer_mtu, upload_started_at,
		upload_status, download_status FROM measurement ORDER BY run_id, seq" \
		2>/dev/null || true
}

# Note all rows present at a kill: they must be there for ever.
note_committed()
{
	committed >>"$tmp/committed"
}

# Arguments: NAME. Report a failure of this campaign, with all that helps to find its
# cause.
report()
{
	failed "$1" "seed $seed, kill $killed: $victim of the $end after $delay_ms ms, \
--persist $persist"
	show_logs
}

# Arguments: SECONDS COMMAND ... Return false, and count a failure, if it takes longer.
in_time()
{
	local deadline=$(($(now_ms) + $1 * 1000))
	until "${@:2}"; do
		if (($(now_ms) >= deadline)); then
			stuck=$((stuck + 1))
			report "stuck: ${*:2}"
			return 1
		fi
		sleep 0.02
	done
}

# Arguments: MILLISECONDS, the time of the kill. Both hosts must be as before within the
# lease.
await_restored()
{
	local since_ms=$1 took_ms look_ms
	in_time 20 both_are_back || return 1
	took_ms=$(($(now_ms) - since_ms))
	both_are_back || true
	look_ms=$(($(now_ms) - since_ms - took_ms))
	((took_ms <= slowest_ms)) || slowest_ms=$took_ms
	if ((took_ms > LEASE * 1000 + SLACK_MS + SLACK_LOOKS * look_ms)); then
		report "restored after $took_ms ms, a look takes $look_ms"
		return 1
	fi
	restored=$((restored + 1))
}

# The peer ended before it stored a run, so there is none to resume.
has_no_run()
{
	local runs
	[[ -e $peer_db ]] || return 0
	runs=$(sql "$peer_db" 'SELECT count(*) FROM run' 2>&1) || true
	[[ $runs == 0 || $runs == *'no such table'* ]]
}

start_peer_again()
{
	if has_no_run; then
		anew=$((anew + 1))
		start_end peer
	else
		start_end peer --resume
	fi
}

# Restart the end that was hit; the other has continued, or waits for it.
go_on()
{
	if [[ $end == server ]]; then
		start_end server
	else
		start_peer_again
	fi
}

# Arguments: PID. Set $status to its exit status, at once.
take_status()
{
	status=0
	wait "$1" || status=$?
}

check_status()
{
	local expected=1
	[[ $victim != keeper && $victim != all ]] || expected=137
	((status == expected)) || report "exit status $status, not $expected"
}

# Arguments: KEEPER. Set $pids to the victim's pids; a test's child lives only for
# moments.
find_victim()
{
	for _ in {1..50}; do
		read -ra pids <<<"$(pids_of "$1" "$victim" | xargs)"
		((${#pids[@]} == 0)) || return 0
		! not_running "$peer_pid" || return 1
		sleep 0.02
	done
	return 1
}

kill_victim()
{
	[[ $victim != all ]] || kill -STOP "${pids[@]}" 2>/dev/null || true
	kill -KILL "${pids[@]}" 2>/dev/null
}

# Arguments: KEEPER. Check the consequences after that end's run was killed.
await_end()
{
	in_time 20 not_running "$1" || return 1
	take_status "$1"
	check_status
	in_time 10 are_dead "${pids[@]}" || return 1
	[[ $victim != all ]] || restore_by_hand "$end" || report '--restore failed'
}

# Strike once. Return 1 if this run is of no more use, 2 if it was over before.
strike()
{
	local keeper pids since_ms
	draw
	sleep "$(printf '%d.%03d' $((delay_ms / 1000)) $((delay_ms % 1000)))"
	! not_running "$peer_pid" || return 2
	keeper=$(keeper_of "$end")
	find_victim "$keeper" || return 2
	note_committed
	check_link
	since_ms=$(now_ms)
	kill_victim || return 2
	killed=$((killed + 1))
	# A killed test ends no run: the test is repeated, or its pair has failed.
	if [[ $victim == test ]]; then
		restored=$((restored + 1))
		return 0
	fi
	await_end "$keeper" || return 1
	await_restored "$since_ms" || return 1
	go_on
}

# Run until the peer is finished, with as many restarts as needed.
finish_run()
{
	local tries
	for tries in 1 2 3; do
		in_time 90 not_running "$peer_pid" || return 1
		take_status "$peer_pid"
		((status == 0)) && return 0
		((tries < 3)) || break
		start_peer_again
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
	committed >"$tmp/now"
	missing=$(sort -u "$tmp/committed" | grep -vxFf "$tmp/now" | grep -c . || true)
	if ((missing)); then
		lost=$((lost + missing))
		report "$missing rows lost"
	fi
	[[ $(sql "$peer_db" \
		'SELECT count(*) FROM measurement WHERE NOT acknowledged') == 0 ]] ||
		report 'rows that the server has not acknowledged'
	[[ $(sql "$server_db" 'SELECT count(DISTINCT server_mtu || "/" || peer_mtu)
		FROM measurement WHERE run_id = (SELECT max(id) FROM run)') == 9 ]] ||
		report "the server's database lacks rows"
	passed
}

# Make one run with its kills.
run_once()
{
	local kills=0 result
	rm -f "$peer_db"* "$server_db"* "$tmp"/*-all.log "$tmp/committed"
	touch "$tmp/committed"
	persist=${PERSISTS[RANDOM % 2]}
	start_end server
	start_end peer
	while ((kills < KILLS_A_RUN && killed < count)); do
		result=0
		strike || result=$?
		case $result in
		0) kills=$((kills + 1)) ;;
		1) return 1 ;;
		# The run ended before: it had its kills.
		2) break ;;
		esac
	done
	finish_run || return 1
	kill -TERM "$server_pid" 2>/dev/null || true
	in_time 20 not_running "$server_pid" || return 1
	in_time 10 both_are_back || return 1
	check_run
}

# After a failed run: nothing of it may disturb the next.
clean_up()
{
	local pid
	for pid in "$server_pid" "$peer_pid"; do
		[[ -z $pid ]] || not_running "$pid" || kill_all "$pid"
	done
	restore_by_hand server || true
	restore_by_hand peer || true
}

readonly PERSISTS=(none each)
RANDOM=$seed
test_begin --inner 4
use_form
echo "fault.sh: seed $seed, $count kills"
[[ -z $hub ]] || make_hub
before=$(state_and_routes)
while ((killed < count && failures < 5)); do
	run_once || clean_up
	((killed % 10)) || echo "fault.sh: $killed of $count"
done
echo "slowest restore: $slowest_ms ms, lease $LEASE s"
echo "killed $killed, restored $restored, rows lost $lost, stuck $stuck, started anew $anew"
((killed == restored && lost == 0 && stuck == 0)) || failed 'the campaign'
