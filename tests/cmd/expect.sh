# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # who sources this sets `program`, and reads `failures`
#
# Running mtusweep and comparing its status and output. The current folder is the test's.

failures=0

# Arguments: STATUS STDOUT-REGEX STDERR-REGEX ARGUMENT ... ("" expects no output there)
expect()
{
	local status=$1 out=$2 err=$3 got
	shift 3
	"$program" "$@" >out 2>err </dev/null
	got=$?
	if [ "$got" != "$status" ] || ! matches "$out" out || ! matches "$err" err; then
		echo "FAIL: mtusweep $* gave status $got, wanted $status"
		echo "  stdout, wanted /$out/:"; sed 's/^/    /' out
		echo "  stderr, wanted /$err/:"; sed 's/^/    /' err
		failures=$((failures + 1))
	fi
}

matches()
{
	if [ -z "$1" ]; then
		[ ! -s "$2" ]
	else
		tr '\n' '~' <"$2" | grep -qE -- "$1"
	fi
}
