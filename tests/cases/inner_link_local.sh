#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Only link-local IPv6 addresses inside the tunnel, fe80::1 and fe80::2.
#            Links of 1500.
# RIGHT      1440/1440
# SOURCE     dn42.wiki, "WireGuard" (howto)
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
for end in server peer; do
	number=1 interface=$LAB_SERVER_IF other=peer
	[[ $end == server ]] || number=2 interface=$LAB_PEER_IF other=server
	on "$end" ip addr flush dev "$interface"
	on "$end" ip addr add "fe80::$number/64" dev "$interface" nodad
	on "$end" wg set "$interface" peer "$(key_of "$other")" \
		allowed-ips "fe80::$((3 - number))/128"
done
LAB_SERVER_IP=fe80::1 LAB_PEER_IP=fe80::2
start_server --once --server-ip "fe80::1%$LAB_SERVER_IF"
start_peer --wait 10 --server-ip "fe80::1%$LAB_PEER_IF"
await_answer
must_recommend
