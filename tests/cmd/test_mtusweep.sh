#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The reader program's command line: arguments -> exit status, output, messages.
#
#	test_mtusweep.sh PROGRAM SCHEMA PROMTOOL SWEEPS
#
# The sqlite3 program makes the database from the schema in the sources.

set -uo pipefail
program=$(realpath -e "$1") || exit 1
schema=$(realpath -e "$2") || exit 1
# Prometheus' own checker
promtool=$(realpath -e "$3" 2>/dev/null) || {
	echo "no '$3': scripts/install-deps --test puts it there"
	exit 1
}
# A folder of other programs' logs.
sweeps=$(realpath -e "$4") || exit 1
# shellcheck source=tests/cmd/expect.sh
. "${BASH_SOURCE[0]%/*}/expect.sh"
folder=$(mktemp -d /tmp/mtusweep-test-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# Arguments: FILE. Run the SQL on stdin.
run_sql()
{
	sqlite3 -bail "$1"
}

cat "$schema" - <<'SQL' | run_sql mtusweep.db || exit 1
INSERT INTO run (id, uuid, role, started_at, ended_at, outcome, strategy, passes, seed,
	duration_ms, persist, pairs_planned, server_host, server_interface,
	server_address, server_link_mtu, server_backend, server_endpoint_family,
	server_mtu_min, server_mtu_max, server_mtu_step, peer_host, peer_backend,
	peer_mtu_min, peer_mtu_max, peer_mtu_step)
VALUES
	(1, '0a1b2c3d-0000-4000-8000-000000000001', 'peer', '2026-11-22T12:20:39.123Z',
		'2026-11-22T12:25:00.000Z', 'done', 'grid', 1, '7', 5000, 'none', 3,
		'hub', 'wg0', '10.0.0.1', 1420, 'kernel', 4, 1280, 1420, 70,
		'laptop' || char(27) || '[2J', 'userspace', 1280, 1420, 70),
	(2, '0a1b2c3d-0000-4000-8000-000000000002', 'server',
		'2026-11-23T12:20:39.123Z', NULL, 'running', 'grid', 2, '7', 300, 'best',
		NULL, NULL, NULL, NULL, NULL, 'none', NULL, 1280, 1420, 70, NULL,
		'none', 1280, 1420, 70);
INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,
	upload_status, upload_text, upload_sent_bps, upload_received_bps,
	upload_goodput_bps, download_status, download_text, download_sent_bps,
	download_received_bps, download_goodput_bps)
VALUES
	(1, 1, 1, 1280, 1280, 'ok', '', 31000000, 30000000, 30500000,
		'ok', '', 51000000, 50000000, 50500000),
	(1, 2, 1, 1280, 1350, 'ok', '', 41000000, 40000000, 40500000,
		'ok', '', 21000000, 20000000, NULL),
	(1, 3, 1, 1420, 1420, 'blackhole', 'nothing arrived', 900000, NULL, NULL,
		'ok', '', 61000000, 60000000, 60500000),
	(1, 4, 1, 1280, 1280, 'timeout', 'stalled', NULL, NULL, NULL,
		'ok', '', 53000000, 52000000, 52500000);
INSERT INTO warning (run_id, warned_at, text)
VALUES (1, '2026-11-22T12:20:39.123Z', 'tcp_mtu_probing is on');
SQL
run_sql empty.db <"$schema" || exit 1
echo 'CREATE TABLE theirs (x);' | run_sql theirs.db || exit 1
{ cat "$schema"; echo 'PRAGMA user_version = 3;'; } | run_sql newer.db || exit 1
echo 'This is no database, but it is long enough to be one.' >text.db
: >nothing.db

# Usage: status 2, nothing on stdout.
expect 2 '' '^usage: mtusweep COMMAND'
expect 2 '' "unknown command 'nope'; 'mtusweep --help' lists" nope
expect 2 '' "unknown option '--nope'" --nope
expect 2 '' "unknown option '--db'.*come after its name" --db mtusweep.db runs
expect 2 '' "mtusweep runs: unknown option '--run'" runs --run 1
expect 0 '^usage: mtusweep show \[RUN\] \[options\]~' '' show -h
expect 0 '^usage: mtusweep import FILE \[options\]~.*  -h, --help ' '' import -h
expect 2 '' "needs a value: FILE" runs --db
expect 2 '' "invalid value 'left' for --by: expected sum\|up\|down" best --by left
expect 2 '' "invalid value 'xml' for --format: expected csv\|json\|prometheus" \
	export --format xml
expect 2 '' "unknown command 'nope'" help nope
expect 2 '' "unexpected argument 'best': expected the name of one command" \
	help show best
expect 2 '' "mtusweep help: unknown option '--nope'" help --nope

expect 2 '' "'map.jpg' ends neither in .png nor in .svg" heatmap -o map.jpg
expect 2 '' "'png' ends neither" heatmap -o png
expect 2 '' '--json prints the map, --output draws it' heatmap --json -o map.svg

expect 2 '' "expected 2 arguments, RUN RUN, but 1 was given" compare 1
expect 2 '' "expected 2 arguments, RUN RUN, but 3 were given" compare 1 2 3

