#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The server is a hub with 1,200 peers. Links of 1500.
# RIGHT      1440/1440 or 1420/1440, and the answer says that the hub has other peers
# SOURCE     WGDashboard/WGDashboard issue 61, "Configurable MTU Values"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
# Any 32 bytes are a public key.
head -c 60000 /dev/urandom | base64 -w 43 |
	awk 'NR < 1200 { printf "[Peer]\nPublicKey = %sA=\nAllowedIPs = 10.90.%d.%d/32\n",
		substr($0, 1, 42), NR / 250, NR % 250 + 1 }' >"$tmp/peers"
on server wg addconf "$LAB_SERVER_IF" "$tmp/peers"
check_equal 'the number of peers' 1200 \
	"$(on server wg show "$LAB_SERVER_IF" peers | wc -l)"
smart
must_say 'other peers' '(1199|1200|other|all( its)?) (Wire[gG]uard )?peers'
must_recommend
