#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Port 5000 of the server's tunnel address is taken by another program.
# RIGHT      The server's message names --server-port
# SOURCE     replicate/cog issue 1099, "Port 5000 is already used on Mac by default"
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

port_named()
{
	not_running "$server_pid" || grep -q -e '--server-port' "$tmp/server.log"
}

case_begin
# shellcheck disable=SC2016 # Perl's
run_on server perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 5,
	LocalAddr => $ARGV[0]) or die; sleep 600' "$LAB_SERVER_IP:5000" \
	>/dev/null 2>&1 &
wait_for 10 'the other program' listening 5000
start_server --once
for ((i = 0; i < 50; i++)); do
	! port_named || break
	pause 0.1
done
end_server
answer=$(cat "$tmp/server.log")
must_say '--server-port' '--server-port'
