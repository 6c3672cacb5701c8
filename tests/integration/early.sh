#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests that end as soon as their goodput is known. Compared with long tests on the same
# tunnel they are shorter and give the same goodput, and both ends' databases have it
# with its interval. The sender uses the requested congestion control, or the test is
# refused.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly PAIR=(--mtu-min 1400 --mtu-max 1400)
readonly SECONDS_LONG=6

# Arguments: [OPTION ...] of the peer
sweep()
{
	rm -f "$peer_db"* "$server_db"*
	start_server --once "${PAIR[@]}"
	start_peer "${PAIR[@]}" --duration "$SECONDS_LONG" "$@"
	wait_both 60
}

# Arguments: COLUMN, of the peer's only row
figure()
{
	sql "$peer_db" "SELECT $1 FROM measurement"
}

# Arguments: ALGORITHM. True if an unprivileged process may use it.
may_be_used()
{
	grep -qw "$1" /proc/sys/net/ipv4/tcp_allowed_congestion_control
}

# Arguments: DIRECTION LONG-GOODPUT
check_direction()
{
	check_equal "the $1's status" ok "$(figure "$1_status")"
	check_equal "the $1 is shorter than its duration, not than 0.5 s" 1 "$(figure \
		"$1_duration_ms BETWEEN 500 AND $SECONDS_LONG * 900")"
	# Both goodputs are known to 3 %.
	check_near "the $1's goodput, beside a long test's" "$2" 6 \
		"$(figure "$1_goodput_bps")"
	check_equal "the $1's goodput lies in its interval" 1 "$(figure \
		"$1_goodput_bps BETWEEN $1_goodput_low_bps AND $1_goodput_high_bps")"
	check_equal "the $1's interval is as narrow as asked for" 1 "$(figure \
		"$1_goodput_high_bps <= $1_goodput_bps * 1.031")"
	check_equal "the $1 has libiperf's own figures" 1 "$(figure \
		"$1_sent_bps > 0 AND $1_received_bps > 0 AND $1_retransmits >= 0")"
	check_equal "the $1's round trip" 1 "$(figure "$1_rtt_us > 0")"
	check_equal "the $1's packets are as large as the smaller MTU" 1 "$(sql "$peer_db" \
		"SELECT $1_packet_bytes = min(server_mtu, peer_mtu)
		FROM measurement JOIN measurement_detail USING (run_id, seq)")"
}

# Rates far below the capacity of a busy machine.
test_begin --rate-up 12 --rate-down 20
sweep
check_equal 'long tests last their time' 1 "$(figure "min(upload_duration_ms,
	download_duration_ms) >= $SECONDS_LONG * 990")"
upload=$(figure upload_goodput_bps) download=$(figure download_goodput_bps)
# Every kernel permits reno to everybody; the others only if they are loaded and the
# default, or bbr.
for algorithm in reno cubic bbr; do
	may_be_used "$algorithm" || continue
	echo "with $algorithm"
	sweep --precision 3 --congestion "$algorithm"
	check_direction upload "$upload"
	check_direction download "$download"
	check_equal 'the congestion control of the run, at the peer' "$algorithm" \
		"$(sql "$peer_db" 'SELECT congestion FROM run')"
	check_equal 'the same at the server' "$algorithm" \
		"$(sql "$server_db" 'SELECT congestion FROM run')"
done
check_same_text "the server's copy" \
	"$(figure 'upload_goodput_low_bps, upload_goodput_high_bps, download_goodput_bps,
		download_goodput_low_bps, download_goodput_high_bps')" \
	"$(sql "$server_db" 'SELECT upload_goodput_low_bps, upload_goodput_high_bps,
		download_goodput_bps, download_goodput_low_bps, download_goodput_high_bps
		FROM measurement')"

start_server --once "${PAIR[@]}"
start_peer "${PAIR[@]}" --congestion nosuch
wait_exit "$peer_pid" 20 'a peer with a congestion control that there is not'
check_equal 'its exit status' 1 "$status"
check_match 'its reason' \
	"congestion nosuch cannot be used: this end has '.*reno.*', the server '.*reno" \
	"$(cat "$tmp/peer.log")"
kill "$server_pid"
wait_exit "$server_pid" 10 'the server'
