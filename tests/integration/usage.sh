#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The usage errors that ./test refuses rather than ignores. It finds no program here, so
# a wrongly accepted command does not start.

set -euo pipefail

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
checks=0
failures=0
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
ln -s "$(type -P dirname)" "$(type -P nproc)" "$empty"

# Arguments: REGEX [ARGUMENT ...]
refused()
{
	local code=0 text
	text=$(PATH=$empty "$BASH" "$ROOT/test" "${@:2}" 2>&1) || code=$?
	checks=$((checks + 1))
	if ((code == 2)) && [[ $text =~ $1 ]]; then
		return
	fi
	failures=$((failures + 1))
	echo "FAILED: ./test ${*:2}: expected status 2 and $1, found $code and: $text"
}

refused '--seconds is for --fuzz' --seconds 5
refused '--count is for --fault --outages --soak --fuzz-http --fuzz-probes' --count 5 \
	-R lint
refused '--seed is for --fault --outages --soak --fuzz-http --fuzz-probes' --seed 5 --asan
refused '--count is for --fault --outages --soak --fuzz-http --fuzz-probes' --fuzz --count 5
refused '--seconds is for --fuzz' --seconds 5 --fault
refused '--state is for --fault --soak --fuzz-http --fuzz-probes' --outages --state x
refused '--seconds is for --fuzz;' --fuzz-http --seconds 5
refused "--count takes a number, 'x' is none" --fault --count x
refused '--seconds takes a number' --fuzz --seconds

echo "$checks checks, $failures failed"
((failures == 0))
