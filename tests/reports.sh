# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The sanitizers' reports as files, so that none is lost: keeper, guard, main, runner
# and test child each write theirs into one folder, even if stderr is closed, nobody
# reads their exit status, or they are killed.
#
#	reports_watch FOLDER    before anything under test is started
#	reports_check FOLDER    after it has ended: print reports, false if there are any

# Writable for the processes of every user.
reports_watch()
{
	local here
	here=$(realpath "${BASH_SOURCE[0]%/*}")
	mkdir -m 1777 "$1"
	export LSAN_OPTIONS=${LSAN_OPTIONS-}:suppressions=$here/leaks.supp
	LSAN_OPTIONS+=:print_suppressions=0
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:log_path=$1/asan:handle_abort=1
	export UBSAN_OPTIONS=${UBSAN_OPTIONS-}:log_path=$1/ubsan:print_stacktrace=1
	# The thread sanitizer would sleep for 1 s at the end of each process.
	export TSAN_OPTIONS=${TSAN_OPTIONS-}:log_path=$1/tsan:atexit_sleep_ms=0
	TSAN_OPTIONS+=:suppressions=$here/races.supp
}

reports_check()
{
	local report found=0
	for report in "$1"/*; do
		# The leak checker's complaint about a process that was killed during
		# the check does not count.
		grep -aqs -E 'ERROR: |WARNING: |runtime error: ' "$report" || continue
		found=$((found + 1))
		echo "--- a sanitizer's report: ${report##*/}"
		head -n 200 "$report"
	done
	((found == 0))
}
