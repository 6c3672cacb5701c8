#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# line_relay.pl LISTEN LISTEN-PORT FROM TO TO-PORT DELAY-MS [PERCENT SEED]
#
# Forward UDP datagrams between the caller of LISTEN and TO, which sees them come from FROM:
# at once, and after SIGUSR1 each DELAY-MS later, in both directions. Of each kind, PERCENT
# of the datagrams come twice, have one bit changed, and come 5 ms late, behind others. It
# does to WireGuard's outer packets what netem does, on a kernel without it. Prints "ready"
# when it listens.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes 'time';

use constant LATE_S => 0.005;

my ($listen, $listen_port, $from, $to, $to_port, $delay_ms, $percent, $seed) = @ARGV;
my $share = ($percent // 0) / 100;
my $delay = 0;
srand($seed // 0);
$SIG{USR1} = sub { $delay = $delay_ms / 1000 };
my $near = IO::Socket::INET->new(
	Proto => 'udp', LocalAddr => $listen, LocalPort => $listen_port
) or die "line_relay.pl: cannot listen: $@\n";
my $far = IO::Socket::INET->new(
	Proto => 'udp', LocalAddr => $from, PeerAddr => $to, PeerPort => $to_port
) or die "line_relay.pl: cannot connect: $@\n";
$_->blocking(0) for $near, $far;
setsockopt($_, SOL_SOCKET, SO_RCVBUF, 1 << 22) for $near, $far;
my $both = IO::Select->new($near, $far);
my ($caller, @queue);
$| = 1;
print "ready\n";

# Most are the last to leave.
sub enqueue
{
	my ($at, @what) = @_;
	my $place = @queue;
	$place-- while $place && $queue[$place - 1][0] > $at;
	splice(@queue, $place, 0, [$at, @what]);
}

sub take
{
	my ($outward, $data) = @_;
	my $at = time + $delay;
	vec($data, int(rand(8 * length $data)), 1) ^= 1 if length $data && rand() < $share;
	enqueue($at, $outward, $data) if rand() < $share;
	$at += LATE_S if rand() < $share;
	enqueue($at, $outward, $data);
}

while (1) {
	my $wait = @queue ? $queue[0][0] - time : 1;
	for my $socket ($both->can_read($wait > 0 ? $wait : 0)) {
		while (defined(my $sender = recv($socket, my $data, 65535, 0))) {
			$caller = $sender if $socket == $near;
			take($socket == $near, $data);
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
