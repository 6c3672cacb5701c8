# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # who sources this sets them
#
# The parts that the tests of --watch share. Who sources this defines watch [OPTION ...],
# which starts one and sets $peer_pid.

# Print the number of probes that are stored.
probes()
{
	sql "$peer_db" 'SELECT count(*) FROM path_probe' 2>/dev/null || echo 0
}

has_probes()
{
	(($(probes) >= $1))
}

# Wait for more probes than there are now.
more_probes()
{
	wait_for 90 "$1 more probes" has_probes $(($(probes) + $1))
}

# Arguments: REGEX
told()
{
	grep -Eq -e "$1" "$tmp/peer.log"
}

count_told()
{
	grep -Ec -e "$1" "$tmp/peer.log" || true
}

# Arguments: COUNT. So often a watch has applied MTUs. A link's MTU does not tell: probes
# change it, too.
has_applied()
{
	[[ $(sql "$peer_db" "SELECT count(*) FROM path_probe WHERE applied = 'yes'" \
		2>/dev/null) == "$1" ]]
}

# Print the news of the watch in their order.
news()
{
	sql "$peer_db" "
		SELECT group_concat(event || iif(applied = 'no', '', ':' || applied), ' ')
		FROM (SELECT * FROM path_probe
		WHERE event <> 'quiet' OR applied <> 'no' ORDER BY seq)"
}

stop_watch()
{
	kill -INT "$peer_pid"
	wait_exit "$peer_pid" 40 'the watch'
	check_equal 'the exit status of a watch that is stopped' 0 "$status"
}

# Arguments: STATUS EVENT
check_ended()
{
	wait_exit "$peer_pid" 90 'the watch'
	check_equal "$2: the exit status" "$1" "$status"
	check_equal "$2: the news" "$2" "$(news)"
	rm -f "$peer_db"*
}

# Arguments: FROM TO PORT. The router tells FROM by ICMP that its packet to TO was too big
# for an MTU of 1500.
send_too_big()
{
	# shellcheck disable=SC2016 # perl's own
	on router perl -MSocket -e 'my ($from, $to, $port) = @ARGV;
		my $packet = pack("CCnnn a20 nnnn", 3, 4, 0, 0, 1500,
			pack("CCnnnCCna4a4", 0x45, 0, 1500, 0, 0x4000, 64, 17, 0,
				inet_aton($from), inet_aton($to)), 51820, $port, 1480, 0);
		my $sum = unpack("%32n*", $packet);
		$sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
		substr($packet, 2, 2) = pack("n", ~$sum & 0xffff);
		socket(my $out, AF_INET, SOCK_RAW, 1) or die "socket: $!";
		send($out, $packet, 0, pack_sockaddr_in(0, inet_aton($from))) or die;
	' "$@"
}
