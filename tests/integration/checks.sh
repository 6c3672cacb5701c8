# shellcheck shell=bash
# shellcheck disable=SC2034 # who sources this counts on
#
# Checks that go on when they fail, and count; who sources this says at its end how many
# there were. wait_for alone ends the test.

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

# WHAT EXPECTED FOUND
check_equal()
{
	if [[ $2 == "$3" ]]; then
		passed
	else
		failed "$1" "expected: $2" "found:    $3"
	fi
}

# WHAT EXPECTED FOUND, for texts of several lines
check_same_text()
{
	if [[ $2 == "$3" ]]; then
		passed
	else
		failed "$1" 'expected (-), found (+):'
		diff -u <(echo "$2") <(echo "$3") | tail -n +4 | sed 's/^/    /' || true
	fi
}

# WHAT REGEX TEXT; in any case of letters
check_match()
{
	if grep -Eiq -e "$2" <<<"$3"; then
		passed
	else
		failed "$1" "expected: something that matches $2" "found:    $3"
	fi
}

# WHAT EXPECTED PERCENT FOUND
check_near()
{
	if awk -v e="$2" -v p="$3" -v f="$4" \
		'BEGIN { d = f - e; exit !(f + 0 == f && d * d <= e * e * p * p / 1e4) }'; then
		passed
	else
		failed "$1" "expected: $2, within $3 %" "found:    $4"
	fi
}

# COMMAND [ARG ...] until it succeeds, within SECONDS; then the test goes on, else it ends.
wait_for()
{
	local seconds=$1 what=$2 deadline
	shift 2
	deadline=$((${EPOCHREALTIME/[.,]/} + seconds * 1000000))
	until "$@"; do
		if ((${EPOCHREALTIME/[.,]/} >= deadline)); then
			failed "waited for: $what" "expected: within $seconds s" 'found:    not yet'
			exit 1
		fi
		sleep 0.02
	done
}