expect 2 '' 'expected 1 argument, FILE, but 0 were given' import
expect 2 '' "unknown option '--run'" import a.csv --run 1

# Help and version.
expect 0 '^usage: mtusweep .*runs .*show .*best .*export ' '' --help
expect 0 '^usage: mtusweep ' '' help
expect 0 '^usage: mtusweep COMMAND' '' help --help
expect 0 '^usage: mtusweep COMMAND' '' help -h
expect 0 '^usage: mtusweep COMMAND' '' help help
expect 0 '^usage: mtusweep best ' '' help best --help
expect 0 '^mtusweep [0-9]+\.[0-9]+\.[0-9]+ \(SQLite 3\.' '' --version
expect 0 '^usage: mtusweep compare RUN RUN .*--json' '' help compare
for command in runs show best heatmap compare export import share view; do
	expect 0 "^usage: mtusweep $command .*--db FILE" '' help "$command"
	expect 0 "^usage: mtusweep $command .*--db FILE" '' "$command" --help
done

expect 0 'default: the newest run with a result\)~' '' help heatmap
for command in best explain share; do
	expect 0 'default: the newest run with a result\)~' '' help $command
done
for command in show export view; do
	expect 0 'default: the newest run\)~' '' help $command
done

# Files that are missing or not ours.
expect 1 '' "no database 'no.db'; name another with --db FILE" runs --db no.db
expect 1 '' "is a folder" runs --db .
expect 1 '' "'.*/text.db' is not an SQLite database" show --db text.db
expect 1 '' "'.*/theirs.db' is another program's database" best --db theirs.db
expect 1 '' "'.*/newer.db' was written by a newer mtusweep" export --db=newer.db
expect 1 '' "'nothing.db' is empty" runs --db nothing.db
expect 1 '' "no run is stored in database '.*/empty.db' yet" show --db empty.db
expect 1 '' "no database 'no.db'; name another" view --db no.db
expect 1 '' "no run '9' in database" view --run 9
expect 0 '^ run  uuid [^~]*~$' '' runs --db empty.db

# Runs.
line1='   1  0a1b2c3d  2026-11-22 12:20:39  peer    grid +done  +3       2  -  +-  +'
line1+='hub wg0 - laptop\?\[2J~'
line2='   2  0a1b2c3d  2026-11-23 12:20:39  server  grid +unfinished  +0       0  -  +-  +'
line2+='\? - \?~'
expect 0 "~$line1$line2\$" '' runs
expect 1 '' "no run '9' in database '.*/mtusweep.db'" show --run 9
expect 1 '' "more than one run begins with '0a1b'" best --run 0a1b

# A run.
expect 0 'run       1 .*warning   tcp_mtu_probing is on~' '' show --run 1
expect 0 'measured  3 of 3, 2 failed~.*  download  measurements~' '' show --run 1
expect 0 'hub wg0 10.0.0.1, MTU 1420 before, WireGuard in the kernel over IPv4' '' \
	show --run 1
expect 0 'peer      laptop.{4}, WireGuard in userspace, MTUs 1280 to 1420 by 70~' '' \
	show --run 1
expect 0 '~server    MTUs 1280 to 1420 by 70~peer      MTUs 1280 to 1420 by 70~' '' \
	show --run 2
expect 0 '~ +1280 +1280 +30.500 +51.500 +2, upload ok in 1 of 2~' '' show --run 1
expect 0 '~ +1280 +1350 +40.500 +20.000 +1~' '' show --run 1
expect 0 '~ +1420 +1420 +blackhole +60.500 +1~$' '' show --run 1
expect 0 'run       2 .*outcome   unfinished~measured  0, 0 failed' '' show

# The best pair. 1280/1280 is faster, but failed in one measurement.
sum='server MTU 1280, peer MTU 1350~upload 40.500, download 20.000, sum 60.500 Mbit/s'
none='this run recommends no pair~~fastest measured: '
expect 0 "^$none$sum~\$" '' best --run 1
expect 0 "^$none$sum" '' best --run 1 --by sum
expect 0 "^$none$sum" '' best --run 1 --by=down
expect 0 "^$none$sum" '' best --run 1 --by up
expect 1 '' 'no pair of MTUs worked' best 2
# The newest run has no result.
passed='^mtusweep: the newest run, 2, has no result of its own; this is run 1, '
expect 0 "^$none$sum~\$" "$passed" best
expect 0 . "$passed" heatmap
expect 0 '^mtusweep-run-1\.html~$' "$passed" share
[[ -s mtusweep-run-1.html ]] || expect 0 '' '' no mtusweep-run-1.html
# A run is named by itself.
expect 0 "^$none$sum~\$" '' best 1
expect 2 '' 'the run is named twice' best 1 --run 1
expect 2 '' "unexpected argument '2'; name a database with --db" best 1 2

# The export.
header='server_mtu,peer_mtu,upload_rcv_mbps,upload_send_mbps,download_rcv_mbps'
header=$header,download_send_mbps
expect 0 "^$header~1280,1280,30.000,31.000,50.000,51.000~.*~1420,1420,-1.000,-1.000,\
60.000,61.000~1280,1280,-1.000,-1.000,52.000,53.000~\$" '' export --run 1 --format csv
expect 0 "^$header~\$" '' export --run 2

