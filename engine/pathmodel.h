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

/* The outer size of an inner packet of `inner` bytes, at most tx_mtu. */
int pathmodel_outer(const struct path *path, int inner, int tx_mtu);

struct prediction pathmodel_predict(const struct path *path, const struct mtu_pair *mtu,
				    enum direction dir);

/* True when every packet, TCP or not, arrives whole in both directions. */
bool pathmodel_fits(const struct path *path, const struct mtu_pair *mtu);

/* The largest pair of the two ranges that fits; each end's MTU is independent of the
 * other's. False: none fits, or none is known to, *ret untouched. */
bool pathmodel_candidate(const struct path *path, const struct mtu_range *server,
			 const struct mtu_range *peer, struct mtu_pair *ret);

/* The pair of the two ranges with the highest goodput, both directions added, among
 * those with which full-size TCP works both ways. False: none is known to work, *ret
 * untouched. */
bool pathmodel_best(const struct path *path, const struct mtu_range *server,
		    const struct mtu_range *peer, struct mtu_pair *ret);

/* The smallest and the largest lost inner packet of up to the sender's MTU. *ret_all is
 * true when all sizes between are lost. False: none is known to be lost, *ret_*
 * untouched. */
bool pathmodel_lost_sizes(const struct path *path, const struct mtu_pair *mtu,
			  enum direction dir, int ret_lost[2], bool *ret_all);

/* The worse of two fates: whole, fragmented, unknown, lost. */
enum fate pathmodel_worse(enum fate a, enum fate b);

#define PATHMODEL_TEXT 400

/* A sentence, without a full stop, about the fate of this direction's packets and its
 * cause. */
void pathmodel_explain(const struct path *path, const struct mtu_pair *mtu,
		       enum direction dir, char ret[PATHMODEL_TEXT]);

#endif
