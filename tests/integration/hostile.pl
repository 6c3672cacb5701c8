#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# hostile.pl NAME FROM TO [ARG]: a hostile program in the tunnel, at address FROM, attacks
# the server's address TO until SIGTERM; then it prints a line with the results.
#
#   silent N     N connections to port 5000 that send nothing; those that end are replaced
#   drip N       the same, each with a byte of a request's head now and then
#   requests ID  broken and forged requests, again and again; ID: of a session that is over
#   title        to the tests' port: libiperf's server crashes (a title that is a number)
#   parallel     the same: 100,000 streams
#   mute         the same: sends nothing, until it is closed
# or, once:
#   session BODY             opens a session and closes it; prints both answers
#   get PATH, post|put PATH BODY  one request; prints the answer in one line

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($what, $from, $to, @args) = @ARGV;
my $stop = 0;
my %seen;
$SIG{TERM} = sub { $stop = 1 };
$SIG{PIPE} = 'IGNORE';
$| = 1;

sub pause { select undef, undef, undef, $_[0] }

sub dial {
	my ($port, $timeout) = @_;
	return IO::Socket::INET->new(PeerAddr => "$to:$port", LocalAddr => $from,
		Timeout => $timeout);
}

# Return all data until the other end closes, or sends nothing for $timeout seconds.
sub answer {
	my ($s, $timeout) = @_;
	my $text = '';
	while (IO::Select->new($s)->can_read($timeout)) {
		sysread($s, $text, 4096, length $text) or last;
	}
	return $text;
}

