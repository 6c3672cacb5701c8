#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/alone_iperf.sh CASE
#
# mtusweep-peer --alone --iperf-server: the MTUs of this end, measured with a stock iperf3
# server behind the tunnel. The rows are stored, and confirm or contradict what the probes
# recommend; afterwards the host is as it was, unless a confirmed MTU was to be applied.

# shellcheck source=tests/integration/alone_lib.sh
. "${BASH_SOURCE[0]%/*}/alone_lib.sh"

# Arguments: [OPTION ...] of iperf3. Set $iperf_pid.
start_iperf()
{
	run_on server iperf3 --server --bind "$LAB_SERVER_IP" --forceflush "$@" \
		>"$tmp/iperf.log" 2>&1 &
	iperf_pid=$!
	wait_for 10 'iperf3' listening 5201
}

# Lines of which each direction has its own rate, which a busy machine may not reach.
begin_rates()
{
	begin --rate-up 4 --rate-down 12
}

# Arguments: [OPTION ...]
measure()
{
	alone --iperf-server "$LAB_SERVER_IP" --duration 1 "$@"
}

# The same in the background.
measure_meanwhile()
{
	run_on peer "$MTUSWEEP_BIN/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--db "$peer_db" --alone --iperf-server "$LAB_SERVER_IP" "$@" \
		</dev/null >"$tmp/peer.out" 2>"$tmp/peer.log" &
	peer_pid=$!
}

# The far end's TCP drops the upload's packets above this size: no probe meets that.
lose_tcp_above()
{
	on server nft "table inet far { chain in { type filter hook input priority 0;
		iifname \"$LAB_SERVER_IF\" tcp dport 5201 meta length gt $1 drop; }; }"
}

# Print the run's rows: "MTU UPLOAD DOWNLOAD", each with its status, in their order.
rows()
{
	sql "$peer_db" "SELECT peer_mtu || ' ' || upload_status || ' ' || download_status
		FROM measurement WHERE run_id = (SELECT max(id) FROM run) ORDER BY seq"
}

# Arguments: COLUMN, of the newest run
of_run()
{
	sql "$peer_db" "SELECT $1 FROM run ORDER BY id DESC LIMIT 1"
}

status_stored()
{
	sql "$peer_db" 'SELECT status FROM reason ORDER BY run_id DESC LIMIT 1'
}

# The last lines of the answer are the first ones of the stored run's.
check_stored()
{
	local said
	said=$(sed -n '/^recommended/h; /^recommended/!H; ${ x; p }' <<<"$answer")
	check_same_text "$CASE: the stored answer" "$said" "$("$MTUSWEEP_BIN/mtusweep" \
		best --db "$peer_db" | head -n "$(wc -l <<<"$said")")"
	check_equal "$CASE: an unknown MTU in the views" 0 "$(sql "$peer_db" \
		'SELECT count(*) FROM results WHERE server_mtu IS NOT NULL')"
}

# Arguments: MTU. Check a run that confirmed it.
check_confirmed()
{
	check_says 'first' "^recommended: peer MTU $1; predicted by probes of this end \
alone, tests follow"
	check_says 'then' "recommended: peer MTU $1; predicted by probes of this end \
alone, confirmed by tests"
	check_equal "$CASE: the outcome" 'done' "$(of_run outcome)"
	check_equal "$CASE: the status" confirmed "$(status_stored)"
	check_stored
}

# Arguments: REGEX. A run that the server ended, with nothing left of it.
check_refused()
{
	check_equal "$CASE: the exit status" 1 "$status"
	check_match "$CASE: which it says" \
		"iperf3 server at $LAB_SERVER_IP, port 5201: $1" "$(<"$tmp/peer.log")"
	check_match "$CASE: the outcome" "^failed\|no throughput from the iperf3 .*: $1" \
		"$(of_run 'outcome, outcome_text')"
	check_same_text "$CASE: both hosts" "$before" "$(everything)"
}

readonly UP='upload [1-4](\.[0-9]+)? Mbit/s'
readonly DOWN='download ([2-9]|1[0-2])(\.[0-9]+)? Mbit/s'

