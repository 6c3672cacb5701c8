# shellcheck shell=bash
#
# The sanitizers' reports as files, so that none is lost: keeper, guard, main, runner and
# test child each write theirs into one folder, whatever they made of stderr, whoever
# reads their exit status, and however they end.
#
#	reports_watch FOLDER      before anything under test is started
#	reports_check FOLDER      after all of it has ended: prints them; false if there are any

# Made so that the processes of every user can write into it.
reports_watch()
{
	local here
	here=$(realpath "${BASH_SOURCE[0]%/*}")
	mkdir -m 1777 "$1"
	export LSAN_OPTIONS=${LSAN_OPTIONS-}:suppressions=$here/leaks.supp:print_suppressions=0
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:log_path=$1/asan:handle_abort=1
	export UBSAN_OPTIONS=${UBSAN_OPTIONS-}:log_path=$1/ubsan:print_stacktrace=1
	# The thread sanitizer would sleep for 1 s at the end of each process.
	export TSAN_OPTIONS=${TSAN_OPTIONS-}:log_path=$1/tsan:atexit_sleep_ms=0:suppressions=$here/races.supp
}

reports_check()
{
	local report found=0
	for report in "$1"/*; do
		# The leak checker's words about a process that was killed under it are none.
		grep -aqs -E 'ERROR: |WARNING: |runtime error: ' "$report" || continue
		found=$((found + 1))
		echo "--- a sanitizer's report: ${report##*/}"
		head -n 200 "$report"
	done
	((found == 0))
}
