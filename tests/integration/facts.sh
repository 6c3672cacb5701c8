#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/facts.sh
#
# The copies of the lists of facts agree with base/reason.h, base/warning.h and
# base/evidence.h, by name and order: kinds and columns of store/schema2.sql,
# docs/schema.md and docs/export.schema.json. The signs of report/signs.h are those that the
# page can draw and that the documents name.

# shellcheck disable=SC2016 # Perl's variables

set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/../.."
failures=0

# Arguments: WHAT LISTED NAMES, one name a line
check()
{
	[[ -n $2 && $2 == "$3" ]] && return
	echo "FAILED: $1:"
	diff --label 'base/*.h' --label "$1" -u <(echo "$2") <(echo "$3") || :
	failures=$((failures + 1))
}

# Arguments: FILE: its kinds
listed_kinds()
{
	grep -o 'X([A-Z_]*, "[a-z_]*"' "$1" | cut -d '"' -f 2
}

# Arguments: FILE ENTRY: the names of X(name, ENTRY
listed_names()
{
	sed -n "s/^\tX(\([a-z_]*\), $2.*/\1/p" "$1"
}

# Arguments: TABLE: the text of its definition
table()
{
	sed -n "/^CREATE TABLE $1 (/,/^)/p" store/schema2.sql
}

# Arguments: TABLE: the words of its kinds' CHECK
schema_kinds()
{
	table "$1" | sed -n '/kind IN (/,/)),/p' | sed 's/--.*//' | grep -o "'[a-z_]*'" |
		tr -d "'"
}

# The names of EVIDENCE_STATUSES
listed_statuses()
{
	sed -n "/define EVIDENCE_STATUSES/,/^\$/s/.*X([A-Z]*, \"\([a-z]*\)\").*/\1/p" \
		base/evidence.h
}

# Arguments: HEADING: the first column of the table below it
documented_kinds()
{
	sed -n "/^## $1:/,/^## /{ /^| kind /,/^\$/s/^| \`\([a-z_]*\)\` |.*/\1/p }" \
		docs/schema.md
}

# Arguments: an expression for the list in $schema
export_list()
{
	perl -MJSON::PP -0777 -ne '
		my $schema = decode_json($_);
		print "$_\n" for @{ '"$1"' };
	' docs/export.schema.json
}

reasons=$(listed_kinds base/reason.h)
statuses=$(listed_statuses)
warnings=$(listed_kinds base/warning.h)
columns=$(listed_names base/warning.h '[0-9M]')
figures=$(listed_names base/evidence.h EVIDENCE_)

check 'reasons of store/schema2.sql' "$reasons" "$(schema_kinds reason)"
check 'reasons of docs/schema.md' "$reasons" "$(documented_kinds reason)"
check 'reasons of docs/export.schema.json' "$reasons" "$(export_list \
	'$schema->{properties}{recommendation}{properties}{reason}{properties}'\
'{kind}{enum}')"
check 'statuses of store/schema2.sql' "$statuses" "$(table reason |
	sed -n "/status IN (/,/)),/s/^[^']*'\([a-z]*\)'.*/\1/p")"
check 'statuses of docs/schema.md' "$statuses" "$(
	sed -n '/^## reason:/,/^## /{ /^| status /,/^$/s/^| `\([a-z]*\)` |.*/\1/p }' \
		docs/schema.md
)"
check 'statuses of docs/export.schema.json' "$statuses" "$(export_list \
	'$schema->{properties}{recommendation}{properties}{status}{enum}' | sed '/^\$/d')"
check 'warnings of store/schema2.sql' "$warnings" "$(schema_kinds run_warning)"
check 'warnings of docs/schema.md' "$warnings" "$(documented_kinds run_warning)"
check 'warnings of docs/export.schema.json' "$warnings" \
	"$(export_list '$schema->{q($defs)}{warning}{properties}{kind}{enum}')"
check 'columns of run_warning' "$columns" \
	"$(table run_warning | sed -n '/^\tdirection /,/^\tdetail /{
		s/^\t\([a-z_]*\) INTEGER.*/\1/p
	}')"
check 'columns of a warning in docs/export.schema.json' \
	"kind at_end direction ${columns//$'\n'/ } detail sentence" \
	"$(export_list '$schema->{q($defs)}{warning}{required}' | paste -sd ' ')"
for direction in upload download; do
	check "figures of reason, $direction" "$figures" \
		"$(table reason |
			sed -n "s/^\t${direction}_\([a-z_]*\) INTEGER\( --.*\)\?$/\1/p")"
done
check 'figures of docs/export.schema.json' "${figures//$'\n'/ } guessed bands" \
	"$(export_list '$schema->{q($defs)}{evidence}{required}' | paste -sd ' ')"

underlays=$(sed -n 's/^\tX(\([0-9]*\), "\(.*\)").*/\1 \2/p' base/underlay.h)
check 'underlays of docs/underlays.md' "$underlays" "$(sed -n \
	'/^| MTU /,/^$/s/^| \([0-9]*\) | \([^|]*\) |.*/\1 \2/p' docs/underlays.md |
	sed '/^1500 /d')"
shapes=$(sed -n '/define SIGN_SHAPES/,/^$/s/.*X([A-Z]*, "\([a-z]*\)").*/\1/p' \
	report/signs.h)
check 'shapes that sync/page/ruler.js draws' "$shapes" \
	"$(sed -n '/^const SHAPES = {/,/^}/s/^\t\([a-z]*\): (c, .*/\1/p' \
	sync/page/ruler.js)"
check "shapes of the page's legend" "$(sort <<<"$shapes")" \
	"$(grep -xE "\.(${shapes//$'\n'/|}) \{" sync/page/page.css | tr -d '. {' | sort)"
# The page's legend comes with the facts of a run.
check 'signs in sync/page/page.html' 'signs' "$(
	grep -oE "class=\"(signs|mark (${shapes//$'\n'/|}))\"" sync/page/page.html |
		cut -d '"' -f 2
)"
for document in docs/results.md docs/man/mtusweep.1; do
	check "shapes in $document" "$(sort <<<"$shapes")" "$(grep -owE \
		"${shapes//$'\n'/|}" <(tr '\n' ' ' <"$document") | sort -u)"
done
exit $((failures > 0))
