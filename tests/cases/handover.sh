#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Handovers: every 12 s nothing passes for 2.5 s, first while the path is
#            probed. Outer packets from the peer above 1440 are lost; links of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": handovers
# NEEDS      nothing

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
"$LAB" hole "$lab_name" upload 1440
# The first probe of 1440 bytes begins the first handover.
on router nft -f - <<-'RULES'
	table inet probes {
		counter first { }
		chain forward {
			type filter hook forward priority filter;
			meta length 1440 counter name first
		}
	}
RULES
run_on router bash -c '
	until nft list counter inet probes first | grep -q "packets [1-9]"; do
		sleep 0.02
	done
	while nft add table inet cut; do
		nft add chain inet cut cut \
			"{ type filter hook forward priority -5; policy drop; }" &&
			echo "a handover"
		sleep 2.5
		nft delete table inet cut
		sleep 9.5
	done' >"$tmp/handovers" 2>&1 &
handovers_pid=$!
smart
kill "$handovers_pid"
on router nft delete table inet cut 2>/dev/null || true
check_match 'there were handovers' 'a handover' "$(cat "$tmp/handovers")"
must_recommend
