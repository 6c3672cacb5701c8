#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The states of a case (tests/cases/lib.sh), and its row in the table, without a lab: made
# up cases state that their answer is right or wrong, and have the line KNOWN_WRONG or not.

set -euo pipefail
# shellcheck source=tests/integration/checks.sh
. "${BASH_SOURCE[0]%/*}/checks.sh"

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export MTUSWEEP_BIN=$folder MTUSWEEP_CASES=$folder/rows

# Arguments: RIGHT KNOWN-WRONG STATEMENTS. Run a case without a lab; set $code.
run_case()
{
	cat >"$folder/made_up.sh" <<-CASE
		#!/usr/bin/env bash
		# SPDX-License-Identifier: MIT
		#
		# CONDITION  None.
		# RIGHT      $1
		# SOURCE     nobody
		# NEEDS      nothing

		. "$ROOT/tests/cases/lib.sh"
		has_netem() { false; }
		test_begin()
		{
			tmp=\$(mktemp -d)
			LAB_SERVER= LAB_PEER=
		}
		KNOWN_WRONG='$2'
		case_begin
		$3
	CASE
	rm -rf "$MTUSWEEP_CASES"
	code=0
	bash "$folder/made_up.sh" >"$folder/out" 2>&1 || code=$?
}

# Arguments: RIGHT KNOWN-WRONG STATEMENTS EXIT-STATUS ROW. The row without its seconds.
check_case()
{
	run_case "$1" "$2" "$3"
	check_equal "'$3', known wrong '$2': exit status" "$4" "$code"
	check_equal "'$3', known wrong '$2': the row" "| made_up | $5 |" \
		"$(sed 's/ 0 | / /' "$MTUSWEEP_CASES/made_up" 2>/dev/null)"
}

# shellcheck disable=SC2016 # expanded in the case
readonly PAIR='pair=1440/1440; must_be "the pair" 1440/1440 "$pair"'
# shellcheck disable=SC2016 # expanded in the case
readonly WRONG='pair=1500/1500; must_be "the pair" 1440/1440 "$pair" brief'
check_case 1440/1440 '' "$PAIR" 0 '1440/1440 | 1440/1440 | right'
check_case 1440/1440 'it says 1500' "$WRONG" 0 '1440/1440 | 1500/1500 | known wrong'
check_case 1440/1440 '' "$WRONG" 1 '1440/1440 | 1500/1500 | WRONG'
check_case 1440/1440 'it says 1500' "$PAIR" 1 '1440/1440 | 1440/1440 | mended'
check_match 'a mended case' 'remove its line KNOWN_WRONG' "$(cat "$folder/out")"
check_case '1440/1440 or 1420/1440, in words' '' 'answer=; must_say "a word" word' 1 \
	'1440/1440 or 1420/1440 | no pair; a word: not said | WRONG'
check_case 'A word of it' '' 'answer="A WORD"; must_say "a word" word' 0 \
	'A word of it | as it should | right'
check_case 'No word of it' 'it is said' 'answer="a word"; must_not_say "a word" word' 0 \
	'No word of it | a word: said | known wrong'
# Neither a case that states nothing nor one that fails is judged, whatever is known.
check_case 1440/1440 'it says 1500' ':' 1 '1440/1440 | no pair | broken'
check_case 1440/1440 'it says 1500' "$WRONG; false" 1 '1440/1440 | 1500/1500 | broken'
check_case 1440/1440 'it says 1500' "$WRONG; check_equal 'the lab' up down" 1 \
	'1440/1440 | 1500/1500 | broken'

check_equal 'the table' "| case    | right     | got       | s | state |
|---------|-----------|-----------|--:|-------|
| a       | 1440/1440 | 1440/1440 | 9 | right |
| made_up | 1440/1440 | 1500/1500 | 8 | WRONG |

2 cases: 1 right, 1 WRONG" "$(printf '%s\r\n' 'some line' \
	'| made_up | 1440/1440 | 1500/1500 | 8 | WRONG |' \
	'| a | line | of another table |' \
	'| a | 1440/1440 | 1440/1440 | 9 | right |' | "$ROOT/tests/cases/table")"
check_equal 'no cases' '' "$(echo 'some line' | "$ROOT/tests/cases/table")"

echo "$checks checks, $failures failed"
((failures == 0))
