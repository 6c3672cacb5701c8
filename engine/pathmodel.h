#ifndef ENGINE_PATHMODEL_H
#define ENGINE_PATHMODEL_H

#include <stddef.h>

#include "base/path.h"
#include "base/types.h"

/*
 * What a path does to each pair of MTUs, predicted from what it does to outer packets by
 * their size. Pure; predictions are never measurements.
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
	enum fate tcp;    /* of a full-size TCP segment */
	int tcp_outer;    /* the size it leaves with */
	enum fate routed; /* the worst that becomes of any packet up to the MTU */
	int routed_outer; /* the largest size that has this fate */
	double goodput; /* TCP payload's share of the bytes on Ethernet, with the headers of
			 * fragments; 0 lost, negative unknown */
};

/* The size an inner packet of `inner` bytes, at most tx_mtu, leaves with. */
int pathmodel_outer(const struct path *path, int inner, int tx_mtu);

struct prediction pathmodel_predict(const struct path *path, const struct mtu_pair *mtu,
				    enum direction dir);

/* Whether every packet, TCP or not, fits whole both ways. */
bool pathmodel_fits(const struct path *path, const struct mtu_pair *mtu);

/* The largest pair of the two ranges that fits; the two ends do not depend on each
 * other. False: none does, or it is not known, *ret untouched. */
bool pathmodel_candidate(const struct path *path, const struct mtu_range *server,
			 const struct mtu_range *peer, struct mtu_pair *ret);

/* The pair of the two ranges that brings most, both directions' goodput added, of those at
 * which full-size TCP passes both ways. False: none is known to, *ret untouched. */
bool pathmodel_best(const struct path *path, const struct mtu_range *server,
		    const struct mtu_range *peer, struct mtu_pair *ret);

/* The smallest and the largest inner packet of up to the sender's MTU that is lost; in
 * ret_all whether all between are. False: none is known to be, the rest untouched. */
bool pathmodel_lost_sizes(const struct path *path, const struct mtu_pair *mtu,
			  enum direction dir, int ret_lost[2], bool *ret_all);

/* The worse of two: whole, fragmented, unknown, lost. */
enum fate pathmodel_worse(enum fate a, enum fate b);

#define PATHMODEL_TEXT 400

/* A sentence, without a full stop, that says what becomes of this direction and why. */
void pathmodel_explain(const struct path *path, const struct mtu_pair *mtu,
		       enum direction dir, char ret[PATHMODEL_TEXT]);

#endif
