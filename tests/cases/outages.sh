#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Starlink and handovers of mobile lines: every 12 s nothing passes for 2.5
#            s, which is longer than a black hole's 1.5 s. Links of 1500.
# RIGHT      1440/1440
# SOURCE     Ysurac/openmptcprouter issue 2418, "Glorytun TCP Dropout Starlink (CGNAT)"
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --delay 20
run_on router bash -c 'while sleep 9.5; do
	nft add table inet cut
	nft add chain inet cut cut \
		"{ type filter hook forward priority -5; policy drop; }" && echo "an outage"
	sleep 2.5
	nft delete table inet cut
	done' >"$tmp/outages" 2>&1 &
outages_pid=$!
smart
kill "$outages_pid"
on router nft delete table inet cut 2>/dev/null || true
check_match 'there were outages' 'an outage' "$(cat "$tmp/outages")"
must_recommend
