#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The commands of mtusweep on runs with one end alone, whose server MTU is not known.
#
#	test_one_end.sh PROGRAM SOURCES PROMTOOL
#
# The sqlite3 program makes the database from the schema in the sources.

set -uo pipefail
program=$(realpath -e "$1") || exit 1
sources=$(realpath -e "$2") || exit 1
promtool=$(realpath -e "$3" 2>/dev/null) || {
	echo "no '$3': scripts/install-deps --test puts it there"
	exit 1
}
folder=$(mktemp -d /tmp/mtusweep-test-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

fail()
{
	printf 'FAIL: %s\n' "$1"
	failures=$((failures + 1))
}

# Arguments: REGEX ARGUMENT ... The command's output, its lines joined by '~', must match,
# and must not name the number that stands for what is not known.
expect()
{
	local want=$1
	shift
	"$program" "$@" >out 2>err </dev/null || fail "mtusweep $*: $(<err)"
	tr '\n' '~' <out >joined
	grep -qE -- "$want" joined || fail "mtusweep $*, wanted /$want/:
$(<out)"
	! grep -q '65535[^,]*server\|server[^,]*65535\|^ *65535 \|65535/' out ||
		fail "mtusweep $* names the unknown MTU: $(<out)"
}

# Arguments: ARGUMENT ... that write a file
write()
{
	"$program" "$@" >out 2>&1 </dev/null || fail "mtusweep $*: $(<out)"
}

# Arguments: ID; the run of one end.
one_end()
{
	cat <<-SQL
		INSERT INTO run (id, uuid, role, started_at, ended_at, outcome, strategy,
			passes, seed, persist, server_backend, server_mtu_min,
			server_mtu_max, server_mtu_step, peer_host, peer_interface,
			peer_address, peer_link_mtu, peer_backend, peer_endpoint_family,
			peer_versions, peer_mtu_min, peer_mtu_max, peer_mtu_step)
		VALUES ($1, '0a1b2c3d-0000-4000-8000-00000000000$1', 'peer',
			'2026-11-2$1T12:20:39.123Z', '2026-11-2$1T12:20:41.000Z', 'done',
			'probe', 1, '7', 'none', 'none', 65535, 65535, 1, 'laptop', 'wg0',
			'10.0.0.2', 1420, 'kernel', 4, 'mtusweep 0.2.0, sqlite 3.40.1',
			1280, 1440, 20);
		INSERT INTO path VALUES ($1, 60, 30, 20, 812);
		INSERT INTO path_detail VALUES ($1, 60, 60, 0, 0, 1, 0, 0);
		INSERT INTO path_band VALUES
			($1, 'upload', 1440, 'whole'), ($1, 'upload', 65535, 'lost'),
			($1, 'download', 1452, 'whole'), ($1, 'download', 1467, 'unknown'),
			($1, 'download', 65535, 'lost');
		INSERT INTO one_end (run_id, sends, target, endpoint, small, proof, echoes,
			endpoint_answers, own_is_limit, by_route, either_way,
			far_is_limit, far_is_present, back_ends, pieces_lost, least_mtu,
			far_mtu,
			largest_back, mss_ipv4, mss_ipv6, rounds)
		VALUES ($1, 'upload', '10.0.0.1', '192.0.2.7', 'udp', 'arrives', 1, 0, 0,
			0, 0, 0, 0,
			0, 0, 1280, 1392, 1392, 1340, 1320, 9);
	SQL
}

# Arguments: ID; the run of the server alone, with the same path seen from there.
server_end()
{
	one_end "$1"
	cat <<-SQL
		UPDATE run SET role = 'server', server_host = 'hubhost',
			server_interface = 'wg1', server_address = '10.0.0.1',
			server_link_mtu = 1420, server_backend = 'kernel',
			server_endpoint_family = 4, server_versions = peer_versions,
			server_mtu_min = 1280, server_mtu_max = 1440, server_mtu_step = 20,
			peer_host = NULL, peer_interface = NULL, peer_address = NULL,
			peer_link_mtu = NULL, peer_backend = 'none',
			peer_endpoint_family = NULL, peer_versions = NULL,
			peer_mtu_min = 65535, peer_mtu_max = 65535, peer_mtu_step = 1
		WHERE id = $1;
		DELETE FROM path_band WHERE run_id = $1;
		INSERT INTO path_band VALUES
			($1, 'download', 1440, 'whole'), ($1, 'download', 65535, 'lost'),
			($1, 'upload', 1452, 'whole'), ($1, 'upload', 1467, 'unknown'),
			($1, 'upload', 65535, 'lost');
		UPDATE one_end SET sends = 'download', target = '10.0.0.2'
			WHERE run_id = $1;
		UPDATE path_detail SET upload_unseen = download_unseen,
			download_unseen = upload_unseen WHERE run_id = $1;
		INSERT INTO recommendation VALUES ($1, 1380, 65535, 0, '');
		INSERT INTO reason (run_id, kind, status, margin, visits)
		VALUES ($1, 'own_arrives', 'predicted', 0, 0);
	SQL
}

# Run 1: one end that probed. 2: one that measured, too. 3: two ends. 4: one end that knows
# no MTU. 5: the server's end that probed.
{
	cat "$sources/store/schema.sql" "$sources/store/schema2.sql"
	one_end 1
	one_end 2
	one_end 4
	cat <<-'SQL'
		INSERT INTO recommendation VALUES (1, 65535, 1380, 0, ''),
			(2, 65535, 1380, 0, '');
		INSERT INTO reason (run_id, kind, status, margin, visits)
		VALUES (1, 'own_arrives', 'predicted', 0, 0),
			(2, 'own_arrives', 'predicted', 0, 0);
		INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,
			upload_status, upload_text, upload_goodput_bps, download_status,
			download_text, download_goodput_bps)
		VALUES (2, 1, 1, 65535, 1380, 'ok', '', 30000000, 'ok', '', 50000000),
			(2, 2, 1, 65535, 1420, 'blackhole', 'nothing arrived', NULL, 'ok',
				'', 51000000),
			(2, 3, 2, 65535, 1380, 'ok', '', 32000000, 'ok', '', 52000000);
		INSERT INTO run (id, uuid, role, started_at, outcome, strategy, passes,
			seed, persist, server_host, server_backend, server_mtu_min,
			server_mtu_max, server_mtu_step, peer_backend, peer_mtu_min,
			peer_mtu_max, peer_mtu_step)
		VALUES (3, '0a1b2c3d-0000-4000-8000-000000000003', 'peer',
			'2026-11-23T12:20:39.123Z', 'done', 'probe', 1, '7', 'none', 'hub',
			'kernel', 1280, 1440, 20, 'kernel', 1280, 1440, 20);
		INSERT INTO path VALUES (3, 60, 30, 20, 812);
		INSERT INTO path_detail VALUES (3, 60, 60, 0, 0, 0, 0, 0);
		INSERT INTO path_band VALUES
			(3, 'upload', 1400, 'whole'), (3, 'upload', 65535, 'lost'),
			(3, 'download', 1452, 'whole'), (3, 'download', 65535, 'lost');
	SQL
	server_end 5
} | sqlite3 -bail mtusweep.db || exit 1

