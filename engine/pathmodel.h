/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PATHMODEL_H
#define ENGINE_PATHMODEL_H

#include <stddef.h>

#include "base/path.h"
#include "base/types.h"

/*
 * The path model: the fate of packets and the goodput of each pair of MTUs, predicted
 * from the fate of outer packets by their size. Pure; predictions are never
 * measurements.
 *
 * An inner packet leaves as an outer one of
 *
 *	overhead + min(tx_mtu, its size rounded up to a multiple of 16)
 *
 * where the overhead is the sender's, by the family of its own endpoint
 * (calculate_skb_padding() in the kernel's drivers/net/wireguard/send.c). A full-size TCP
 * segment is as large as the smaller of the two MTUs, from which both ends took the MSS;
 * other traffic has packets of any size up to the sender's own MTU. Upload is sent with
 * the peer's MTU, download with the server's.
 */

struct prediction {
	enum fate tcp;    /* fate of a full-size TCP segment */
	int tcp_outer;    /* outer size of that segment */
	enum fate routed; /* worst fate of any packet up to the MTU */
	int routed_outer; /* largest outer size with this fate */
	/* TCP payload's share of the bytes on Ethernet, headers of fragments
	 * included; 0 lost, negative unknown */
	double goodput;
};

/* The outer size of an inner packet of `inner` bytes, at most tx_mtu, as the direction's
 * sender sends it. */
int pathmodel_outer(const struct path *path, enum direction dir, int inner, int tx_mtu);

struct prediction pathmodel_predict(const struct path *path, const struct mtu_pair *mtu,
				    enum direction dir);

/* The same for TCP segments whose packets have `max` bytes at most. */
struct prediction pathmodel_predict_packet(const struct path *path,
					   const struct mtu_pair *mtu,
					   enum direction dir, int max);

/* The size inside the tunnel of the packets of a test's segments: what the sending end
 * used, if that is known and less than the smaller MTU; else the smaller MTU. A lowered
 * MSS makes it less: the test says nothing about larger packets. */
int pathmodel_sent_size(const struct measurement *m, enum direction dir);

/* The prediction for a measurement, by the size that was really sent. */
struct prediction pathmodel_predict_test(const struct path *path,
					 const struct measurement *m,
					 enum direction dir);

/* True when every packet, TCP or not, arrives whole in both directions. */
bool pathmodel_fits(const struct path *path, const struct mtu_pair *mtu);

/* The largest pair of the two ranges that fits; each end's MTU is independent of the
 * other's. False: none fits, or none is known to, *ret untouched. */
bool pathmodel_candidate(const struct path *path, const struct mtu_range *server,
			 const struct mtu_range *peer, struct mtu_pair *ret);

/* The outcome where no pair of the ranges fits. */
enum pathmodel_rest {
	PATHMODEL_OPEN,      /* not known, or only packets of some sizes pass */
	PATHMODEL_FRAGMENTS, /* packets of all sizes arrive, some in fragments */
	PATHMODEL_LOST,      /* packets as large as an end's MTU are lost, at any MTU */
};

/* Find the pair to use where pathmodel_candidate() finds none: for each end the largest
 * MTU that fits, else the smallest of its range, which needs the fewest fragments. *ret is
 * set with PATHMODEL_FRAGMENTS only. */
enum pathmodel_rest pathmodel_rest(const struct path *path,
				   const struct mtu_range *server,
				   const struct mtu_range *peer, struct mtu_pair *ret);

/* The pair of the two ranges with the highest goodput, both directions added, among
 * those with which full-size TCP works both ways. False: none is known to work, *ret
 * untouched. */
bool pathmodel_best(const struct path *path, const struct mtu_range *server,
		    const struct mtu_range *peer, struct mtu_pair *ret);

/* The smallest and the largest inner packet of up to the sender's MTU that has this fate.
 * *ret_all is true when all sizes between have it too. False: none is known to have it,
 * *ret_* untouched. */
bool pathmodel_sizes(const struct path *path, const struct mtu_pair *mtu,
		     enum direction dir, enum fate fate, int ret_sizes[2],
		     bool *ret_all);

/* The worse of two fates: whole, fragmented, unknown, lost. */
enum fate pathmodel_worse(enum fate a, enum fate b);

#define PATHMODEL_TEXT 400

/* A sentence, without a full stop, about the fate of this direction's packets and its
 * cause. `guessed`: the bands are told from throughput, so that it claims no more than
 * rates can tell. The sender's MTU may be MTU_UNKNOWN. */
void pathmodel_explain(const struct path *path, const struct mtu_pair *mtu,
		       enum direction dir, bool guessed, char ret[PATHMODEL_TEXT]);

#endif
