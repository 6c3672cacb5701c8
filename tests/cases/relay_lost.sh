#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A UDP relay on each host (udp2raw, phantun, wstunnel): the peer's endpoint
#            is 127.0.0.1, the server sees its own relay. The relays add 44 bytes; their
#            packets are lost above 1492, and so are fragments.
# RIGHT      1388/1388, and the relay on this host is named
# SOURCE     dndx/phantun issue 116, "How to use wireguard+phantun correctly in openwrt"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
join_by_relays 44
for direction in upload download; do
	"$LAB" hole "$lab_name" "$direction" 1492
	"$LAB" nofrag "$lab_name" "$direction"
done
smart
must_say 'the endpoint is a relay on this host' 'relay|this host'
must_recommend