# --- what the peer printed

answer='recommended: peer MTU 1380; predicted by probes of this end alone, not measured~'
answer+='current MTU of this end: 1420: does not fit~'
answer+='far end: MTU 1392 at most, for its administrator \(proved in steps of 16: up to '
answer+='1407 may fit\)~upload, as far as 10\.0\.0\.1: outer packets up to 1440 bytes '
answer+='arrive whole, larger ones are lost~.*visible here: the endpoint answers no echoes '
answer+='with DF~'
answer+='.*small answers \(to UDP datagrams to a closed port\)~download, from 10\.0\.0\.1: '
answer+='.*~  iptables .* -o wg0 .*--set-mss 1340~.*~probes: 50 sizes, 9 rounds, 812 ms~'

# --- the commands

expect '~ +1 +0a1b2c3d .* probe +done +0 +0  -/1380 +- +- - laptop wg0~' runs
expect '~ +4 +0a1b2c3d .* probe +done +0 +0  - +- +- - laptop wg0~' runs
expect '"recommended":\{"server_mtu":null,"peer_mtu":1380\}' runs --json
expect '"server":\{[^}]*"mtu_min":null,"mtu_max":null,"mtu_step":null\}' runs --json

want='~server    -~peer      laptop wg0 10.0.0.2, MTU 1420 before, .*~pair      '
want+='recommended: peer MTU 1380; predicted by probes of this end alone, not measured~'
want+='why       the largest '
expect "$want" show 1
expect '~ +- +1380 +31.000 +51.000 +2~ +- +1420 +blackhole +51.000 +1~$' show 2
expect '~pair      recommended: no MTU~why       no MTU of this end is known to fit~' show 4
# Tests that confirm or contradict the probes.
tests='  tests with MTU 1380: upload 31\.0 Mbit/s, download nothing got through~'
tests+='  tests with MTU 1420, the current one: upload nothing got through, download not '
tests+='measured~'
cause="  the probes explain the download: the far end's MTU is too large~"
doubt='  with MTU 1380 tests contradict the probes, and another test confirmed it'
sqlite3 mtusweep.db "UPDATE reason SET status = 'predicted', visits = 3, upload_bps = 31e6,
	upload_low_bps = 30e6, upload_high_bps = 32e6, download_bps = 0,
	download_low_bps = 0, download_high_bps = 0, upload_current_bps = 0
	WHERE run_id = 2;
	INSERT INTO run_warning (run_id, about, warned_at, kind, server_mtu, peer_mtu)
	VALUES (2, 'recommendation', '2026-11-22T12:20:41.000Z', 'contradicted', 65535,
		1380)" || exit 1
