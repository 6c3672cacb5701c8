#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Rules of the tree that no compiler enforces: one file includes libiperf, files and lines
# have a maximum length, and the three programs cannot start other programs.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

: "${MTUSWEEP_BIN:?is not set: give the folder that holds the three programs}"
cd "${BASH_SOURCE[0]%/*}/../.."

readonly FOLDERS=(base engine netctl sync store report cmd)
readonly FILE_LINES_MAX=600
readonly COLUMNS_MAX=92
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

# Print the lines that are too long, of sources, scripts and build files.
wide_lines()
{
	find "${FOLDERS[@]}" tests cmake CMakeLists.txt demo test .ci/run \
		scripts debian/rules debian/tests -type f \( -name '*.[ch]' \
		-o -name '*.js' -o -name '*.sh' -o -name '*.pl' -o -name '*.cmake' \
		-o -name CMakeLists.txt \
		-o -path 'tests/lab/*' -o ! -path '*/*' -o -path '.ci/run' \
		-o -path 'scripts/*' -o -path 'debian/*' \
		-o -path 'tests/packages*' -o -path tests/on-debian \) -print0 |
		xargs -0 tests/english --columns "$COLUMNS_MAX" --list |
		grep ' columns$' | grep -v '^[0-9]* lines are' || true
}

mapfile -t files < <(sources "${FOLDERS[@]}" | sort)
check_equal 'there are sources to look at' yes "$( ((${#files[@]} > 30)) && echo yes)"
check_equal "files of more than $FILE_LINES_MAX lines" '' \
	"$(too_long "${files[@]}" | xargs)"
check_equal "lines of more than $COLUMNS_MAX columns" '' "$(wide_lines | xargs)"
check_equal 'who includes iperf_api.h' engine/iperf_test.c \
	"$(grep -lE '#[[:space:]]*include.*iperf_api\.h' "${files[@]}" | xargs)"
check_equal 'who starts threads, with signals or without' base/thread.c \
	"$(grep -l 'pthread_create(' "${files[@]}" | xargs)"
check_equal 'who writes to stdout around the progress line' \
	'cmd/host/host.c cmd/host/progress.c' \
	"$(grep -lE '\<(STDOUT_FILENO|printf\(|puts\()' cmd/host/*.c cmd/peer/*.c \
	cmd/server/*.c | xargs)"
check_equal "includes around the folders' include paths" '' \
	"$(grep -nE '#[[:space:]]*include[[:space:]]*"(\.|/)' "${files[@]}" | xargs)"
check_equal 'sources without a licence' '' \
	"$(grep -rL 'SPDX-License-Identifier: MIT' --include='*.[ch]' \
	--include=CMakeLists.txt --include='*.sh' "${FOLDERS[@]}" tests | xargs)"
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
