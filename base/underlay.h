/* SPDX-License-Identifier: MIT */
#ifndef BASE_UNDERLAY_H
#define BASE_UNDERLAY_H

/*
 * The one list of known underlays: the MTU of a line or network beneath a tunnel, and what
 * usually has this MTU. The largest outer packet that arrives whole is such a line's MTU. A
 * number proves nothing: it is a plausible cause, to be called that. Sources are in
 * docs/underlays.md, whose table is checked against this list (tests/integration/facts.sh).
 */

/* X(MTU in bytes, what has it) */
/* clang-format off */
#define UNDERLAYS(X) \
	X(1280, "a tunnel with IPv6's minimum (Tailscale, WSL2, IPv6 brokers)") \
	X(1400, "a Hetzner vSwitch, or a provider's IPsec tunnel") \
	X(1420, "another WireGuard tunnel with wg-quick's MTU") \
	X(1440, "another WireGuard tunnel over IPv4") \
	X(1450, "a VXLAN overlay (Hetzner cloud networks, Docker, Kubernetes)") \
	X(1452, "DS-Lite over PPPoE, or PPPoE beneath an IPv6 tunnel") \
	X(1460, "DS-Lite, or Google Cloud's default") \
	X(1472, "a 6in4 tunnel over PPPoE") \
	X(1476, "a GRE tunnel over IPv4") \
	X(1480, "a 6in4 or IPIP tunnel") \
	X(1492, "PPPoE (DSL, some fibre)") \
	X(8500, "AWS between regions") \
	X(8896, "Google Cloud's largest") \
	X(9000, "jumbo frames") \
	X(9001, "AWS jumbo frames")
/* clang-format on */

/* What usually has this MTU, a phrase that follows "like"; NULL: nothing known. */
const char *underlay_phrase(int mtu);

#endif