expect 0 '^\{"format":"mtusweep","version":1,.*"measurements":\[.*\]\}~$' '' \
	export --run 1 --format json
for run in 1 2; do
	expect 0 '' '' export --run $run --format prometheus -o sweep.prom
	if ! "$promtool" check metrics <sweep.prom >out 2>&1 ||
		! grep -q '^mtusweep_run_visits{' sweep.prom; then
		echo "FAIL: promtool does not take run $run:"
		cat out sweep.prom
		failures=$((failures + 1))
	fi
done
# The message names the file that cannot be written, and the cause.
want="^mtusweep: cannot write the file 'no/a.csv': a file cannot be made in its "
want+="folder: No such file or directory~\$"
expect 1 '' "$want" export --run 1 -o no/a.csv
ln -s /dev/full full.svg
for command in export 'export --format json' 'export --format prometheus' heatmap; do
	want="^mtusweep: cannot write the file 'full.svg': No space left on device~\$"
	# shellcheck disable=SC2086 # the words are meant to be split
	expect 1 '' "$want" $command --run 1 -o full.svg
done
expect 1 '' "^mtusweep: cannot write the file 'full.svg': No space left on device~\$" \
	share 1 -o full.svg
rm full.svg

# Output for programs.
expect 0 '^\[~\{"id":1,.*\},~\{"id":2,.*\}\]~$' '' runs --json
expect 0 '^\[\]~$' '' runs --json --db empty.db
want='^\{"run":~\{"id":1,.*"warnings":\[~\{"kind":"text",[^}]*'
want+='"detail":"tcp_mtu_probing is on",'
want+='"sentence":"tcp_mtu_probing is on","warned_at":"[^"]*"\}\].*'
want+='"results":\[~\{'
expect 0 "$want" '' show --json --run 1
want='"by": "sum",~  "recommended": null,~  "fastest": \{~    "server_mtu": 1280,~    '
want+='"peer_mtu": 1350,'
expect 0 "$want" '' best --json --run 1
expect 1 '' 'no pair of MTUs worked' best --json 2

# Comparison of two runs.
want='~pairs     0 in both, 3 only in the first, 0 only in the second~.*~Rates '
want+='were not compared\.~$'
expect 0 "$want" '' compare 1 2
expect 0 '~pairs     3 in both.*upload    2 pairs worked in both: too few to estimate' '' \
	compare 1 0a1b2c3d-0000-4000-8000-000000000001
expect 0 '"pairs_in_both": 0,.*"changes": \[\]~\}~$' '' compare --json 1 2
expect 1 '' "no run '9'" compare 1 9
# The comparison of the answer: the pair, and the edges that it rests on.
want='~pair      recommended: none in either~edges     not compared: neither run probed '
expect 0 "$want" '' compare 1 2
cp mtusweep.db answers.db
run_sql answers.db <<'SQL' || exit 1
INSERT INTO path VALUES (1, 60, 5, 5, 100), (2, 60, 5, 5, 100);
INSERT INTO path_band VALUES
	(1, 'upload', 1500, 'whole'), (1, 'upload', 65535, 'fragmented'),
	(1, 'download', 1500, 'whole'), (1, 'download', 65535, 'lost'),
	(2, 'upload', 1440, 'whole'), (2, 'upload', 1455, 'unknown'),
	(2, 'upload', 65535, 'fragmented'),
	(2, 'download', 1500, 'whole'), (2, 'download', 65535, 'lost');
INSERT INTO recommendation VALUES (1, 1420, 1420, 1, ''), (2, 1420, 1380, 1, '');
SQL
want='~pair      recommended: 1420/1420 in the first, 1420/1380 in the second'
want+='~edges     changed, see below~.*'
want+='~direction  edge of outer packets, bytes  +first +second~'
want+='upload +whole, then fragmented +1500  1440 to 1455~~Rates were not'
expect 0 "$want" '' compare 1 2 --db answers.db
want='"recommended": \{~    "first": \{~      "server_mtu": 1420,~      "peer_mtu": 1420~'
want+='.*"changed": true~  \},~  "edges": \[~    \{~      "direction": "upload",.*'
want+='"second": \{~        "low": 1440,~        "high": 1455~'
expect 0 "$want" '' compare 1 2 --db answers.db --json
want='~pair      recommended: 1420/1420, the same in both~'
expect 0 "${want}edges     the same in both~pairs " '' compare 1 1 --db answers.db

# A page for others contains all of the run and nothing of the hosts. A text from
# another program may contain any name.
{
	echo "UPDATE run SET strategy = '<script>', outcome_text = 'hub at 10.0.0.1 left',"
	echo "server_versions = 'hub', peer_host = 'laptop', peer_address = '10.0.0.2'"
	echo "WHERE id = 1; INSERT INTO path VALUES (1, 60, 5, 5, 100);"
	echo "INSERT INTO path_band VALUES (1, 'upload', 1460, 'whole'),"
	echo "(1, 'upload', 65535, 'lost');"
} >>odd.sql
cp mtusweep.db odd.db
run_sql odd.db <odd.sql || exit 1
expect 0 '' '' share 1 --db odd.db -o 1.html
if grep -nE 'hub|laptop|wg0|10\.0\.0|0a1b2c3d|<script|(src|href)="[^#d]' 1.html ||
	[ "$(grep -c '<tr><td>' 1.html)" != 3 ] || ! grep -q '</svg>' 1.html ||
	! grep -q '<li>upload path: whole to 1460 bytes, lost above' 1.html ||
	! grep -q '<tr><td>1420<td>1420<td>blackhole<td>60.500<td>1' 1.html ||
	! grep -q '<li>\[omitted\]</li>' 1.html
