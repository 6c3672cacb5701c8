#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# browser.pl [--dark] [--size WxH] [--wait SECONDS] URL STEP ...
#
# Open the page in Chromium, without a window, and do the steps one after another:
#
#	wait=EXPRESSION    wait until it is true, --wait SECONDS (120) at most
#	file=PATH          wait until that file exists, as long
#	print=EXPRESSION   print its value, in a line
#	key=NAME           press a key (ArrowLeft, Escape, a, ...) at the focus
#	point=SELECTOR,X,Y move the mouse to that part of the element's box (0 to 1)
#	shot=FILE          write a picture of the page, as PNG
#
# Expressions are JavaScript. Exceptions of the page, and violations of its policy, are
# printed as "page: ..."; the exit status is 1 when a step fails. Chromium is controlled
# over two pipes.

use strict;
use warnings;

use Fcntl qw(F_SETFD);
use File::Temp qw(tempdir);
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Time::HiRes qw(time sleep);

my ($scheme, $width, $height) = ('light', 1280, 900);
my $patience = 120;
my $json = JSON::PP->new->utf8->allow_nonref->canonical;
my ($pid, $buffer, $serial, $session) = (0, '', 0, undef);
my ($to, $from);

sub fail
{
	print STDERR "browser.pl: @_\n";
	exit 1;
}

END {
	my $status = $?;
	if ($pid) {
		kill TERM => $pid;
		waitpid $pid, 0;
	}
	$? = $status;
}
$SIG{TERM} = $SIG{INT} = sub { exit 1 };

sub start
{
	my $folder = shift;
	pipe(my $child_in, $to) or fail "pipe: $!";
	pipe($from, my $child_out) or fail "pipe: $!";
	$to->autoflush(1);
	$pid = fork // fail "fork: $!";
	return if $pid;
	POSIX::dup2(fileno $child_out, 9);
	POSIX::dup2(fileno $child_in, 3);
	POSIX::dup2(9, 4);
	open STDERR, '>', "$folder/stderr";
	open STDOUT, '>&', \*STDERR;
	# As root it has no sandbox, and it sends no requests except the page's.
	exec 'chromium', '--headless', '--no-sandbox', '--remote-debugging-pipe',
		"--user-data-dir=$folder", "--window-size=$width,$height", '--disable-gpu',
		'--hide-scrollbars', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-dev-shm-usage', 'about:blank'
		or POSIX::_exit(127);
}

sub read_message
{
	my $until = shift;
	my $end;
	while (($end = index $buffer, "\0") < 0) {
		my $bits = '';
		vec($bits, fileno $from, 1) = 1;
		my $left = $until - time;
		return undef if $left <= 0 || !select($bits, undef, undef, $left);
		sysread($from, $buffer, 65536, length $buffer) or fail 'chromium ended';
	}
	my $message = $json->decode(substr $buffer, 0, $end);
	substr($buffer, 0, $end + 1) = '';
	my $params = $message->{params};
	my $method = $message->{method} // '';
	print 'page: ', $params->{exceptionDetails}{exception}{description} // 'exception',
		"\n" if $method eq 'Runtime.exceptionThrown';
	print "page: $params->{entry}{text} $params->{entry}{url}\n"
		if $method eq 'Log.entryAdded' && $params->{entry}{level} eq 'error' &&
		$params->{entry}{source} eq 'security';
	return $message;
}

sub call
{
	my ($method, %params) = @_;
	my $id = ++$serial;
	my $message = {id => $id, method => $method, params => \%params};
	$message->{sessionId} = $session if $session;
	print $to $json->encode($message), "\0";
	my $until = time + 60;
	while (my $answer = read_message($until)) {
		next unless ($answer->{id} // 0) == $id;
		fail "$method: $answer->{error}{message}" if $answer->{error};
		return $answer->{result};
	}
	fail "$method: no answer";
}

sub evaluate
{
	my $result = call('Runtime.evaluate', expression => shift,
		returnByValue => JSON::PP::true, awaitPromise => JSON::PP::true);
	fail "$result->{exceptionDetails}{exception}{description}"
		if $result->{exceptionDetails};
	return $result->{result}{value};
}

sub do_wait
{
	my $expression = shift;
	my $until = time + $patience;
	# The expression throws while an element of it is missing.
	my $tried = "(() => { try { return $expression; } catch { return false; } })()";
	until (evaluate($tried)) {
		fail "waited in vain for $expression" if time > $until;
		read_message(time + .05);
	}
}

sub do_file
{
	my $path = shift;
	my $until = time + $patience;
	until (-e $path) {
		fail "waited in vain for $path" if time > $until;
		read_message(time + .05);
	}
}

sub do_print
{
	my $value = evaluate(shift);
	utf8::encode($value) if defined $value && !ref $value;
	print ref $value ? $json->encode($value) : $value // 'null', "\n";
}

sub do_key
{
	my $key = shift;
	call('Input.dispatchKeyEvent', type => 'rawKeyDown', key => $key, code => $key,
		windowsVirtualKeyCode => $key eq 'Tab' ? 9 : 0);
	call('Input.dispatchKeyEvent', type => 'keyUp', key => $key, code => $key);
}

sub do_point
{
	my ($selector, $x, $y) = shift =~ /^(.*),([\d.]+),([\d.]+)$/
		or fail 'point: bad step';
	my $at = evaluate("(() => { const e = document.querySelector('$selector');
		e.scrollIntoView({block: 'center'});
		const b = e.getBoundingClientRect();
		return [b.left + b.width * $x, b.top + b.height * $y]; })()");
	call('Input.dispatchMouseEvent', type => 'mouseMoved',
		x => $at->[0], y => $at->[1]);
}

sub do_shot
{
	my $file = shift;
	my $size = call('Page.getLayoutMetrics')->{cssContentSize};
	my $shot = call('Page.captureScreenshot', format => 'png',
		captureBeyondViewport => JSON::PP::true,
		clip => {x => 0, y => 0, width => $width, height => $size->{height},
			scale => 1});
	open my $out, '>:raw', $file or fail "$file: $!";
	print $out decode_base64($shot->{data});
	close $out or fail "$file: $!";
}

my %steps = (wait => \&do_wait, file => \&do_file, print => \&do_print, key => \&do_key,
	point => \&do_point, shot => \&do_shot);

while (@ARGV && $ARGV[0] =~ /^--/) {
	my $option = shift;
	$scheme = 'dark' if $option eq '--dark';
	($width, $height) = split /x/, shift if $option eq '--size';
	$patience = shift if $option eq '--wait';
}
my $url = shift
	// fail 'usage: browser.pl [--dark] [--size WxH] [--wait SECONDS] URL STEP ...';
$^F = 20;    # the pipes are for Chromium
start(tempdir(CLEANUP => 1));
$| = 1;
my $target = call('Target.createTarget', url => 'about:blank')->{targetId};
$session = call('Target.attachToTarget', targetId => $target, flatten => JSON::PP::true)
	->{sessionId};
call("$_.enable") for qw(Runtime Log Page);
call('Emulation.setEmulatedMedia',
	features => [{name => 'prefers-color-scheme', value => $scheme}]);
call('Emulation.setDeviceMetricsOverride', width => $width + 0, height => $height + 0,
	deviceScaleFactor => 1, mobile => $width < 600 ? JSON::PP::true : JSON::PP::false);
call('Page.navigate', url => $url);
for my $step (@ARGV) {
	my ($name, $rest) = split /=/, $step, 2;
	fail "no step '$name'" unless $steps{$name};
	$steps{$name}->($rest);
}
