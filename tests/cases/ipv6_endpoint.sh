#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Nothing is in the way: links of 1500, outer packets over IPv6.
# RIGHT      1420/1420
# SOURCE     pc-wiki.de, "MTU Größe für Wireguard Verbindung berechnen"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --endpoint 6
smart
must_recommend
