#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The server is a hub with three spokes: a path of 1500; one that loses outer
#            packets above 1400; one with links of 1492 that fragments. They are swept
#            one after the other with --persist best.
# RIGHT      1440/1440 1340/1340 1432/1432, and full-size packets to each spoke pass at
#            the end
# SOURCE     lists.zx2c4.com, WireGuard, August 2023, "IPv6 and PPPoE with MSSFIX"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Arguments: TUNNEL-ADDRESS SIZE. Print the answers to 20 packets of SIZE bytes from the
# hub, which sends those above its MTU in fragments.
answered()
{
	on server ping -q -c 20 -i 0.05 -W 2 -M dont -s $(($2 - 28)) "$1" |
		sed -n 's/.* \([0-9]*\) received.*/\1/p' || true
}

case_begin
add_spoke second 3
for port in iifname oifname; do
	on router nft add rule inet lab forward "$port" second meta length '>' 1400 drop
done
add_spoke third 4
on router ip link set third mtu 1492
ip -n "$namespace" link set eth0 mtu 1492
server_options=(--persist best --conf-file "$LAB_SERVER_CONF")
smart --persist best --conf-file "$LAB_PEER_CONF"
pairs=$pair
for spoke in second third; do
	LAB_PEER=ms-$lab_name-$spoke LAB_PEER_IF=$(spoke_if "$spoke")
	LAB_PEER_CONF=$tmp/etc/$LAB_PEER_IF.conf
	smart --persist best --conf-file "$LAB_PEER_CONF"
	pairs+=" $pair"
done
pair=$pairs
must_be 'the pairs' '1440/1440 1340/1340 1432/1432' "$pairs" brief
must_be 'answers of the first spoke' 20 "$(answered 10.77.0.2 1440)"
must_be 'answers of the second spoke' 20 "$(answered 10.77.0.3 1440)"
must_be 'answers of the third spoke' 20 "$(answered 10.77.0.4 1440)"
