#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mtusweep best --as: the right end's MTU, from a database, in each format, and the reasons
# for which there is none. Parsers of Debian read what they have one for: bash, wg-quick,
# nft. It makes a network namespace, which ends with nft.
#
#	test_best_as.sh PROGRAM ROOT

set -uo pipefail
program=$(realpath -e "$1") || exit 1
root=$(realpath -e "$2") || exit 1
folder=$(mktemp -d /tmp/mtusweep-ready-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
umask 077
failures=0

fail()
{
	failures=$((failures + 1))
	printf 'FAIL: %s\n' "$*"
}

# Arguments: FILE. Run the SQL on stdin.
run_sql()
{
	sqlite3 -bail "$1" || exit 1
}

# Arguments: STATUS REGEX OPTION ...: mtusweep best; the regex is of stdout, or of stderr
# where the status is not 0.
expect()
{
	local status=$1 regex=$2 got
	shift 2
	"$program" best "$@" >out 2>err </dev/null
	got=$?
	[ $got = 0 ] || [ ! -s out ] || fail "best $* failed and printed: $(<out)"
	[ $got != 0 ] || mv out err
	if [ $got != "$status" ] || ! grep -qE -- "$regex" err; then
		fail "best $* gave status $got, wanted $status with /$regex/: $(<err)"
	fi
}

# The formats, from the help.
mapfile -t formats < <("$program" best --help |
	sed -n 's/^  --as \([a-z|-]*\)$/\1/p' | tr '|' '\n')

# Arguments: ID STRATEGY OUTCOME: SQL for a run of a hub and a laptop
make_run()
{
	cat <<SQL
INSERT INTO run (id, uuid, role, started_at, outcome, strategy, passes, seed, persist,
	server_host, server_interface, server_backend, server_mtu_min, server_mtu_max,
	server_mtu_step, peer_host, peer_interface, peer_backend, peer_mtu_min,
	peer_mtu_max, peer_mtu_step)
VALUES ($1, '0a1b2c3d-0000-4000-8000-00000000000$1', 'peer', '2026-11-22T12:20:39.123Z',
	'$3', '$2', 1, '7', 'none', 'hub', 'wg-hub', 'kernel', 1280, 1420, 70, 'laptop',
	'wg-home', 'kernel', 1280, 1420, 70);
SQL
}

# Arguments: ID SERVER-MTU PEER-MTU REASON: SQL for its recommendation
recommend()
{
	cat <<SQL
INSERT INTO recommendation (run_id, server_mtu, peer_mtu, settled, text)
VALUES ($1, $2, $3, 1, '');
INSERT INTO reason (run_id, kind, status, margin, visits)
VALUES ($1, '$4', 'predicted', 0, 0);
SQL
}

{
	cat "$root/store/schema.sql" "$root/store/schema2.sql"
	make_run 1 smart 'done'
	recommend 1 1400 1380 fits
	make_run 2 smart 'done'
	make_run 3 apply 'done'
	make_run 4 smart interrupted
	make_run 5 smart 'done'
	recommend 5 1200 1300 fits
	make_run 6 smart 'done'
	recommend 6 1280 1280 none_arrives
	cat <<'SQL'
INSERT INTO run_warning (run_id, about, warned_at, kind, at_end, value)
VALUES (1, 'run', '2026-11-22T12:20:39.123Z', 'hub_routes', 'server', 4);
UPDATE run SET peer_interface = 'wg''; reboot', server_interface = NULL WHERE id = 5;
PRAGMA user_version = 2;
SQL
} | run_sql mtusweep.db

# Each format has the MTU of the end that was asked for, or the MSS of the smaller MTU.
[ ${#formats[@]} -ge 10 ] || fail "formats in the help: ${formats[*]}"
for format in "${formats[@]}"; do
	case $format in
	nft | iptables) server='1340' peer='1340' ;;
	*) server='1400' peer='1380' ;;
	esac
	named=()
	[ "$format" != uci ] || named=(--interface wg_home)
	expect 0 "^[^#].*\b$peer\b" 1 --as "$format" "${named[@]}"
	expect 0 "^[^#].*\b$server\b" 1 --as "$format" "${named[@]}" --end server
	expect 0 '^# mtusweep run 1: MTU 1400 for the server, host hub; predicted' \
		1 --as "$format" "${named[@]}" --end server
	grep -q '^# This interface has 4 WireGuard peers' err || fail "$format: no hub"
	expect 0 '^# mtusweep run 1: MTU 1380 for the peer, host laptop; predicted' \
		1 --as "$format" "${named[@]}"
	! grep -q 'WireGuard peers' err || fail "$format: the peer's interface is no hub"
done

# The interface: the run's, wg0 if that is unknown, or the one that is named.
expect 1 "OpenWrt has no section named 'wg-home': name that of the tunnel" 1 --as uci
expect 0 'network\.wg_home\.mtu' 1 --as uci --interface wg_home
expect 0 'network\.wg_hub\.mtu' 1 --as uci --end server --interface wg_hub
expect 0 'network\.vpn\.mtu' 1 --as uci --interface vpn
expect 0 "network\.wg0\.mtu='1200'" 5 --as uci --end server
expect 1 "name 'wg'; reboot' cannot be written in such text: name another" 5 --as uci
expect 0 "network\.vpn\.mtu='1300'" 5 --as uci --interface vpn
expect 1 "name 'a b' cannot be written" 1 --as uci --interface 'a b'

# No MTU: the reason.
expect 1 'run 2 recommends no pair: it stored none' 2 --as wg-quick
expect 1 'run 3 recommends no pair: it applied the pair of another run' 3 --as wg-quick
expect 1 'run 4 recommends no pair: it ended early' 4 --as wg-quick
expect 1 'run 6 has no MTU to set: no allowed pair fits whole, and full-size packets of' \
	6 --as wg-quick
"$program" import "$root/tests/bench/sweeps/pppoe.csv" --db log.db >/dev/null ||
	fail 'no log was imported'
expect 1 'run 1 recommends no pair: it is a log' --as wg-quick --db log.db

# Usage.
expect 2 "invalid value 'fax' for --as: expected wg-quick\|" --as fax
expect 2 '^mtusweep best: --end needs --as' --end server
expect 2 '^mtusweep best: --interface needs --as' --interface wg0
expect 2 '^mtusweep best: --as and --json exclude each other' --as nft --json

# wg-quick takes the file with the lines inside, and wg's own part has no MTU.
{
	echo '[Interface]'
	echo "PrivateKey = $(wg genkey)"
	"$program" best 1 --as wg-quick
	echo '[Peer]'
	echo "PublicKey = $(wg genkey | wg pubkey)"
} >wg-home.conf
wg-quick strip ./wg-home.conf >stripped || fail 'wg-quick refuses the conf file'
grep -q '^PrivateKey' stripped || fail "wg-quick's output: $(<stripped)"
! grep -q '^MTU' stripped || fail 'wg-quick does not take the MTU as its own'

# nft takes the file, a second time too, and has the rules once.
"$program" best 1 --as nft >clamp.nft
unshare --net sh -c 'nft -f clamp.nft && nft -f clamp.nft && nft list ruleset' >rules ||
	fail 'nft refuses the file'
[ "$(grep -c 'maxseg size set 13[42]0$' rules)" = 4 ] || fail "nft's rules: $(<rules)"

# The commands are such for a shell.
for format in networkmanager uci iptables; do
	"$program" best 1 --as $format --interface wg_home | bash -n ||
		fail "bash refuses the text of $format"
done

# The documents know the same formats, in the same order, and a source of each.
documented=$(grep -oE '^\| [^a-z ][a-z-]+. \|' "$root/docs/ready-text.md" |
	tr -d '|` ' | xargs)
[ "$documented" = "${formats[*]} ${formats[*]}" ] ||
	fail "docs/ready-text.md has: $documented"
[ $failures = 0 ]
