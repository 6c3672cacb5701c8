#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# bash completion: the words of a command line and the words offered; then the same in a
# real terminal.
#
#	test_completion.sh PROGRAMS PACKAGING SWEEPS
#
# PROGRAMS: the folder of the three programs; PACKAGING: the build's, which installs the
# completion; SWEEPS: a folder of logs.

set -uo pipefail

programs=$(realpath -e "$1") || exit 1
packaging=$(realpath -e "$2") || exit 1
sweeps=$(realpath -e "$3") || exit 1
folder=$(mktemp -d /tmp/mtusweep-completion-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
PATH=$programs:$PATH
failures=0

# Arguments: NAME EXPECTED FOUND
check_equal()
{
	[ "$2" = "$3" ] && return
	failures=$((failures + 1))
	printf 'FAIL: %s\n  wanted: %s\n  found:  %s\n' "$1" "$2" "$3"
}

# bash's default when the function offers nothing.
files=yes
compopt()
{
	case "$*" in *'+o default'*) files=no ;; esac
}

# Arguments: EXPECTED WORD ... Check the sorted words offered for the last word, without
# file names.
offered()
{
	local found
	files=yes
	COMP_WORDS=("${@:2}")
	COMP_CWORD=$(($# - 2))
	_mtusweep
	found=$(printf '%s\n' "${COMPREPLY[@]}" | sort | xargs)
	[ $files = no ] || found="$found files"
	check_equal "${*:2}<TAB>" "$1" "${found# }"
}

# Arguments: PROGRAM [COMMAND]. Print the options that --help names, sorted.
options_of()
{
	local found
	found=$("$@" --help | grep -oE '^  (-., )?--[a-z0-9-]+' |
		grep -oE -- '--?[a-z0-9-]+' | sort)
	# Without options the comparison would prove nothing.
	[ "$(wc -l <<<"$found")" -ge 2 ] || echo "no options in the help of $*"
	xargs <<<"$found"
}

# The installed file is where bash looks for it.
cmake -DCMAKE_INSTALL_PREFIX="$folder/usr" \
	-P "$packaging/cmake_install.cmake" >/dev/null || exit 1
for program in mtusweep mtusweep-server mtusweep-peer; do
	complete -r
	# shellcheck disable=SC1090 # it was just installed
	. "usr/share/bash-completion/completions/$program" || exit 1
	check_equal "complete -p $program" \
		"complete -o bashdefault -o default -F _mtusweep $program" \
		"$(complete -p $program)"
done

# Every option of every command, and nothing else.
commands=$(mtusweep --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
check_equal 'there are commands' yes "$([ "$(wc -l <<<"$commands")" -ge 9 ] && echo yes)"
for command in $commands; do
	offered "$(options_of mtusweep "$command")" mtusweep "$command" -
done
offered "$(options_of mtusweep-server)" mtusweep-server -
offered "$(options_of mtusweep-server)" mtusweep-server ''
offered "$(options_of mtusweep-peer)" mtusweep-peer --once -
offered '--mtu-max --mtu-min --mtu-step' mtusweep-peer --server-ip 10.0.0.1 --mtu
# shellcheck disable=SC2086 # a word each
offered "$(printf '%s\n' help $commands --help --version -h | sort | xargs)" mtusweep ''
offered 'heatmap help' mtusweep he
# shellcheck disable=SC2086
offered "$(printf '%s\n' $commands | sort | xargs)" mtusweep help ''
offered '' mtusweep help show ''
offered '' mtusweep nope -

# Values.
offered 'down sum up' mtusweep best --by ''
offered 'nft' mtusweep best --as nf
offered 'wg-quick windows' mtusweep best --as w
offered 'peer server' mtusweep best --as nft --end ''
offered 'csv' mtusweep export --format c
offered 'csv json postgres prometheus' mtusweep export --format =
offered 'json' mtusweep export --format = j
offered 'best each none' mtusweep-server --persist ''
offered 'grid probe smart' mtusweep-peer --strategy ''
offered 'False True' mtusweep-peer --peer-skip-errors ''
offered 'lo' mtusweep-peer --interface lo
offered 'root' mtusweep-peer --user roo
offered '' mtusweep-peer --server-port ''
offered 'files' mtusweep show --db ''
offered 'files' mtusweep heatmap -o ''
offered 'files' mtusweep heatmap --output = ''
offered 'files' mtusweep import ''
offered 'files' mtusweep-peer --conf-file x

# Runs come from the named database, else from the default one.
for log in deadzone pppoe; do
	mtusweep import "$sweeps/$log.csv" --db other.db >/dev/null || exit 1
done
offered '' mtusweep show --run ''
mtusweep import "$sweeps/uneven.csv" >/dev/null || exit 1
offered '1' mtusweep show --run ''
offered '1 2' mtusweep show --db other.db --run ''
offered '1 2' mtusweep show --db = other.db --json --run = ''
offered '1 2' mtusweep compare --db other.db ''
offered '1 2' mtusweep compare --db other.db 1 ''
offered "$(options_of mtusweep compare)" mtusweep compare --db other.db 1 2 ''
offered '1' mtusweep share -o x.html ''
offered '1' mtusweep-peer --resume ''
offered '--repeat-failed --restore --resume' mtusweep-peer --resume --re
offered 'best each none' mtusweep-peer --resume --persist ''

# A terminal: type the text, with each @ as a tab; the words that are printed must
# appear.
typed()
{
	{
		cat <<'SHELL'
. usr/share/bash-completion/completions/mtusweep
mtusweep()
{
	case $* in
	*--help) command mtusweep "$@" ;;
	*) printf 'took<%s>\n' "$*" ;;
	esac
}
SHELL
		tr '@' '\t' <<<"$2"
		echo exit
	} | PS1='' INPUTRC=/dev/null TERM=dumb timeout 20 \
		script -qec 'bash --norc --noprofile -i' /dev/null >terminal 2>&1
	check_equal "typed: $2" "took<$1>" "$(grep -ao 'took<[^%>]*>' terminal | tail -1)"
}

mkdir 'my sweeps'
cp "$sweeps/pppoe.csv" 'my sweeps/line one.csv'
typed 'import my sweeps/line one.csv' 'mtusweep imp@my@li@'
typed 'heatmap --average --db other.db' 'mtusweep hea@--av@--db oth@'
typed 'export --format=prometheus' 'mtusweep expo@--format=pro@'

[ $failures = 0 ]
