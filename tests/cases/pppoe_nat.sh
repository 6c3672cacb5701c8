#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer is behind NAT and PPPoE: packets from it above 1440 are lost,
#            those to it are fragmented above 1492. The server's conf names no endpoint;
#            it learned one. Strict reverse path filters on all three hosts,
#            PersistentKeepalive.
# RIGHT      1432/1380
# SOURCE     linuxserver/docker-wireguard issue 111, "Allow optional Server and/or
#            Client MTU numeric environment variable for when behind IPv6 or DSL/PPoE
#            connections"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
for host in server router peer; do
	on "$host" sysctl -qw net.ipv4.conf.all.rp_filter=1 \
		net.ipv4.conf.default.rp_filter=1
done
on router nft -f - <<'RULES'
	table ip nat {
		chain post {
			type nat hook postrouting priority srcnat;
			oifname "server" ip saddr 10.78.2.0/24 masquerade random
		}
	}
RULES
join_by 10.78.1.2:51820
"$LAB" hole "$lab_name" upload 1440
"$LAB" narrow "$lab_name" download 1492
smart
must_recommend
