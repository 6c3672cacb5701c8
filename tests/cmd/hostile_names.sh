# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # nothing expands; who sources this reads it
#
# Names that a hostile host, interface or text has: HTML, terminal escapes, SQL, formulas
# of spreadsheets, paths, and what psql, shells, printf, Markdown, Prometheus and Ansible
# take for theirs.

readonly HOSTILE_NAMES=(
	'<script>alert(1)</script>'
	'"><img src=x onerror=alert(1)>'
	$'\e[2J\e]0;owned\a'
	$'\xc2\x9b2J\xc2\x9d0;x'
	$'\xe2\x80\xaecod.exe'
	$'two\nlines'
	$'tab\there\r'
	"'; DROP TABLE run; --"
	'=cmd|calc!A0'
	'@SUM(1+1)*cmd'
	'../../etc/passwd'
	'\! id'
	'\.'
	'$(id) `id` ${HOME}'
	'%s%n%s%n'
	'"} 1\nmtusweep_evil 2'
	'| a | b |'
	'{{ 7 * 7 }}{% raw %}'
	'back\slash"quote'
)
