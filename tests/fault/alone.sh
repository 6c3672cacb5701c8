#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/fault/alone.sh [--form FORM] [--count N] [--seed S]
#
# Kills one process (keeper, guard, main), or all at once, of `mtusweep-peer --alone
# --persist best` with SIGKILL, at a random moment; N times (30). Within the lease the end
# must have its MTU of before in link and conf file, or the MTU that was found in both, and
# all else as before. If all processes died, --restore decides which. Then the program,
# started again, applies that MTU.
#
# The conf file is wg-quick's; with --form keyfile NetworkManager's, with --form dropin a
# drop-in for networkd.
#
# MTUSWEEP_BIN is the folder of the programs. The last line of output is:
#
#	killed N, as before N, applied N, stuck N

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/../integration/lib.sh"
# shellcheck source=tests/fault/forms.sh
. "${BASH_SOURCE[0]%/*}/forms.sh"

readonly LEASE=2
readonly VICTIMS=(keeper guard main all)
# The first has no edge; nothing larger than the second arrives from this end.
readonly EDGES=(1500 1440)

count=30
seed=$(($(date +%s) % 32768))
form=wg-quick
killed=0
kept=0
applied=0
stuck=0

while (($#)); do
	case $1:$# in
	--form:1 | --count:1 | --seed:1) echo "alone.sh: $1 takes a value" >&2 && exit 2 ;;
	--form:*) form=$2 ;;
	--count:*) count=$2 ;;
	--seed:*) seed=$2 ;;
	*)
		echo 'usage: tests/fault/alone.sh [--form FORM] [--count N] [--seed S]' >&2
		exit 2
		;;
	esac
	shift 2
done

# All that is not this end's MTU: the conf file by its other lines. Digests, since the file
# holds keys.
rest()
{
	hosts_state | grep -v '^peer: \(mtu\|conf\|beside the conf\)'
	on peer ip rule show
	on peer ip route show table all dev "$LAB_PEER_IF"
	grep -v "^$form_key" "$LAB_PEER_CONF" | sha256sum
	stat -c '%a %U:%G' "$LAB_PEER_CONF"
	find "${LAB_PEER_CONF%/*}" -name '*.mtusweep-new*' -o -name '*.mtusweep-original*'
	find /run/mtusweep -name "*-$LAB_PEER_IF" 2>/dev/null || true
}

# Print the MTU of the link and that of the conf file.
mtus()
{
	echo "$(link_mtu peer) $(sed -n "s/^$form_key//p" "$LAB_PEER_CONF")"
}

# True once the end is as it was, or has the MTU that was found.
is_whole()
{
	local now
	now=$(mtus)
	[[ $now == "$LAB_MTU $LAB_MTU" || $now == "$right $right" ]] &&
		[[ $(rest) == "$other" ]]
}

start_alone()
{
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--db "$peer_db" --alone --persist best --conf-file "$LAB_PEER_CONF" \
		--lease "$LEASE" </dev/null >"$tmp/peer.out" 2>"$tmp/peer.log" &
	peer_pid=$!
}

pids_of_victim()
{
	case $victim in
	keeper) echo "$peer_pid" ;;
	all) echo "$peer_pid $(pgrep -P "$peer_pid" | xargs)" ;;
	*) pgrep -P "$peer_pid" -x "mtusweep-$victim" || true ;;
	esac
}

# Arguments: WHAT
report()
{
	failed "$1" "seed $seed, kill $killed: $victim after $delay_ms ms; \
the MTUs of link and conf file are $(mtus), right is $right"
	show_logs
	diff <(echo "$other") <(rest) || true
}

# Arguments: WHAT SECONDS COMMAND ...
in_time()
{
	local until=$((SECONDS + $2))
	until "${@:3}"; do
		if ((SECONDS >= until)); then
			stuck=$((stuck + 1))
			report "stuck: $1"
			return 1
		fi
		sleep 0.05
	done
}

# Kill once. Return 1 if the program had ended by then.
strike()
{
	local pids
	sleep "$(printf '%d.%03d' $((delay_ms / 1000)) $((delay_ms % 1000)))"
	read -ra pids <<<"$(pids_of_victim | xargs)"
	((${#pids[@]})) && ! not_running "$peer_pid" || return 1
	[[ $victim != all ]] || kill -STOP "${pids[@]}" 2>/dev/null || true
	kill -KILL "${pids[@]}" 2>/dev/null || return 1
	killed=$((killed + 1))
}

restore_by_hand()
{
	on peer "$MTUSWEEP_BIN/mtusweep-peer" --restore --interface "$LAB_PEER_IF" \
		>>"$tmp/restore.log" 2>&1 || report '--restore failed'
}

# As before the program was started.
reset_end()
{
	on peer ip link set dev "$LAB_PEER_IF" mtu "$LAB_MTU"
	sed -i "s/^$form_key.*/$form_key$LAB_MTU/" "$LAB_PEER_CONF"
	rm -f "$LAB_PEER_CONF".mtusweep-2*
}

check_end()
{
	in_time 'the program ends' 20 not_running "$peer_pid" || return 1
	wait "$peer_pid" || true
	[[ $victim != all ]] || restore_by_hand
	in_time 'a whole state' $((LEASE + 10)) is_whole || return 1
	if [[ $(mtus) == "$LAB_MTU $LAB_MTU" ]]; then
		kept=$((kept + 1))
	else
		applied=$((applied + 1))
	fi
	passed
}

# The next start is not blocked by what the killed one left.
apply_again()
{
	reset_end
	start_alone
	in_time 'the next start' 30 not_running "$peer_pid" || return 1
	status=0
	wait "$peer_pid" || status=$?
	[[ $status == 0 && $(mtus) == "$right $right" ]] ||
		report "the next start: exit status $status"
	reset_end
}

run_once()
{
	local edge=${EDGES[RANDOM % 2]}
	victim=${VICTIMS[RANDOM % 4]}
	delay_ms=$((RANDOM % 1500))
	right=$((edge - 60))
	"$LAB" clear "$lab_name"
	((edge == 1500)) || "$LAB" hole "$lab_name" upload "$edge"
	rm -f "$peer_db"*
	start_alone
	if strike; then
		check_end || return 0
	else
		in_time 'the end of the program' 30 not_running "$peer_pid" || return 0
		wait "$peer_pid" || true
	fi
	apply_again
}

RANDOM=$seed
test_begin
use_form
echo "alone.sh: seed $seed, $count kills"
other=$(rest)
while ((killed < count && failures < 5)); do
	run_once
done
echo "killed $killed, as before $kept, applied $applied, stuck $stuck"
((killed == kept + applied && stuck == 0)) || failed 'the campaign'
