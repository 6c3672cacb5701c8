#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer's network has IPv6 only; a NAT64 passes its datagrams on to the
#            server's IPv4 and back, whole up to 1500 on either side.
# RIGHT      1420/1420
# SOURCE     Windscribe/Android-App issue 70, "[Feature Request] IPv6 ingress support"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
join_by_front
# Datagrams that grow above 1500 on their way to the peer are lost.
on router nft add chain inet lab out '{ type filter hook output priority filter; }'
on router nft add rule inet lab out oifname peer meta length '>' 1500 counter drop
smart
must_recommend
