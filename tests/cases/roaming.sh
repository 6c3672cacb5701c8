#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The endpoint moves from IPv4 to IPv6 during the run, after the second
#            visit. Links of 1500.
# RIGHT      1420/1420, or no pair; the answer says that the endpoint moved
# SOURCE     wgtunnel/android issue 1098, "[BUG] - IPv6 endpoint used on IPv4 only
#            network"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
start_server --once
start_peer --wait 30
await_rows 2
# Any packet that still arrives by IPv4 would bring the endpoint back.
on router nft -f - <<-'RULES'
	table ip moved {
		chain forward {
			type filter hook forward priority filter;
			ip protocol udp drop
		}
	}
RULES
on peer wg set "$LAB_PEER_IF" peer "$(key_of server)" endpoint '[fd78:0:1::2]:51820'
await_answer
must_say 'the endpoint moved' 'endpoint .*(moved|changed|roamed)'
[[ ! $pair ]] || must_recommend
