# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The parts that the tests of one end alone share; the script's argument is its case.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASE=${1:?which case}

# The end that works alone: "peer", or what the script has set.
readonly END=${END-peer}

# Print all settings of this host that a probe changes.
everything()
{
	local interface=LAB_${END^^}_IF
	hosts_state
	on "$END" ip rule show
	on "$END" ip -6 rule show
	on "$END" ip route show table all dev "${!interface}"
	on "$END" ip -6 route show table all dev "${!interface}"
}

# Arguments: [OPTION ...] of lab up
begin()
{
	local delay=()
	! has_netem || delay=(--delay 10)
	test_begin "${delay[@]}" "$@"
	before=$(everything)
}

# Arguments: [OPTION ...]. Set $status and $answer.
alone()
{
	local interface=LAB_${END^^}_IF db=${END}_db
	run_on "$END" "$MTUSWEEP_BIN/mtusweep-$END" --interface "${!interface}" \
		--db "${!db}" --alone "$@" </dev/null >"$tmp/$END.out" \
		2>"$tmp/$END.log" &
	printf -v "${END}_pid" %s $!
	wait_exit "$!" 90 "the $END"
	answer=$(<"$tmp/$END.out")
	echo "$answer"
}

# Arguments: NAME REGEX OPTION ... A usage error names what is wrong.
refuses()
{
	status=0
	"$MTUSWEEP_BIN/mtusweep-$END" "${@:3}" >"$tmp/$END.out" 2>"$tmp/$END.log" ||
		status=$?
	check_equal "$1: the exit status" 2 "$status"
	check_match "$1" "$2" "$(<"$tmp/$END.log")"
}

# Arguments: WHAT REGEX. The answer must say it.
check_says()
{
	check_match "$CASE: $1" "$2" "$answer"
}

# Print the state of both hosts without that of this end's link, conf file and folder.
others()
{
	everything | grep -v '^peer: \(mtu\|conf\|beside the conf\)'
}
