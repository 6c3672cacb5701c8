#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A tunnel in a tunnel: WireGuard's outer packets go through another
#            WireGuard interface with an MTU of 1420 on both hosts.
# RIGHT      1360/1360
# SOURCE     celzero/firestack issue 184, 'Error: "proxy: hop mtu insufficient"'
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
for end in server peer; do
	number=1
	[[ $end == server ]] || number=2
	new_key "$tmp/key.$end"
	namespace=LAB_${end^^} below=wg${end:0:1}$$
	make_wireguard "${!namespace}" "$below"
	on "$end" wg set "$below" listen-port 51900 private-key "$tmp/key.$end"
	on "$end" ip addr add "10.79.0.$number/24" dev "$below"
	on "$end" ip link set "$below" mtu 1420 up
done
on server wg set "wgs$$" peer "$(wg pubkey <"$tmp/key.peer")" allowed-ips 10.79.0.2/32 \
	endpoint 10.78.2.2:51900
on peer wg set "wgp$$" peer "$(wg pubkey <"$tmp/key.server")" allowed-ips 10.79.0.1/32 \
	endpoint 10.78.1.2:51900
on server wg set "$LAB_SERVER_IF" peer "$(key_of peer)" endpoint 10.79.0.2:51820
on peer wg set "$LAB_PEER_IF" peer "$(key_of server)" endpoint 10.79.0.1:51820
await_tunnel
smart
must_recommend