then
	echo 'FAIL: the shared page is not what it should be'
	failures=$((failures + 1))
fi
expect 1 '' "no run '9'" share 9 -o 9.html

# No output replaces a database, under whatever name.
mkdir own
cp mtusweep.db own/runs.svg
cp mtusweep.db own/other.png
ln -s runs.svg own/link.svg
ln own/runs.svg own/hard.svg
cp own/runs.svg kept.db
for name in runs link hard; do
	for command in export 'heatmap 1' 'share 1'; do
		want="^mtusweep: the output 'own/$name.svg' is the database "
		want+="'own/runs.svg' that is read; give --output another name~\$"
		# shellcheck disable=SC2086 # the words are meant to be split
		expect 1 '' "$want" $command --db own/runs.svg -o "own/$name.svg"
	done
done
expect 1 '' "'own/runs.svg' is the database 'own/link.svg'" export --db own/link.svg \
	-o own/runs.svg
for command in export 'heatmap 1' 'share 1'; do
	want="^mtusweep: the output 'own/other.png' is an SQLite database, which is "
	want+="not replaced; "
	# shellcheck disable=SC2086 # as above
	expect 1 '' "$want" $command --db own/runs.svg -o own/other.png
done
cp mtusweep.db own/wal.db
sqlite3 own/wal.db 'PRAGMA journal_mode = WAL;' 'UPDATE run SET passes = passes;' \
	".shell $program export --db own/wal.db -o own/wal.db-wal 2>err" >/dev/null
if ! grep -q "'own/wal.db-wal' is a part of the database 'own/wal.db'" err ||
	! cmp own/runs.svg kept.db || ! cmp own/other.png kept.db ||
	[ "$(echo own/.[!.]*)" != 'own/.[!.]*' ]; then
	echo 'FAIL: an output has replaced a database, or left something beside it:'
	cat err
	ls -la own
	failures=$((failures + 1))
fi

# The heatmap: the kind of file, that it is complete, and that no other file is left.
mkdir maps
expect 0 '' '' heatmap --run 1 -o maps/1.png
expect 0 '' '' heatmap --run 1 --all --average --output=maps/1.svg
expect 0 '' '' heatmap --run 2 -o maps/2.png
expect 1 '' "no run '9'" heatmap --run 9 -o maps/9.png
expect 1 '' "cannot write the file 'no/1.png': .* folder: No such file" heatmap \
	--run 1 -o no/1.png
mkdir maps/folder.png
expect 1 '' "'maps/folder.png' is a folder" heatmap --run 1 -o maps/folder.png
rmdir maps/folder.png
ln -s /dev/full maps/full.png
expect 1 '' "cannot write the file 'maps/full.png': No space left" heatmap --run 1 \
	-o maps/full.png
rm maps/full.png
if [ "$(cd maps && echo .[!.]* *)" != '.[!.]* 1.png 1.svg 2.png' ] ||
	[ "$(head -c 4 maps/1.png)" != $'\x89PNG' ] || ! grep -q '</svg>' maps/1.svg ||
	! grep -q '<title>WireGuard MTUs: hub wg0 - laptop?\[2J; 2026-11-22 12:20' \
		maps/1.svg
then
	echo 'FAIL: the heatmaps are not what they should be:'
	ls -la maps
	failures=$((failures + 1))
fi

# Outside a terminal the map has letters. 1280/1350 is the fastest.
expect 0 '~Upload, received~ 1420 \. \. B ~ 1350 \. \. \. ~ 1280 4 8f\. ~ +1 1 1~ +2 3 4~' \
	'' heatmap --run 1
expect 0 '~WireGuard MTUs: .*~f fastest measured 1280/1350~B blackhole~\. not measured~$' \
	'' heatmap --run 1
expect 0 '~Upload, received~ 1420 \. \. \. ~' '' heatmap --run 2

# The prediction for a pair, and a run's recommendation.
expect 1 '' 'run 1 recommends no pair: name one with --pair' explain --run 1
expect 2 '' "invalid value '1420' for --pair" explain --pair 1420
expect 2 '' "or '-' for an end that is not known" explain --pair -/-
expect 1 '' 'run 1 measured both ends: name both MTUs' explain --pair -/1400 --run 1
expect 1 '' 'the path of run 2 is unknown: it was not probed' \
	explain --pair 1420,1420 --run 2
run_sql mtusweep.db <<'SQL' || exit 1
INSERT INTO path VALUES (1, 60, 5, 5, 100);
INSERT INTO path_band VALUES (1, 'upload', 1460, 'whole'), (1, 'upload', 65535, 'lost'),
	(1, 'download', 65535, 'whole');