sub request {
	my ($head, $body) = @_;
	my $s = dial(5000, 5) or return 'no connection';
	$head .= "Connection: close\r\n";
	$head .= "Content-Length: " . length($body) . "\r\n" if defined $body;
	syswrite $s, $head . "\r\n" . ($body // '');
	my $text = answer($s, 5);
	$text =~ s/\s+/ /g;
	return $text;
}

# --- a crowd ---

sub crowd {
	my ($count, $head) = @_;
	my (@crowd, $ended);
	until ($stop) {
		my @there = grep { $_->opened } @crowd;
		for my $s (IO::Select->new(@there)->can_read(0)) {
			next if sysread $s, my $byte, 1;
			$ended++;
			close $s;
		}
		@crowd = grep { $_->opened } @crowd;
		while (@crowd < $count && !$stop) {
			my $s = dial(5000, 2) or last;
			push @crowd, $s;
			print "$what is there\n" if ++$seen{opened} == $count;
		}
		if (length $head) {
			syswrite $_, substr $head, int(rand length $head), 1 for @crowd;
		}
		pause(0.02);
	}
	$seen{ended} = $ended // 0;
}

# --- broken and forged requests ---

sub json { return "Content-Type: application/json\r\n" }

sub hostile_requests {
	my ($old) = @_;
	my $host = "Host: $to:5000\r\n";
	my $guess = join '', map { sprintf '%08x', int rand 2**32 } 1 .. 4;
	my @requests;
	my $fields = '"mtu":1300,"test":1,"duration_ms":300,"rtt_us":1,"from_port":0,'
		. '"full_size":false,"outcome":"done",'
		. '"text":"","protocol":3,"lease_ms":1000';
	for my $id ($old, $guess, '', 'x' x 500) {
		my @paths = qw(pair arm probe figures path recommendation lease commit
			session);
		# The peer that closed a session gets that answer again.
		push @paths, 'close' if $id ne $old;
		push @requests, ["POST /v1/$_ HTTP/1.1\r\n$host" . json(),
			qq({"session":"$id",$fields})] for @paths;
	}
	my $body = qq({"session":"$old",$fields});
	for my $type ('text/plain', 'application/x-www-form-urlencoded',
		'multipart/form-data; boundary=x') {
		push @requests, ["POST /v1/close HTTP/1.1\r\n${host}"
			. "Origin: http://evil.example\r\n"
			. "Content-Type: $type\r\n", $body];
	}
	push @requests,
		["OPTIONS /v1/close HTTP/1.1\r\n${host}Origin: http://evil.example\r\n"
			. "Access-Control-Request-Method: POST\r\n"],
		["POST /v1/close HTTP/1.1\r\nHost: evil.example:5000\r\n" . json(), $body],
		["POST /v1/close HTTP/1.1\r\n" . json(), $body],
		["POST /v1/pair HTTP/1.1\r\n$host" . json(), 'x' x 761],
		["POST /v1/pair HTTP/1.1\r\n$host" . json(), '[' x 16000],
		["POST /v1/pair HTTP/1.1\r\n$host" . json(), '[' x 760],
		["POST /v1/pair HTTP/1.1\r\n$host" . json(), "\0\xff\xfe{"],
		["POST /v1/pair HTTP/1.1\r\n$host" . json()
			. "Transfer-Encoding: chunked\r\n"],
		["POST /v1/pair HTTP/1.1\r\n$host" . json()
			. "Content-Length: 99999999999\r\n"],
		["GET /v1/hello HTTP/1.1\r\n${host}X: " . ('x' x 6000) . "\r\n"],
		["GET /" . ('x' x 6000) . " HTTP/1.1\r\n$host"],
		["POST /v1/close HTTP/1.1\r\n" . ("X: y\r\n" x 200) . $host . json(),
			$body],
		["\x16\x03\x01\x02\x00\x01\x00"];
	return @requests;
}

sub requests {
	my @requests = hostile_requests(@_);
	until ($stop) {
		for my $request (@requests) {
			last if $stop;
			my $status = request(@$request) =~ m{^HTTP/1.1 (\d+)} ? $1 : 'none';
			$seen{$status}++;
		}
	}
}

# --- libiperf's port ---

sub iperf {
	my ($parameters, $rest_s) = @_;
	until ($stop) {
		my $s = dial(5201, 0.2);
		if ($s) {
			$seen{connected}++;
			if ($parameters) {
				my $cookie = join '', map { chr(97 + rand 26) } 1 .. 36;
				syswrite $s, "$cookie\0";
				IO::Select->new($s)->can_read(1)
					and sysread $s, my $state, 1;
				syswrite $s, pack('N', length $parameters) . $parameters;
			}
			answer($s, 3);
		}
		pause($rest_s);
	}
}

sub change {
	my ($method, $path, $body) = @_;
	return request("$method $path HTTP/1.1\r\nHost: $to\r\n" . json(), $body);
}

sub post { return change('POST', @_) }

my %do = (
	silent => sub { crowd($args[0], '') },
	drip => sub { crowd($args[0], "POST /v1/pair HTTP/1.1") },
	requests => sub { requests($args[0]) },
	title => sub { iperf('{"tcp":true,"title":5}', $args[0] // 0.05) },
	parallel => sub {
		iperf('{"tcp":true,"omit":0,"time":1,"parallel":100000,"len":131072}',
			$args[0] // 0.05);
	},
	mute => sub { iperf(undef, $args[0] // 0.05) },
	session => sub {
		my $opened = post('/v1/session', $args[0]);
		my $id = $opened =~ /"session":"([0-9a-f]*)"/ ? $1 : '';
		print "$opened\n", post('/v1/close',
			qq({"session":"$id","outcome":"interrupted","text":""})), "\n";
	},
	get => sub { print request("GET $args[0] HTTP/1.1\r\nHost: $to\r\n"), "\n" },
	post => sub { print post(@args), "\n" },
	put => sub { print change('PUT', @args), "\n" },
);
($do{$what} // die "hostile.pl: what is '$what'?\n")->();
print "$what from $from:", (map { " $_ $seen{$_}" } sort keys %seen), "\n" 
	if $what !~ /^(session|get|post|put)$/;
