#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test_replay.sh PROGRAM SWEEPS
#
# Plans over the recorded sweeps. With the bands of the recorded paths (record.in) they
# must name the right pair; without them, a pair that is as good as most.

set -euo pipefail
program=$(realpath -e "$1")
sweeps=$(realpath -e "$2")
folder=$(mktemp -d /tmp/mtusweep-test-XXXXXX)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
readonly CELLS=144
# Each pair once, and the reference before every twelfth pair and last.
readonly GRID_TESTS=157
readonly BANDS_DEADZONE=(--up '1460:whole,1500:lost,65535:fragmented'
	--down '1500:whole,65535:fragmented')
readonly BANDS_PPPOE=(--up '1492:whole,65535:fragmented'
	--down '1492:whole,65535:fragmented')
readonly BANDS_UNEVEN=(--up '1440:whole,65535:lost' --down '1480:whole,65535:fragmented')
failures=0

fail()
{
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# Arguments: FILE [OPTION ...]. Write replay's output into the file out.
replay()
{
	"$program" "$@" >out 2>err && return
	fail "replay $*: $(<err)"
	echo null >out
}

# Arguments: NAME SQL. Check that the condition is true of the columns below.
holds()
{
	local found
	found=$(sqlite3 :memory: "
		WITH report AS (SELECT json(CAST(readfile('out') AS TEXT)) AS doc),
		figure AS (SELECT
			doc ->> '\$.pairs_total' AS pairs, doc ->> '\$.probes' AS probes,
			doc ->> '\$.tests' AS tests, doc -> '\$.recommended' AS recommended,
			doc ->> '\$.regret_pct' AS regret,
			doc -> '\$.misclassified' AS misclassified,
			(SELECT sum(value) FROM json_each(doc, '\$.predicted.up')) AS up,
			(SELECT sum(value) FROM json_each(doc, '\$.predicted.down')) AS down
			FROM report)
		SELECT coalesce($2, 0) FROM figure;")
	[[ $found == 1 ]] || fail "$1: not ($2): $(tr -d ' \n' <out)"
}

# Arguments: FILE SERVER PEER. Compute the regret here, in percent. The pairs that fit
# are at most as large as this pair at each end.
regret()
{
	awk -F, -v server="$2" -v peer="$3" '
		NR > 1 && $1 <= server && $2 <= peer {
			print $3 + $5, $1 == server && $2 == peer
		}
	' "$1" | sort -n | awk '
		{ sum[NR] = $1; if ($2) best = $1 }
		END {
			usual = (sum[int((NR + 1) / 2)] + sum[int(NR / 2) + 1]) / 2
			print best < usual ? 100 * (1 - best / usual) : 0
		}'
}

# Arguments: NAME SERVER PEER OPTION ...
with_bands()
{
	local file=$sweeps/$1.csv expected what=$1 server=$2 peer=$3
	shift 3
	expected=$(regret "$file" "$server" "$peer")
	for strategy in smart grid; do
		for seed in 1 2 3; do
			replay "$file" --strategy "$strategy" --seed "$seed" "$@"
			holds "$what, $strategy, seed $seed" "pairs = $CELLS AND
				up = $CELLS AND down = $CELLS AND
				recommended = '[$server,$peer]' AND
				misclassified = '{\"up\":0,\"down\":0}' AND
				abs(regret - $expected) < 0.01 AND probes > 0 AND
				CASE '$strategy' WHEN 'smart' THEN tests <= 8
					ELSE tests = $GRID_TESTS END"
		done
	done
}

# Arguments: NAME LIMIT. Check that no seed's regret is above LIMIT.
without_bands()
{
	for seed in {1..20}; do
		replay "$sweeps/$1.csv" --seed "$seed"
		holds "$1 without bands, seed $seed" \
			"misclassified = '{\"up\":0,\"down\":0}' AND
			regret <= $2 AND probes = 0 AND tests <= 48"
	done
}

# Arguments: SED-SCRIPT. Check that another way to write failures changes nothing.
same_as_recorded()
{
	replay "$sweeps/uneven.csv"
	mv out recorded
	sed "$1" "$sweeps/uneven.csv" >other.csv
	cmp -s other.csv "$sweeps/uneven.csv" && fail "'$1' changes nothing"
	replay other.csv
	cmp -s out recorded || fail "'$1': $(tr -d ' \n' <out)"
}

# Arguments: STATUS STDERR ARGUMENT ...
refused()
{
	local status=0 wanted=$1 text=$2
	shift 2
	"$program" "$@" >out 2>err || status=$?
	[[ $status == "$wanted" && ! -s out ]] && grep -qF -- "$text" err && return
	fail "replay $*: status $status: $(<err)"
}

with_bands deadzone 1440 1400 "${BANDS_DEADZONE[@]}"
holds 'deadzone' 'regret <= 2'
with_bands uneven 1420 1380 "${BANDS_UNEVEN[@]}"
holds 'uneven' 'regret <= 2'
with_bands pppoe 1420 1420 "${BANDS_PPPOE[@]}"
holds 'pppoe' 'regret <= 2'

without_bands deadzone 2
without_bands uneven 2
without_bands pppoe 2

same_as_recorded 's/-1\.000,-1\.000/0.002,0.116/'
same_as_recorded 's/-1\.000,-1\.000/-0.000,-0.000/'

head -c 3000 "$sweeps/deadzone.csv" >cut.csv
replay cut.csv
grep -qF 'line 78 is half written: left out' err || fail "half a line: $(<err)"
holds 'a sweep that was cut' 'pairs = 76'

echo 'server_mtu' >bad.csv
refused 1 "'bad.csv', line 1, column 11: expected the header" bad.csv
head -n 1 "$sweeps/uneven.csv" >empty.csv
refused 1 "'empty.csv' has no whole line below its header" empty.csv
refused 1 "cannot open 'none.csv': No such file" none.csv
refused 1 "invalid fate 'x'" "$sweeps/uneven.csv" --up 1460:x
refused 2 'one FILE.csv is needed' --seed 1
refused 2 '--strategy' "$sweeps/uneven.csv" --strategy best

echo "$failures failed"
((failures == 0))
