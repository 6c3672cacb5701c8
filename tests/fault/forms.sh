# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # who sources this uses and sets them
#
# The forms of the conf files of both ends, for the campaigns. `form` says which.

# In front of the MTU in its line.
form_key='MTU = '
# At the end of the names of copies beside it.
form_end=

# Arguments: FILE. Make a conf file of that form with the lab's MTU.
make_conf()
{
	mkdir -p "${1%/*}"
	if [[ $form == keyfile ]]; then
		printf '[wireguard]\n# as\nmtu=%d\n' "$LAB_MTU" >"$1"
		chmod 0600 "$1"
	else
		printf '%s\n[Link]\nMTUBytes=%d\n' \
			'# Written by mtusweep; remove this file to undo that.' \
			"$LAB_MTU" >"$1"
		chmod 0644 "$1"
	fi
}

# In place of the lab's own conf files.
use_form()
{
	local name
	case $form in
	wg-quick) return ;;
	keyfile) name=wg.nmconnection form_key=mtu= form_end='~' ;;
	dropin) name=wg.network.d/zz-mtusweep.conf form_key=MTUBytes= ;;
	*) echo "unknown form '$form'" && exit 2 ;;
	esac
	LAB_SERVER_CONF=$tmp/server-conf/$name
	LAB_PEER_CONF=$tmp/peer-conf/$name
	make_conf "$LAB_SERVER_CONF"
	make_conf "$LAB_PEER_CONF"
}
