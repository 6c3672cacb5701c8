#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/bench/methods.sh METHOD INTERFACE TARGET ENDPOINT
#
# Other ways to find a tunnel's MTU with one end alone, written anew from what their authors
# publish, so that tests/bench/alone can compare them. They print the MTU that they
# recommend. TARGET is a host inside the tunnel that answers echoes and takes TCP on port
# 5300, ENDPOINT the outer address of the far end. They need iputils' ping and perl. The
# interface keeps whatever MTU the method has left it with.
#
#   bisect    guides for WireGuard ("ping -M do -s SIZE", then half the range): echoes
#             through the tunnel as it is, whose MTU limits them; a lost one takes 1 s.
#   endpoint  wire-seek, README.md, "How It Works": echoes with DF to the endpoint outside
#             the tunnel, bisection from 576 (IPv6: 1280) to 1500, less WireGuard's
#             overhead; a lost one takes 2 s.
#   batches   gluetun, internal/pmtud, comments of PathMTUDiscover: through the tunnel with
#             the largest MTU that WireGuard can have on Ethernet; one echo of that size,
#             else eleven sizes at once and between the two neighbours again; then the same
#             with TCP's acknowledgements, from 150 bytes below. A round takes up to 1 s.

set -euo pipefail

# Arguments: ADDRESS SIZE SECONDS. True if an echo in a packet of that size, with DF, is
# answered.
answers()
{
	local headers=28
	[[ $1 != *:* ]] || headers=48
	ping -M 'do' -c 1 -W "$3" -q -s $(($2 - headers)) "$1" >/dev/null 2>&1
}

# Arguments: ADDRESS LOW HIGH SECONDS. Print the size that bisection finds.
bisect()
{
	local low=$2 high=$3 middle
	answers "$1" "$low" "$4" || return
	while ((low < high)); do
		middle=$(((low + high + 1) / 2))
		if answers "$1" "$middle" "$4"; then
			low=$middle
		else
			high=$((middle - 1))
		fi
	done
	echo "$low"
}

method_bisect()
{
	bisect "$target" 1280 1500 1
}

method_endpoint()
{
	local found
	if [[ $endpoint == *:* ]]; then
		found=$(bisect "$endpoint" 1280 1500 2) || return
		echo $((found - 80))
	else
		found=$(bisect "$endpoint" 576 1500 2) || return
		echo $((found - 60))
	fi
}

# --- batches -------------------------------------------------------------------------

# Arguments: LOW HIGH. Print up to eleven sizes, both ends among them.
spread()
{
	awk -v low="$1" -v high="$2" 'BEGIN {
		if (high - low <= 11)
			for (size = low; size <= high; size++)
				print size
		else
			for (i = 0; i <= 10; i++)
				printf "%d\n", low + (high - low) * i / 10 + 0.5
	}'
}

# Arguments: SIZE ... Print those that are answered within a second.
echo_batch()
{
	local size
	for size; do
		! answers "$target" "$size" 1 || echo "$size" &
	done
	wait
}

# Arguments: SIZE ... Print those of which TCP acknowledges a packet within a second. Each
# connection has the MSS for its size, so that one segment fills the packet.
tcp_batch()
{
	perl -MSocket -e '
		my ($target, @sizes) = @ARGV;
		my $address = pack_sockaddr_in(5300, inet_aton($target));
		my (%open, %sent);
		for my $size (@sizes) {
			socket(my $fd, PF_INET, SOCK_STREAM | 2048, 0) or die "socket: $!";
			setsockopt($fd, 6, 2, $size - 40) or next; # TCP_MAXSEG
			setsockopt($fd, 0, 10, 3) or die "probe: $!"; # IP_MTU_DISCOVER
			connect($fd, $address);
			$open{$size} = $fd;
		}
		for (my $i = 0; $i < 100 && %open; $i++) {
			select(undef, undef, undef, 0.01);
			for my $size (keys %open) {
				my ($fd, $queued) = ($open{$size}, pack("i", 0));
				next unless getpeername($fd);
				if (!$sent{$size}) {
					my $mss = unpack("i", getsockopt($fd, 6, 2));
					$sent{$size} = syswrite($fd, "x" x $mss);
					next;
				}
				ioctl($fd, 0x5411, $queued) or die "ioctl: $!"; # SIOCOUTQ
				next if unpack("i", $queued);
				print "$size\n";
				delete $open{$size};
			}
		}' "$target" "$@"
}

# Print the largest MTU for which the target has an MSS.
tcp_limit()
{
	perl -MSocket -e '
		socket(my $fd, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
		setsockopt($fd, 0, 10, 3) or die "probe: $!";
		connect($fd, pack_sockaddr_in(5300, inet_aton($ARGV[0])))
			or die "connect: $!";
		# Its timestamps take 12 bytes.
		print 52 + unpack("i", getsockopt($fd, 6, 2)), "\n";' "$target"
}

# Arguments: echo|tcp LOW HIGH. Print the size that a search in batches finds.
search_batches()
{
	local low=$2 high=$3 size best sizes
	while ((low < high)); do
		mapfile -t sizes < <(spread "$low" "$high")
		best=$("$1_batch" "${sizes[@]}" | sort -n | tail -n 1)
		[[ $best ]] || return 1
		# The next range is from there to below the size that failed.
		low=$best
		for size in "${sizes[@]}"; do
			((size <= best)) || break
		done
		((size > best)) || break
		high=$((size - 1))
	done
	echo "$low"
}

method_batches()
{
	local most=1440 found least
	[[ $endpoint != *:* ]] || most=1420
	ip link set "$interface" mtu "$most"
	if answers "$target" "$most" 1; then
		found=$most
	else
		# Smaller ones than a TCP socket's MSS allows are of no use here.
		found=$(search_batches echo 128 "$most") || found=
	fi
	least=$((${found:-278} - 150)) most=${found:-$most}
	found=$(tcp_limit)
	((found >= most)) || most=$found
	search_batches tcp "$least" "$most"
}

method=$1 interface=$2 target=$3 endpoint=$4
"method_$method"
