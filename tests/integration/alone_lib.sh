# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The parts that the tests of one end alone share; the script's argument is its case.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly CASE=${1:?which case}

# Print all settings of this host that a probe changes.
everything()
{
	hosts_state
	on peer ip rule show
	on peer ip -6 rule show
	on peer ip route show table all dev "$LAB_PEER_IF"
	on peer ip -6 route show table all dev "$LAB_PEER_IF"
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
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--db "$peer_db" --alone "$@" </dev/null >"$tmp/peer.out" \
		2>"$tmp/peer.log" &
	peer_pid=$!
	wait_exit "$peer_pid" 90 'the peer'
	answer=$(<"$tmp/peer.out")
	echo "$answer"
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
