#!/usr/bin/env bash
#
# The arrows of docs/architecture.md, held against what the compiler is given: with a
# folder's own include path its sources see its headers and base's, and no others.
#
# INCLUDES_<folder> (dir:dir...) and CC come from CMake.

set -euo pipefail

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
readonly FOLDERS=(base engine netctl sync store)
checks=0
failures=0

# The compiler looks beside the including file first: nothing may lie there.
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cd "$empty"

# Whether the drawing lets the sources of folder $1 include headers of folder $2.
drawn()
{
	[[ $1 == "$2" || $2 == base ]]
}

# FOLDER HEADER: compile, as if in FOLDER, a file that includes HEADER.
compiles()
{
	local includes=INCLUDES_$1 dirs
	IFS=: read -ra dirs <<<"${!includes}"
	echo "#include \"$2\"" | "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -fsyntax-only \
		-iquote "$ROOT/$1" "${dirs[@]/#/-I}" -x c - 2>/dev/null
}

for from in "${FOLDERS[@]}"; do
	for header in "$ROOT"/{base,engine,netctl,sync,store}/*.h; do
		header=${header#"$ROOT"/}
		expected=no found=no
		! drawn "$from" "${header%/*}" || expected=yes
		! compiles "$from" "$header" || found=yes
		checks=$((checks + 1))
		[[ $expected == "$found" ]] && continue
		failures=$((failures + 1))
		echo "FAILED: a source in $from/ includes $header"
		echo "    expected to compile: $expected, found: $found"
	done
done
echo "$checks checks, $failures failed"
((checks > 0 && failures == 0))
