#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A line of 256 kbit/s in both directions.
# RIGHT      Rates in kbit/s with two significant figures or more, not 0.2 Mbit/s (0.2
#            to 0.3)
# SOURCE     Ysurac/openmptcprouter issue 2550, "Starlink wan gradually degrades to
#            extremely low bandwidth when connected to OMR"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --rate-up 0 --rate-down 0
for port in server peer; do
	on router tc qdisc replace dev "$port" root tbf rate 256kbit burst 4kb \
		latency 300ms
done
server_options=(--mtu-min 1420 --mtu-max 1420)
smart --mtu-min 1420 --mtu-max 1420 --duration 3
must_say 'kbit/s' '2[0-9]{2} kbit/s'
must_not_say '0.2 Mbit/s' '[^0-9]0\.[0-9] Mbit/s'
