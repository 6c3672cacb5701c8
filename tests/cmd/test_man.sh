#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The man pages agree with the programs: every option and command of their --help, the
# meaning of each exit status, and examples that the programs accept. An option without its
# value is refused with the value's name, as the help has it.
#
#	test_man.sh PROGRAMS ROOT

set -uo pipefail

programs=$(realpath -e "$1") || exit 1
root=$(realpath -e "$2") || exit 1
folder=$(mktemp -d /tmp/mtusweep-man-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
PATH=$programs:$PATH
failures=0
checks=0

fail()
{
	failures=$((failures + 1))
	echo "FAIL: $1"
}

# Arguments: PAGE SECTION. Lines that end in a backslash are joined with the next.
section()
{
	sed -n "/^\.Sh $2\$/,/^\.Sh /p" "$root/docs/man/$1" | sed '1d' |
		sed ':again; /\\$/ { N; s/\\\n//; b again; }'
}

# Arguments: PAGE SECTION REGEX. True if a line of the section matches.
has_line()
{
	grep -qE -- "$3" <<<"$(section "$1" "$2")"
}

# Arguments: PAGE PROGRAM [COMMAND]. Check that the page describes each option of the
# help.
check_options()
{
	local page=$1 option count=0
	shift
	for option in $("$@" --help | grep -oE '^  (-., )?--[a-z0-9-]+' |
		grep -oE -- '--?[a-z0-9-]+'); do
		count=$((count + 1))
		# "Fl -db" is --db, "Fl o" is -o.
		has_line "$page" DESCRIPTION "^\.It .*Fl ${option#-}( |$)" ||
			fail "$page does not describe $option of $*"
	done
	checks=$((checks + count))
	((count >= 2)) || fail "no options in the help of $*"
}

# Arguments: PAGE PROGRAM [COMMAND]. Check that the page lists the words of each choice.
check_choices()
{
	local page=$1 option words
	shift
	while read -r option words; do
		checks=$((checks + 1))
		words=${words//|/ [|] }
		has_line "$page" DESCRIPTION "^\.It .*Fl ${option#-} Cm $words$" ||
			fail "$page does not list the choices of $option: $words"
	done < <("$@" --help | sed -nE 's/^  (-., )?(--[a-z0-9-]+ [^ ]+[|][^ ]+).*/\2/p')
}

# Arguments: PROGRAM [COMMAND]. Leave out the value of each option that needs one.
check_values()
{
	local option value said count=0
	while read -r option value; do
		count=$((count + 1))
		said=$("$@" "$option" 2>&1 </dev/null)
		[[ $? = 2 && $said = *": $option needs a value: $value" ]] ||
			fail "$* $option: $said"
	done < <("$@" --help | sed -nE 's/^  (-., )?(--[a-z0-9-]+ [^[ ][^ ]*).*/\2/p')
	checks=$((checks + count))
	((count >= 1)) || fail "no option of $* has a value"
}

# Arguments: PAGE PROGRAM. Print the page's examples, one a line.
examples()
{
	section "$1" EXAMPLES | sed -nE "s/^\.Dl (\\$ )?($2 .*)/\2/p; s/^\\$ ($2 .*)/\1/p"
}

for page in mtusweep.1 mtusweep-server.8 mtusweep-peer.8; do
	for status in 0 1 2; do
		has_line $page 'EXIT STATUS' "^\.It $status$" ||
			fail "$page does not say what exit status $status means"
	done
done
check_options mtusweep-server.8 mtusweep-server
check_options mtusweep-peer.8 mtusweep-peer
check_choices mtusweep-server.8 mtusweep-server
check_choices mtusweep-peer.8 mtusweep-peer
check_values mtusweep-server
check_values mtusweep-peer
for command in $(mtusweep --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	check_options mtusweep.1 mtusweep "$command"
	check_choices mtusweep.1 mtusweep "$command"
	check_values mtusweep "$command"
	has_line mtusweep.1 DESCRIPTION "^\.It Cm $command$" ||
		fail "mtusweep.1 does not describe the command $command"
	has_line mtusweep.1 SYNOPSIS "^\.Cm $command$" ||
		fail "mtusweep.1 has no synopsis of $command"
done

# Two pages need a tunnel: check that all options of their examples are accepted, with
# their values. --help comes after them.
for page in mtusweep-server.8 mtusweep-peer.8; do
	count=0
	while read -r line; do
		count=$((count + 1))
		# shellcheck disable=SC2086 # its words are meant to be split
		$line --help >out 2>&1 || fail "$page: '$line': $(cat out)"
	done < <(examples $page "${page%.8}")
	((count >= 3)) || fail "$page has $count examples"
done

# The reader's examples run on databases with sweeps.
mkdir srv
for _ in 1 2 3 4; do
	for db in mtusweep.db srv/sweeps.db; do
		mtusweep import "$root/tests/bench/sweeps/deadzone.csv" \
			--db $db >/dev/null || exit 1
	done
done
# An imported log has no recommendation.
sqlite3 srv/sweeps.db <<'SQL' || exit 1
INSERT INTO recommendation (run_id, server_mtu, peer_mtu, settled, text)
VALUES (3, 1420, 1400, 1, '');
INSERT INTO reason (run_id, kind, margin, visits) VALUES (3, 'fits', 0, 0);
SQL
cp "$root/tests/bench/sweeps/deadzone.csv" sweep.csv
count=0
while read -r line; do
	count=$((count + 1))
	bash -c "${line//\/srv\//srv/}" >out 2>err || fail "'$line': $(cat err)"
	[ ! -s err ] || fail "'$line' says: $(cat err)"
done < <(examples mtusweep.1 mtusweep)
((count >= 10)) || fail "mtusweep.1 has $count examples"
for file in sweep.png sweep.html sweep.csv; do
	[ -s $file ] || fail "the examples made no $file"
done
echo "$checks options, $failures failed"
[ $failures = 0 ]