SQL
want='^upload: .*1480 bytes; the path loses .*~download: .*whole.*~measured: server '
want+='MTU 1420, peer MTU 1420~upload blackhole, download 60.500 Mbit/s~$'
expect 0 "$want" '' explain --pair 1420,1420 --run 1
cp mtusweep.db failed.db
run_sql failed.db <<'SQL' || exit 1
INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu, upload_status,
	upload_text, upload_received_bps, download_status, download_text)
VALUES (1, 5, 1, 1350, 1350, 'timeout', 'stalled', NULL, 'blackhole', 'nothing arrived'),
	(1, 6, 1, 1350, 1420, 'ok', '', 7000000, 'refused', 'nobody listened');
SQL
expect 0 '~upload timeout, download blackhole~$' '' explain --pair 1350,1350 --run 1 \
	--db failed.db
expect 0 '~upload 7.000 Mbit/s, download refused~$' '' explain --pair 1350,1420 \
	--run 1 --db failed.db
expect 0 'measured: not in this run~$' '' explain --pair 1300,1300 --run 1
want='~plausible cause, upload: packets of up to 1460 bytes arrive whole, like with '
want+='DS-Lite, or Google Cloud'"'"'s default; a number proves nothing~'
expect 0 "$want" '' explain --pair 1420,1420 --run 1
expect 0 '"plausible_cause": "DS-Lite, or' '' explain --pair 1420,1420 --run 1 --json
expect 0 '"upload": \{~ +"tcp": "lost",~ +"tcp_outer": 1480,.*"told_from": "probes"' '' \
	explain --pair 1420,1420 --run 1 --json
