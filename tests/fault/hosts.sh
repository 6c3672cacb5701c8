# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The two hosts of tests/fault/fault.sh, which sources this file: their state, whether it
# is whole, and the way back to it after a fault that makes a restore impossible.
# shellcheck disable=SC2034,SC2154,SC2086

declare -A before=() pristine=()

# Arguments: END. Set namespace, interface and conf.
choose_end()
{
	end=$1
	if [[ $1 == server ]]; then
		namespace=$LAB_SERVER interface=$LAB_SERVER_IF conf=$LAB_SERVER_CONF
	else
		namespace=$LAB_PEER interface=$LAB_PEER_IF conf=$LAB_PEER_CONF
	fi
}

other_end()
{
	[[ $end == peer ]] && echo server || echo peer
}

# Arguments: END. Print the path of its journal.
journal_of()
{
	local at=$LAB_PEER dev=$LAB_PEER_IF
	[[ $1 == peer ]] || at=$LAB_SERVER dev=$LAB_SERVER_IF
	echo "/run/mtusweep/$(stat -Lc %i "/run/netns/$at")-$dev"
}

# Arguments: END. Print what a run may touch there. Digests, since the conf file holds
# keys. The numbers of interfaces change when one is made again.
look_at()
{
	local namespace interface conf end
	choose_end "$1"
	{ ip -o -force -n "$namespace" -batch - 2>/dev/null || true; } <<-COMMANDS |
		link show dev $interface
		addr show dev $interface
		route show table all dev $interface
		rule show
	COMMANDS
		sed -E 's/^[0-9]+: //; s/.*<.*> (mtu [0-9]+).*/\1/; s/ *$//' | LC_ALL=C sort
	# A folder that is away has nothing.
	[[ -e $conf ]] || return 0
	stat -c '%a %U:%G' "$conf"
	sha256sum <"$conf"
	find "${conf%/*}" -mindepth 1 -printf '%f\n' | sort
	((journal_may_stay)) || ls "$(journal_of "$1")" 2>/dev/null || true
}

# Arguments: END. Print the state without all that applying a pair changes.
look_beside_the_pair()
{
	local namespace interface conf end
	choose_end "$1"
	look_at "$1" | grep -vE '^mtu | proto 77 |^[0-9a-f]{64} |\.mtusweep-2|^10\.77'
	grep -vE "^$form_key|# mtusweep" "$conf" | sha256sum
}

# Arguments: END. True if a pair is applied there, in conf file and link or route.
is_applied()
{
	local namespace interface conf end mtu
	[[ $persist == best ]] || return 1
	choose_end "$1"
	if [[ $mode == *route || ($mode == hub && $1 == server) ]]; then
		mtu=$(sed -n 's/.* mtu \([0-9]*\) # mtusweep .*/\1/p' "$conf" | head -n 1)
		[[ -n $mtu ]] && ip -n "$namespace" -4 route show table all \
			dev "$interface" | grep -q " mtu $mtu *\$"
	else
		mtu=$(sed -n "s/^$form_key//p" "$conf")
		[[ $(link_mtu "$1") == "$mtu" ]]
	fi && [[ $(look_beside_the_pair "$1") == "${pristine[$1]}" ]]
}

# Arguments: END
is_whole()
{
	[[ $(look_at "$1") == "${before[$1]}" ]] || is_applied "$1"
}

ends_of_mode()
{
	[[ $mode == alone* ]] && echo peer || echo server peer
}

hosts_are_whole()
{
	local one
	for one in $(ends_of_mode); do
		is_whole "$one" || return 1
	done
}

note_hosts()
{
	local one
	for one in server peer; do
		before[$one]=$(look_at "$one")
		pristine[$one]=$(look_beside_the_pair "$one")
	done
}

show_differences()
{
	local one
	for one in $(ends_of_mode); do
		echo "--- the $one"
		diff <(echo "${before[$one]}") <(look_at "$one") || true
	done
}

# What the link of this mode has beside the lab's.
begin_mode()
{
	[[ $mode == hub ]] || return 0
	on server wg set "$LAB_SERVER_IF" peer "$hub_key" allowed-ips 10.77.0.9/32
	((run % 2)) || on server ip route replace "$LAB_PEER_IP" dev "$LAB_SERVER_IF" \
		mtu 1408
}

end_mode()
{
	[[ $mode == hub ]] || return 0
	on server wg set "$LAB_SERVER_IF" peer "$hub_key" remove
	on server ip route del "$LAB_PEER_IP" dev "$LAB_SERVER_IF" 2>/dev/null || true
}

# A pair may be applied already: make of the conf file what wg-quick does.
start_as_conf()
{
	local command
	[[ $persist == best ]] || return 0
	ip -n "$namespace" link set dev "$interface" \
		mtu "$(sed -n "s/^$form_key//p" "$conf")"
	while read -r command; do
		on "$end" ${command//%i/$interface}
	done < <(sed -n 's/^PostUp = \(.*\) # mtusweep.*/\1/p' "$conf")
}

# Make the struck end's link again, as wg-quick down and up do.
remake_link()
{
	"$LAB" remake "$lab_name" "$end" || report 'the link cannot be made again'
	[[ $end == peer ]] || begin_mode
	start_as_conf
}

# End all faults.
end_faults()
{
	while (($(grep -c ' /run/mtusweep ' /proc/self/mounts) > 1)); do
		umount -l /run/mtusweep
	done
	chown root /run/mtusweep
	rm -f /run/mtusweep/*
}

# Arguments: END. Bring the host to the state from before all runs.
reset_end()
{
	local namespace interface conf end address=10.77.0.1/24
	choose_end "$1"
	[[ $1 == server ]] || address=10.77.0.2/24
	[[ ! -e ${conf%/*}.away ]] || mv "${conf%/*}.away" "${conf%/*}"
	chattr -i "$conf" 2>/dev/null || true
	rm -f "$conf".mtusweep-*
	cp -p "$tmp/pristine-$1" "$conf"
	ip -n "$namespace" route flush proto 77 2>/dev/null || true
	ip -n "$namespace" route del 10.77.0.1 via 10.78.2.1 2>/dev/null || true
	ip -n "$namespace" route del 10.77.0.2 via 10.78.1.1 2>/dev/null || true
	if [[ $(ip -n "$namespace" -o addr show dev "$interface") == *" $address"* ]]; then
		ip -n "$namespace" link set dev "$interface" mtu "$LAB_MTU"
	else
		ip -n "$namespace" link set dev wgother name "$interface" \
			2>/dev/null || true
		remake_link
	fi
}
