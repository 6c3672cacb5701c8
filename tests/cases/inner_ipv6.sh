#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Only IPv6 inside the tunnel. Links of 1500.
# RIGHT      1440/1440
# SOURCE     dn42.wiki, "WireGuard" (howto)
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on server ip addr del 10.77.0.1/24 dev "$LAB_SERVER_IF"
on peer ip addr del 10.77.0.2/24 dev "$LAB_PEER_IF"
LAB_SERVER_IP=fd77::1 LAB_PEER_IP=fd77::2
smart --wait 10
must_recommend
