#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Where the MTU is kept, with the real systemd-networkd and NetworkManager in a container
# that systemd boots (tests/lab/booted): an applied MTU is in the manager's file, and the
# link has it after the manager's restart.
#
#	this namespace: managers         namespace "far"
#	wg0 10.66.0.1 ── up0, 1400 ──── down0, 1400 ── wgfar 10.66.0.2
#
# A kernel without WireGuard has wireguard-go. NetworkManager makes no such interface, so
# there the test ends with the MTU that NetworkManager has read.
#
# MTUSWEEP_BUILD is the build that is installed (ctest sets it). scripts/install-deps
# --test unpacks NetworkManager below build/networkmanager.

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
readonly ROOT NETWORKMANAGER=$ROOT/build/networkmanager

# shellcheck source=tests/integration/booted_lib.sh
. "${BASH_SOURCE[0]%/*}/booted_lib.sh" "${BASH_SOURCE[0]}" "$@"

set -Eeuo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# shellcheck source=tests/integration/checks.sh
. "$ROOT/tests/integration/checks.sh"
trap 'echo "ended at line $LINENO: $BASH_COMMAND"' ERR

# Packets of the tunnel up to this size are whole: 1400 - 60, or the multiple of 16 below
# that with wireguard-go, which pads them.
FITS=1340
readonly CONNECTIONS=/etc/NetworkManager/system-connections
tmp=$(mktemp -d)
status=

link_mtu()
{
	cat /sys/class/net/wg0/mtu
}

has_mtu()
{
	[[ $(link_mtu) == "$1" ]]
}

has_kernel_wireguard()
{
	ip link add wgtest type wireguard 2>/dev/null && ip link del wgtest
}

# Arguments: INTERFACE [COMMAND ...] that runs a command in a namespace.
make_tunnel()
{
	if has_kernel_wireguard; then
		"${@:2}" ip link add "$1" type wireguard
	else
		"${@:2}" wireguard-go -f "$1" >"$tmp/$1.log" 2>&1 &
		wait_for 20 "the tunnel $1" "${@:2}" wg show "$1" >/dev/null 2>&1
	fi
}

# Arguments: INTERFACE KEY PEER_KEY ADDRESS ENDPOINT [COMMAND ...]
set_tunnel()
{
	"${@:6}" wg set "$1" private-key "$2" listen-port 51820 \
		peer "$(wg pubkey <"$3")" allowed-ips "$4/32" endpoint "$5:51820"
}

make_far()
{
	ip netns add far
	ip link add up0 mtu 1400 type veth peer name down0 mtu 1400 netns far
	ip addr add 192.0.2.1/30 dev up0
	ip link set up0 up
	ip -n far addr add 192.0.2.2/30 dev down0
	ip -n far link set down0 up
	(umask 077 && wg genkey >"$tmp/near.key" && wg genkey >"$tmp/far.key")
	make_tunnel wgfar ip netns exec far
	set_tunnel wgfar "$tmp/far.key" "$tmp/near.key" 10.66.0.1 192.0.2.1 \
		ip netns exec far
	ip -n far link set wgfar mtu 1420 up
	ip -n far addr add 10.66.0.2/24 dev wgfar
}

answers()
{
	ping -q -c 1 -W 1 10.66.0.2 >/dev/null 2>&1
}

# Apply the MTU that fits; print nothing.
apply()
{
	status=0
	mtusweep-peer --interface wg0 --db "$tmp/runs.db" --alone --persist best \
		>"$tmp/peer.out" 2>"$tmp/peer.log" </dev/null || status=$?
	check_equal "$1: the exit status" 0 "$status"
	check_equal "$1: the link's MTU" "$FITS" "$(link_mtu)"
	((status == 0)) || cat "$tmp/peer.log" "$tmp/peer.out"
}

is_configured()
{
	[[ $(networkctl --json=short status wg0 2>/dev/null) == \
		*'"AdministrativeState":"configured"'* ]]
}

