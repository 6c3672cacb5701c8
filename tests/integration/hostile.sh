#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/hostile.sh [CASE ...]: all of CASES below, or the given ones.
#
# A sweep beside a hostile neighbour in the tunnel (hostile.pl), and beside a hostile
# user on the peer's host. With a lease of 2 s the run must still be complete, no
# renewal may be missed, both hosts must be as they were, and the server's main process
# must stay small.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly HOSTILE=${BASH_SOURCE[0]%/*}/hostile.pl
readonly GRID=(--mtu-min 1300 --mtu-max 1400 --mtu-step 50)
readonly NEIGHBOUR=10.77.0.3
# Peak memory of the server's main process, in KiB; and the limit for a sanitizer's
# build.
readonly HWM_MAX=16384 HWM_MAX_SANITIZED=1048576

attackers=()
attack_host=peer
before=

# Arguments: NAME FROM [ARG ...]. Attack from $attack_host until end_attacks.
attack()
{
	run_on "$attack_host" perl "$HOSTILE" "$1" "$2" "$LAB_SERVER_IP" "${@:3}" \
		>>"$tmp/attacks.log" 2>&1 &
	attackers+=($!)
}

end_attacks()
{
	local pid
	kill -TERM "${attackers[@]}"
	for pid in "${attackers[@]}"; do
		wait_exit "$pid" 10 'an attacker'
		check_equal 'the exit status of an attacker' 0 "$status"
	done
	attackers=()
	cat "$tmp/attacks.log"
}

# Arguments: HOST NAME FROM [ARG ...]. Ask once.
ask()
{
	on "$1" perl "$HOSTILE" "$2" "$3" "$LAB_SERVER_IP" "${@:4}"
}

main_hwm()
{
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' \
		"/proc/$(pgrep -P "$server_pid" -x mtusweep-main)/status"
}

