#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Rules of the tree that no compiler enforces: one file includes libiperf, files have a
# maximum length, and the three programs cannot start other programs.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

: "${MTUSWEEP_BIN:?is not set: give the folder that holds the three programs}"
cd "${BASH_SOURCE[0]%/*}/../.."

readonly FOLDERS=(base engine netctl sync store cmd)
readonly FILE_LINES_MAX=600
# wordexp(3) runs a shell too.
readonly STARTERS='exec[lv]p?e?|execveat|fexecve|system|popen|posix_spawnp?|wordexp'

sources()
{
	find "$@" -name '*.[ch]'
}

# Arguments: FILE ... Print those longer than allowed, with their lengths.
too_long()
{
	local file lines
	for file; do
		lines=$(wc -l <"$file")
		((lines <= FILE_LINES_MAX)) || echo "$file ($lines lines)"
	done
}

mapfile -t files < <(sources "${FOLDERS[@]}" | sort)
check_equal 'there are sources to look at' yes "$( ((${#files[@]} > 30)) && echo yes)"
check_equal "files of more than $FILE_LINES_MAX lines" '' \
	"$(too_long "${files[@]}" | xargs)"
check_equal 'who includes iperf_api.h' engine/iperf_test.c \
	"$(grep -lE '#[[:space:]]*include.*iperf_api\.h' "${files[@]}" | xargs)"
check_equal 'who starts threads, with signals or without' base/thread.c \
	"$(grep -l 'pthread_create(' "${files[@]}" | xargs)"
check_equal "includes around the folders' include paths" '' \
	"$(grep -nE '#[[:space:]]*include[[:space:]]*"(\.|/)' "${files[@]}" | xargs)"
check_equal 'sources without a licence' '' \
	"$(grep -rL 'SPDX-License-Identifier: MIT' --include='*.[ch]' \
	--include=CMakeLists.txt --include='*.sh' "${FOLDERS[@]}" report tests | xargs)"
for program in mtusweep mtusweep-server mtusweep-peer; do
	imports=$(nm -D --undefined-only "$MTUSWEEP_BIN/$program")
	check_equal "$program imports from libc" yes \
		"$(grep -q GLIBC <<<"$imports" && echo yes)"
	check_equal "what $program imports that starts programs" '' \
		"$(awk '{ sub(/@.*/, "", $2); print $2 }' <<<"$imports" |
		{ grep -Ex "$STARTERS" ||
			true; } | xargs)"
done
echo "${#files[@]} files, 3 programs, $failures failed"
((failures == 0))
