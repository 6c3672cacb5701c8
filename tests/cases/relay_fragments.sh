#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A UDP relay on each host (udp2raw, phantun, wstunnel): the peer's endpoint
#            is 127.0.0.1, the server sees its own relay. The relays add 44 bytes; their
#            packets are fragmented above 1492.
# RIGHT      1388/1388, or the largest that arrives, if the first three lines say that
#            the line is not seen; in either case the relay on this host is named
# SOURCE     wangyu-/udp2raw issue 466, "how to configure for wireguard?"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
join_by_relays 44
"$LAB" narrow "$lab_name" upload 1492
"$LAB" narrow "$lab_name" download 1492
smart
must_say 'the endpoint is a relay on this host' 'relay|this host'
if [[ $pair == 1388/1388 ]]; then
	must_recommend
else
	must_say 'that the line is not seen' '(cannot|not) be seen|not seen|invisible' \
		"$(head -n 3 <<<"$answer")"
fi
