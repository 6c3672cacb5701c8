#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A container network over VXLAN: the hosts' links have 1450.
# RIGHT      1390/1390
# SOURCE     flannel-io/flannel pull request 1736, "Added MTU config for vxlan and
#            wireguard"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --mtu-outer 1450 --mtu-inner 1370
smart
must_recommend
