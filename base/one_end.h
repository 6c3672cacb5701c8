/* SPDX-License-Identifier: MIT */
#ifndef BASE_ONE_END_H
#define BASE_ONE_END_H

#include <stdio.h>

#include "base/types.h"

/*
 * The facts that one end of a tunnel finds alone, with a far end that has no mtusweep: what
 * is known beyond the path, the recommended MTU and this end's own facts. cmd/alone finds
 * them, the database keeps them (table one_end), and the sentences are made from them when
 * they are read. Plain values.
 */

/* X(kind, name, words): the probes with small answers. The words follow "to". */
#define ONE_END_SMALLS(X)                            \
	X(NONE, "none", "")                          \
	X(TCP, "tcp", "TCP segments")                \
	X(STAMP, "stamp", "ICMP timestamp requests") \
	X(UDP, "udp", "UDP datagrams to a closed port")

enum one_end_small {
#define ONE_END_SMALL_ENUM(kind, ...) ONE_END_SMALL_##kind,
	ONE_END_SMALLS(ONE_END_SMALL_ENUM)
#undef ONE_END_SMALL_ENUM
		ONE_END_SMALL_COUNT,
};

/* X(proof, name): how far the way from here to there is proved. */
#define ONE_END_PROOFS(X)                                                        \
	X(NOTHING, "nothing") /* nothing answered */                             \
	X(ARRIVES, "arrives") /* the sizes that arrive are known, but not if a \
			       * router fragments them */ \
	X(WHOLE, "whole")     /* the endpoint's answers show that they arrive whole */

enum one_end_proof {
#define ONE_END_PROOF_ENUM(proof, ...) ONE_END_##proof,
	ONE_END_PROOFS(ONE_END_PROOF_ENUM)
#undef ONE_END_PROOF_ENUM
		ONE_END_PROOF_COUNT,
};

/* X(name): true or false. */
/* clang-format off */
#define ONE_END_FLAGS(X) \
	X(echoes)           /* the target answers echoes */ \
	X(endpoint_answers) /* the endpoint answers echoes with DF, outside the tunnel */ \
	X(own_is_limit)     /* this end's links carry nothing larger */ \
	X(by_route)         /* the link was left alone: sizes to its MTU, by 16 */ \
	X(either_way)       /* larger packets are lost there or on the way back */ \
	X(far_is_limit)     /* larger packets of the far end were not visible */ \
	X(far_is_present)   /* because far_mtu is about its present MTU */ \
	X(back_ends)        /* its answers never exceed largest_back bytes */ \
	X(pieces_lost)      /* it reassembles no fragments of echoes */

/* X(name): bytes, from 1 to MTU_MAX; 0: not known, or there is none. */
#define ONE_END_NUMBERS(X) \
	X(least_mtu)      /* the smallest MTU that was asked for */ \
	X(far_mtu)        /* the largest MTU for the far end that is known to fit */ \
	X(largest_back)   /* the largest packet inside that came back in one piece */ \
	X(too_big)        /* a router said that its next link has this MTU */ \
	X(assumed)        /* its packets are assumed to be fragmented above that */ \
	X(differ_tunnel)  /* two looks disagree: outer size that arrives in the tunnel, */ \
	X(differ_outside) /* and that of echoes beside it */ \
	X(mss_ipv4)       /* TCP segments of this size fit both ways */ \
	X(mss_ipv6)
/* clang-format on */

struct one_end {
	/* the direction in which this end sends: DIR_UPLOAD at the peer */
	enum direction own;
	char target[ADDRESS_SIZE];    /* that answered, behind the tunnel */
	char endpoint[ADDRESS_SIZE];  /* WireGuard's; "": not known */
	char interface[IF_NAME_SIZE]; /* this end's; "": not known */
	enum one_end_small small;     /* the target's small answers */
	enum one_end_proof proof;
#define ONE_END_FLAG(name) bool name;
	ONE_END_FLAGS(ONE_END_FLAG)
#undef ONE_END_FLAG
#define ONE_END_NUMBER(name) int name;
	ONE_END_NUMBERS(ONE_END_NUMBER)
#undef ONE_END_NUMBER
	int rounds; /* rounds of probes */
};

/* "tcp" and "arrives". Static. */
const char *one_end_small_name(enum one_end_small small);
const char *one_end_proof_name(enum one_end_proof proof);
/* The reverse: 0, or -EINVAL with *ret untouched. */
int one_end_small_parse(const char *name, enum one_end_small *ret);
int one_end_proof_parse(const char *name, enum one_end_proof *ret);
/* "TCP segments". Static. */
const char *one_end_small_words(enum one_end_small small);

/* The MTU at both ends by which TCP has the MSS that fits both ways; 0: not known. */
int one_end_clamp_mtu(const struct one_end *one_end);

struct evidence;

/* Write the answer of one end alone: its MTU, at most which one the far end should have,
 * and of each direction what is proved and what cannot be; then the MSS clamp. Commands are
 * written only for an interface whose name a shell takes as it is. */
void one_end_print(const struct evidence *e, FILE *out);
/* The same before tests of the MTU, which follow. */
void one_end_print_prediction(const struct evidence *e, FILE *out);

#endif
