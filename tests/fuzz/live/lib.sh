# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034 # who sources this uses them
#
# The parts that the fuzzers of a live server share: their options, and what its processes
# hold. A script sets $count, sources this with its arguments, and calls test_begin.

# shellcheck source=tests/integration/lib.sh
. "${BASH_SOURCE[0]%/*}/../../integration/lib.sh"

readonly NEIGHBOUR=10.77.0.3
# Memory grows by less, in KiB: malloc keeps what a thread has freed.
readonly GROWTH_MAX=4096
readonly DATABASE_MAX=8

seed=$(($(date +%s) % 32768))
state=

usage()
{
	echo "usage: $0 [--count N] [--seed S] [--state FILE]" >&2
	exit 2
}

while (($#)); do
	[[ -n ${2-} ]] || usage
	case $1 in
	--count) count=$2 ;;
	--seed) seed=$2 ;;
	--state) state=$2 ;;
	*) usage ;;
	esac
	shift 2
done

# Print the processes of the server.
processes()
{
	echo "$server_pid" "$(pgrep -P "$server_pid" -d ' ')"
}

# Print the files behind the descriptors of the server's processes.
descriptors()
{
	local pid
	for pid in $(processes); do
		readlink "/proc/$pid/fd"/* || true
	done
}

# SQLite keeps some of the database's until nobody has a lock there.
own_descriptors()
{
	descriptors | grep -cv "^$server_db"
}

memory()
{
	local pid
	for pid in $(processes); do
		cat "/proc/$pid/smaps_rollup"
	done | awk '$1 == "Pss_Anon:" { sum += $2 } END { print sum }'
}

few_descriptors()
{
	(($(own_descriptors) <= descriptors_before))
}

# Let another spoke have an address at the peer's host.
add_neighbour()
{
	on server wg set "$LAB_SERVER_IF" peer \
		"$(on server wg show "$LAB_SERVER_IF" peers)" \
		allowed-ips "$LAB_PEER_IP/32,$NEIGHBOUR/32"
	on peer ip addr add "$NEIGHBOUR/24" dev "$LAB_PEER_IF"
}

note_resources()
{
	there=$(processes)
	descriptors_before=$(own_descriptors)
	memory_before=$(memory)
}

# Compare them with those noted; set $resources to the figures.
check_resources()
{
	local crashes=0
	check_equal 'the processes of the server' "$there" "$(processes)"
	[[ $there == "$(processes)" ]] || crashes=1
	# A session without an end, and its test, end with the lease.
	wait_for 20 'the descriptors of before' few_descriptors
	check_equal "descriptors of the database: $DATABASE_MAX at most" yes \
		"$( (($(descriptors | grep -c "^$server_db") <= DATABASE_MAX)) && echo yes)"
	resources="crashes $crashes; descriptors $descriptors_before and \
$(own_descriptors), memory $memory_before and $(memory) KiB"
	is_sanitized || check_equal "memory grows by less than $GROWTH_MAX KiB" yes \
		"$( (($(memory) < memory_before + GROWTH_MAX)) && echo yes)"
}

end_server()
{
	kill -TERM "$server_pid"
	wait_exit "$server_pid" 10 'the server'
	check_equal 'the marks of a crash in its log' '' \
		"$(grep -E 'ended unexpectedly|by signal|died' "$tmp/server.log" || true)"
}
