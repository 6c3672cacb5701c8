#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  A geostationary satellite: round trip 600 ms, 2 Mbit/s up, 6 down, one
#            packet in a thousand lost. Links of 1500.
# RIGHT      1440/1440
# SOURCE     ngtcp2/ngtcp2 issue 333, "BBR Quic Support Lags Behind Cubic"
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --rate-up 2 --rate-down 6 --delay 300 --loss-up 0.1 --loss-down 0.1 \
	--queue 600
LOST_MAX=2
smart
must_recommend
