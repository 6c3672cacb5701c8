#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# slow_relay.pl LISTEN LISTEN-PORT FROM TO TO-PORT DELAY-MS
#
# Forward UDP datagrams between the caller of LISTEN and TO, which sees them come from FROM:
# at once, and after SIGUSR1 each DELAY-MS later, in both directions. It delays WireGuard's
# outer packets on a kernel without netem. Prints "ready" when it listens.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes 'time';

my ($listen, $listen_port, $from, $to, $to_port, $delay_ms) = @ARGV;
my $delay = 0;
$SIG{USR1} = sub { $delay = $delay_ms / 1000 };
my $near = IO::Socket::INET->new(
	Proto => 'udp', LocalAddr => $listen, LocalPort => $listen_port
) or die "slow_relay.pl: cannot listen: $@\n";
my $far = IO::Socket::INET->new(
	Proto => 'udp', LocalAddr => $from, PeerAddr => $to, PeerPort => $to_port
) or die "slow_relay.pl: cannot connect: $@\n";
$_->blocking(0) for $near, $far;
setsockopt($_, SOL_SOCKET, SO_RCVBUF, 1 << 22) for $near, $far;
my $both = IO::Select->new($near, $far);
my ($caller, @queue);
$| = 1;
print "ready\n";

# The delay is the same for all, so the first to arrive is the first to leave.
while (1) {
	my $wait = @queue ? $queue[0][0] - time : 1;
	for my $socket ($both->can_read($wait > 0 ? $wait : 0)) {
		while (defined(my $sender = recv($socket, my $data, 65535, 0))) {
			$caller = $sender if $socket == $near;
			push @queue, [time + $delay, $socket == $near, $data];
		}
	}
	while (@queue && $queue[0][0] <= time) {
		my (undef, $outward, $data) = @{ shift @queue };
		if ($outward) {
			send($far, $data, 0);
		} elsif ($caller) {
			send($near, $data, 0, $caller);
		}
	}
}