# The recommended MTU and the present one, both of which work.
case_both()
{
	begin_rates
	start_iperf
	alone --iperf-server "$LAB_SERVER_IP" --duration 2
	check_equal 'the exit status' 0 "$status"
	check_confirmed 1440
	check_says 'recommended' "  tests with MTU 1440: $UP, $DOWN"
	check_says 'current' "  tests with MTU 1420, the current one: $UP, $DOWN"
	# The far end's MTU is 1420: no test has sent a packet of 1440 bytes.
	check_says 'what is confirmed' ', confirmed by tests of smaller packets'
	check_says "the far end's MTU" 'TCP sent packets of 1420 bytes at most'
	check_equal 'the latency of what this end sends' $'1|1|1|1\n1|1|1|1' \
		"$(sql "$peer_db" 'SELECT upload_latency_us > upload_latency_idle_us,
		upload_latency_idle_p95_us >= upload_latency_idle_us,
		download_latency_idle_p95_us >= download_latency_idle_us,
		download_latency_us IS NULL FROM measurement_detail')"
	check_same_text 'the rows' $'1440 ok ok\n1420 ok ok' "$(rows)"
	check_equal 'the view' '|1420 |1440' "$(sql "$peer_db" 'SELECT server_mtu,
		peer_mtu FROM results WHERE upload_mbps > 0 AND download_mbps > 0
		ORDER BY peer_mtu' | xargs)"
	check_equal 'the run' 'smart|none|2000' \
		"$(of_run 'strategy, persist, duration_ms')"
	check_same_text 'both hosts' "$before" "$(everything)"
	kill "$iperf_pid"
}

# Upload loses full-size packets with the present MTU, as the probes show.
case_hole()
{
	begin_rates
	start_iperf
	"$LAB" hole "$lab_name" upload 1440
	alone --iperf-server "$LAB_SERVER_IP:5201" --duration 1
	check_equal 'the exit status' 3 "$status"
	check_confirmed 1380
	check_says 'current' \
		"the current one: upload nothing got through, download not measured"
	check_same_text 'the rows' $'1380 ok ok\n1420 blackhole error' "$(rows)"
	check_same_text 'both hosts' "$before" "$(everything)"
	kill "$iperf_pid"
}

# Download loses full-size packets, since the far end's MTU is too large: no MTU of this end
# is at fault.
case_hole_down()
{
	begin_rates
	start_iperf
	"$LAB" hole "$lab_name" download 1440
	measure
	check_equal 'the exit status' 0 "$status"
	check_says 'the doubt' 'recommended: peer MTU 1440; .*, not confirmed by tests'
	check_says 'recommended' "with MTU 1440: $UP, download nothing got through"
	check_says 'the cause' "probes explain the download: the far end's MTU is too large"
	check_same_text 'the rows' $'1440 ok blackhole\n1420 ok blackhole' "$(rows)"
	check_equal 'the status' predicted "$(status_stored)"
	check_stored
	check_same_text 'both hosts' "$before" "$(everything)"
	kill "$iperf_pid"
}

# Tests show that the probes' answer does not hold for TCP: it is said, and not applied.
case_contradicted()
{
	begin_rates
	on server ip link set "$LAB_SERVER_IF" mtu 1500
	before=$(everything)
	start_iperf
	lose_tcp_above 1425
	measure --persist best --conf-file "$LAB_PEER_CONF"
	check_equal 'the exit status' 1 "$status"
	check_says 'first' '^recommended: peer MTU 1440; .*, tests follow'
	check_says 'then' "recommended: no MTU: peer MTU 1440 was predicted by probes of \
this end alone, and tests contradict them"
	check_says 'the rates' '  tests with MTU 1440: upload nothing got through, '
	check_match 'which it says' 'MTU 1440 is not applied: tests contradict the probes' \
		"$(<"$tmp/peer.log")"
	check_same_text 'the rows: the MTU is measured again' \
		$'1440 blackhole ok\n1440 blackhole ok\n1420 ok ok' "$(rows)"
	check_equal 'the outcome' \
		'failed|MTU 1440 is not applied: tests contradict the probes' \
		"$(of_run 'outcome, outcome_text')"
	check_equal 'the status' contradicted "$(status_stored)"
	check_stored
	check_same_text 'both hosts' "$before" "$(everything)"
	measure
	check_equal 'nothing to be applied: the exit status' 1 "$status"
	check_equal 'nothing to be applied: the outcome' 'done' "$(of_run outcome)"
	check_match 'nothing to be applied' 'no MTU is known to fit: tests contradict' \
		"$(<"$tmp/peer.log")"
	kill "$iperf_pid"
}

