#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two tunnels of one host in node_exporter's textfile collector, scraped by Prometheus, with
# the alert rules of packaging/prometheus. All of it in a network namespace of its own.
#
#	test_prometheus.sh PROGRAM SOURCES TOOLS
#
# TOOLS is the folder with promtool, prometheus and node_exporter.

set -uo pipefail
if [[ ${MTUSWEEP_IN_NAMESPACE-} != yes ]]; then
	((EUID == 0)) || {
		echo 'this test makes a network namespace: it must be run as root'
		exit 1
	}
	MTUSWEEP_IN_NAMESPACE=yes exec unshare -n "$BASH" "$0" "$@"
fi
program=$(realpath -e "$1") || exit 1
sources=$(realpath -e "$2") || exit 1
tools=$(realpath -m "$3")
for tool in promtool prometheus node_exporter; do
	[[ -x $tools/$tool ]] || {
		echo "no '$tools/$tool': scripts/install-deps --test puts it there"
		exit 1
	}
done
# shellcheck source=tests/integration/checks.sh
. "$sources/tests/integration/checks.sh"

readonly EXPORTER=127.0.0.1:9100 PROMETHEUS=127.0.0.1:9090
folder=$(mktemp -d /tmp/mtusweep-test-XXXXXX) || exit 1
pids=()

