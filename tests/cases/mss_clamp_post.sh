#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Both hosts clamp the MSS of TCP in the tunnel to 1200, in the chain
#            postrouting. Outer packets above 1460 are lost: TCP never meets the hole,
#            UDP does.
# RIGHT      1400/1400
# SOURCE     pia-foss/manual-connections issue 24, "wireguard mtu issue."
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
clamp_mss postrouting 1200
"$LAB" hole "$lab_name" upload 1460
"$LAB" hole "$lab_name" download 1460
smart
must_recommend
must_say 'the clamp, upload' 'upload: TCP sent packets of .* at most'
must_say 'the clamp, download' 'download: TCP sent packets of .* at most'
