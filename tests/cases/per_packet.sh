#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Two uplinks that are used packet by packet (bonding, MLPPP, ECMP), one of
#            which drops packets above 1460: of those, every other is lost.
# RIGHT      1400/1400, in each of four probes and in a run
# SOURCE     zehome/MLVPN issue 118, "Only One interface/tunnel is used, loadbalance
#            issue"
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
for direction in upload download; do
	on router nft add rule inet lab "$direction" meta length '>' 1460 \
		numgen random mod 2 0 counter drop
done
for i in {1..4}; do
	probe
	must_be "probe $i" 1400/1400 "$pair"
done
smart
must_recommend
