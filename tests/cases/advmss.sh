#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The routes through the tunnel have an advmss of 1300 on both hosts. Outer
#            packets above 1460 are lost: TCP never meets the hole, UDP does.
# RIGHT      1400/1400
# SOURCE     ip-route(8), "advmss"; defguard.net, "MTU/MSS Decision Tree for WireGuard
#            Deployments"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on server ip route replace 10.77.0.0/24 dev "$LAB_SERVER_IF" src 10.77.0.1 advmss 1300
on peer ip route replace 10.77.0.0/24 dev "$LAB_PEER_IF" src 10.77.0.2 advmss 1300
"$LAB" hole "$lab_name" upload 1460
"$LAB" hole "$lab_name" download 1460
smart
must_recommend
must_say 'the clamp, upload' 'upload: TCP sent packets of .* at most'
must_say 'the clamp, download' 'download: TCP sent packets of .* at most'