want='^recommended: peer MTU 1380; .* of this end alone, not confirmed by tests~'
expect "$want$tests$cause$doubt" best 2
expect '~pair      recommended: peer MTU 1380; .* end alone, not confirmed by tests~' show 2
sqlite3 mtusweep.db "UPDATE reason SET status = 'confirmed' WHERE run_id = 2" || exit 1
expect '^recommended: peer MTU 1380; .* of this end alone, confirmed by tests~' best 2
expect '~warning   the measurement of -/1380 contradicts the probes; ' show 2
expect '"kind":"contradicted",[^}]*"server_mtu":null,"peer_mtu":1380,' show 2 --json
expect "mtu='1380'" best 2 --as uci
sqlite3 mtusweep.db "UPDATE reason SET status = 'contradicted' WHERE run_id = 2" || exit 1
want='^recommended: no MTU: peer MTU 1380 was predicted by .* contradict them~'
expect "$want$tests$doubt" best 2
! grep -q 'current MTU of this end' out || fail "best speaks of the current MTU: $(<out)"
expect "~pair      ${want#^}warning   the measurement of -/1380 contradicts" show 2
expect '"server_mtu":null,"peer_mtu":null,"status":"contradicted"' show 2 --json
expect '"recommended": \{~    "server_mtu": null,~    "peer_mtu": null,' best 2 --json
expect 'mtusweep_recommended_info\{.*,reason="own_arrives",status="contradicted"\} 1~' \
	export --run 2 --format prometheus
! grep -q 'mtu_recommended\|recommended_settled' out ||
	fail "the metrics have an MTU that tests contradict: $(<out)"
expect '~ +2 +0a1b2c3d .* probe +done +3 +1  - +- +- - laptop wg0~' runs
expect 'Recommended: no MTU \(tests contradict the probes\)' heatmap 2
! grep -q 'The largest MTU' out || fail "the map has a reason: $(<out)"
"$program" best 2 --as uci >out 2>err </dev/null &&
	fail "best names an MTU that tests contradict: $(<out)"
grep -q 'no MTU to set: tests contradict the probes' err || fail "best --as: $(<err)"
sqlite3 mtusweep.db "UPDATE reason SET status = 'predicted', visits = 0, upload_bps = NULL,
	upload_low_bps = NULL, upload_high_bps = NULL, download_bps = NULL,
	download_low_bps = NULL, download_high_bps = NULL, upload_current_bps = NULL
	WHERE run_id = 2; DELETE FROM run_warning" || exit 1

