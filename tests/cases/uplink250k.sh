#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  An uplink of 250 kbit/s. Outer packets from the peer above 1440 are lost;
#            links of 1500.
# RIGHT      1440/1380
# SOURCE     issue 14, "Noise that is not the MTU's": 250 kbit/s uplink
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on router tc qdisc change dev server parent 1:1 handle 20: \
	tbf rate 250kbit burst 4kb latency 200ms
"$LAB" hole "$lab_name" upload 1440
smart
must_recommend
