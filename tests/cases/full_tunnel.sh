#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The peer is a wg-quick full tunnel (AllowedIPs 0.0.0.0/0 and ::/0) with a
#            kill switch in PostUp, keys of the conf in odd case, tabs, and comments
#            behind values. Upload is fragmented above 1492, download lost above 1460.
# RIGHT      1400/1432, and --persist best changes nothing of the conf but the number:
#            after wg-quick down and up the peer has 1432
# SOURCE     rvrx.dev, "Wireguard Kill-Switch"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on peer ip link del "$LAB_PEER_IF"
LAB_PEER_IF=home-vpn.1
conf=$(new_conf)
cat >"$conf" <<CONF
# my vpn
[interface]
	address	= 10.77.0.2/32, fd77::2/128	# me
PrivateKey=$(private_key_of peer)
mtu=1420	# from the provider
PostUp = nft add table inet ks
PostUp = nft add chain inet ks out "{ type filter hook output priority 0; }"
PostUp = nft add rule inet ks out oifname != %i mark != 51820 fib daddr type != local drop
PreDown = nft delete table inet ks

[PEER]
publickey = $(key_of server)
allowedips = 0.0.0.0/0,::/0
Endpoint = 10.78.1.2:51820
CONF
on peer wg-quick up "$conf" >"$tmp/wg-quick.log" 2>&1
await_tunnel
"$LAB" narrow "$lab_name" upload 1492
"$LAB" hole "$lab_name" download 1460
cp -p "$conf" "$tmp/before"
server_options=(--persist best --conf-file "$LAB_SERVER_CONF")
smart --persist best --conf-file "$conf"
changed=$({ diff "$tmp/before" "$conf" || true; } |
	sed -n 's/\t.*//; s/ //g; /^[<>]/p' | xargs)
must_be 'lines of the conf that changed' '<mtu=1420 >mtu=1432' "$changed"
must_recommend
on peer wg-quick down "$conf" >>"$tmp/wg-quick.log" 2>&1
on peer wg-quick up "$conf" >>"$tmp/wg-quick.log" 2>&1
must_be 'the MTU after wg-quick down and up' 1432 "$(link_mtu peer)"
