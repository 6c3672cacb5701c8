#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The sqlite3 examples of README.md, docs/results.md and docs/schema.md work as printed:
# bash runs each example from the page beside a database with a sweep.
#
#	test_examples.sh PROGRAM ROOT
#
# A new example needs a line in `sensible`.

set -uo pipefail

program=$(realpath -e "$1") || exit 1
root=$(realpath -e "$2") || exit 1
folder=$(mktemp -d /tmp/mtusweep-examples-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0
ran=0

fail()
{
	failures=$((failures + 1))
	echo "FAIL: $1"
	[ $# = 1 ] || sed 's/^/    /' "${@:2}"
}

# A part of an example -> the rows of its output as extended regular expressions,
# columns separated by '|', rows by a blank. The figures are those of deadzone.csv.
first_row='1[|]1280[|]1280[|]35.734[|]48.649[|]1[|]ok[|]ok[|]ok[|]1[|]1'
first_and_blackhole='1280[|]1280[|]35.734[|]48.649[|]ok 1400[|]1420[|][|]49.203[|]blackhole'
blackhole_row='1[|]1400[|]1420[|]blackhole[|]recorded.as.-1.000,-1.000[|]ok[|]'
references='2026-11-22T12:00:01.000Z[|]35.734[|]48.649'
references+=' 2026-11-22T12:12:00.000Z[|]3.291[|]48.7'
declare -A sensible=(
	['download_mbps, status']=$first_and_blackhole
	['= visits *ORDER BY']='1400[|]1400[|]36.405[|]49.26'
	['AS failed']='1280[|]48.5[|]0 1420[|]48.3[|]5'
	['AND reference']=$references
	['\* FROM results WHERE run_id = 1"']=$first_row
	['FROM run_tunnel']='Fe1dSm0k-xTIBA5rb[|]1'
	['max.id. FROM run']='1400[|]1400[|]36.405[|]49.26'
	['download_status, download_text']=$blackhole_row
	['\* FROM results .* AND upload_ok']=$first_row
)

# Print the examples of README.md and docs/results.md, each ended by a NUL: blocks
# indented by four, from
# "sqlite3" up to the next blank line.
results_examples()
{
	awk '/^    sqlite3 / { on = 1 }
		!/^    / { if (on) printf "%c", 0; on = 0 }
		on { print substr($0, 5) }' "$root/README.md" "$root/docs/results.md"
}

# Print the examples of docs/schema.md: its SQL blocks, and its shell blocks that run
# sqlite3.
schema_examples()
{
	awk '/^```$/ && on { printf "%s%c", on == "sql" ? "\"\n" : "", 0; on = "" }
		on { print }
		/^```sql$/ { on = "sql"; print "sqlite3 -box mtusweep.db \"" }
		/^```sh$/ { on = "sh" }' "$root/docs/schema.md"
}

# Arguments: EXAMPLE. Print the expected rows of its output.
rows_for()
{
	local fragment
	for fragment in "${!sensible[@]}"; do
		grep -qE -- "$fragment" \
			<<<"$(xargs -0 echo <<<"$1" | tr -s '\n ' ' ')" || continue
		printf '%s' "${sensible[$fragment]}"
		return
	done
	return 1
}

check_example()
{
	local expected row
	ran=$((ran + 1))
	printf '%s\n' "$1" >example
	if ! expected=$(rows_for "$1"); then
		fail 'what is sensible for this example is not said here:' example
		return
	fi
	if ! bash -eu example >out 2>err </dev/null || [ -s err ]; then
		fail 'this example fails:' example err
		return
	fi
	sed 's/│/|/g; s/ *| */|/g; s/^|//; s/|$//' out >rows
	for row in $expected; do
		grep -qE -- "^$row$" rows || fail "no row '$row' from this example:" example
	done
}

"$program" import "$root/tests/bench/sweeps/deadzone.csv" >/dev/null || exit 1
# Add values that a log does not have.
sqlite3 -bail mtusweep.db "UPDATE measurement SET reference = 1,
	upload_started_at = '2026-11-22T12:' || printf('%02d', seq / 12) || ':' ||
	CASE seq WHEN 144 THEN '00' ELSE '01' END || '.000Z'
	WHERE seq IN (1, 61, 144);
	INSERT INTO run_tunnel (run_id, tunnel) VALUES (1, 'Fe1dSm0k-xTIBA5rb')" || exit 1

while IFS= read -r -d '' example; do
	check_example "$example"
done < <(results_examples; schema_examples)
# The number of examples when this was written.
((ran >= 8)) || fail "only $ran examples were found"
echo "$ran examples, $failures failed"
[ $failures = 0 ]
