#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer's conf sets the MTU in PostUp; both programs are to make a pair
#            permanent.
# RIGHT      The answer names PostUp: the pair does not last
# SOURCE     aredn/aredn issue 2594, "Wireguard Tunnel Issues Solved by Lowering MTU"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on peer ip link del "$LAB_PEER_IF"
LAB_PEER_IF=wg-site
conf=$(new_conf)
cat >"$conf" <<CONF
[Interface]
Address = 10.77.0.2/24
PrivateKey = $(private_key_of peer)
PostUp = ip link set mtu 1300 dev %i

[Peer]
PublicKey = $(key_of server)
AllowedIPs = 10.77.0.1/32
Endpoint = 10.78.1.2:51820
CONF
on peer wg-quick up "$conf" >"$tmp/wg-quick.log" 2>&1
await_tunnel
check_equal 'the MTU that PostUp sets' 1300 "$(link_mtu peer)"
server_options=(--persist best --conf-file "$LAB_SERVER_CONF")
smart --persist best --apply --pair 1440,1440 --conf-file "$conf"
must_say PostUp PostUp