# The first failed test ends the run, which is concluded with what it has.
case_first_failure()
{
	begin_rates
	on server ip link set "$LAB_SERVER_IF" mtu 1500
	before=$(everything)
	start_iperf
	lose_tcp_above 1425
	measure --peer-skip-errors False --persist best --conf-file "$LAB_PEER_CONF"
	check_equal 'the exit status' 1 "$status"
	check_says 'the doubt' 'recommended: peer MTU 1440; .*, not confirmed by tests'
	check_says 'the rates' '  tests with MTU 1440: upload nothing got through, '
	check_says 'the test' '  with MTU 1440 a test contradicts the probes, which no '
	check_match 'which it says' \
		"stopped at the first failed test: peer MTU 1440: 'blackhole'" \
		"$(<"$tmp/peer.log")"
	check_same_text 'the rows' '1440 blackhole ok' "$(rows)"
	check_equal 'the outcome' \
		"failed|stopped at the first failed test: peer MTU 1440: 'blackhole'" \
		"$(of_run 'outcome, outcome_text')"
	check_equal 'the tests that are concluded' 1 "$(sql "$peer_db" \
		'SELECT visits FROM reason')"
	check_stored
	check_same_text 'both hosts' "$before" "$(everything)"
	kill "$iperf_pid"
}

# The far end drops large packets, but lets the tests' TCP pass. Data that arrives with a
# larger MTU leaves the recommended one as it is.
case_larger()
{
	begin_rates
	on server ip link set "$LAB_SERVER_IF" mtu 1500
	before=$(everything)
	start_iperf
	on server nft "table inet far { chain in { type filter hook input priority 0;
		iifname \"$LAB_SERVER_IF\" tcp dport 5201 accept;
		iifname \"$LAB_SERVER_IF\" meta length gt 1350 drop; }; }"
	measure
	check_equal 'the exit status' 3 "$status"
	check_confirmed 1350
	check_says 'the rates' "  tests with MTU 1350: $UP, $DOWN"
	check_says 'larger ones' "  with MTU 1420 TCP arrives, although probes of that \
size were lost: MTUs above 1350 may fit"
	check_same_text 'the rows: the larger MTU is measured again' \
		$'1350 ok ok\n1420 ok ok\n1420 ok ok' "$(rows)"
	check_same_text 'both hosts' "$before" "$(everything)"
	measure --persist best --conf-file "$LAB_PEER_CONF"
	check_equal 'it is applied: the exit status' 0 "$status"
	check_equal "the link's MTU" 1350 "$(link_mtu peer)"
	kill "$iperf_pid"
}

case_apply()
{
	local other
	begin_rates
	other=$(others)
	cp "$LAB_PEER_CONF" "$tmp/conf.before"
	start_iperf
	"$LAB" hole "$lab_name" upload 1440
	measure --persist best --conf-file "$LAB_PEER_CONF"
	check_equal 'the exit status' 0 "$status"
	check_confirmed 1380
	check_equal "the link's MTU" 1380 "$(link_mtu peer)"
	# Compare digests: the files hold keys.
	check_equal 'the conf file' \
		"$(sed 's/^MTU = .*/MTU = 1380/' "$tmp/conf.before" | sha256sum)" \
		"$(sha256sum <"$LAB_PEER_CONF")"
	check_same_text 'all else' "$other" "$(others)"
	check_match 'what it says' 'this end has applied MTU 1380, in link and conf' \
		"$(<"$tmp/peer.log")"
	kill "$iperf_pid"
}

# All MTUs of this end's range, and the document in place of texts.
case_grid()
{
	begin_rates
	start_iperf
	"$LAB" hole "$lab_name" upload 1440
	measure --mtu-min 1340 --mtu-max 1400 --passes 2 --order shuffled --seed 5 --json
	check_equal 'the exit status' 3 "$status"
	check_equal 'the run' 'grid|2|5|11|1340|1400|20' "$(of_run "strategy, passes, seed,
		pairs_planned, peer_mtu_min, peer_mtu_max, peer_mtu_step")"
	check_equal 'the rows' \
		'1340 ok ok 1360 ok ok 1380 ok ok 1400 blackhole ok' \
		"$(rows | sort -u | xargs)"
	check_equal 'their number' 11 "$(rows | wc -l)"
	check_says 'the rows in the document' '"server_mtu":null,"peer_mtu":1400,'
	check_says 'the recommendation' \
		'"server_mtu":null,"peer_mtu":1380,"status":"confirmed"'
	check_same_text 'the run as show prints it' "$answer" \
		"$("$MTUSWEEP_BIN/mtusweep" show --json --db "$peer_db")"
	check_same_text 'both hosts' "$before" "$(everything)"
	kill "$iperf_pid"
}

