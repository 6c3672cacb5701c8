# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # root and bin are set by whoever sources this
#
# The parts that the benches share: a lab of their own, the two programs in it, medians.
# A bench sources this file with the folder of the programs in $bin and of the sources
# in $root, and calls bench_begin. Everything is removed at its end.

set -Eeuo pipefail
PATH=$PATH:/usr/sbin:/sbin
unset SUDO_UID SUDO_GID

lab=$root/tests/lab/lab
name=be$$
server_pid=
peer_pid=

bench_end()
{
	local result=$? pid
	[[ $BASHPID == "$$" ]] || return 0
	trap - EXIT
	trap '' INT TERM HUP
	set +e
	# A watch ends only if it is told to.
	for pid in $peer_pid $server_pid; do
		kill "$pid" 2>/dev/null
	done
	wait
	"$lab" down "$name"
	rm -rf "$tmp"
	exit "$result"
}

# Make the folder $tmp, and have all removed at the end.
bench_prepare()
{
	((EUID == 0)) || {
		echo "${0##*/}: makes network namespaces: run it as root" >&2
		exit 1
	}
	tmp=$(mktemp -d)
	trap bench_end EXIT
	trap 'exit 1' INT TERM HUP
	chown daemon "$tmp"
	chmod 0755 "$tmp"
}

# Arguments: [OPTION ...], for lab up. Make the lab, in place of the last one.
bench_lab()
{
	"$lab" up "$name" --owner $$ "$@" 2>"$tmp/lab.log" || {
		cat "$tmp/lab.log" >&2
		exit 1
	}
	eval "$("$lab" env "$name")"
}

# Arguments: [OPTION ...], for lab up.
bench_begin()
{
	bench_prepare
	bench_lab "$@"
}

# Arguments: [OPTION ...], for mtusweep-server, which serves until the bench ends.
start_server()
{
	"$lab" exec "$name" server "$bin/mtusweep-server" --interface "$LAB_SERVER_IF" \
		--server-ip "$LAB_SERVER_IP" --db "$tmp/server.db" "$@" \
		</dev/null >"$tmp/server.log" 2>&1 &
	server_pid=$!
}

# Arguments: [OPTION ...], for mtusweep-peer.
run_peer()
{
	"$lab" exec "$name" peer "$bin/mtusweep-peer" --interface "$LAB_PEER_IF" \
		--server-ip "$LAB_SERVER_IP" --db "$tmp/peer.db" --wait 10 "$@" \
		</dev/null >"$tmp/peer.log" 2>&1 || {
		cat "$tmp/peer.log" "$tmp/server.log" >&2
		exit 1
	}
}

# Print the median of the numbers on stdin, one a line.
median()
{
	sort -g | awk '{ v[NR] = $1 }
		END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