finish()
{
	local result=$?
	trap - EXIT
	((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null
	wait
	((result == 0 && failures == 0)) || tail -n 20 "$folder"/*.log
	rm -rf "$folder"
	echo "$checks checks, $failures failed"
	((failures == 0)) || result=1
	exit "$result"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$folder" || exit 1

# Runs 1 and 3 are those of the first tunnel, run 2 that of the second one: the same
# hosts, and the same interface at the hub. Run 4 has no result. Run 5 is a watch of the
# first tunnel, run 6 one of a third tunnel, that has nothing else.
hub=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
one=3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
two=hHwNLDdSNPNl5mCVUYejc1oPdhPRYJ06ak2MU66qWiI=
first=3p7bfXt9-hSDwCYkw
three=zHwNLDdSNPNl5mCVUYejc1oPdhPRYJ06ak2MU66qWiI=
second=hHwNLDdS-hSDwCYkw
third=hSDwCYkw-zHwNLDdS
host=$(hostname)
old=$(date -u -d '-30 days' +%FT%T.000Z)
now=$(date -u +%FT%T.000Z)
{
	cat "$sources/store/schema.sql" "$sources/store/schema2.sql"
	for run in 1 2 3 4 5 6; do
		cat <<-SQL
		INSERT INTO run (id, uuid, role, started_at, ended_at, outcome,
			strategy, passes, seed, persist, server_host,
			server_interface, server_address, server_backend,
			server_mtu_min, server_mtu_max, server_mtu_step, peer_host,
			peer_interface, peer_backend,
			peer_mtu_min, peer_mtu_max, peer_mtu_step)
		VALUES ($run, '0a1b2c3$run-0000-4000-8000-000000000000', 'server',
			'$old', CASE $run WHEN 2 THEN '$old' ELSE '$now' END, 'done',
			'smart', 1, '7', 'none', '$host', 'lo', '127.0.0.1', 'kernel',
			1280, 1420, 70, 'spoke "1"', 'wg0', 'kernel', 1280, 1420, 70);
		SQL
	done
	for run in 1 2 3; do
		cat <<-SQL
		INSERT INTO path (run_id, overhead, upload_probes, download_probes,
			probe_ms)
		VALUES ($run, 60, 5, 5, 500);
		INSERT INTO path_band (run_id, direction, size_max, fate) VALUES
			($run, 'upload', 1490 + $run, 'whole'),
			($run, 'upload', 65535, 'lost'),
			($run, 'download', 65535, 'fragmented');
		INSERT INTO recommendation (run_id, server_mtu, peer_mtu, settled, text)
		VALUES ($run, 1400, 1400 + $run, 1, '');
		INSERT INTO reason (run_id, kind, status, margin, visits)
		VALUES ($run, 'fits', 'predicted', 5, 0);
		SQL
	done
	cat <<-SQL
		INSERT INTO path_detail SELECT run_id, 60, 60, 0, 0, 0, 1, 0 FROM path;
		INSERT INTO run_tunnel (run_id, tunnel, server_key, peer_key) VALUES
		(1, '$first', '$hub', '$one'), (2, '$second', '$hub', '$two'),
		(3, '$first', '$hub', '$one'), (4, '$first', '$hub', '$one'),
		(5, '$first', '$hub', '$one'), (6, '$third', '$hub', '$three');
		UPDATE run SET strategy = 'watch' WHERE id >= 5;
		INSERT INTO path_probe (run_id, seq, probed_at, took_ms, answer, early,
			server_mtu, peer_mtu, largest_server_mtu, largest_peer_mtu, fit,
			upload_whole, upload_bands, event, applied) VALUES
		(5, 1, '$old', 9, 'ok', 0, 1410, 1420, 1410, 1420, 'fits', 1500,
			'1500:whole,65535:lost', 'quiet', 'no'),
		(5, 2, '$now', 9, 'ok', 1, 1410, 1420, 1410, 1380, 'misfit', 1440,
			'1440:whole,65535:lost', 'misfit', 'no'),
		(6, 1, '$old', 9, 'none', 0, 1410, NULL, NULL, NULL, 'unknown', NULL,
			NULL, 'silent', 'no');
	SQL
} >db.sql
sqlite3 -bail mtusweep.db <db.sql || exit 1
ip link set lo mtu 1410 up || exit 1

# Arguments: FILE [OPTION ...]
export_to()
{
	"$program" export --format prometheus -o "$@" || exit 1
	check_equal "what promtool says of ${*:2}" '' \
		"$("$tools/promtool" check metrics <"$1" 2>&1)"
}

# Arguments: FILE NAME LABELS. Print the value of the sample that has these labels too.
sample()
{
	awk -v name="mtusweep_$2{" -v labels="$3" \
		'index($0, name) == 1 && index($0, labels) { print $NF }' "$1"
}

# Each tunnel by its newest run that has a result, and all in one file.
export_to all.prom
check_equal 'the runs' "0a1b2c36-0000-4000-8000-000000000000 \
0a1b2c33-0000-4000-8000-000000000000 \
0a1b2c32-0000-4000-8000-000000000000" "$(sed -n \
	's/^mtusweep_run_info{.*uuid="\([^"]*\)".*/\1/p' all.prom | xargs)"
tunnels="($first|$second|$third)"
unlabelled=$(grep -v '^#' all.prom | grep -vE "^mtusweep_[a-z_]+\{server=\"$host\",\
peer=\"spoke \\\\\"1\\\\\"\",interface=\"lo\",tunnel=\"$tunnels\"[,}]" || true)
check_equal 'series without the four labels' '' "$unlabelled"
check_equal 'what arrives whole' 1493 \
	"$(sample all.prom path_whole_bytes "$first\",direction=\"upload\"")"
check_equal 'what arrives whole, where all is fragmented' 0 \
	"$(sample all.prom path_whole_bytes "$first\",direction=\"download\"")"
check_equal 'a doubt' '0 1' "$(sample all.prom path_doubtful "$first" | xargs)"
check_equal 'the time of the result' "$(date -d "$now" +%s) $(date -d "$old" +%s)" \
	"$(sample all.prom last_result_timestamp_seconds '' | xargs)"
check_equal 'the recommended MTUs' '1400 1403 1400 1402' \
	"$(sample all.prom mtu_recommended_bytes '' | xargs)"
check_equal 'the MTU now, of the end that is here' '1410 1410 1410' \
	"$(sample all.prom mtu_live_bytes 'end="server"' | xargs)"
check_equal 'the MTU of the end that is not here' '' \
	"$(sample all.prom mtu_live_bytes 'end="peer"')"
# The newest watch of each tunnel, by its last probe.
check_equal 'the watches' "$(date -d "$now" +%s) $(date -d "$old" +%s)" \
	"$(sample all.prom watch_last_probe_timestamp_seconds '' | sort -r | xargs)"
check_equal 'whether they were answered' '0 1' \
	"$(sample all.prom watch_answered '' | sort | xargs)"
check_equal 'whether the MTUs fit, where that is known' 0 \
	"$(sample all.prom watch_fits '')"
check_equal 'what arrives whole now' 1440 \
	"$(sample all.prom watch_whole_bytes "$first\",direction=\"upload\"")"
