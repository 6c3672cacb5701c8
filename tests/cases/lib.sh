# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The parts that the cases share. A case is a script of this folder, a tunnel that
# people really have: its head names
#
#	CONDITION  the condition, in words
#	RIGHT      the right answer: one pair of MTUs, server first, or several; then words
#	SOURCE     the public report that it is taken from, by name
#	NEEDS      nothing; or netem, kernel WireGuard or both: then the case runs in the
#	           virtual machine only (tests/lab/vm)
#
# It sources this file, calls case_begin, sets its condition, runs the two programs with
# smart, and states what must hold: must_recommend, must_say, must_be. A case passes if
# all of it holds. A case that is known to be answered wrongly has a line
#
#	KNOWN_WRONG='what it answers today'
#
# above case_begin; it passes while the answer is wrong and fails once it is right, so
# that the line goes. A failed check (tests/integration/checks.sh) of the condition
# itself fails any case.
#
# Each case adds a row to the table of tests/cases/table, in the folder MTUSWEEP_CASES.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/../integration/lib.sh"
# shellcheck source=tests/cases/tunnels.sh
. "${BASH_SOURCE[0]%/*}/tunnels.sh"

readonly CASE_FILE=$0
CASE_NAME=$(basename "$0" .sh)
readonly CASE_NAME
# Packets that measure the fate of full-size packets with the recommended pair. With
# random loss up to LOST_MAX of them may be missing.
readonly FULL_SIZE_COUNT=20
LOST_MAX=0
# The server's options, for smart.
server_options=()

pair=
answer=
took_ms=0
wrongs=()
judged=no
namespaces=()

# Arguments: FIELD. Print a field of the case's head in one line.
head_field()
{
	sed -n '/^#!/d; /^#/!q; p' "$CASE_FILE" | sed 's/^#[[:space:]]*//' |
		awk -v field="$1" '
			$1 ~ /^(CONDITION|RIGHT|SOURCE|NEEDS)$/ {
				on = $1 == field
				$1 = ""
			}
			on { printf "%s ", $0 }' | sed 's/^ *//; s/ *$//; s/  */ /g'
}

# Print the right pairs, one a line.
right_pairs()
{
	head_field RIGHT | grep -oE '[0-9]{3,5}/[0-9]{3,5}' || true
}

# --- start and end -------------------------------------------------------------------

# Arguments: [OPTION ...] of lab up. The lines are slow, so that the virtual machine,
# which pays for each packet, has time for all cases.
# shellcheck disable=SC2120
case_begin()
{
	local delay=()
	! has_netem || delay=(--delay 10)
	test_begin --rate-up 4 --rate-down 6 "${delay[@]}" "$@"
	trap case_end EXIT
	# The namespaces that outer packets arrive in.
	# shellcheck disable=SC2034
	outer_server=$LAB_SERVER outer_peer=$LAB_PEER
	mkfifo "$tmp/never"
	exec {never}<>"$tmp/never"
}

# Arguments: NAME. Make one more namespace, and set $namespace to its name.
add_namespace()
{
	namespace=ms-$lab_name-$1
	ip netns add "$namespace"
	namespaces+=("$namespace")
	ip -n "$namespace" link set lo up
}

remove_namespaces()
{
	local namespace
	for namespace in "${namespaces[@]}"; do
		ip netns pids "$namespace" | xargs -r kill -KILL
		ip netns del "$namespace"
	done
}

# Arguments: STATE GOT
write_row()
{
	local right
	right=$(right_pairs | paste -sd ' ' | sed 's/ / or /g')
	[[ $right ]] || right=$(head_field RIGHT)
	printf '| %s | %s | %s | %d | %s |\n' "$CASE_NAME" "${right//|/ }" "${2//|/ }" \
		$(((took_ms + 500) / 1000)) "$1" >"$tmp/row"
	cat "$tmp/row"
	[[ ${MTUSWEEP_CASES-} ]] || return 0
	mkdir -p "$MTUSWEEP_CASES"
	cp "$tmp/row" "$MTUSWEEP_CASES/$CASE_NAME"
}

