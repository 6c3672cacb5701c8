#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
#	test_hostile_names.sh PROGRAM SOURCES
#
# Each of HOSTILE_NAMES is the name of both hosts and interfaces of a run, its strategy, its
# texts and the detail of a warning. It goes through each output: terminal, CSV, JSON,
# Prometheus, PostgreSQL's script, SVG, the page for others, the page in a browser, the
# texts for other systems, and the report of contrib/ansible. integration/postgres.sh loads
# the script into PostgreSQL.

set -uo pipefail
program=$(realpath -e "$1") || exit 1
sources=$(realpath -e "$2") || exit 1
# shellcheck source=tests/cmd/hostile_names.sh
. "${BASH_SOURCE[0]%/*}/hostile_names.sh"
# shellcheck source=tests/integration/checks.sh
. "$sources/tests/integration/checks.sh"

folder=$(mktemp -d /tmp/mtusweep-names-XXXXXX) || exit 1
view=
trap 'kill $view 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1

"$program" import "$sources/tests/bench/sweeps/pppoe.csv" --db plain.db >/dev/null || exit 1
sqlite3 -bail plain.db <<'SQL' || exit 1
UPDATE run SET server_link_mtu = 1420, peer_link_mtu = 1420;
INSERT INTO path VALUES (1, 60, 5, 5, 100);
INSERT INTO path_detail VALUES (1, 60, 60, 0, 0, 1, 0, 0);
INSERT INTO path_band VALUES (1, 'upload', 1500, 'whole'), (1, 'upload', 65535, 'lost'),
	(1, 'download', 1500, 'whole'), (1, 'download', 65535, 'fragmented');
SQL

# Arguments: TEXT. Print it as a literal of SQLite.
literal()
{
	printf "CAST(x'%s' AS TEXT)" "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n')"
}

make_database()
{
	local name
	name=$(literal "$1")
	cp plain.db name.db
	sqlite3 -bail name.db "UPDATE run SET server_host = $name, peer_host = $name,
			server_interface = substr($name, 1, 15),
			peer_interface = substr($name, -15),
			strategy = substr($name, 1, 15), outcome_text = $name,
			server_versions = $name,
			options = json_object('name', $name, $name, 1);
		INSERT INTO run_warning (run_id, about, warned_at, kind, detail)
			VALUES (1, 'run', '2026-01-05T12:00:00.000Z', 'text', $name);
		UPDATE measurement SET upload_text = $name WHERE upload_status <> 'ok'" ||
		exit 1
}

# Print the lines of stdin that make a terminal act, or turn its text round.
acting()
{
	LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' || true
}

turning()
{
	LC_ALL=C grep -aP '\xe2(\x80[\xaa-\xae]|\x81[\xa6-\xa9])' || true
}

# Arguments: COMMAND [OPTION ...]. Its output, messages too, is fit for a terminal.
check_terminal()
{
	"$program" "$@" --db name.db >out 2>&1
	check_equal "$shown: mtusweep $*: what acts on a terminal" '' "$(acting <out)"
	check_equal "$shown: mtusweep $*: what turns its text" '' "$(turning <out)"
}

check_terminals()
{
	local command
	for command in runs 'show 1' 'best 1' 'explain 1 --pair 1400/1400' 'heatmap 1' \
		'compare 1 1' 'history 1'; do
		# shellcheck disable=SC2086 # words
		check_terminal $command
	done
	"$program" show 1 --db name.db >out
	check_match "$shown: show: the run is there" '1400' "$(cat out)"
}

# A cell that begins like a formula, or another name's line.
check_csv()
{
	"$program" export 1 --format csv --db name.db >out
	check_equal "$shown: CSV: cells that are formulas" '' \
		"$(grep -E '(^|[,;])"?[=@+]' out | head -n 3)"
	check_equal "$shown: CSV: the lines of the plain one" \
		"$("$program" export 1 --format csv --db plain.db | sed 1,9d | wc -l)" \
		"$(sed 1,9d out | wc -l)"
	check_equal "$shown: CSV: what acts on a terminal" '' "$(acting <out)"
}

# JSON has the very name, in ASCII.
check_json()
{
	"$program" export 1 --format json --db name.db >out.json
	check_equal "$shown: JSON: bytes beyond ASCII" '' \
		"$(LC_ALL=C grep -aP '[^\x0a\x20-\x7e]' out.json | head -n 1)"
	check_equal "$shown: JSON: the name" "$name." \
		"$(jq -j .run.server.host out.json && echo .)"
	rm -f again.db
	"$program" import out.json --db again.db >out 2>&1
	check_equal "$shown: the name after an import" "$name" \
		"$(sqlite3 again.db 'SELECT server_host FROM run')"
}

check_prometheus()
{
	local label='[a-z_]+="([^"\\]|\\[\\"n])*"'
	"$program" export 1 --format prometheus --db name.db >out
	check_equal "$shown: Prometheus: lines that are none" '' "$(grep -vE \
		"^(#.*|mtusweep_[a-z_]+(\{($label,?)*\})? [-0-9.e+]+( [0-9]+)?)\$" out |
		head -n 3)"
	check_equal "$shown: Prometheus: a metric of the name's" '' \
		"$(grep '^mtusweep_evil' out)"
}