# Text for other systems: this end's, with the MSS that fits both ways.
expect "network\.wg0\.mtu='1380'" best 1 --as uci
sqlite3 mtusweep.db 'UPDATE one_end SET mss_ipv4 = 1300 WHERE run_id = 2' || exit 1
expect 'maxseg size set 1300~.*maxseg size set 1280~' best 2 --as nft
sqlite3 mtusweep.db 'UPDATE one_end SET mss_ipv4 = 1340 WHERE run_id = 2' || exit 1
# And the far end's: the largest that is known to fit.
expect "largest that the other end alone knows to fit.*network\.wg0\.mtu='1392'" best 1 \
	--as uci --end server
sqlite3 mtusweep.db 'UPDATE one_end SET far_mtu = NULL WHERE run_id = 2' || exit 1
"$program" best 2 --as uci --end server >out 2>err </dev/null &&
	fail "best names a server's MTU: $(<out)"
grep -q "run 2 recommends no MTU for the server" err || fail "best of the server: $(<err)"
sqlite3 mtusweep.db 'UPDATE one_end SET far_mtu = 1392 WHERE run_id = 2' || exit 1

expect '"one_end":~\{.*"far_mtu":1392.*"server_mtu":null,"peer_mtu":1420' show 2 --json

expect "^$answer~fastest measured: none~\$" best 1
expect "^$answer~fastest measured: peer MTU 1380~upload 31.000, download 51.000" best 2
# The far end's MTU is not known, as in a row of the run: what does not need it is said.
expect '^upload: .*1440 bytes.*whole.*measured: peer MTU 1380~upload 31.000' \
	explain 2 --pair -/1380
expect '"server_mtu": null,~  "peer_mtu": 1400,' explain 1 --json --pair -/1400
expect '^recommended: no MTU, since none of 1280 or more is known to fit~' best 4
expect '"recommended": \{~    "server_mtu": null,~    "peer_mtu": 1380,' best 1 --json
expect '"recommended": null' best 4 --json
# Without a name it is the newest run with a result.
expect '^recommended: server MTU 1380' best

cause='plausible cause, upload: packets of up to 1440 bytes [^~]*~'
expect "^$answer${cause}measured: not in this run~\$" explain 1
expect "^$answer${cause}measured: peer MTU 1380~upload 31.000" explain 2
want='^upload: .*1440 bytes.*whole.*~download: .*~doubt: the server does not tell of its '
expect "$want" explain 1 --pair 1392/1380
expect '"server_mtu": null,~  "peer_mtu": 1380,.*"routed": null,~    "routed_outer": null' \
	explain 1 --json
expect '^recommended: no MTU, since none of 1280 or more is known to fit~' explain 4
expect 'download: the path loses|^upload: ' explain 1 --pair 1420/1380

expect 'Recommended: peer MTU 1380 \(predicted by probes, not measured\)~' heatmap 1
expect '~WireGuard MTU: laptop wg0, one end alone~' heatmap 1
# One row.
want='~Upload, received~ +- [^~]*~ +1 1 1 [^~]*~.*~Download, received~ +- [^~]*~ +1 1 1 '
expect "$want" heatmap 2
expect 'recommended -/1380 \(predicted\)' heatmap 1
expect '"server_mtus": \[~    null~  \]' heatmap 2 --json
expect '"recommended": \{~      "server_mtu": null,~      "peer_mtu": 1380' heatmap 2 --json
expect 'Recommended: no MTU' heatmap 4
for run in 1 2 4; do
	write heatmap "$run" -o map.svg
	! grep -q 65535 map.svg || fail "the picture of run $run names the unknown MTU"
done

expect '~pair      recommended: -/1380, the same in both~' compare 1 2
expect '~pair      recommended: .*-/1380.*~' compare 1 3
expect '~pairs     0 in both, 0 only in the first, 2 only in the second~' compare 1 2
expect '~upload +whole - lost +1440 +1400 *~|upload .*1440.*1400' compare 1 3
expect '"first": \{~      "server_mtu": null,~      "peer_mtu": 1380' compare 1 2 --json

header='server_mtu,peer_mtu,upload_rcv_mbps,upload_send_mbps,download_rcv_mbps'
header=$header,download_send_mbps
expect "^$header~,1380,.*~,1420,-1.000,-1.000,.*~,1380," export --run 2 --format csv
expect "^$header~\$" export --run 1 --format csv
expect '^\{"format":"mtusweep".*"one_end":~\{.*"server_mtu":null.*\]\}~$' export --run 2 \
	--format json
