#!/usr/bin/env bash
#
# The arrows of docs/architecture.md, held against what the compiler is given: with a
# folder's own include path its sources see its headers and base's, and no others.
#
# INCLUDES_<folder> (dir:dir...) and CC come from CMake.

set -euo pipefail

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
# What each folder sees beside itself and base.
declare -Ar SEES=(
	[base]='' [engine]='' [netctl]='' [sync]='' [store]=''
	[report]='store'
	[cmd/host]='engine netctl'
	[cmd/run]='engine report store sync'
	[cmd/peer]='cmd/host cmd/run engine netctl report store sync'
	[cmd/server]='cmd/host cmd/run engine netctl report store sync'
	[cmd/read]='cmd/run engine report store sync'
)
checks=0
failures=0

# The compiler looks beside the including file first: nothing may lie there.
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cd "$empty"

# Whether the drawing lets the sources of folder $1 include headers of folder $2.
drawn()
{
	[[ $1 == "$2" || $2 == base || " ${SEES[$1]} " == *" $2 "* ]]
}

# FOLDER [OPTION ...]: the compiler, as if it compiled a source in FOLDER; from stdin
compile_as()
{
	local includes=INCLUDES_${1//\//_} dirs
	IFS=: read -ra dirs <<<"${!includes}"
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -iquote "$ROOT/$1" "${dirs[@]/#/-I}" \
		"${@:2}" -x c - 2>/dev/null
}

# HEADER ...: text that asks for each whether it can be included
ask_for()
{
	local header
	for header; do
		printf '#if __has_include("%s")\n"%s"\n#endif\n' "$header" "$header"
	done
}

# FOLDER, what the compiler finds and what is expected in $found and $expected
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
	# Its own stand by themselves, with what they include.
	checks=$((checks + 1))
	grep "^$from/[^/]*$" <<<"$expected" | sed 's/.*/#include "&"/' |
		compile_as "$from" -fsyntax-only && continue
	failures=$((failures + 1))
	echo "FAILED: the headers of $from/ do not compile"
done
echo "$checks checks, $failures failed"
((checks > 0 && failures == 0))