check_equal 'the MTUs in use' '1410 1420' \
	"$(sample all.prom watch_mtu_bytes "$first" | xargs)"
check_equal 'the largest that fit' '1410 1380' \
	"$(sample all.prom watch_mtu_largest_bytes "$first" | xargs)"
check_equal 'of the tunnel without a watch' '' \
	"$(grep '^mtusweep_watch' all.prom | grep -F "$second" || true)"
check_equal 'of the tunnel with nothing else' \
	'watch_answered watch_last_probe_timestamp_seconds watch_mtu_bytes' \
	"$(sed -n "s/^mtusweep_\(watch[a-z_]*\){.*$third.*/\1/p" all.prom | sort | xargs)"
# A copy of the database at another host says nothing about links.
sed "s/'$host'/'elsewhere'/" db.sql | sqlite3 -bail copy.db
export_to copy.prom --db copy.db
check_equal 'the MTU at another host' '' "$(sample copy.prom mtu_live_bytes '')"
# One run alone.
export_to run.prom --run 1
check_equal 'one run' 1491 "$(sample run.prom path_whole_bytes 'direction="upload"')"

# The collector takes a file for each tunnel, and neither hides the other.
mkdir textfile
export_to textfile/first.prom --tunnel "$first"
export_to textfile/second.prom --tunnel "$second"
"$tools/node_exporter" --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory="$folder/textfile" --web.listen-address="$EXPORTER" \
	>node_exporter.log 2>&1 &
pids+=($!)
cp "$sources/packaging/prometheus/mtusweep.rules.yml" .
cat >prometheus.yml <<YML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [mtusweep.rules.yml]
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ['$EXPORTER']
YML
"$tools/prometheus" --config.file=prometheus.yml --storage.tsdb.path="$folder/tsdb" \
	--web.listen-address="$PROMETHEUS" >prometheus.log 2>&1 &
pids+=($!)

collected()
{
	curl -s "http://$EXPORTER/metrics" >metrics && grep -q '^mtusweep_' metrics
}

# Arguments: QUERY. Print the answer of Prometheus.
ask()
{
	curl -s -G "http://$PROMETHEUS/api/v1/query" --data-urlencode "query=$1"
}

# Arguments: QUERY TEXT
answers()
{
	ask "$1" | grep -qF "$2"
}

wait_for 60 'the textfile collector' collected
check_equal 'errors of the collector' 'node_textfile_scrape_error 0' \
	"$(grep '^node_textfile_scrape_error' metrics)"
check_equal 'the time of the result, collected' \
	"$(sample all.prom last_result_timestamp_seconds '' | sort)" \
	"$(grep '^mtusweep_last_result' metrics | awk '{ printf "%d\n", $NF }' | sort)"
wait_for 60 'both tunnels in Prometheus' answers \
	'count(count by (tunnel) (mtusweep_path_whole_bytes))' '"2"]'
check_equal 'series of the path in Prometheus' 1 \
	"$(ask 'count(mtusweep_path_whole_bytes)' | grep -c '"4"\]')"
wait_for 60 'the MTU that is too large' answers \
	'ALERTS{alertname="MtusweepMtuTooLarge",alertstate="pending",end="server"}' \
	"$second"
wait_for 60 'the result that is too old' answers \
	'ALERTS{alertname="MtusweepResultOld",alertstate="pending"}' "$second"
check_equal 'the result that is not too old' 0 \
	"$(ask 'ALERTS{alertname="MtusweepResultOld"}' | grep -c "$first")"

# The rules.
check_match 'what promtool says of the rules' 'SUCCESS: [1-9][0-9]* rules found' \
	"$("$tools/promtool" check rules mtusweep.rules.yml 2>&1)"
cp "$sources/tests/report/mtusweep.rules.test.yml" .
check_match 'the tests of the rules' 'SUCCESS' \
	"$("$tools/promtool" test rules mtusweep.rules.test.yml 2>&1)"
