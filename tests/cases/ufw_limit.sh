#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CONDITION  The server's firewall refuses whoever opens six connections to the port of
#            the tests within 30 s, as "ufw limit" does. Links of 1500.
# RIGHT      1440/1440, and the answer says that connections were refused
# SOURCE     Server Fault question 368523, "Rate limiting with UFW: setting limits"
# NEEDS      kernel WireGuard

# shellcheck source=tests/cases/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case_begin
on server nft -f - <<'RULES'
	table inet ufw {
		set recent {
			type ipv4_addr
			flags dynamic, timeout
			timeout 30s
		}
		chain in {
			type filter hook input priority filter;
			tcp dport 5201 tcp flags & (syn | ack) == syn update @recent \
				{ ip saddr limit rate over 12/minute burst 5 packets } \
				counter reject
		}
	}
RULES
smart
must_say 'refused connections' 'refuse|unreachable|firewall'
must_recommend
