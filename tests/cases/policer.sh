#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A policer instead of a queue: what exceeds 6 Mbit/s up and 8 down is
#            dropped at once. Links of 1500.
# RIGHT      1440/1440
# SOURCE     Ozark-Connect/NetworkOptimizer issue 784, "Detect misconfigured
#            token-bucket policing (single-stream iperf3 across varying RTTs)"
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Arguments: PORT MBIT
police()
{
	on router tc qdisc add dev "$1" clsact
	on router tc filter add dev "$1" egress matchall action police rate "$2mbit" \
		burst 20k conform-exceed drop
}

case_begin --rate-up 0 --rate-down 0 --delay 10
police server 6
police peer 8
smart
must_recommend
