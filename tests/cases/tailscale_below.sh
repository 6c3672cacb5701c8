#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The links below have an MTU of 1280 (Tailscale, WSL2), IPv4 only inside.
#            The hosts fragment what is larger.
# RIGHT      1220/1220
# SOURCE     denoland/clawpatrol pull request 411, "wg: drop default tunnel MTU 1420 →
#            1220 (over-Tailscale fix)"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --mtu-outer 1280 --inner 4
smart
must_recommend
