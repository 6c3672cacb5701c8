#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/debug.sh
#
# --debug and MTUSWEEP_DEBUG: a run that keeps its best pair logs every kind of step at
# both ends, with time and process; no key, no secret of the run and no line of a conf
# file is in a log; without either nothing is logged.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly STAMP='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z'

# Arguments: END PROCESS REGEX
check_logged()
{
	local found=no
	! grep -qE "^$STAMP $2\[[0-9]+\] $3" "$tmp/$1.log" || found=yes
	check_equal "$1 logs: $2 $3" yes "$found"
}

# Arguments: END TEXT WHAT
check_absent()
{
	local found=no
	[[ -n $2 ]] || { echo "debug.sh: $3: empty" && exit 1; }
	! grep -qF -- "$2" "$tmp/$1.log" || found=yes
	check_equal "$1's log has $3" no "$found"
}

# Arguments: END CONF DATABASE
check_nothing_secret()
{
	local line
	while read -r line; do
		check_absent "$1" "$line" "a line of $2"
	done < <(grep -E '^(PrivateKey|PresharedKey|PublicKey)' "$2" | sed 's/^[^=]*= *//')
	while read -r line; do
		check_absent "$1" "$line" 'the secret of a run'
	done < <(sql "$3.secrets" 'SELECT secret FROM secret')
}

# Arguments: OPTION ...: of both programs; one run to its end
run_once()
{
	start_server --once --lease 2 --persist best --conf-file "$LAB_SERVER_CONF" "$@"
	start_peer --lease 2 --persist best --conf-file "$LAB_PEER_CONF" --duration 0.3 \
		--budget 5 --wait 5 "$@"
	wait_exit "$peer_pid" 60 'the peer'
	check_equal 'exit status of the peer' 0 "$status"
	wait_exit "$server_pid" 20 'the server'
}

check_logs()
{
	local end
	for end in server peer; do
		check_logged $end keeper "process: mtusweep-$end .* begins"
		check_logged $end keeper "process: argument 1: '--interface'"
		check_logged $end keeper "host: interface '.*': userspace WireGuard, MTU"
		check_logged $end keeper 'process: main\[[0-9]+\] ended with status 0'
		check_logged $end guard 'process: begins'
		check_logged $end guard 'netlink: (set|get) link, flags 0x[0-9a-f]+: ok'
		check_logged $end main 'guard: set, MTU [0-9]+, lease [0-9]+ ms: ok'
		check_logged $end main 'guard: commit, .*: ok'
	done
	check_logged server main 'request: POST /v1/session from [0-9a-f.:]+: status 200'
	check_logged server main 'test: arm [0-9]+, throughput, server, port [0-9]+: ok'
	check_logged peer main 'request: POST /v1/pair to .*: status 200 \('
	check_logged peer main \
		'test: measure [0-9]+, throughput, upload, port [0-9]+: ok, ok'
	check_logged peer main 'probe: round [0-9]+, download, outer size [0-9]+: whole'
	check_logged peer main 'sweep: pair [0-9]+/[0-9]+: upload'
	check_nothing_secret server "$LAB_SERVER_CONF" "$server_db"
	check_nothing_secret peer "$LAB_PEER_CONF" "$peer_db"
}

check_silent()
{
	local end
	for end in server peer; do
		check_equal "stamped lines of the $end" 0 \
			"$(grep -cE "^$STAMP" "$tmp/$end.log" || :)"
	done
}

test_begin
run_once --debug
check_logs
run_once
check_silent
export MTUSWEEP_DEBUG=1
run_once
check_logged peer keeper 'process: mtusweep-peer .* begins'
export MTUSWEEP_DEBUG=0
run_once
check_silent