check_networkd()
{
	local network=/etc/systemd/network/50-tunnel.network
	local dropin=$network.d/zz-mtusweep.conf before
	cat >"$network" <<-END
		[Match]
		Name=wg0

		[Link]
		MTUBytes=1420

		[Network]
		Address=10.66.0.1/24
	END
	before=$(sha256sum "$network")
	make_tunnel wg0
	set_tunnel wg0 "$tmp/near.key" "$tmp/far.key" 10.66.0.2 192.0.2.2
	systemctl start systemd-networkd
	wait_for 30 'networkd' is_configured
	wait_for 20 'the tunnel' answers
	check_equal 'networkd: the MTU before' 1420 "$(link_mtu)"

	apply networkd
	check_match 'networkd: it is named' \
		"networkd keeps the MTU of 'wg0', in '$dropin'" "$(<"$tmp/peer.log")"
	check_match 'networkd: the command' "run 'networkctl reload'" "$(<"$tmp/peer.log")"
	check_equal 'networkd: the drop-in' "MTUBytes=$FITS root:root 644" \
		"$(grep MTU "$dropin" | tail -n 1) $(stat -c '%U:%G %a' "$dropin")"
	check_equal 'networkd: its own file' "$before" "$(sha256sum "$network")"
	systemctl restart systemd-networkd
	wait_for 30 'networkd, again' is_configured
	check_equal 'networkd: restarted' "$FITS" "$(link_mtu)"
	# It is the drop-in that does it.
	ip link set wg0 mtu 1300
	systemctl restart systemd-networkd
	wait_for 30 'the MTU of the drop-in' has_mtu "$FITS"
	rm -r "$network.d"
	systemctl restart systemd-networkd
	wait_for 30 'the MTU without the drop-in' has_mtu 1420
	systemctl stop systemd-networkd.socket systemd-networkd
	rm -r /run/systemd/netif "$network"
	ip link del wg0
}

nm_knows()
{
	[[ -n $(nmcli -g connection.id connection show tunnel 2>/dev/null) ]]
}

check_networkmanager()
{
	local keyfile=$CONNECTIONS/tunnel.nmconnection before
	# Debian's /lib is a link.
	cp -a "$NETWORKMANAGER"/usr "$NETWORKMANAGER"/etc "$NETWORKMANAGER"/var /
	[[ ! -d $NETWORKMANAGER/lib ]] || cp -a "$NETWORKMANAGER"/lib/. /usr/lib/
	systemctl daemon-reload
	mkdir -p "$CONNECTIONS"
	cat >"$keyfile" <<-END
		[connection]
		id=tunnel
		uuid=0f6f2b1c-6f5a-4b0b-9f2b-0d2f3a8b1c11
		type=wireguard
		interface-name=wg0

		[wireguard]
		# of the office
		private-key=$(<"$tmp/near.key")
		listen-port=51820

		[wireguard-peer.$(wg pubkey <"$tmp/far.key")]
		endpoint=192.0.2.2:51820
		allowed-ips=10.66.0.2/32;

		[ipv4]
		method=manual
		address1=10.66.0.1/24

		[ipv6]
		method=disabled
	END
	chmod 600 "$keyfile"
	before=$(sed 's/^listen-port=.*/&\nmtu='"$FITS"'/' "$keyfile" | sha256sum)
	systemctl start dbus NetworkManager
	wait_for 30 'NetworkManager' nm_knows
	if has_kernel_wireguard; then
		nmcli connection up tunnel >/dev/null
	else
		make_tunnel wg0
		set_tunnel wg0 "$tmp/near.key" "$tmp/far.key" 10.66.0.2 192.0.2.2
		ip addr add 10.66.0.1/24 dev wg0
		ip link set wg0 mtu 1420 up
	fi
	wait_for 20 'the tunnel' answers

	apply NetworkManager
	check_match 'NetworkManager: it is named' \
		"networkmanager keeps the MTU of 'wg0', in '$keyfile'" "$(<"$tmp/peer.log")"
	check_match 'NetworkManager: the command' "run 'nmcli connection reload'" \
		"$(<"$tmp/peer.log")"
	check_equal 'NetworkManager: the keyfile' "$before root:root 600" \
		"$(sha256sum <"$keyfile") $(stat -c '%U:%G %a' "$keyfile")"
	check_equal 'NetworkManager: the copy' 1 \
		"$(find "$CONNECTIONS" -name 'tunnel.nmconnection.mtusweep-2*~' | wc -l)"
	nmcli connection reload
	check_equal 'NetworkManager: what it has read' "$FITS" \
		"$(nmcli -g wireguard.mtu connection show tunnel)"
	check_equal 'NetworkManager: connections of that kind' 1 \
		"$(nmcli -g type connection show | grep -c wireguard)"
	systemctl restart NetworkManager
	wait_for 30 'NetworkManager, again' nm_knows
	check_equal 'NetworkManager: restarted' "$FITS $FITS" \
		"$(nmcli -g wireguard.mtu connection show tunnel) $(link_mtu)"
	has_kernel_wireguard || return 0
	ip link set wg0 mtu 1300
	nmcli connection up tunnel >/dev/null
	wait_for 20 'the MTU of the keyfile' has_mtu "$FITS"
}

has_kernel_wireguard || FITS=1328
readonly FITS
make_far
check_networkd
if [[ -x $NETWORKMANAGER/usr/sbin/NetworkManager ]]; then
	check_networkmanager
else
	failed 'NetworkManager' \
		"$NETWORKMANAGER does not exist: run scripts/install-deps --test"
fi
echo "$checks checks, $failures failed"
((failures == 0))
