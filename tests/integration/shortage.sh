#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/shortage.sh END_LIMIT_HOW: server|peer, processes|files, passes|lasts
#
# An end's runner cannot start a test any more: its user has reached the limit on
# processes (fork fails with EAGAIN), or the runner the limit on open files (pipe2 fails
# with EMFILE). That is no property of a pair. If the shortage ends within --wait, the run
# continues and every pair has its figures. If it lasts, the run fails with a sentence that
# names the end and the limit, and every stored row is ok.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

IFS=_ read -r END LIMIT HOW <<<"$1"
declare -A NAMES=([processes]=nproc [files]=nofile)
# The runner has four open files, and polls three.
declare -A TOO_FEW=([processes]=1 [files]=4)
declare -A LIMITS=([processes]='ulimit -u' [files]='ulimit -n')

runner_of()
{
	local keeper=$server_pid
	[[ $1 == server ]] || keeper=$peer_pid
	pgrep -P "$keeper" -x mtusweep-runner
}

log()
{
	tr '\r' '\n' <"$tmp/$1.log"
}

# Arguments: OPTION ... of prlimit, for the runner. Run as its user, since root may lack
# the right.
limit()
{
	setpriv --reuid "$DB_USER" --regid "$DB_USER" --clear-groups \
		prlimit "$@" --pid "$runner"
}

lacks_something()
{
	grep -q "$owner lacks a resource" "$tmp/peer.log"
}

owner='the server'
[[ $END == server ]] || owner='this end'
wait_s=60
[[ $HOW == passes ]] || wait_s=3
test_begin --inner 4
before=$(hosts_state)
start_server "${GRID_3X3[@]}" --once
start_peer "${GRID_3X3[@]}" --duration 0.3 --wait "$wait_s"
wait_for 20 'a sweep under way' under_way
runner=$(runner_of "$END")
read -r soft hard < <(limit --raw --noheadings --output SOFT,HARD "--${NAMES[$LIMIT]}")
limit "--${NAMES[$LIMIT]}=${TOO_FEW[$LIMIT]}:$hard"
wait_for 20 'the shortage, noticed' lacks_something
case $HOW in
passes)
	sleep 1.5
	limit "--${NAMES[$LIMIT]}=$soft:$hard"
	wait_both 60
	check_complete 'after it has passed'
	;;
lasts)
	wait_exit "$peer_pid" 30 'the peer'
	check_equal "the peer's exit status" 1 "$status"
	check_match 'which end lacks what' \
		"$owner has lacked a resource for 3 s: .*check there: .*${LIMITS[$LIMIT]}" \
		"$(log peer)"
	check_equal 'how the run ended' failed \
		"$(sql "$peer_db" 'SELECT outcome FROM run ORDER BY id DESC LIMIT 1')"
	check_equal 'rows that are not ok' 0 "$(sql "$peer_db" "SELECT count(*)
		FROM measurement WHERE upload_status <> 'ok' OR download_status <> 'ok'")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 20 'the server'
	check_same_text 'both hosts' "$before" "$(hosts_state)"
	;;
esac
