# SPDX-License-Identifier: MIT
# bash completion for mtusweep, mtusweep-server and mtusweep-peer. The words come from
# the programs' own --help, so they match the installed version. Runs come from the
# database on the command line. It works with and without the package bash-completion.
# shellcheck shell=bash

# Print the help of the program on the command line, and of its command.
_mtusweep_help()
{
	local program=${COMP_WORDS[0]/#\~\//"$HOME/"}
	"$program" "$@" --help 2>/dev/null </dev/null
}

# Fill `options` (those to offer) and `values` (the name of each option's value) from
# $1, a help text. A value in brackets is optional.
_mtusweep_read_options()
{
	local line
	while IFS= read -r line; do
		[[ $line =~ ^\ \ (-(.),\ )?(--[a-z0-9-]+)(\ ([^ ]+))?(\ \ |$) ]] || continue
		options+=("${BASH_REMATCH[3]}")
		values[${BASH_REMATCH[3]}]=${BASH_REMATCH[5]}
		[[ ${BASH_REMATCH[2]} ]] || continue
		options+=("-${BASH_REMATCH[2]}")
		values[-${BASH_REMATCH[2]}]=${BASH_REMATCH[5]}
	done <<<"$1"
}

# Print the names in the list of commands of $1, a help text.
_mtusweep_commands()
{
	local line listed=
	while IFS= read -r line; do
		case $line in
		commands:) listed=yes ;;
		options:) listed= ;;
		'  '[a-z]*) [[ ! $listed ]] || printf '%s\n' "${line:2}" ;;
		esac
	done <<<"$1" | while read -r line _; do
		printf '%s\n' "$line"
	done
}

# Print the ids of the runs in database $1; for a very large database, those that come
# quickly.
_mtusweep_runs()
{
	local id
	timeout 2 mtusweep runs --db "${1/#\~\//"$HOME/"}" 2>/dev/null </dev/null |
		while read -r id _; do
			[[ $id != *[!0-9]* ]] && printf '%s\n' "$id"
		done
}

_mtusweep_offer()
{
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

# Offer words for the value called $1 in a usage or an option's line; readline completes
# files.
_mtusweep_offer_value()
{
	local interfaces
	case ${1//[\[\]]/} in
	FILE*) return ;;
	RUN) _mtusweep_offer "$(_mtusweep_runs "$db")" ;;
	*'|'*) _mtusweep_offer "${1//|/ }" ;;
	NAME)
		if [[ $2 == --user ]]; then
			mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		else
			interfaces=(/sys/class/net/*)
			_mtusweep_offer "${interfaces[@]##*/}"
		fi
		;;
	esac
	compopt +o default +o bashdefault 2>/dev/null
}

# Parse the words from $1 up to the current one. `option` becomes the option whose value
# the current word is, `place` the number of arguments before it, `db` the database.
_mtusweep_walk()
{
	local i word=
	option=
	place=0
	for ((i = $1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == = ]]; then
			continue
		elif [[ $option && ($word != -* || ${values[$option]} != \[*) ]]; then
			[[ $option == --db ]] && db=$word
			option=
		elif [[ $word == -* ]]; then
			option=
			[[ ${values[$word]-} ]] && option=$word
		else
			((++place))
		fi
	done
}

_mtusweep()
{
	local -A values=()
	local cur=${COMP_WORDS[COMP_CWORD]} options=() arguments=() help option place
	local db=mtusweep.db first=1 command=()

	COMPREPLY=()
	[[ $cur == = ]] && cur=
	if [[ ${COMP_WORDS[0]##*/} == mtusweep ]]; then
		if ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} == help ]]; then
			help=$(_mtusweep_help)
			if ((COMP_CWORD == 1)); then
				_mtusweep_read_options "$help"
				_mtusweep_offer help "$(_mtusweep_commands "$help")" \
					"${options[@]}"
			elif ((COMP_CWORD == 2)); then
				_mtusweep_offer "$(_mtusweep_commands "$help")"
			fi
			compopt +o default +o bashdefault 2>/dev/null
			return
		fi
		first=2
		command=("${COMP_WORDS[1]}")
	fi
	help=$(_mtusweep_help "${command[@]}")
	_mtusweep_read_options "$help"
	_mtusweep_walk $first
	if [[ $option && ($cur != -* || ${values[$option]} != \[*) ]]; then
		_mtusweep_offer_value "${values[$option]}" "$option"
		return
	fi
	if [[ $cur != -* && $help =~ ^usage:\ mtusweep\ [a-z]+\ (.*)\[options\] ]]; then
		read -ra arguments <<<"${BASH_REMATCH[1]}"
		if ((place < ${#arguments[@]})); then
			_mtusweep_offer_value "${arguments[place]}"
			return
		fi
	fi
	_mtusweep_offer "${options[@]}"
	compopt +o default +o bashdefault 2>/dev/null
}

complete -o bashdefault -o default -F _mtusweep mtusweep mtusweep-server mtusweep-peer