for run in 1 2 4; do
	expect '~mtusweep_run_visits\{' export --run $run --format prometheus
	"$promtool" check metrics <out >promtool.out 2>&1 || fail "promtool on run $run:
$(<promtool.out)"
	! grep -q 'server_mtu=\|end="server"' out || fail "a server's MTU in $(<out)"
done
expect '~mtusweep_mtu_recommended_bytes\{[^}]*,end="peer"\} 1380~' export --run 1 \
	--format prometheus
expect '~mtusweep_pair_failed_visits\{[^}]*,peer_mtu="1420",direction="upload"\} 1~' \
	export --run 2 --format prometheus

# The file for a bug report names no address and no interface.
for run in 1 2 4; do
	write share "$run" -o page.html
	! grep -qE '65535|10\.0\.0\.1|192\.0\.2\.7|wg0|laptop' page.html ||
		fail "the page of run $run: $(grep -oE \
			'.{60}(65535|10\.0\.0\.1|192\.0\.2\.7|wg0|laptop).{20}' page.html)"
done
write share 2 -o page.html
grep -q '<tr><td>-<td>1380<td>31.000' page.html || fail 'the pairs of the page'
grep -q '<li>upload, as far as \[omitted\]: outer packets up to 1440' page.html ||
	fail 'the answer of the page'

# A log of one end is refused where two ends are expected.
"$program" export --run 2 --format csv >one.csv
if "$program" import one.csv --db other.db 2>err ||
	! grep -q 'line 2, column 1: expected an MTU' err; then
	fail "the import of a log of one end: $(<err)"
fi

# --- the server's end

answer='recommended: server MTU 1380; predicted by probes of this end alone, not measured~'
answer+='current MTU of this end: 1420: does not fit~'
answer+='far end: MTU 1392 at most.*~  in the peer.s configuration, section \[Interface\]: '
answer+='MTU = 1392~download, as far as 10\.0\.0\.2: outer packets up to 1440 bytes arrive '
answer+='whole, larger ones are lost~.*~upload, from 10\.0\.0\.2: .*~  iptables .* -o wg1 '
expect "^$answer" best 5
expect "^$answer.*plausible cause, download: packets of up to 1440 bytes" explain 5
expect '~ +5 +0a1b2c3d .* server +probe +done +0 +0  1380/- +- +hubhost wg1 - -~' runs
expect '~server    hubhost wg1 10.0.0.1, MTU 1420 before, .*~peer      -~' show 5
expect '"recommended":\{"server_mtu":1380,"peer_mtu":null\}' runs --json
expect '"server_mtu":1380,"peer_mtu":null.*"sends":"download"' show 5 --json
expect "network\.wg1\.mtu='1380'" best 5 --as uci --end server
expect "largest that the other end .*network\.wg0\.mtu='1392'" best 5 --as uci
expect 'Recommended: server MTU 1380 \(predicted.*~WireGuard MTU: hubhost wg1, one end' \
	heatmap 5
expect '"peer_mtus": \[~    null~  \]' heatmap 5 --json
expect '~pair      recommended: 1380/-.*~' compare 5 3
expect '~mtusweep_mtu_recommended_bytes\{[^}]*,end="server"\} 1380~' export --run 5 \
	--format prometheus
! grep -q 'end="peer"\|peer_mtu' out || fail "a peer's MTU in $(<out)"
expect "^$header~\$" export --run 5 --format csv
write heatmap 5 -o map.svg
! grep -q 65535 map.svg || fail 'the picture names the unknown MTU'
write share 5 -o page.html
! grep -qE '65535|10\.0\.0\.|wg1|hubhost' page.html || fail "the page of run 5"
expect 'doubt: the peer does not tell of its' explain 5 --pair 1380/1392

# The views that sqlite3's users read.
got=$(sqlite3 mtusweep.db "SELECT server_mtu IS NULL, peer_mtu, upload_mbps, visits
	FROM results WHERE run_id = 2 ORDER BY peer_mtu" | tr '\n' ' ')
[[ $got == '1|1380|31.0|2 1|1420||1 ' ]] || fail "view results has $got"

[[ $failures -eq 0 ]]
