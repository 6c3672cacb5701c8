#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/latency.sh queue|differ|far
#
# Latency under load. queue: a bottleneck holds 300 ms of packets, and the idle path has
# almost no round trip: both databases, the exports, the map and the comparison have both
# figures. differ: the upload's bottleneck holds a number of packets, so its queue is as
# long as they are large: the recommendation mentions that the upload's round trip depends
# on the pair, and the download's not. far: the same as queue, 60 ms away.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly RATE=6
range=(--mtu-min 1400 --mtu-max 1400)

# Arguments: EXPRESSION. Print it for the peer's rows.
detail()
{
	sql "$peer_db" "SELECT $1 FROM measurement JOIN measurement_detail
		USING (run_id, seq) ORDER BY run_id, seq"
}

mtusweep()
{
	"$MTUSWEEP_BIN/mtusweep" "$@" --db "$peer_db"
}

# Arguments: [OPTION ...] of the peer
sweep()
{
	start_server --once "${range[@]}"
	start_peer --congestion reno "${range[@]}" "$@"
	wait_both 120
}

# Arguments: DIRECTION IDLE-MS QUEUE-MS. Reno lets a queue become half empty after a loss,
# and the burst that tbf allows needs no queue.
check_direction()
{
	check_equal "the $1's idle round trip" 1 "$(detail \
		"$1_latency_idle_us BETWEEN $2 * 1000 AND ($2 + 30) * 1000")"
	check_equal "its 95th percentile" 1 "$(detail \
		"$1_latency_idle_p95_us BETWEEN $1_latency_idle_us AND ($2 + 60) * 1000")"
	check_equal "the $1's median under load" 1 "$(detail \
		"$1_latency_us BETWEEN ($2 + $3 * 0.4) * 1000 AND ($2 + $3 + 60) * 1000")"
	check_equal "its 95th percentile" 1 "$(detail \
		"$1_latency_p95_us BETWEEN max($1_latency_us, ($2 + $3 * 0.7) * 1000)
		AND ($2 + $3 + 60) * 1000")"
}

# Arguments: IDLE-MS
check_queues()
{
	local figures
	for direction in upload download; do
		check_direction "$direction" "$1" 300
	done
	figures="SELECT upload_latency_idle_us, upload_latency_idle_p95_us,
		upload_latency_us, upload_latency_p95_us, download_latency_idle_us,
		download_latency_idle_p95_us, download_latency_us, download_latency_p95_us
		FROM measurement_detail"
	check_same_text "the server's copy" "$(sql "$peer_db" "$figures")" \
		"$(sql "$server_db" "$figures")"
	check_equal 'the median in the export' "$(detail download_latency_us)" "$(mtusweep \
		export --format json | perl -MJSON::PP -0777 -ne \
		'print decode_json($_)->{measurements}[0]{download}{latency_us}')"
	check_equal 'the same on the map' "$(detail download_latency_us)" "$(mtusweep \
		heatmap --figure latency --json | perl -MJSON::PP -0777 -ne \
		'print decode_json($_)->{maps}[1]{cells}[0]{latency_us}')"
	check_match 'its scale' ' ms$' "$(mtusweep heatmap --figure latency)"
	check_equal 'the comparison' "$(detail upload_latency_us)" "$(mtusweep \
		compare 1 1 --json | perl -MJSON::PP -0777 -ne \
		'print decode_json($_)->{latency}{upload}{second_us}')"
}

queue()
{
	test_begin --inner 4 --rate-up "$RATE" --rate-down "$RATE" --queue 300
	sweep --duration 3
	check_queues 0
}

far()
{
	test_begin --inner 4 --rate-up "$RATE" --rate-down "$RATE" --queue 300 --delay 30
	sweep --duration 4
	check_queues 60
}

differ()
{
	local said
	test_begin --inner 4 --rate-up "$RATE" --rate-down "$RATE" --queue 60
	on router tc qdisc replace dev server parent 10:1 handle 30: pfifo limit 80
	range=(--mtu-min 720 --mtu-max 1440 --mtu-step 720)
	sweep --passes 3 --duration 1
	said=$(mtusweep best)
	check_match 'the upload, which differs' \
		'^note: upload: the round trip under load is [0-9]+ ms with server MTU 14' \
		"$said"
	check_equal 'the download, which does not' 0 \
		"$(grep -c '^note: download: the round trip' <<<"$said" || :)"
	check_equal 'what is stored' 'upload 1440/1440' "$(sql "$peer_db" "SELECT
		direction || ' ' || server_mtu || '/' || peer_mtu FROM run_warning
		WHERE kind = 'latency' AND rtt_ms > value * 1.3")"
}

case ${1-} in
queue | differ | far) "$1" ;;
*) echo 'usage: latency.sh queue|differ|far' && exit 2 ;;
esac
