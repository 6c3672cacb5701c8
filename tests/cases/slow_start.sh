#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  Round trip 600 ms, nothing else in the way: the tests of a run without
#            options last 2 s.
# RIGHT      1440/1440, and the answer says that such tests are TCP's slow start
# SOURCE     LiBwrt/LibWrt issue 333, on rates that fall at a high latency
# NEEDS      netem, kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin --delay 300 --queue 600
smart
must_say 'slow start' "slow[ -]start|TCP's start"
must_recommend