run_sql mtusweep.db <<'SQL' || exit 1
INSERT INTO recommendation VALUES (1, 1400, 1380, 1,
	'recommended: server MTU 1400, peer MTU 1380
why: it fits
warning: rates are noisy
warning: the line drifts
');
SQL
want='~warning   tcp_mtu_probing is on~pair      recommended: server MTU 1400, peer '
want+='MTU 1380~recommended: server MTU 1400, peer MTU 1380~'
want+='why: it fits~warning: rates are '
want+='noisy~warning: the line drifts~~'
expect 0 "$want" '' show --run 1
expect 0 '^[^~]*~([a-z ]{10}[^~]*~){5}~' '' show --run 2
want="^recommended: server MTU 1400, peer MTU 1380~why: it fits~warning: rates are "
want+="noisy~warning: the line drifts~~fastest measured: $sum~\$"
expect 0 "$want" '' best --run 1
want='"recommended": \{~ +"server_mtu": 1400,~ +"peer_mtu": 1380,~ +"status": null,'
expect 0 "$want~ +\"settled\": true," '' best --run 1 --json

# A run that only probed, with more MTUs than a map has: heatmap shows its path.
cp mtusweep.db probed.db
run_sql probed.db <<'SQL' || exit 1
CREATE TEMP TABLE probe AS SELECT * FROM run WHERE id = 1;
UPDATE probe SET id = 3, uuid = '0a1b2c3d-0000-4000-8000-000000000003',
	strategy = 'probe', pairs_planned = NULL, duration_ms = NULL, server_mtu_max = 9000,
	server_mtu_step = 1, peer_mtu_max = 9000, peer_mtu_step = 1;
INSERT INTO run SELECT * FROM probe;
INSERT INTO path VALUES (3, 60, 5, 5, 100);
INSERT INTO path_band VALUES (3, 'upload', 1450, 'whole'), (3, 'upload', 65535, 'lost'),
	(3, 'download', 65535, 'whole');
INSERT INTO recommendation VALUES (3, 1420, 1390, 0,
	'recommended: server MTU 1420, peer MTU 1390
');
SQL
expect 0 '^recommended: server MTU 1420, peer MTU 1390~~fastest measured: none~$' '' \
	best --db probed.db
expect 0 '"fastest": null~\}~$' '' best --db probed.db --json
expect 1 '' 'no pair of MTUs worked' best 2 --db probed.db
expect 0 'started   [^~]*, strategy probe, 1 pass~.*~measured  0, 0 failed' '' \
	show --db probed.db
expect 0 '"path":~\{.*"upload":\[\{"size_max":1450,"fate":"whole"\}' '' \
	show --db probed.db --json
expect 0 '^Recommended: .*1390~~Upload, .*\[1450\].*~= arrives whole, x lost, r .*1390~$' \
	'' heatmap --db probed.db
expect 0 '^upload: .*1480 bytes; the path loses .*~measured: not in this run~$' '' \
	explain --pair 1420,1420 --db probed.db
expect 0 '~edges     changed, .*upload.* 1460 .* 1450' '' compare 1 3 --db probed.db
expect 0 '^mtusweep-run-3\.html~$' '' share --db probed.db
if ! grep -q '<svg' mtusweep-run-3.html ||
	! grep -q 'server MTU 1420, peer MTU 1390' mtusweep-run-3.html; then
	printf 'FAIL: the shared probe:\n%s\n' "$(<mtusweep-run-3.html)"
	failures=$((failures + 1))
fi
if ! grep -q 'The rulers show' mtusweep-run-3.html ||
	grep -q 'The maps show' mtusweep-run-3.html; then
	echo 'FAIL: the legend of the shared probe is not of its picture'
	failures=$((failures + 1))
fi
# The recommendation alone is worth a page; a run without any of these has none.
run_sql probed.db <<<'DELETE FROM path; DELETE FROM path_band;' || exit 1
expect 0 '' '' share --run 3 --db probed.db -o alone.html
if grep -q '<svg' alone.html || ! grep -q 'server MTU 1420, peer' alone.html; then
	printf 'FAIL: the shared recommendation:\n%s\n' "$(<alone.html)"
	failures=$((failures + 1))
fi
run_sql probed.db <<<'DELETE FROM recommendation;' || exit 1
expect 1 '' 'nothing is measured yet' share --run 3 --db probed.db -o nothing.html
[ ! -e nothing.html ] || { echo 'FAIL: a page about nothing'; failures=$((failures + 1)); }

# Arguments: FILE. Print it with attributes as properties of a style, as cairo wrote them
# before 1.18.
plain_svg()
{
	sed -E '/<path/ { s/ ((fill|stroke)[a-z-]*)="([^"]*)"/\1:\3;/g
		s/(rgb\([0-9.]+%), ([0-9.]+%), ([0-9.]+%\))/\1,\2,\3/g }' "$1"
}

# The same in pictures: a frame, faint crosses in the lost cells, the path's edges. In
# the drawing itself, faint is half black; a cross has round ends; there is one in the
# map and one below it, and where the rates alone show the path, one in its ruler.
draws()
{
	"$program" heatmap --db "$1" --run 1 -o drawn.svg || return
	plain_svg drawn.svg |
		grep -cE 'stroke-linecap:round.*rgb\(0%,0%,0%\);stroke-opacity:0.5;'
	grep -o '<desc>[^<]*' drawn.svg
}
cp mtusweep.db plain.db
run_sql plain.db <<<'DELETE FROM path_band; DELETE FROM path; DELETE FROM recommendation;'
plain=$(draws plain.db)
told=$(draws mtusweep.db)
if [ "$plain" != "1
<desc>arrives whole; lost; not known; fastest measured 1280/1350; blackhole; not measured;\
 upload path (by throughput\
 alone): arrives to 1340 bytes, unknown to 1479, lost to 1480, unknown above (dashed: TCP\
 stays below); download path (by throughput alone): arrives to 1480 bytes, unknown above\
 (dashed: TCP stays below)" ] || [ "$told" != "2
<desc>arrives whole; lost; fastest measured 1280/1350; recommended 1400/1380; blackhole;\
 not measured; predicted: whole; predicted: lost; upload path: whole to 1460 bytes,\
 lost above (dashed: TCP stays below)" ]; then
	printf 'FAIL: drawn without and with what is known:\n%s\n%s\n' "$plain" "$told"
	failures=$((failures + 1))
fi
expect 0 'r recommended 1400/1380' '' heatmap --run 1

# The MTUs before the run are marked by a small ring in each ruler and map, and one between
# them, black within white.
cp mtusweep.db before.db
run_sql before.db <<<'UPDATE run SET peer_link_mtu = 1350 WHERE id = 1;'
expect 0 '' '' heatmap --db before.db --run 1 -o ring.svg
expect 0 '' '' heatmap --run 1 -o none.svg
rings='fill:none;[^>]*stroke:rgb\(0%,0%,0%\);[^>]* d="M[0-9. ]*C'
if [ "$(plain_svg ring.svg | grep -cE "$rings")" != 5 ] ||
	plain_svg none.svg | grep -qE "$rings"; then
	echo 'FAIL: what was before the run is no ring'
	failures=$((failures + 1))
fi
expect 0 '' '' share 1 -o told.html
for word in 'recommended 1400/1380' 'upload path: whole to 1460 bytes'; do
	if ! grep -q "<li>$word" told.html; then
		echo "FAIL: the shared page does not say '$word'"
		failures=$((failures + 1))
	fi
done

expect 0 '"server_mtus": \[~ +1280,~ +1350,~ +1420~ +\],.*"title": "Upload, received",' '' \
	heatmap --run 1 --json
want='~ +"server_mtu": 1280,~ +"peer_mtu": 1350,~ +"status": "ok",~ +"rate_bps": '
want+='40500000,~ +"predicted": "whole"~'
expect 0 "$want" '' heatmap --run 1 --json
want='~ +"server_mtu": 1420,~ +"peer_mtu": 1420,~ +"status": "blackhole",~ '
want+='+"rate_bps": null,~ +"predicted": "lost"~'
expect 0 "$want" '' heatmap --run 1 --json
want='"current": null,~ +"fastest": \{~ +"server_mtu": 1280,~ +"peer_mtu": 1350~ +\},~'
want+=' +"recommended": \{~ +"server_mtu": 1400,.*"size": 1460,~ +"below": "whole",~ '
want+='+"above": "lost",~ +"told_from": "probes",~'
want+=' +"confidence_percent": null~'
expect 0 "$want" '' heatmap --run 1 --json
expect 0 '"title": "Mean of upload and download, sent",' '' \
	heatmap --run 1 --json --average --all

# Only text from a database, a file or a command line reaches the terminal.
cp mtusweep.db raw.db
run_sql raw.db <<'SQL' || exit 1
UPDATE run SET server_host = CAST(x'1b5d303b61ff62' AS TEXT), server_interface =
	CAST(x'c3a90780' AS TEXT), strategy = CAST(x'67fe' AS TEXT), outcome_text =
	CAST(x'0d1b' AS TEXT), peer_host = CAST(x'c3a9' AS TEXT) WHERE id = 1;
INSERT INTO warning (run_id, warned_at, text)
VALUES (1, '2026-11-22T12:20:39.123Z', CAST(x'9b324a1b5b324a' AS TEXT));
UPDATE recommendation SET text = CAST(x'776879c00a1b63' AS TEXT);
SQL
expect 0 '  \?\]0;a\?b é\?\? - é~' '' runs --db raw.db
want='strategy g\?, 1 pass.*~server    \?\]0;a\?b é\?\? 10.0.0.1,.*~warning   '
want+='\?2J\?\[2J~'
expect 0 "$want" '' show --run 1 --db raw.db
expect 0 '^why\?~\?c~~fastest measured: ' '' best --run 1 --db raw.db
expect 0 '~WireGuard MTUs: \?\]0;a\?b é\?\? - é~' '' heatmap --run 1 --db raw.db
odd=$'a\033[2J\xffé'
printable='a\?\[2J\?é'
expect 1 '' "^mtusweep: no database '$printable'; name another" runs --db "$odd"
expect 1 '' "^mtusweep: no run '$printable' in" show --run "$odd"
expect 1 '' "^mtusweep: cannot open '$printable': No such file" import "$odd" --db raw.db
expect 1 '' "^mtusweep: cannot write the file '$printable/x': " export --run 1 -o "$odd/x"
expect 2 '' "^mtusweep: unknown command '$printable';" "$odd"
expect 2 '' "^mtusweep runs: unknown option '--$printable'" runs "--$odd"
expect 2 '' "^mtusweep runs: unexpected argument '$printable'" runs "$odd"
head -c 300 "$sweeps/pppoe.csv" >"$odd"
expect 0 '^run ' "^mtusweep: line 7, the last one of '$printable', is incomplete" import \
	"$odd" --db raw.db

# Logs: each export equals the import.
run=0
for row in 'deadzone 21' 'pppoe 0' 'uneven 42'; do
	run=$((run + 1))
	expect 0 "^run $run: 144 measurements, ${row#* } failed~\$" '' \
		import "$sweeps/${row% *}.csv" --db logs.db
done
run=0
for log in deadzone pppoe uneven; do
	run=$((run + 1))
	expect 0 '' '' export --run $run --db logs.db -o again.csv
	if ! cmp "$sweeps/$log.csv" again.csv; then
		echo "FAIL: $log.csv is not given back"
		failures=$((failures + 1))
	fi
done
expect 0 'strategy imported, 1 pass~.*warning   imported from .*deadzone.csv' '' \
	show --run 1 --db logs.db
expect 0 '^WireGuard MTUs~[^~]*~grid, 0.3 s a test~' '' heatmap --run 2
expect 0 '~WireGuard MTUs: deadzone.csv~[^~]*~imported~.*~ 1400 [0-9f ]{14}B B B B B ~' '' \
	heatmap --run 1 --db logs.db
expect 0 'pairs     144 in both' '' compare 1 3 --db logs.db
expect 0 '~No pair changed beyond noise\.~$' '' compare 1 1 --db logs.db
want='"direction": "upload",~ +"size": 1500,~ +"below": "lost",~ +"above": "unknown",~'
want+=' +"told_from": "throughput"'
expect 0 "$want" '' heatmap --run 1 --db logs.db --json
expect 0 '' '' share 1 --db logs.db -o logs.html
want='<li>upload path (by throughput alone): arrives to 1460 bytes, unknown to 1467, '
want+='lost to 1500,'
if ! grep -q "$want" logs.html; then
	echo 'FAIL: the shared page of a log has no edges'
	failures=$((failures + 1))
fi
if ! grep -q '<p>imported</p>' logs.html; then
	echo 'FAIL: the shared page of a log says what nobody knows'
	failures=$((failures + 1))
fi
if grep -q 'deadzone' logs.html; then
	echo 'FAIL: the shared page of a log names its file'
	failures=$((failures + 1))
fi
# A direction of which nothing is known has IPv6's overhead, too.
cp logs.db ipv6.db
run_sql ipv6.db <<<"UPDATE run SET server_endpoint_family = 6, peer_endpoint_family = 6;
	UPDATE measurement SET download_status = 'refused', download_goodput_bps = NULL,
		download_received_bps = NULL;" || exit 1
expect 0 'not known\)~outer size  1440 [^~]*~[^~]*~server MTU  1360 ' '' \
	heatmap --run 1 --db ipv6.db
# The path of a log is derived from its rates.
want='^upload, by throughput alone: .*1480 bytes; the path loses .*~download, by '
want+='throughput alone: .*cannot tell if in fragments; rates cannot tell the fate of UDP '
want+='.*~doubt: this run did not probe the path\. .*99 % confidence .*~sizes: '
want+='of outer packets over IPv4'
expect 0 "$want" '' explain --pair 1420,1420 --run 1 --db logs.db
expect 0 '"tcp": "lost",.*"told_from": "throughput"' '' \
	explain --pair 1420,1420 --run 1 --db logs.db --json
cp logs.db ipv6.db
run_sql ipv6.db <<<'UPDATE run SET peer_endpoint_family = 6;'
expect 0 '^upload, by throughput alone: .*1500 bytes; the path loses .*~measured: ' '' \
	explain --pair 1420,1420 --run 1 --db ipv6.db
expect 0 '"duration_ms":null,' '' export --run 1 --format json --db logs.db
head -c 300 "$sweeps/pppoe.csv" >cut.csv
expect 0 '^run 4: 5 measurements, 0 failed~$' \
	"^mtusweep: line 7, the last one of 'cut.csv', is incomplete and was omitted~\$" \
	import cut.csv --db logs.db
head -n 2 "$sweeps/pppoe.csv" >one.csv
expect 0 '^run 1: 1 measurement, 0 failed~$' '' import one.csv --db one.db
expect 0 'done: 1 measurement, 0 failed~' '' heatmap --db one.db
expect 0 'upload    1 pair worked in both: too few.*~Rates were not compared\.~$' '' \
	compare 1 1 --db one.db
{ cat "$sweeps/pppoe.csv"; echo '1500,1500,1.000,x,1.000,1.000'; } >bad.csv
expect 1 '' "^mtusweep: nothing imported: 'bad.csv', line 146, column 17: expected a rate" \
	import bad.csv --db logs.db
expect 1 '' 'line 146, column 17' import bad.csv --db none.db
sed 's/$/\r/' "$sweeps/pppoe.csv" >dos.csv
want="'dos.csv', line 1, column 90: the line ends with a carriage return: these are "
want+="DOS line ends, convert them to Unix's~\$"
expect 1 '' "$want" import dos.csv --db none.db
{ printf '\xef\xbb\xbf'; cat "$sweeps/pppoe.csv"; } >mark.csv
want="'mark.csv', line 1, column 1: a byte order mark before the header: remove these "
want+="three bytes~\$"
expect 1 '' "$want" import mark.csv --db none.db
{ cat "$sweeps/pppoe.csv"; echo; } >empty.csv
expect 1 '' "'empty.csv', line 146, column 1: an empty line: remove it~\$" import \
	empty.csv --db none.db
expect 1 '' "cannot open 'none.csv': No such file" import none.csv --db logs.db
if [ -e none.db ] || [ "$(sqlite3 logs.db 'SELECT count(*) FROM run')" != 4 ]; then
	echo 'FAIL: something was imported of a file that is no log'
	failures=$((failures + 1))
fi

# Runs of other files, by their UUIDs.
expect 0 '^[1-9][0-9]* runs stored, 0 replaced, 0 already there~$' '' \
	import logs.db --db central.db
expect 0 '^0 runs stored, 0 replaced, [1-9][0-9]* already there~$' '' \
	import logs.db --db central.db
"$program" export 1 --format json --db logs.db >run.json
expect 0 '^0 runs stored, 0 replaced, 1 already there~$' '' import run.json --db central.db
expect 0 '^1 run stored, 0 replaced, 0 already there~$' '' import run.json --db json.db
"$program" export 1 --db logs.db >before.csv
"$program" export 1 --db json.db >after.csv
cmp before.csv after.csv || failures=$((failures + 1))
"$program" show 1 --json --db logs.db >show.json
expect 1 '' "nothing imported: 'show.json' is JSON, but no export of a run; make one" \
	import show.json --db json.db
head -c 300 run.json >cut.json
expect 1 '' "nothing imported: 'cut.json', line .*, column .*: not JSON" \
	import cut.json --db never.db
if [[ -e never.db ]]; then
	echo 'FAIL: a file that is cut made a database'
	failures=$((failures + 1))
fi

# An import whose output cannot be written is stored all the same.
"$program" import "$sweeps/pppoe.csv" --db logs.db >/dev/full 2>err
status=$?
want="^mtusweep: run 5 is stored in 'logs.db'; only .*: No space left on device\$"
if [ $status != 1 ] || [ "$(wc -l <err)" != 1 ] || ! grep -q "$want" err ||
	[ "$(sqlite3 logs.db 'SELECT max(id) FROM run')" != 5 ]; then
	echo "FAIL: an import without an output gave status $status:"
	cat err
	failures=$((failures + 1))
fi

# An output that cannot be written gives an error, with one message.
for arguments in runs 'show --run 1' 'best --run 1' 'heatmap --run 1' 'compare 1 2' \
	'export --run 1' \
	'export --run 1 --format json' 'export --run 1 --format prometheus' 'runs --json' \
	'show --json --run 1' 'best --json --run 1' 'heatmap --json --run 1' \
	--help --version \
	'help show'; do
	# shellcheck disable=SC2086 # the words are meant to be split
	"$program" $arguments >/dev/full 2>err
	status=$?
	if [ $status != 1 ] || [ "$(wc -l <err)" != 1 ] ||
		! grep -q 'cannot write the .*: No space left on device' err; then
		echo "FAIL: mtusweep $arguments >/dev/full gave status $status:"
		cat err
		failures=$((failures + 1))
	fi
done

[ $failures = 0 ]