half_done()
{
	[[ -e $server_db ]] && (($(sql "$server_db" 'SELECT count(*) FROM measurement
		WHERE run_id = (SELECT max(id) FROM run)' 2>/dev/null || echo 0) >= 5))
}

check_memory()
{
	local hwm limit=$HWM_MAX
	! is_sanitized || limit=$HWM_MAX_SANITIZED
	wait_for 60 'five rows at the server' half_done
	hwm=$(main_hwm)
	echo "the server's main process: at most $hwm KiB"
	check_equal "the server's main process stays below $limit KiB" yes \
		"$( ((hwm > 0 && hwm < limit)) && echo yes)"
}

begin_server()
{
	start_server "${GRID[@]}" --once --lease 2
	wait_for 10 'the server to listen' listening 5000
}

begin_sweep()
{
	start_peer "${GRID[@]}" --duration 0.3 --lease 2 --wait 20
}

# Arguments: NAME MARKS. Check the run that began beside the attacks; MARKS in the logs
# show that it was disturbed.
check_run()
{
	check_memory
	wait_both 60
	end_attacks
	check_complete "$1"
	check_equal "$1: marks of it in the logs" '' \
		"$(grep -Eh "$2" "$tmp/server.log" "$tmp/peer.log" || true)"
}

readonly LAPSES='expired|silent'
readonly ANY_MARK="$LAPSES|measured again|repeating the test"

crowds_are_there()
{
	(($(grep -c 'is there' "$tmp/attacks.log" || true) == ${#attackers[@]}))
}

crowd()
{
	begin_server
	attack silent "$NEIGHBOUR" 100
	attack silent "$LAB_PEER_IP" 20
	attack drip "$NEIGHBOUR" 20
	attack drip "$LAB_PEER_IP" 20
	wait_for 30 'the crowds' crowds_are_there
	begin_sweep
	check_run 'a crowd' "$ANY_MARK"
}

# Arguments: [RUN [SECRET [PERSIST]]]. By default the run is a new one.
session_body()
{
	local run=${1:-$(cat /proc/sys/kernel/random/uuid)}
	local secret=${2:-0123456789abcdef0123456789abcdef}
	local end='"host":"other","interface":"wg0","address":"10.77.0.3","mtu":1420'
	local range='{"min":1300,"max":1400,"step":50}'
	end+=',"backend":"kernel","family":4,"versions":""'
	printf '{"protocol":3,"secret":"%s","lease_ms":4000,' "$secret"
	printf '"run":{"uuid":"%s","started_at_ms":1,"peer":{%s},' "$run" "$end"
	printf '"server_range":%s,"peer_range":%s,"strategy":"grid",' "$range" "$range"
	printf '"passes":1,"seed":"1","duration_ms":500,"persist":"%s","pairs":9}}' \
		"${3:-none}"
}

# A neighbour may open a session when there is none; its id is worth nothing afterwards.
requests()
{
	local text id
	begin_server
	text=$(ask peer session "$NEIGHBOUR" "$(session_body)")
	id=$(sed -n 's/.*"session":"\([0-9a-f]*\)".*/\1/p' <<<"$text")
	check_match 'a neighbour opens a session' '^[0-9a-f]{32}$' "$id"
	check_equal 'and closes it: answers that are a yes' 2 \
		"$(grep -c '200 OK' <<<"$text")"
	attack requests "$NEIGHBOUR" "$id"
	attack requests "$LAB_PEER_IP" "$id"
	begin_sweep
	check_run 'broken and forged requests' "$ANY_MARK"
	# A line is "requests from ADDRESS:", followed by pairs of a status and its
	# count.
	check_equal 'statuses that are a yes' '' "$(sed 's/^[^:]*://' "$tmp/attacks.log" |
		awk '{ for (i = 1; i < NF; i += 2) if ($i ~ /^2/) print $i }')"
	check_match 'statuses of the forged' ' 410 [1-9]' "$(cat "$tmp/attacks.log")"
	# The neighbour's session claimed to have begun in 1970.
	check_equal "runs that began by another clock than the server's" 0 \
		"$(sql "$server_db" "
		SELECT count(*) FROM run
		WHERE abs(julianday(started_at) - julianday('now')) > 0.1")"
}

# A host outside the tunnel, and the server's own host.
outsider()
{
	local path text refusal='403 Forbidden .*"not permitted from here"'
	begin_server
	on router ip route add "$LAB_SERVER_IP" via 10.78.1.2
	for path in /v1/hello /v1/status / /v1/close; do
		text=$(ask router get 10.78.1.1 "$path")
		check_match "GET $path from outside" "$refusal" "$text"
		check_equal "what GET $path from outside tells" '' \
			"$(grep -Eo "$(hostname)|version|1300|server|open" <<<"$text" ||
			true)"
	done
	check_match 'a session from outside' "$refusal" \
		"$(ask router post 10.78.1.1 /v1/session "$(session_body)")"
	check_match "reading on the server's host" '200 OK.*"open":false' \
		"$(on server perl "$HOSTILE" get 127.0.0.1 127.0.0.1 /v1/status)"
	check_match 'the same by the tunnel address' '200 OK.*"open":false' \
		"$(ask server get "$LAB_SERVER_IP" /v1/status)"
	check_match "a session from the server's host" '403 Forbidden' \
		"$(ask server post "$LAB_SERVER_IP" /v1/session "$(session_body)")"
	check_match 'hello in the tunnel' '200 OK.*"range"' \
		"$(ask peer get "$NEIGHBOUR" /v1/hello)"
	on router ip route del "$LAB_SERVER_IP"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

is_bound_to_tunnel()
{
	[[ $(on server ss -Hltn 'sport = :5201') == \
		*" $LAB_SERVER_IP%$LAB_SERVER_IF:5201 "* ]]
}

# They are rejected before their data is read; from outside the tunnel no connection
# gets that far.
iperf_neighbour()
{
	local what
	begin_server
	on router ip route add "$LAB_SERVER_IP" via 10.78.1.2
	for what in title parallel mute; do
		attack "$what" "$NEIGHBOUR" 0.01
	done
	attack_host=router attack title 10.78.1.1 0.01
	begin_sweep
	wait_for 30 "the tests' port, bound to the tunnel" is_bound_to_tunnel
	check_run "the neighbour's iperf clients" "$ANY_MARK"
	check_match 'connections of the neighbour' \
		"title from $NEIGHBOUR: connected [1-9]" \
		"$(cat "$tmp/attacks.log")"
	check_match 'connections from outside' 'title from 10.78.1.1:$' \
		"$(cat "$tmp/attacks.log")"
	on router ip route del "$LAB_SERVER_IP"
}

# These callers reach tests and end them: a visit may be repeated, none is lost.
iperf_own()
{
	local what
	begin_server
	for what in title parallel mute; do
		attack "$what" "$LAB_PEER_IP" 0.5
	done
	begin_sweep
	check_run "iperf clients of the peer's own host" "$LAPSES"
	echo "repeated: $(grep -c 'repeating the test' "$tmp/peer.log" || true) tests," \
		"$(grep -c 'measured again' "$tmp/peer.log" || true) visits"
	check_match 'connections of theirs' 'title from .*: connected [1-9]' \
		"$(cat "$tmp/attacks.log")"
}


# Users of the peer's host try repeatedly to measure the same path with iperf3.
iperf_client()
{
	: >"$tmp/attacks.log"
	begin_server
	for _ in 1 2 3 4; do
		# shellcheck disable=SC2016 # of the other shell
		run_on peer bash -c 'trap "exit 0" TERM
			while :; do iperf3 -c "$1" -t 1 | grep error; done' bash \
			"$LAB_SERVER_IP" >>"$tmp/iperf3" 2>&1 &
		attackers+=($!)
	done
	begin_sweep
	check_run "iperf3 clients of the peer's own host" "$ANY_MARK"
	sed 's/.*error - //' "$tmp/iperf3" | sort | uniq -c
}

# Arguments: NAME FROM [ARG ...]. Try once, as an unprivileged user of the peer's host.
try()
{
	on peer setpriv --reuid nobody --clear-groups perl "$HOSTILE" "$1" "$2" \
		"$LAB_SERVER_IP" "${@:3}"
}

# The takeover's targets: the server's copy, its link and both conf files.
server_keeps()
{
	echo "$(link_mtu server) $(sha256sum <"$LAB_SERVER_CONF") $(sql "$server_db" \
		"SELECT uuid, outcome, outcome_text, (SELECT count(*) FROM measurement
		WHERE run_id = run.id) FROM run ORDER BY id")"
}

# Arguments: SESSION SEQ BITS. Print a row that would be the best of all.
forged_row()
{
	local dir='{"status":"ok","text":"",'
	dir+='"figures":[null,'"$3"',null,null,null,null,null],"at_ms":1,"for_ms":1}'
	printf '{"session":"%s","seq":%d,"pass":1,"server":1300,"peer":1300,' "$1" "$2"
	printf '"up":%s,"down":%s}' "$dir" "$dir"
}

# Arguments: FROM NAME RUN. Check that public data alone does not open this run.
refused_run()
{
	check_match "$2: a session of the run" '403 Forbidden .*"EACCES".*secret' \
		"$(try post "$1" /v1/session "$(session_body "$3")")"
	check_match "$2: a row of it" '410 Gone|403 Forbidden' \
		"$(try put "$1" "/v1/run/$3/row/1" \
		"$(forged_row "$no_session" 1 390000000000)")"
}

published_run()
{
	try get "$LAB_PEER_IP" /v1/status | sed -n 's/.*"run":"\([0-9a-f-]*\)".*/\1/p'
}

readonly no_session=00000000000000000000000000000000

# A user of the peer's host, and a neighbour, try to take over a peer's session or run.
# Then they use a session of their own, which they may have while there is no other.
takeover()
{
	local run own kept name
	start_server "${GRID[@]}" --lease 10 --persist best \
		--conf-file "$LAB_SERVER_CONF"
	wait_for 10 'the server to listen' listening 5000
	start_peer "${GRID[@]}" --duration 0.3 --lease 10 --wait 20 --passes 3
	wait_for 20 'a sweep under way' under_way
	run=$(published_run)
	check_match 'the run that is published' '^[0-9a-f]{8}-' "$run"
	refused_run "$LAB_PEER_IP" 'a user of the host' "$run"
	check_match "a neighbour: a session while the peer's lives" \
		'409 Conflict .*"EBUSY"' \
		"$(try post "$NEIGHBOUR" /v1/session "$(session_body "$run")")"
	wait_exit "$peer_pid" 60 'the peer'
	check_equal "the peer's exit status" 0 "$status"
	check_complete 'a takeover' 27
	check_equal 'marks of it in the logs' '' \
		"$(grep -Eh "$ANY_MARK" "$tmp/server.log" "$tmp/peer.log" || true)"

	kept=$(server_keeps)
	refused_run "$LAB_PEER_IP" 'a user of the host, afterwards' "$run"
	check_match 'a neighbour, afterwards' '403 Forbidden .*"EACCES".*another peer' \
		"$(try post "$NEIGHBOUR" /v1/session "$(session_body "$run")")"
	check_same_text 'what the server has' "$kept" "$(server_keeps)"

	own=$(try post "$LAB_PEER_IP" /v1/session "$(session_body '' '' best)" |
		sed -n 's/.*"session":"\([0-9a-f]*\)".*/\1/p')
	check_match 'a session of their own' '^[0-9a-f]{32}$' "$own"
	run=$(published_run)
	check_match 'a pair' '200 OK' \
		"$(try post "$LAB_PEER_IP" /v1/pair "{\"session\":\"$own\",
		\"mtu\":1300,\"test\":0,\"duration_ms\":300,\"rtt_us\":1,\"from_port\":0}")"
	check_match 'a row that cannot be' \
		"400 Bad Request .*'received_bps' is out of range" \
		"$(try put "$LAB_PEER_IP" "/v1/run/$run/row/1" \
		"$(forged_row "$own" 1 999999999999)")"
	check_match 'a commit without a proof' \
		'409 Conflict .*"ENODATA".*MTU 1300 is not applied' \
		"$(try post "$LAB_PEER_IP" /v1/commit "{\"session\":\"$own\"}")"
	check_match 'the end of it' '200 OK' "$(try post "$LAB_PEER_IP" /v1/close \
		"{\"session\":\"$own\",\"outcome\":\"done\",\"text\":\"\"}")"
	check_same_text 'both hosts' "$before" "$(hosts_state)"
	for name in "$peer_db" "$server_db"; do
		check_equal "who may read the secrets beside ${name##*/}" "600 $DB_USER" \
			"$(stat -c '%a %U' "$name.secrets")"
	done
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

readonly CASES=(takeover crowd requests outsider iperf_neighbour iperf_own iperf_client)

(($#)) || set -- "${CASES[@]}"
test_begin --inner 4
on server wg set "$LAB_SERVER_IF" peer "$(on server wg show "$LAB_SERVER_IF" peers)" \
	allowed-ips "$LAB_PEER_IP/32,$NEIGHBOUR/32"
on peer ip addr add "$NEIGHBOUR/24" dev "$LAB_PEER_IF"
before=$(hosts_state)
for case; do
	rm -f "$peer_db"* "$server_db"* "$tmp/attacks.log"
	"$case"
done