# A line that begins with a backslash is psql's own command, but within COPY's data.
check_postgres()
{
	"$program" export 1 --format postgres --db name.db >out
	check_equal "$shown: PostgreSQL: commands of psql" '' \
		"$(grep -E "^\\\\" out | grep -vFx '\.' |
		grep -v '^\\\(set\|if\|endif\|quit\)' | head -n 3)"
	check_equal "$shown: PostgreSQL: ends of data" \
		"$("$program" export 1 --format postgres --db plain.db | grep -cFx '\.')" \
		"$(grep -cFx '\.' out)"
}

# In pictures and pages the name is text.
check_markup()
{
	"$program" heatmap 1 --db name.db -o out.svg
	check_equal "$shown: SVG: what is wrong with it" '' \
		"$(xmllint --noout out.svg 2>&1)"
	check_equal "$shown: SVG: its elements" '' \
		"$(grep -aEio '<(script|img|foreignobject)' out.svg)"
	"$program" share 1 --db name.db -o out.html
	check_equal "$shown: the page for others: elements and handlers" '' \
		"$(grep -aEio '<script|<img|onerror=' out.html)"
	check_equal "$shown: the page for others: the name" '' \
		"$(grep -aF -e "$name" out.html)"
}

check_ready()
{
	local system
	for system in wg-quick uci routeros windows; do
		"$program" best 1 --as "$system" --db name.db >out 2>err
		check_equal "$shown: text for $system: the name" '' \
			"$(grep -aF -e "$name" out)"
		check_equal "$shown: text for $system: what acts" '' \
			"$(cat out err | acting)"
	done
}

is_served()
{
	curl -s -o /dev/null "http://127.0.0.1:$port/"
}

# The page's script sets texts alone, from an answer that is JSON.
check_view()
{
	port=$((20000 + RANDOM % 10000))
	"$program" view 1 --db name.db --port "$port" >/dev/null 2>&1 &
	view=$!
	wait_for 10 'the page' is_served
	curl -s -D head "http://127.0.0.1:$port/progress" >out.json
	check_match "$shown: the page's answer" 'Content-Type: application/json' \
		"$(cat head)"
	check_equal "$shown: the page's answer: the name" "$name." \
		"$(jq -j .facts.run.server.host out.json && echo .)"
	kill "$view"
	wait "$view" 2>/dev/null
	view=
}

reports=()
for name in "${HOSTILE_NAMES[@]}"; do
	shown=$(printf %q "$name")
	make_database "$name"
	check_terminals
	check_csv
	check_json
	check_prometheus
	check_postgres
	check_markup
	check_ready
	check_view
	"$program" show 1 --json --db name.db >"probe${#reports[@]}.json"
	reports+=("$name")
done
check_equal 'ways of the page to take a text for HTML' '' \
	"$(grep -nE 'innerHTML|outerHTML|insertAdjacent|document\.write|eval\(' \
	"$sources"/sync/page/*)"

# --- the report of many tunnels ------------------------------------------------------

# One spoke for each name; what it answers is what mtusweep prints of its run.
write_play()
{
	mkdir -p store/sweep
	echo '[spokes]' >inventory
	for i in "${!reports[@]}"; do
		echo "spoke$i ansible_connection=local" >>inventory
	done
	cat >play.yml <<-PLAY
		- hosts: spokes
		  gather_facts: false
		  tasks:
		    - ansible.builtin.command:
		        argv: [cat, "$folder/probe{{ inventory_hostname[5:] }}.json"]
		      register: mtusweep_probed
		      changed_when: false
		    - ansible.builtin.set_fact:
		        mtusweep_probe: "{{ mtusweep_probed.stdout | from_json }}"
		    - ansible.builtin.include_role:
		        name: mtusweep
		        tasks_from: report
		      vars:
		        mtusweep_store: "$folder/store"
	PLAY
}

write_play
ANSIBLE_ROLES_PATH=$sources/contrib/ansible/roles ANSIBLE_NOCOLOR=1 \
	ansible-playbook -f 8 -i inventory play.yml >ansible.log 2>&1 ||
	failed 'the playbook' "$(tail -n 5 ansible.log)"
report=store/report.md
check_equal 'the report: rows of its table' "${#reports[@]}" \
	"$(grep -c '^| spoke[0-9]' $report)"
check_equal 'the report: lines of something else' 7 "$(grep -vc '^| spoke[0-9]' $report)"
check_equal 'the report: rows of other than 5 cells' '' \
	"$(grep '^| spoke[0-9]' $report | sed 's/\\|//g' | awk -F '|' 'NF != 7')"
check_equal 'the report: elements' '' "$(grep -o '<[a-z].*' $report)"
check_equal 'the report: what was computed' '' "$(grep -F '| 49' $report)"
check_equal 'the report: what acts on a terminal' '' "$(acting <$report)$(turning <$report)"

echo "${#reports[@]} names, $checks checks, $failures failed"
((failures == 0))
