#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/page.sh [CASE ...]: all of CASES below, or the given ones.
#
# The page in a real browser: its contents compared with the database, by mouse and by
# keys, light and dark, on a phone; over the tunnel during a sweep, while the tunnel is
# cut, and its traffic there.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

readonly BROWSER=${BASH_SOURCE[0]%/*}/browser.pl
readonly SCHEMA=${BASH_SOURCE[0]%/*}/../../store/schema.sql
readonly SCHEMA2=${BASH_SOURCE[0]%/*}/../../store/schema2.sql
readonly CASES=(live flap cost view ruler one_end watch)
readonly VIEW_PORT=5080
# The rows of a table, formatted as in the test's database query.
readonly TABLE='[...document.querySelectorAll("SECTION tbody tr")].map((row) =>
	[...row.cells].map((cell) => cell.textContent).join("|")).join("\n")'

browser_pid=
view_pid=

# Arguments: HOST [OPTION ...] URL STEP ... Leave the output in $tmp/browser.out.
browse()
{
	local host=$1
	shift
	on "$host" perl "$BROWSER" "$@" >"$tmp/browser.out" 2>"$tmp/browser.log"
	# Exceptions that the page throws.
	check_equal 'errors of the page' '' "$(grep '^page:' "$tmp/browser.out" || true)"
}

browse_meanwhile()
{
	local host=$1
	shift
	on "$host" perl "$BROWSER" "$@" >"$tmp/browser.out" 2>"$tmp/browser.log" &
	browser_pid=$!
}

printed()
{
	grep -qx "$1" "$tmp/browser.out"
}

# Arguments: [SECTION]. Print a step that opens its table.
# shellcheck disable=SC2120 # without one it is the only one
open_table()
{
	local open="document.querySelector(\"${1-} .all\").open = true"
	printf 'wait=(%s) && %s' "$open" \
		"document.querySelector(\"${1-} tbody tr\") !== null"
}

# shellcheck disable=SC2120
table()
{
	printf 'print=%s' "${TABLE/SECTION/${1-}}"
}

# Arguments: DATABASE RUN. Print the expected table.
expected_table()
{
	sql "$1" "SELECT server_mtu, peer_mtu,
			CASE WHEN upload_status = 'ok' THEN printf('%.3f', upload_mbps)
				ELSE upload_status END,
			CASE WHEN download_status = 'ok' THEN printf('%.3f', download_mbps)
				ELSE download_status END
		FROM results WHERE run_id = $2 ORDER BY 1, 2"
}

# Arguments: DATABASE RUN STARTED. Make a run of a grid of 4 by 4: the reference pair is
# measured often, one pair fails in both directions, and one only the second time.
make_run()
{
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" <<-SQL
		INSERT INTO run (id, uuid, role, started_at, outcome, strategy, passes,
			seed, duration_ms, persist, pairs_planned, server_host,
			server_link_mtu, server_backend, server_endpoint_family,
			server_mtu_min,
			server_mtu_max, server_mtu_step, peer_host, peer_link_mtu,
			peer_backend, peer_endpoint_family, peer_mtu_min, peer_mtu_max,
			peer_mtu_step, ended_at)
		VALUES ($2, '0a1b2c3d-0000-4000-8000-00000000000$2', 'peer', '$3', 'done',
			'smart', 1, '7', 5000, 'none', 16, 'hub', 1420, 'kernel', 4, 1280,
			1430, 50, '<b>laptop', 1420, 'kernel', 4, 1280, 1430, 50, '$3');
		WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
			WHERE i < 15)
		INSERT INTO measurement (run_id, seq, pass, reference, server_mtu, peer_mtu,
			upload_status, upload_text, upload_goodput_bps, upload_received_bps,
			upload_started_at, download_status, download_text,
			download_goodput_bps, download_received_bps)
		SELECT $2, i + 1, 1, i % 5 = 0, 1280 + 50 * (i / 4), 1280 + 50 * (i % 4),
			iif(i = 15, 'blackhole', 'ok'), iif(i = 15, 'nothing arrived', ''),
			iif(i = 15, NULL, 90000000 + $2 * 1000000 + 123456 * i),
			iif(i = 15, NULL, 80000000), '$3',
			iif(i IN (14, 15), 'timeout', 'ok'), '',
			iif(i IN (14, 15), NULL, 50000000 + 98765 * i),
			iif(i IN (14, 15), NULL, 40000000)
		FROM n;
		INSERT INTO path VALUES ($2, 60, 9, 9, 100);
		INSERT INTO path_band VALUES ($2, 'upload', 1440, 'whole'),
			($2, 'upload', 65535, 'lost');
	SQL
}

make_database()
{
	rm -f "$1"*
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" <"$SCHEMA"
}

# --- cases -----------------------------------------------------------------------------

# A running sweep, viewed from the peer's host through the tunnel.
case_live()
{
	local url=http://$LAB_SERVER_IP:5000/
	start_server "${GRID_3X3[@]}" --lease 5
	wait_for 10 'the server to listen' listening 5000
	browse_meanwhile peer "$url" \
		'print="open"' \
		'wait=document.querySelector(".now").textContent
			.match(/^1[34][05]0 . 1[34][05]0 /)' \
		'print=document.querySelector(".count").textContent' \
		'wait=document.querySelector(".count").textContent.endsWith("done")' \
		'print=document.querySelector(".count").textContent' \
		"$(open_table)" "$(table)" \
		'print="fastest " + document.querySelector(".fastest").textContent' \
		'print=document.querySelector(".title").textContent' \
		'print=document.querySelector(".current").textContent' \
		'print=[...document.querySelectorAll(".signs b")].map((sign) =>
			sign.className.replace("mark ", "") + "=" +
			sign.nextSibling.textContent).join(";")'
	wait_for 60 'the page' printed open
	start_peer "${GRID_3X3[@]}" --duration 0.5 --lease 5
	wait_exit "$peer_pid" 60 'the peer'
	check_equal "the peer's exit status" 0 "$status"
	wait_exit "$browser_pid" 120 'the browser'
	check_equal "the browser's exit status" 0 "$status"
	check_match 'how far it is, under way' '^[0-8] of 9 measurements, .*running' \
		"$(sed -n 2p "$tmp/browser.out")"
	check_match 'how far it is, at the end' '^9 of 9 measurements, 0 failed, done$' \
		"$(sed -n 3p "$tmp/browser.out")"
	check_same_text 'the table' "$(expected_table "$server_db" 1)" \
		"$(sed -n 4,12p "$tmp/browser.out")"
	check_equal 'the fastest pair' "fastest $(sql "$server_db" "SELECT
		format('%d / %d', server_mtu, peer_mtu) FROM results WHERE run_id = 1
		ORDER BY upload_mbps + download_mbps DESC LIMIT 1")" \
		"$(sed -n 13p "$tmp/browser.out")"
	check_equal 'the title' "$(hostname) $LAB_SERVER_IF - $(hostname) $LAB_PEER_IF" \
		"$(sed -n 15p "$tmp/browser.out")"
	check_equal 'the pair before the run' "$LAB_MTU / $LAB_MTU" \
		"$(sed -n 16p "$tmp/browser.out")"
	check_equal 'the legend' \
		'ring=current (before the run);diamond=fastest measured;frame=recommended' \
		"$(sed -n 17p "$tmp/browser.out")"
	# The page's reader has not kept the database open.
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_equal 'the journal mode' delete "$(sql "$server_db" 'PRAGMA journal_mode')"
}

# The tunnel is cut for a while: the page says so, and recovers by itself.
case_flap()
{
	start_server "${GRID_3X3[@]}"
	wait_for 10 'the server to listen' listening 5000
	browse_meanwhile peer "http://$LAB_SERVER_IP:5000/" \
		'wait=link.textContent === "Up to date."' 'print="there"' \
		'wait=link.classList.contains("lost")' 'print=link.textContent' \
		'print="lost"' \
		'wait=link.textContent === "Up to date."' 'print="back"'
	wait_for 60 'the page' printed there
	on server ip link set dev "$LAB_SERVER_IF" down
	wait_for 60 'the page to notice' printed lost
	on server ip link set dev "$LAB_SERVER_IF" up
	wait_for 60 'the page to come back' printed back
	wait_exit "$browser_pid" 120 'the browser'
	check_equal "the browser's exit status" 0 "$status"
	check_match 'what it says' 'No answer for [0-9]+ s .*Retrying' \
		"$(cat "$tmp/browser.out")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

# Print the bytes in and out of the peer's host, headers included.
outer_bytes()
{
	on peer cat /sys/class/net/eth0/statistics/{rx,tx}_bytes |
		awk '{ s += $1 } END { print s }'
}

# The worst case: the page still has thousands of rows to fetch, and the reader chooses
# a pair, which a server that lacks time for its reading tells later. The cost is counted
# for each answer, as the page asks once a second at most: a machine without time for the
# page makes it cheaper.
case_cost()
{
	local before after cost
	local -r answers=10
	make_database "$server_db"
	make_run "$server_db" 1 2026-11-22T12:20:39.123Z
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$server_db" <<-'SQL'
		WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
			WHERE i < 4095)
		INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,
			upload_status,
			upload_text, upload_goodput_bps, download_status, download_text,
			download_goodput_bps)
		SELECT 1, 100 + i, 1, 2000 + i / 64, 2000 + i % 64, 'ok', '', 900000000 + i,
			'ok', '', 950000000 + i
		FROM n;
	SQL
	start_server
	wait_for 10 'the server to listen' listening 5000
	# The page itself and the run's facts arrive before the answers that are counted.
	# It pauses after the second and the last answer, with no request on its way.
	browse_meanwhile peer "http://$LAB_SERVER_IP:5000/" \
		'wait=document.querySelector(".fastest").textContent !== "-"' \
		"print=((sweep) => {
			const take = sweep.take;
			let answers = 0;
			window.paused = 0;
			window.go_on = () => { sweeps = [sweep]; return sweep.more; };
			sweep.select([1280, 1280]);
			sweep.take = (...all) => {
				take.apply(sweep, all);
				if (++answers === 2 || answers === $answers + 2) {
					sweeps = [];
					paused++;
				}
			};
		})(sweeps[0])" \
		'wait=paused === 1' 'print="counting"' "file=$tmp/began" 'print=go_on()' \
		'wait=paused === 2' 'print="counted"' "file=$tmp/ended" 'print=go_on()' \
		'wait=sweeps[0].told' \
		'print=sweeps[0].told.server_mtu' 'print=POLL_MS'
	wait_for 120 'the first answers' printed counting
	before=$(outer_bytes)
	touch "$tmp/began"
	wait_for 120 'the answers' printed counted
	after=$(outer_bytes)
	touch "$tmp/ended"
	cost=$(((after - before) / answers))
	echo "the page costs the tunnel $cost bytes an answer, in and out"
	wait_exit "$browser_pid" 120 'the browser'
	check_equal "the browser's exit status" 0 "$status"
	check_same_text 'rows were still to come, the pair came, an answer a second' \
		"$(printf 'true\n1280\n1000')" "$(tail -3 "$tmp/browser.out")"
	check_equal 'it costs less than 5 kB a second' yes \
		"$( ((cost > 500 && cost < 5000)) && echo yes || echo "$cost")"
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

start_view()
{
	run_on server "$MTUSWEEP_BIN/mtusweep" view --db "$1" "${@:2}" \
		>"$tmp/view.out" 2>"$tmp/view.log" &
	view_pid=$!
	wait_for 10 'mtusweep view' grep -qs http "$tmp/view.out"
}

check_light_and_dark()
{
	local ground='print=getComputedStyle(document.body).backgroundColor'
	browse server "$1" "$(open_table)" "$ground"
	check_equal 'a light page' 'rgb(255, 255, 255)' "$(cat "$tmp/browser.out")"
	browse server --dark "$1" "$(open_table)" "$ground"
	check_equal 'a dark page' 'rgb(20, 22, 26)' "$(cat "$tmp/browser.out")"
}

# Check the pixels of cells: brighter for higher rates, with a pattern for failures.
check_colours()
{
	local light='((pair) => { const chart = sweeps[0].charts[0];
		const [x, y, w, h] = chart.box(pair);
		const [r, g, b] = chart.context.getImageData(x + 4, y + 4, 1, 1).data;
		return Math.round(.3 * r + .6 * g + .1 * b); })'
	browse server "$1" 'wait=sweeps[0].cells.size === 16' \
		"print=${light}([1280, 1280]) < ${light}([1380, 1330])" \
		"print=${light}([1380, 1330]) < ${light}([1430, 1330])"
	check_same_text 'brighter where it is faster' "$(printf 'true\ntrue')" \
		"$(cat "$tmp/browser.out")"
}

# The focus begins at the fastest pair.
check_keys()
{
	browse server "$1" 'wait=sweeps[0].cells.size === 16' \
		'print=document.querySelector(".map").focus()' \
		'print=document.querySelector(".pair h3").textContent' \
		key=Home key=ArrowDown key=ArrowRight \
		'wait=document.querySelectorAll(".pair p").length === 4' \
		'print=[...document.querySelector(".pair").children]
			.map((e) => e.textContent).join("\n")' \
		key=Escape 'print=document.querySelector(".pair").innerText'
	check_same_text 'what the keys show' "$(
		echo 'Server MTU 1430, peer MTU 1330'
		echo 'Server MTU 1380, peer MTU 1330'
		echo 'upload: 92.111 Mbit/s; 1 of 1 measurements ok,' \
			'received 80.000 Mbit/s'
		"$MTUSWEEP_BIN/mtusweep" explain --db "$2" --run 1 --pair 1380,1330 |
			sed -n 's/^upload: //p'
		echo 'download: 50.889 Mbit/s; 1 of 1 measurements ok,' \
			'received 40.000 Mbit/s'
		"$MTUSWEEP_BIN/mtusweep" explain --db "$2" --run 1 --pair 1380,1330 |
			sed -n 's/^download, //p'
		echo 'No pair is selected.')" "$(sed 1d "$tmp/browser.out")"
}

# The last pair is in the corner, and failed.
check_mouse()
{
	browse server "$1" 'wait=sweeps[0].cells.size === 16' point=.map,0.95,0.05 \
		'wait=document.querySelectorAll(".pair p").length === 4' \
		'print=document.querySelector(".pair h3").textContent' \
		'print=document.querySelectorAll(".pair p")[0].textContent'
	check_same_text 'what the mouse shows' "$(
		echo 'Server MTU 1430, peer MTU 1430'
		echo 'upload: blackhole, no full-size packet arrived;' \
			'0 of 1 measurements ok,' \
			'the last one blackhole: nothing arrived')" \
			"$(cat "$tmp/browser.out")"
}

# Arguments: DATABASE. Add run 3, which only probed.
add_probe()
{
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" <"$SCHEMA2"
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" <<-'SQL'
		CREATE TEMP TABLE probe AS SELECT * FROM run WHERE id = 1;
		UPDATE probe SET id = 3, uuid = '0a1b2c3d-0000-4000-8000-000000000003',
			strategy = 'probe', duration_ms = NULL, pairs_planned = NULL;
		INSERT INTO run SELECT * FROM probe;
		INSERT INTO path VALUES (3, 60, 9, 9, 100);
		INSERT INTO path_detail VALUES (3, 60, 60, 0, 0, 0, 0, 0);
		INSERT INTO recommendation VALUES (3, 1380, 1330, 0, '');
		INSERT INTO reason (run_id, kind, status, margin, visits)
			VALUES (3, 'fits', 'predicted', 5, 0);
	SQL
}

# A run without measurements has no progress to show.
check_probed()
{
	add_probe "$2"
	browse server "$1?run=3" 'wait=sweeps[0].facts' \
		'wait=document.querySelector(".recommended").textContent' \
		'print=document.querySelector(".recommended").textContent' \
		'print=document.querySelector(".proof").textContent' \
		'print=document.querySelector(".count").textContent' \
		'print=document.querySelector("progress").offsetWidth'
	check_same_text 'a run that only probed' "$(
		echo 'Recommended: server MTU 1380, peer MTU 1330'
		echo 'Predicted by probes, not measured.'
		echo '0 measurements, 0 failed, done'
		echo 0)" "$(cat "$tmp/browser.out")"
}

# Arguments: URL DATABASE. Another run with as many warnings and measurements of the
# reference pair replaces a run.
check_other_run()
{
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$2" <<-'SQL'
		INSERT INTO warning (run_id, warned_at, text)
			SELECT id, started_at, 'a word on run ' || id FROM run;
	SQL
	browse server "$1?run=1" 'wait=document.querySelector(".warnings li")' \
		'print=document.querySelector(".warnings").textContent' \
		'print=(sweeps[0].name = "2")' 'wait=sweeps[0].facts.run.id === 2' \
		'wait=sweeps[0].cells.size === 16' \
		'print=document.querySelector(".warnings").textContent' \
		'print=document.querySelector(".drift svg").getAttribute("aria-label")'
	check_same_text 'one run after another' "$(
		printf '%s\n' 'a word on run 1' 2 'a word on run 2'
		sql "$2" "SELECT format('%d measurements of the reference pair, ' ||
			'%.1f to %.1f Mbit/s', count(*), min(download_goodput_bps) / 1e6,
			max(upload_goodput_bps) / 1e6)
		FROM measurement WHERE run_id = 2 AND reference")" \
		"$(cat "$tmp/browser.out")"
}

# Runs of a file, without a tunnel: one, and two side by side.
case_view()
{
	local db=$tmp/db/view.db url=http://127.0.0.1:$VIEW_PORT/
	make_database "$db"
	make_run "$db" 1 2026-11-22T12:20:39.123Z
	make_run "$db" 2 2026-11-23T12:20:39.123Z
	start_view "$db" --run 1
	check_equal 'where it is' "$url" "$(cat "$tmp/view.out")"

	browse server "$url" 'wait=document.querySelectorAll("#first option").length' \
		"$(open_table)" "$(table)" \
		'print=[...document.querySelectorAll("select")]
			.map((s) => s.options.length)' \
		'print=document.querySelector(".title").textContent' \
		'print=document.querySelector(".drift svg").getAttribute("aria-label")'
	check_same_text 'the table of run 1' "$(expected_table "$db" 1)" \
		"$(head -16 "$tmp/browser.out")"
	check_equal 'the runs to choose from' '[2,3]' "$(sed -n 17p "$tmp/browser.out")"
	check_equal 'names are text' 'hub - <b>laptop' "$(sed -n 18p "$tmp/browser.out")"
	check_equal 'the reference pair over time' \
		"$(sql "$db" "SELECT format('%d measurements of the ' ||
			'reference pair, %.1f to %.1f Mbit/s', count(*),
			min(download_goodput_bps) / 1e6, max(upload_goodput_bps) / 1e6)
		FROM measurement WHERE run_id = 1 AND reference")" \
		"$(sed -n 19p "$tmp/browser.out")"

	browse server "$url?run=2&beside=1" \
		"$(open_table 'section:nth-of-type(1)')" \
		"$(open_table 'section:nth-of-type(2)')" \
		"$(table 'section:nth-of-type(1)')" "$(table 'section:nth-of-type(2)')" \
		'wait=document.querySelectorAll("#first option").length' \
		'print=[...document.querySelectorAll("select")]
			.map((s) => s.selectedOptions[0].text.slice(0, 2))'
	check_same_text 'two runs side by side' \
		"$(expected_table "$db" 2; expected_table "$db" 1)" \
		"$(sed '$d' "$tmp/browser.out")"
	check_equal 'the runs that are chosen' '["2:","1:"]' \
		"$(sed -n '$p' "$tmp/browser.out")"

	browse server --size 375x800 "$url" "$(open_table)" \
		'print=document.documentElement.scrollWidth' \
		'print=document.querySelector(".map").clientWidth > 300'
	check_same_text 'on a phone nothing is beside the screen' "$(printf '375\ntrue')" \
		"$(cat "$tmp/browser.out")"

	check_light_and_dark "$url"
	check_colours "$url"
	check_keys "$url" "$db"
	check_mouse "$url"
	check_other_run "$url" "$db"
	check_probed "$url" "$db"
	check_match 'a port that is taken' "port $VIEW_PORT" \
		"$(on server "$MTUSWEEP_BIN/mtusweep" view --db "$db" 2>&1)"
	check_equal 'a page of another name' 421 "$(on server curl -s -o /dev/null \
		-w '%{http_code}' -H 'Host: evil.example' "${url}progress")"
	kill -TERM "$view_pid"
	wait_exit "$view_pid" 10 'mtusweep view'
	check_equal "mtusweep view's exit status" 0 "$status"
}

# Arguments: DATABASE STATUS. Give run 1 a recommendation, and download a path of its own.
recommend()
{
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" <<-SQL
		BEGIN;
		$(cat "$SCHEMA2")
		PRAGMA user_version = 2;
		INSERT INTO recommendation VALUES (1, 1400, 1380, 1, '');
		INSERT INTO reason (run_id, kind, status, margin, visits)
			VALUES (1, 'fits', '$2', 5, 16);
		INSERT INTO path_band VALUES (1, 'download', 1446, 'whole'),
			(1, 'download', 1448, 'lost'), (1, 'download', 1480, 'whole'),
			(1, 'download', 1500, 'unknown'),
			(1, 'download', 65535, 'fragmented');
		COMMIT;
	SQL
}

# Labels that touch, and texts that leave their picture.
# shellcheck disable=SC2016 # JavaScript
readonly TOUCHING='[...document.querySelectorAll(".rulers svg")].flatMap((svg) => {
	const box = (e) => e.getBoundingClientRect();
	const all = [...svg.querySelectorAll("text")];
	return all.flatMap((a, i) => all.slice(i + 1).filter((b) =>
		box(a).left < box(b).right && box(b).left < box(a).right &&
		box(a).top < box(b).bottom && box(b).top < box(a).bottom)
		.map((b) => `${a.textContent} on ${b.textContent}`)
		.concat(box(a).left < box(svg).left || box(a).right > box(svg).right ||
			box(a).top < box(svg).top || box(a).bottom > box(svg).bottom
			? [`${a.textContent} outside`] : []));
})'
# The order of the parts, and whether the recommendation is the largest text.
# shellcheck disable=SC2016 # JavaScript
readonly ORDER='["answer", "rulers", "maps", "cards"].map((name) =>
	document.querySelector(`.${name}`).getBoundingClientRect().top)
	.every((top, i, all) => i === 0 || top > all[i - 1])'
readonly LARGEST='((size) => [...document.querySelectorAll("body *")].every((e) =>
	e.className === "recommended" || size(e) < size(document.querySelector(
	".recommended"))))((e) => parseFloat(getComputedStyle(e).fontSize))'
# Axis labels of the maps that are not round, or closer than they are wide.
readonly AXES='sweeps[0].charts.flatMap((chart) => {
	const axis = Array.from({ length: 221 }, (_, i) => 1283 + i);
	const kept = axisLabels(axis, chart.cell[0] * 4 / axis.length, 36);
	return kept.filter((i, n) => axis[i] % 5 ||
		n && (i - kept[n - 1]) * chart.cell[0] * 4 / axis.length < 36);
})'

# Arguments: URL SIZE [OPTION]. Check the layout at a size of the screen.
check_ruler_layout()
{
	browse server --size "$2" "${@:3}" "$1" \
		'wait=document.querySelector(".rulers svg text") &&
			sweeps[0].cells.size === 16' \
		'print=document.documentElement.scrollWidth' "print=$TOUCHING" \
		"print=$ORDER" "print=$LARGEST" "print=$AXES" \
		'print=document.querySelectorAll(".rulers .edge.size").length'
	check_same_text "the layout at $2 ${*:3}" \
		"$(printf '%s\n[]\ntrue\ntrue\n[]\n10' "${2%x*}")" \
		"$(cat "$tmp/browser.out")"
}

# The predicted fates of all pairs, both directions.
readonly PREDICTIONS='[0, 1].map((direction) => sweeps[0].servers.flatMap((server) =>
	sweeps[0].peers.map((peer) => predictFate(sweeps[0].facts.ruler, direction,
		[server, peer]) || "unknown")).join(" ")).join("\n")'

# Arguments: DATABASE. Print the predicted fates of all pairs, both directions.
expected_predictions()
{
	"$MTUSWEEP_BIN/mtusweep" heatmap --db "$1" --json | perl -MJSON::PP -0777 -ne '
		for my $map (@{decode_json($_)->{maps}}) {
			print join(" ", map { $_->{predicted} // "unknown" }
				@{$map->{cells}}), "\n";
		}'
}

# Arguments: DATABASE URL. A pair that tests speak against is not marked as predicted,
# and the bands that they contradict are not shown.
check_contradicted()
{
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" <<-'SQL'
		UPDATE reason SET status = 'contradicted', upload_guessed = 1;
		INSERT INTO reason_band VALUES (1, 'upload', 1400, 'whole'),
			(1, 'upload', 65535, 'lost');
	SQL
	# For a moment the server answers with what it read before.
	browse server "$2" \
		'wait=document.querySelector(".proof")?.textContent
			.includes("contradict")' \
		'wait=document.querySelector(".rulers svg text")' \
		'print=document.querySelector(".proof").textContent' \
		'print=document.querySelectorAll(".signs .predicted").length' \
		'print=[...document.querySelectorAll(".rulers .sign.is-recommended")]
			.map((e) => e.getAttribute("stroke-dasharray"))' \
		'print=[...document.querySelectorAll(".rulers .bar")]
			.map((e) => e.getAttribute("stroke-dasharray"))' \
		'print=document.querySelector(".rulers figcaption").textContent' \
		'print=document.querySelector(".rulers svg").getAttribute("aria-label")' \
		"print=$PREDICTIONS"
	check_same_text 'probes that tests contradict' "$(
		echo 'Tests contradict the probes.'
		echo 0
		echo '["none","none"]'
		echo '["5 4","none"]'
		echo 'Upload, peer to server (inferred from throughput)'
		echo 'upload: whole to 1400 bytes (peer MTU 1340), lost above;' \
			'current 1420; fastest 1330; recommended 1380'
		expected_predictions "$1")" "$(cat "$tmp/browser.out")"
}

# What the page shows of a path that was probed.
case_ruler()
{
	local db=$tmp/db/ruler.db url=http://127.0.0.1:$VIEW_PORT/ size
	make_database "$db"
	make_run "$db" 1 2026-11-22T12:20:39.123Z
	recommend "$db" predicted
	start_view "$db"
	browse server "$url" 'wait=document.querySelector(".rulers svg text")' \
		'print=document.querySelector(".answer").innerText' \
		'print=[...document.querySelectorAll(".rulers figcaption")]
			.map((e) => e.textContent).join("; ")' \
		'print=[...document.querySelectorAll(".rulers svg")]
			.map((e) => e.getAttribute("aria-label")).join("\n")' \
		'print=[...document.querySelectorAll(".rulers .sign.is-recommended")]
			.map((e) => e.getAttribute("stroke-dasharray"))' \
		'print=[...document.querySelectorAll(".fates .together")]
			.map((e) => e.textContent)' \
		"print=$PREDICTIONS" \
		'print=[axisLabels([1281, 1282, 1283, 1284], 12, 20),
			axisLabels([...Array(21)].map((_, i) => 1280 + i), 4.2, 20)]'
	check_same_text 'the path' "$(
		echo 'Recommended: server MTU 1400, peer MTU 1380'
		echo
		echo 'The largest allowed pair at which every packet, TCP or not,' \
			'arrives whole both ways. Predicted, not confirmed by tests.'
		echo 'Upload, peer to server; Download, server to peer'
		echo 'upload: whole to 1440 bytes (peer MTU 1380), lost above;' \
			'current 1420; fastest 1330; recommended 1380'
		echo 'download: whole to 1446 bytes (server MTU 1386),' \
			'lost to 1448 bytes (server MTU 1388),' \
			'whole to 1480 bytes (server MTU 1420),' \
			'unknown to 1500 bytes (server MTU 1440), fragmented above;' \
			'current 1420; fastest 1430; recommended 1400'
		echo '["4 3","4 3"]'
		echo '["arrives whole","arrives in fragments","lost","not known"]'
		expected_predictions "$db"
		echo '[[0,2],[0,10,20]]')" "$(cat "$tmp/browser.out")"
	for size in 375x800 1280x900; do
		check_ruler_layout "$url" "$size"
		check_ruler_layout "$url" "$size" --dark
	done
	check_contradicted "$db" "$url"
	# A run that only probed, of more MTUs than a map has.
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$db" <<-'SQL'
		DELETE FROM measurement;
		UPDATE run SET server_mtu_max = 9000, server_mtu_step = 1,
			peer_mtu_max = 9000, peer_mtu_step = 1;
	SQL
	browse server "$url" 'wait=document.querySelector(".maps").hidden' \
		'print=document.querySelectorAll(".rulers .edge.size").length' \
		'print=document.querySelector(".maps").clientHeight'
	check_same_text 'the path without a map' "$(printf '10\n0')" \
		"$(cat "$tmp/browser.out")"
	kill -TERM "$view_pid"
	wait_exit "$view_pid" 10 'mtusweep view'
}

# Arguments: DATABASE. Make run 1, of one end alone, which measured two MTUs.
make_one_end()
{
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1" < <(
		cat "$SCHEMA" "$SCHEMA2" - <<-'SQL'
			INSERT INTO run (id, uuid, role, started_at, ended_at, outcome,
				strategy, passes, seed, persist, server_backend,
				server_mtu_min, server_mtu_max, server_mtu_step, peer_host,
				peer_interface, peer_link_mtu, peer_backend,
				peer_endpoint_family, peer_mtu_min, peer_mtu_max,
				peer_mtu_step)
			VALUES (1, '0a1b2c3d-0000-4000-8000-000000000001', 'peer',
				'2026-11-22T12:20:39.123Z', '2026-11-22T12:20:41.000Z',
				'done', 'probe', 1, '7', 'none', 'none', 65535, 65535, 1,
				'laptop', 'wg0', 1420, 'kernel', 4, 1280, 1440, 20);
			INSERT INTO path VALUES (1, 60, 9, 9, 100);
			INSERT INTO path_detail VALUES (1, 60, 60, 0, 0, 0, 0, 0);
			INSERT INTO path_band VALUES (1, 'upload', 1440, 'whole'),
				(1, 'upload', 65535, 'lost'),
				(1, 'download', 1500, 'whole'),
				(1, 'download', 65535, 'fragmented');
			INSERT INTO one_end (run_id, sends, target, small, proof, echoes,
				endpoint_answers, own_is_limit, by_route, either_way,
				far_is_limit, far_is_present, back_ends, pieces_lost,
				rounds)
			VALUES (1, 'upload', '10.77.0.1', 'none', 'whole', 1, 1, 0, 0, 0, 0,
				0, 0, 0, 9);
			INSERT INTO recommendation VALUES (1, 65535, 1380, 0, '');
			INSERT INTO reason (run_id, kind, status, margin, visits)
				VALUES (1, 'own_whole', 'predicted', 5, 0);
			INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,
				upload_status, upload_text, upload_goodput_bps,
				download_status, download_text, download_goodput_bps)
			VALUES (1, 1, 1, 65535, 1380, 'ok', '', 30000000, 'ok', '',
				50000000),
				(1, 2, 1, 65535, 1420, 'blackhole', 'nothing arrived', NULL,
				'ok', '', 51000000);
		SQL
	)
}

# A server MTU that nobody knows is "-", in one row.
case_one_end()
{
	local db=$tmp/db/one.db url=http://127.0.0.1:$VIEW_PORT/
	make_one_end "$db"
	start_view "$db"
	browse server "$url" "$(open_table)" "$(table)" \
		'print=document.querySelector(".title").textContent' \
		'print=document.querySelector(".about").textContent' \
		'print=document.querySelector(".recommended").textContent' \
		'print=document.querySelector(".fastest").textContent' \
		'print=document.querySelector(".current").textContent' \
		'print=[...document.querySelectorAll(".rulers svg")]
			.map((e) => e.getAttribute("aria-label")).join("\n")' \
		'print=sweeps[0].charts[0].canvas.getAttribute("aria-label")' \
		'print=[sweeps[0].servers, ...[1400, 1380].map((peer) =>
			predictFate(sweeps[0].facts.ruler, 0, [65535, peer]))]' \
		'print=sweeps[0].select([65535, 1420])' \
		'wait=document.querySelectorAll(".pair p").length === 4' \
		'print=document.querySelector(".pair").innerText' \
		'print=document.body.innerText.includes("65535")'
	check_same_text 'a run with one end alone' "$(
		echo '-|1380|30.000|50.000'
		echo '-|1420|blackhole|51.000'
		echo 'laptop wg0, one end alone'
		echo 'run 1 (0a1b2c3d), 2026-11-22 12:20 UTC, strategy probe,' \
			'peer MTUs 1280 to 1440 by 20, WireGuard: kernel, IPv4'
		echo 'Recommended: peer MTU 1380'
		printf '%s\n' '- / 1380' '30.0 up, 50.0 down' '- / 1420'
		echo 'upload: whole to 1440 bytes (peer MTU 1380), lost above;' \
			'current 1420; fastest 1380; recommended 1380'
		echo 'download: whole to 1500 bytes (server MTU 1440), fragmented above'
		echo 'upload: 2 of 9 pairs measured; arrow keys select a pair'
		echo '[[65535],"lost","whole"]'
		echo null
		echo 'Peer MTU 1420')" "$(head -n 14 "$tmp/browser.out")"
	check_match 'the far end' "the server's MTU is not known" \
		"$(cat "$tmp/browser.out")"
	check_equal 'the number for what is not known' false \
		"$(tail -n 1 "$tmp/browser.out")"
	# An MTU that tests contradict is not shown, nor its reason.
	setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$db" \
		"UPDATE reason SET status = 'contradicted'"
	browse server "$url" 'wait=document.querySelector(".rulers svg text")' \
		'wait=document.querySelector(".recommended").innerText.endsWith("no MTU")' \
		'print=document.querySelector(".recommended").textContent' \
		'print=document.querySelector(".why").textContent' \
		'print=document.querySelector(".proof").textContent' \
		'print=document.querySelectorAll(".rulers .sign.is-recommended").length'
	check_same_text 'an MTU that tests contradict' \
		$'Recommended: no MTU\n\nTests contradict the probes.\n0' \
		"$(cat "$tmp/browser.out")"
	kill -TERM "$view_pid"
	wait_exit "$view_pid" 10 'mtusweep view'
}

# Arguments: DATABASE. Run stdin's SQL, with a view `probe` to insert probes of run 1 into.
put_probes()
{
	local prepare
	prepare=$(cat <<-'SQL'
		CREATE TEMP VIEW probe AS SELECT seq, '' AS time, answer, peer_mtu,
			largest_peer_mtu, fit, upload_whole, event, applied
			FROM path_probe;
		CREATE TEMP TRIGGER put INSTEAD OF INSERT ON probe BEGIN
			INSERT INTO path_probe (run_id, seq, probed_at, took_ms, answer,
				early, peer_mtu, largest_peer_mtu, fit, upload_whole,
				upload_bands, event, applied)
			VALUES (1, new.seq, '2026-11-22T12:' || new.time || '.000Z',
				480, new.answer, 0, new.peer_mtu, new.largest_peer_mtu,
				new.fit, new.upload_whole,
				new.upload_whole || ':whole,65535:lost', new.event,
				new.applied);
		END;
	SQL
	)
	{
		echo "$prepare"
		cat
	} | setpriv --reuid "$DB_USER" --clear-groups sqlite3 -bail "$1"
}

# A watch has no measurements: its changes are in a table, and go on while it is open.
case_watch()
{
	local db=$tmp/db/watch.db url=http://127.0.0.1:$VIEW_PORT/
	local changes='[...document.querySelectorAll(".changes tbody tr")].map((row) =>
		[...row.cells].map((cell) => cell.textContent).join("|")).join("\n")'
	make_one_end "$db"
	start_view "$db"
	browse server "$url" 'wait=sweeps[0].facts' \
		'print=document.querySelector(".changes").hidden'
	check_equal 'a run that is no watch' true "$(cat "$tmp/browser.out")"
	put_probes "$db" <<-'SQL'
		DELETE FROM measurement;
		UPDATE run SET strategy = 'watch';
		INSERT INTO probe VALUES
			(1, '20:40', 'ok', 1420, 1440, 'fits', 1500, 'quiet', 'no'),
			(2, '21:40', 'ok', 1420, 1440, 'fits', 1500, 'quiet', 'no'),
			(3, '22:40', 'ok', 1420, 1380, 'misfit', 1440, 'misfit', 'yes');
	SQL
	browse_meanwhile server "$url" \
		'wait=document.querySelectorAll(".changes tbody tr").length === 2' \
		"print=$changes" 'print=document.querySelector(".count").textContent' \
		'print=document.querySelector("progress").hidden' \
		'print=document.querySelector(".changes").hidden' 'print="seen"' \
		'wait=document.querySelectorAll(".changes tbody tr").length === 3' \
		"print=$changes"
	wait_for 60 'the changes' printed seen
	put_probes "$db" <<-'SQL'
		INSERT INTO probe VALUES
			(4, '23:40', 'none', 1380, NULL, 'unknown', NULL, 'silent', 'no');
	SQL
	wait_exit "$browser_pid" 60 'the browser'
	check_equal "the browser's exit status" 0 "$status"
	check_same_text 'the changes' "$(
		local first='2026-11-22 12:20:40|1500|-|-/1420|-/1440|fits|'
		local fall='2026-11-22 12:22:40|1440|-|-/1420|-/1380|does not fit|misfit'
		local last='2026-11-22 12:23:40|-|-|-/1380|-/-|no answer|silent'
		printf '%s\n' "$fall, applied" "$first" 'done' true false seen \
			"$last" "$fall, applied" "$first"
	)" "$(cat "$tmp/browser.out")"
	kill -TERM "$view_pid"
	wait_exit "$view_pid" 10 'mtusweep view'
}

# Not a test: "page.sh picture" makes the README's picture, docs/page.png.
case_picture()
{
	local picture=${BASH_SOURCE[0]%/*}/../../docs/page.png
	"$LAB" hole "$lab_name" upload 1480
	"$LAB" hole "$lab_name" download 1500
	start_server --lease 5
	wait_for 10 'the server to listen' listening 5000
	browse_meanwhile peer --size 1100x900 --wait 250 "http://$LAB_SERVER_IP:5000/" \
		'wait=sweeps[0].visits > 95' \
		'print=sweeps[0].select([1420, 1460])' \
		'wait=document.querySelectorAll(".pair p").length === 4' \
		"shot=$picture"
	start_peer --strategy grid --duration 0.3 --lease 5
	wait_exit "$browser_pid" 120 'the browser'
	check_equal "the browser's exit status" 0 "$status"
	kill -INT "$peer_pid"
	wait_exit "$peer_pid" 10 'the peer'
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
}

main()
{
	local name
	test_begin
	for name in "${@:-${CASES[@]}}"; do
		echo "- $name"
		"case_$name"
	done
}

main "$@"
