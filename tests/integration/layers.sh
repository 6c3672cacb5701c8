#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The arrows of docs/architecture.md, compared with the compiler's include paths: with a
# folder's include path its sources see its own headers and base's, and those of the
# folders that the drawing permits, and no others.
#
# CMake sets INCLUDES_<folder> (dir:dir...) and CC.

set -euo pipefail

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
# The folders that each folder sees beside itself and base.
declare -Ar SEES=(
	[base]='' [engine]='' [netctl]='' [sync]='' [store]=''
	[report]='store'
	[cmd/host]='engine netctl'
	[cmd/run]='engine netctl report store sync'
	[cmd/watch]='cmd/host engine netctl store'
	[cmd/alone]='cmd/watch cmd/host cmd/run engine netctl report store sync'
	[cmd/peer]='cmd/alone cmd/watch cmd/host cmd/run engine netctl report store sync'
	[cmd/server]='cmd/alone cmd/watch cmd/host cmd/run engine netctl report store sync'
	[cmd/read]='cmd/run engine netctl report store sync'
)
checks=0
failures=0

# The compiler looks beside the including file first: that folder must be empty.
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cd "$empty"

# True if the drawing lets the sources of folder $1 include headers of folder $2.
drawn()
{
	[[ $1 == "$2" || $2 == base || " ${SEES[$1]} " == *" $2 "* ]]
}

# Arguments: FOLDER [OPTION ...]. Compile stdin like a source in FOLDER.
compile_as()
{
	local includes=INCLUDES_${1//\//_} dirs
	IFS=: read -ra dirs <<<"${!includes}"
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -iquote "$ROOT/$1" "${dirs[@]/#/-I}" \
		"${@:2}" -x c - 2>/dev/null
}

# Arguments: HEADER ... Print a source that tests for each whether it can be included.
ask_for()
{
	local header
	for header; do
		printf '#if __has_include("%s")\n"%s"\n#endif\n' "$header" "$header"
	done
}

# Arguments: FOLDER. Compare the compiler's result with the expected one, in $found and
# $expected.
check()
{
	checks=$((checks + 1))
	[[ $expected == "$found" ]] && return
	failures=$((failures + 1))
	echo "FAILED: what a source in $1/ can include: expected (<), found (>)"
	diff <(echo "$expected") <(echo "$found") || true
}

cd "$ROOT"
headers=({base,engine,netctl,sync,store,report,cmd/*}/*.h)
cd "$empty"
for from in "${!SEES[@]}"; do
	expected=$(for header in "${headers[@]}"; do
		! drawn "$from" "${header%/*}" || echo "$header"
	done)
	found=$(ask_for "${headers[@]}" | compile_as "$from" -E -P | tr -d '"')
	check "$from"
	# Each of the folder's own headers compiles by itself.
	checks=$((checks + 1))
	grep "^$from/[^/]*$" <<<"$expected" | sed 's/.*/#include "&"/' |
		compile_as "$from" -fsyntax-only && continue
	failures=$((failures + 1))
	echo "FAILED: the headers of $from/ do not compile"
done
echo "$checks checks, $failures failed"
((checks > 0 && failures == 0))
