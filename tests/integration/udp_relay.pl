#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# udp_relay.pl LISTEN LISTEN-PORT TO TO-PORT [EXTRA]
#
# Forward UDP datagrams between the caller of LISTEN and TO, whose addresses may be of
# different families, as a translator or a tunnel for UDP does. EXTRA bytes are added to
# what goes to TO, and removed from what comes back; a negative EXTRA does the reverse.
# Datagrams leave without DF. Prints "ready" when it listens.

use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use Socket;

# linux/in.h, linux/in6.h
use constant {
	IPPROTO_IP => 0, IP_MTU_DISCOVER => 10, IPPROTO_IPV6 => 41, IPV6_MTU_DISCOVER => 23,
	PMTUDISC_DONT => 0,
};

my ($listen, $listen_port, $to, $to_port, $extra) = @ARGV;
$extra //= 0;

sub prepare
{
	my ($socket) = @_;
	my ($level, $option) =
		$socket->sockdomain == AF_INET ? (IPPROTO_IP, IP_MTU_DISCOVER)
		: (IPPROTO_IPV6, IPV6_MTU_DISCOVER);
	setsockopt($socket, $level, $option, PMTUDISC_DONT);
	setsockopt($socket, SOL_SOCKET, SO_RCVBUF, 1 << 22);
	$socket->blocking(0);
}

sub resize
{
	my ($data, $by) = @_;
	return $by < 0 ? substr($data, 0, $by) : $data . "\0" x $by;
}

my $near = IO::Socket::IP->new(
	Type => SOCK_DGRAM, LocalHost => $listen, LocalPort => $listen_port
) or die "udp_relay.pl: cannot listen: $@\n";
my $far = IO::Socket::IP->new(
	Type => SOCK_DGRAM, PeerHost => $to, PeerPort => $to_port
) or die "udp_relay.pl: cannot connect: $@\n";
prepare($_) for $near, $far;
my $both = IO::Select->new($near, $far);
my $caller;
$| = 1;
print "ready\n";

while (1) {
	for my $socket ($both->can_read) {
		while (defined(my $sender = recv($socket, my $data, 65535, 0))) {
			if ($socket == $near) {
				$caller = $sender;
				send($far, resize($data, $extra), 0);
			} elsif ($caller) {
				send($near, resize($data, -$extra), 0, $caller);
			}
		}
	}
}