# Arguments: STATUS of the script. Decide the case's state, and count a failure unless
# it is as expected.
conclude()
{
	local got=$pair wrong
	# An answer to a case whose right answer is no pair has none.
	[[ $pair || ! $(right_pairs) ]] || got='no pair'
	for wrong in "${wrongs[@]}"; do
		[[ ! $wrong ]] || got+="${got:+; }$wrong"
	done
	if (($1 || failures)) || [[ $judged == no ]]; then
		write_row broken "$got"
		((failures)) || failed "$CASE_NAME" 'expected: an end with a judgement' \
			"found:    exit status $1"
	elif ((${#wrongs[@]} == 0)) && [[ ! ${KNOWN_WRONG-} ]]; then
		write_row right "${got:-as it should}"
	elif ((${#wrongs[@]} == 0)); then
		write_row mended "${got:-as it should}"
		failed "$CASE_NAME is right now" 'remove its line KNOWN_WRONG'
	elif [[ ${KNOWN_WRONG-} ]]; then
		write_row 'known wrong' "$got"
	else
		write_row WRONG "$got"
		failed "$CASE_NAME" "expected: $(head_field RIGHT)" "found:    $got"
	fi
}

# Print what the last run took, for comparison.
describe_run()
{
	[[ ! -e ${peer_db-} ]] || sql "$peer_db" "
		WITH last AS (SELECT * FROM path ORDER BY run_id DESC LIMIT 1)
		SELECT format('probes: %d and %d sizes, %d ms; measurements: %d, %d of them'
			|| ' without a rate', upload_probes, download_probes, probe_ms,
			count(seq), total(upload_status <> 'ok' OR
			download_status <> 'ok'))
		FROM last LEFT JOIN measurement USING (run_id)"
}

case_end()
{
	local result=$?
	[[ $BASHPID == "$$" ]] || return 0
	trap - ERR
	set +e
	if [[ $tmp ]]; then
		echo "--- the answer, after $took_ms ms"
		echo "$answer"
		describe_run
		conclude "$result"
	fi
	remove_namespaces
	(exit "$result")
	test_end
}

# --- the run -------------------------------------------------------------------------

# Arguments: SECONDS. Sleep without another process, which costs the virtual machine a
# lot.
pause()
{
	read -rt "$1" -u "$never" || true
}

# Arguments: PID SECONDS SIGNAL. Wait for a process, which gets SIGNAL after SECONDS; set
# $status to its exit status. False if it had to get one.
wait_or_end()
{
	local watch_pid ended
	(exec sleep "$2") &
	watch_pid=$!
	status=0
	wait -n -p ended "$1" "$watch_pid" || status=$?
	if [[ $ended == "$1" ]]; then
		kill "$watch_pid"
		return
	fi
	kill -s "$3" "$1"
	status=0
	wait "$1" || status=$?
	return 1
}

# Arguments: [SECONDS]. Wait for the peer's end; set $status, $pair and $answer: all
# that the peer says from its recommendation on, or all of it.
# shellcheck disable=SC2120
await_answer()
{
	local limit=${1-240} begun=${EPOCHREALTIME/[.,]/} log
	wait_or_end "$peer_pid" "$limit" TERM || wrongs+=("no end within $limit s")
	took_ms=$((took_ms + (${EPOCHREALTIME/[.,]/} - begun) / 1000))
	end_server
	log=$(tr '\r' '\n' <"$tmp/peer.log")
	answer=$(sed -n '/^recommended: /,$p' <<<"$log")
	[[ $answer ]] || answer=$log
	pair=
	[[ ! -e $peer_db ]] || pair=$(sql "$peer_db" "SELECT server_mtu || '/' || peer_mtu
		FROM recommendation WHERE run_id = (SELECT max(id) FROM run)")
}

# With --once the server ends by itself after a run, but not after a probe or a failure.
end_server()
{
	local peers_status=$status
	wait_or_end "$server_pid" 4 TERM || true
	status=$peers_status
}

# Arguments: [OPTION ...] of the peer. Run both programs, by default with the strategy
# smart and no range.
# shellcheck disable=SC2120
smart()
{
	rm -f "$peer_db"* "$server_db"*
	start_server --once "${server_options[@]}"
	start_peer --wait 30 "$@"
	await_answer
}

# Run --strategy probe; set $pair to the pair that it predicts.
probe()
{
	smart --strategy probe
}

# Arguments: COUNT. Wait until the run has so many measurements.
await_rows()
{
	local i
	for ((i = 0; i < 240; i++)); do
		[[ ! -e $peer_db ]] || (($(rows_of "$peer_db") < $1)) || return 0
		pause 0.5
	done
	failed "waited for $1 measurements" 'expected: within 120 s' 'found:    not yet'
	exit 1
}

# --- checks of the answer ------------------------------------------------------------

# Arguments: server|peer. Print the direction in which this end sends.
direction_of()
{
	[[ $1 == server ]] && echo download || echo upload
}

other_end()
{
	[[ $1 == server ]] && echo peer || echo server
}

# Arguments: NAMESPACE. Count fragments that arrive there, and echo requests.
count_arrivals()
{
	ip netns exec "$1" nft -f - <<-'RULES'
		table inet fate {
			counter fragments { }
			counter echoes { }
			chain before {
				type filter hook prerouting priority -450;
				ip frag-off & 0x3fff != 0 counter name fragments
				exthdr frag exists counter name fragments
			}
			chain in {
				type filter hook input priority filter;
				icmp type echo-request counter name echoes
				icmpv6 type echo-request counter name echoes
			}
		}
	RULES
}

# Arguments: NAMESPACE COUNTER. Print the packets that it counted.
counted()
{
	ip netns exec "$1" nft list counter inet fate "$2" |
		sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

# Arguments: SENDER RECEIVER MTU. Send packets as large as the MTU from one end's tunnel
# to the other's, fragmented outside where the path does so, and print their fate. No
# answers disturb the count of fragments, on the router and where outer packets arrive.
fate_of_full_size()
{
	local interface=LAB_${1^^}_IF to=LAB_${2^^}_IP
	local inside=LAB_${2^^} outside=outer_$2 header=28 echoes fragments namespace
	inside=${!inside} outside=${!outside}
	[[ ${!to} != *:* ]] || header=48
	for namespace in "$inside" "$outside" "$LAB_ROUTER"; do
		ip netns exec "$namespace" nft list table inet fate >/dev/null 2>&1 ||
			count_arrivals "$namespace"
	done
	on "$2" sysctl -qw net.ipv4.icmp_echo_ignore_all=1 net.ipv6.icmp.echo_ignore_all=1
	on "$1" ping -q -c "$FULL_SIZE_COUNT" -i 0.05 -W 1 -M dont -s $(($3 - header)) \
		-I "${!interface}" "${!to}" >/dev/null 2>&1 || true
	on "$2" sysctl -qw net.ipv4.icmp_echo_ignore_all=0 net.ipv6.icmp.echo_ignore_all=0
	echoes=$(counted "$inside" echoes)
	fragments=$(($(counted "$outside" fragments) + $(counted "$LAB_ROUTER" fragments)))
	if ((echoes < FULL_SIZE_COUNT - LOST_MAX)); then
		echo lost
	elif ((fragments)); then
		echo fragmented
	else
		echo whole
	fi
	for namespace in "$inside" "$outside" "$LAB_ROUTER"; do
		ip netns exec "$namespace" nft delete table inet fate 2>/dev/null || true
	done
}

# The pair must be right, and if full-size packets are lost or fragmented with it, the
# first three lines of the answer must say so.
must_recommend()
{
	local sender fate mtu=${pair%/*}
	must_be 'the pair' "$pair" "$(right_pairs | grep -Fx -e "$pair" || true)" brief
	[[ $pair ]] || return 0
	on server ip link set "$LAB_SERVER_IF" mtu "${pair%/*}"
	on peer ip link set "$LAB_PEER_IF" mtu "${pair#*/}"
	for sender in server peer; do
		fate=$(fate_of_full_size "$sender" "$(other_end "$sender")" "$mtu")
		mtu=${pair#*/}
		echo "full-size packets, $(direction_of "$sender"): $fate"
		# The lines of the path say what happens to packets of any size.
		[[ $fate == whole ]] || head -n 3 <<<"$answer" | grep -v '^path, ' |
			grep -Eiq 'fragment|lost|loses|in pieces' ||
			wrongs+=("$(direction_of "$sender") $fate, unsaid")
	done
}

# Arguments: WHAT REGEX [TEXT]. The answer, or TEXT, must match.
must_say()
{
	judged=yes
	grep -Eiq -e "$2" <<<"${3-$answer}" || wrongs+=("$1: not said")
}

# Arguments: WHAT REGEX [TEXT]. The answer, or TEXT, must not match.
must_not_say()
{
	judged=yes
	! grep -Eiq -e "$2" <<<"${3-$answer}" || wrongs+=("$1: said")
}

# Arguments: WHAT EXPECTED FOUND [brief]: brief if the table has FOUND already.
# shellcheck disable=SC2015
must_be()
{
	judged=yes
	if [[ $2 != "$3" || ! $2 ]]; then
		[[ ${4-} == brief ]] && wrongs+=('') || wrongs+=("$1: $3, not $2")
	fi
}
