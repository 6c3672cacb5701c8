#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/integration/figures.sh
#
# The copies of the list of measured figures agree with base/figures.h, by name and order:
# the columns of store/schema.sql and store/schema2.sql, docs/schema.md, docs/protocol.md
# and docs/export.schema.json.

set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/../.."
failures=0

listed=$(sed -n 's/^\tX(\([a-z0-9_]*\), .*/\1/p' base/figures.h)

# Arguments: FILE NAMES, one a line
check()
{
	diff <(echo "$listed") <(echo "$2") >/dev/null && return
	echo "FAILED: the figures of $1 differ from base/figures.h:"
	diff --label base/figures.h --label "$1" -u <(echo "$listed") <(echo "$2") || :
	failures=$((failures + 1))
}

# Arguments: upload|download: its columns between text and started_at, and those of
# measurement_detail
schema_columns()
{
	sed -n "/^\t$1_text /,/^\t$1_started_at /s/^\t$1_\([a-z0-9_]*\) INTEGER.*/\1/p" \
		store/schema.sql
	sed -n '/^CREATE TABLE measurement_detail /,/^)/p' store/schema2.sql |
		sed -n "s/^\t$1_\([a-z0-9_]*\) INTEGER.*/\1/p"
}

# The names in the first column of the table's rows between `text` and `started_at`
documented_columns()
{
	# shellcheck disable=SC2016 # Markdown's backquotes
	sed -n '/^| `text` | what happened/,/^| `started_at`/p' docs/schema.md |
		sed '1d;$d' | cut -d '|' -f 2 | grep -o '[a-z0-9_]\+'
}

message_figures()
{
	# shellcheck disable=SC2016 # Markdown's backquotes
	sed -n 's/^| `\.figures` | array of [0-9]* | \(.*\), in this order.*/\1/p' \
		docs/protocol.md | grep -o '[a-z0-9_]\+'
}

# Arguments: required|properties
export_names()
{
	perl -MJSON::PP -0777 -ne '
		my $direction = decode_json($_)->{q($defs)}{direction};
		my %other = map { $_ => 1 } qw(status text started_at duration_ms);
		my $names = $direction->{'"$1"'};
		$names = [sort keys %$names] if ref $names eq "HASH";
		print "$_\n" for grep { !$other{$_} } @$names;
	' docs/export.schema.json
}

[[ $(wc -w <<<"$listed") -ge 7 ]] || { echo 'FAILED: no list in base/figures.h' && exit 1; }
check 'the schema, upload' "$(schema_columns upload)"
check 'the schema, download' "$(schema_columns download)"
check docs/schema.md "$(documented_columns)"
check docs/protocol.md "$(message_figures)"
check 'docs/export.schema.json, required' "$(export_names required)"
listed=$(sort <<<"$listed")
check 'docs/export.schema.json, properties' "$(export_names properties)"
grep -q "array of $(wc -w <<<"$listed") |" docs/protocol.md ||
	{ echo 'FAILED: the length of the array in docs/protocol.md' && exit 1; }
exit $((failures > 0))