# Another client has it, for longer than --wait, then until this one waits.
case_busy()
{
	local other
	begin_rates
	start_iperf
	run_on server iperf3 --client "$LAB_SERVER_IP" --bind "$LAB_SERVER_IP" \
		--time 60 --bitrate 1M >/dev/null 2>&1 &
	other=$!
	wait_for 10 'a test of another client' grep -q 'connected to' "$tmp/iperf.log"
	measure --wait 1
	check_refused '.* busy'
	(
		wait_for 20 'the wait' grep -q 'waiting for the iperf3' "$tmp/peer.log"
		kill "$other"
	) &
	measure
	check_confirmed 1440
	check_match 'it waited' 'waiting for the iperf3 server: .* busy' \
		"$(<"$tmp/peer.log")"
	check_same_text 'both hosts' "$before" "$(everything)"
	kill "$iperf_pid"
}

has_row()
{
	[[ -e $peer_db && -n $(rows) ]]
}

# The server goes away in the middle: what was measured before is kept.
case_gone()
{
	begin_rates
	start_iperf
	measure_meanwhile --duration 1 --strategy grid --wait 5
	wait_for 30 'the first row' has_row
	kill -KILL "$iperf_pid"
	wait_exit "$peer_pid" 60 'the peer'
	check_refused '.*'
	check_match 'it waited' 'waiting for the iperf3 server' "$(<"$tmp/peer.log")"
	check_equal 'the first row' '1280 ok ok' "$(rows | head -n 1)"
	check_equal 'the status' predicted "$(status_stored)"
}

# This end's interface goes down in a test, for a moment: what was measured then does not
# count.
case_fell()
{
	begin_rates
	start_iperf
	measure_meanwhile --duration 2 --mtu-min 1400 --mtu-max 1420
	wait_for 30 'the first row' has_row
	on peer ip link set "$LAB_PEER_IF" down
	on peer ip link set "$LAB_PEER_IF" up
	wait_exit "$peer_pid" 90 'the peer'
	check_equal 'the exit status' 0 "$status"
	check_match 'which it says' "MTU 1420 was interrupted and will be measured again: \
interface '$LAB_PEER_IF' (was|is) down" "$(<"$tmp/peer.log")"
	check_equal 'the rows' '1400 ok ok 1420 ok ok' "$(rows | xargs)"
	check_equal 'the outcome' 'done' "$(of_run outcome)"
	check_equal 'the MTU of before' 1420 "$(link_mtu peer)"
	kill "$iperf_pid"
}

# The measured MTU does not outlive the program.
case_stopped()
{
	begin_rates
	start_iperf
	measure_meanwhile --duration 60
	wait_for 20 'a test' grep -q 'connected to' "$tmp/iperf.log"
	check_equal 'the MTU of a test' 1440 "$(link_mtu peer)"
	kill -INT "$peer_pid"
	wait_exit "$peer_pid" 5 'the peer'
	check_equal 'the exit status' 1 "$status"
	check_match 'which it says' 'stopped by Interrupt; the MTU is restored' \
		"$(<"$tmp/peer.log")"
	check_match 'the outcome' '^interrupted\|stopped by Interrupt; the MTU is rest' \
		"$(of_run 'outcome, outcome_text')"
	check_same_text 'both hosts' "$before" "$(everything)"
	kill "$iperf_pid"
}

# The server wants a user and a password.
case_users()
{
	begin
	openssl genrsa -out "$tmp/key.pem" 2048 2>/dev/null
	echo "user,$(printf '{user}word' | sha256sum | cut -d ' ' -f 1)" >"$tmp/users"
	start_iperf --rsa-private-key-path "$tmp/key.pem" \
		--authorized-users-path "$tmp/users"
	measure
	check_refused 'the server asks for a user and a password, and mtusweep sends none'
	kill "$iperf_pid"
}

"case_$CASE"
