# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034 # who sources this counts on
#
# Checks that count failures and let the test continue. The script that sources this
# file reports the count at its end. Only wait_for ends the test.

checks=0
failures=0

passed()
{
	checks=$((checks + 1))
}

failed()
{
	checks=$((checks + 1))
	failures=$((failures + 1))
	echo "FAILED: $1"
	shift
	printf '    %s\n' "$@"
}

# Arguments: NAME EXPECTED FOUND
check_equal()
{
	if [[ $2 == "$3" ]]; then
		passed
	else
		failed "$1" "expected: $2" "found:    $3"
	fi
}

# Arguments: NAME EXPECTED FOUND, texts of several lines.
check_same_text()
{
	if [[ $2 == "$3" ]]; then
		passed
	else
		failed "$1" 'expected (-), found (+):'
		diff -u <(echo "$2") <(echo "$3") | tail -n +4 | sed 's/^/    /' || true
	fi
}

# Arguments: NAME REGEX TEXT. Upper and lower case are the same.
check_match()
{
	if grep -Eiq -e "$2" <<<"$3"; then
		passed
	else
		failed "$1" "expected: something that matches $2" "found:    $3"
	fi
}

# Arguments: NAME EXPECTED PERCENT FOUND
check_near()
{
	if awk -v e="$2" -v p="$3" -v f="$4" \
		'BEGIN { d = f - e; exit !(f + 0 == f && d * d <= e * e * p * p / 1e4) }'
	then
		passed
	else
		failed "$1" "expected: $2, within $3 %" "found:    $4"
	fi
}

# Arguments: SECONDS NAME COMMAND [ARG ...]. Repeat COMMAND until it succeeds; end the
# test if it does not within SECONDS.
wait_for()
{
	local seconds=$1 what=$2 deadline
	shift 2
	deadline=$((${EPOCHREALTIME/[.,]/} + seconds * 1000000))
	until "$@"; do
		if ((${EPOCHREALTIME/[.,]/} >= deadline)); then
			failed "waited for: $what" "expected: within $seconds s" \
				'found:    not yet'
			exit 1
		fi
		sleep 0.02
	done
}
