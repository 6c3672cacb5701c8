/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ONESIDED_H
#define ENGINE_ONESIDED_H

#include "base/path.h"

/*
 * The proofs about a path that one end of a tunnel has alone, from several looks. Pure.
 * Looks that disagree are reported, and the safer one counts.
 */

struct onesided_looks {
	int overhead; /* WireGuard's, of this end */
	/* The looks, each of outer sizes; count 0: there is none. */
	struct path_bands trip;  /* there and back: echoes through the tunnel */
	struct path_bands there; /* there alone: probes with small answers */
	/* echoes with DF to the endpoint, outside the tunnel: FATE_WHOLE there and back,
	 * or FATE_LOST */
	struct path_bands outside;
	int outside_max; /* the largest of those sent */
	/* An answer to those named this MTU; 0: none did. */
	int too_big;
	/* back alone, as far as seen; FATE_WHOLE and FATE_FRAGMENTED are certain */
	struct path_bands back;
	/* The largest packet inside that came back as one outer packet; 0: none. */
	int largest_back;
	enum fate largest_fate; /* how that one came */
	/* Answers above that came back in several packets: the far end's MTU is about
	 * largest_back. */
	bool back_ends;
	int size_max; /* the largest packet inside that was sent */
};

/* How far one end can prove its own direction. */
enum onesided_proof {
	ONESIDED_NOTHING, /* nothing answered */
	/* Sizes that arrive are known, but not if a router fragments them. */
	ONESIDED_ARRIVES,
	ONESIDED_WHOLE, /* the endpoint's answers show that they arrive whole */
};

struct onesided {
	/* FATE_WHOLE: arrives, and no look says in fragments. Where only the round trip is
	 * known, sizes that it loses are FATE_UNKNOWN. */
	struct path_bands there;
	struct path_bands back;
	enum onesided_proof proof;
	/* The loss may be on the way back: only the round trip is known. */
	bool either_way;
	/* Routers are assumed to fragment what is sent there above this, as they do what
	 * comes back; 0: no such assumption was needed. */
	int assumed;
	/* Tunnel packets up to `tunnel` bytes outside arrive, and echoes with DF up to
	 * `outside`, with no word on the reason; 0, 0: they agree. */
	struct {
		int tunnel;
		int outside;
	} differ;
	/* The largest MTU for this end: each of its packets arrives, whole as far as can be
	 * seen. 0: none is known. */
	int own_mtu;
	bool own_is_limit; /* nothing larger was sent */
	/* The largest MTU for the far end with which all packets are known to arrive whole
	 * here; 0: not known. The true edge is less than 16 above. */
	int far_mtu;
	bool far_is_limit;   /* nothing larger could be seen */
	bool far_is_present; /* because the far end has that MTU, or about that */
	/* TCP segments of this size fit both ways, over IPv4 and IPv6; 0: not known */
	int mss[2];
};

void onesided_judge(const struct onesided_looks *looks, struct onesided *ret);

#endif
