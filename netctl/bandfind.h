/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_BANDFIND_H
#define NETCTL_BANDFIND_H

#include <stdbool.h>

#include "base/path.h"

/*
 * The search for the bands of one direction, pure: bandfind_init(), then rounds of
 * bandfind_next() (which returns the sizes to send), sending, and bandfind_learn() for
 * each size, until there is no next round; bandfind_result() at any time.
 *
 * The search begins with the sizes at which paths usually change and with the path MTU
 * that the sender's kernel knows; then it halves the gap between neighbours that
 * differ. Sizes between two neighbours of one fate are assumed to share it. One packet
 * may get lost by chance, so a lost size is sent again, but only if it decides
 * something: at a closed edge, alone among others, or at the lowest size.
 */

/* Limits on the sizes sent, repeats counted. Up to the first limit all open edges are
 * narrowed at once; from there to the second one edge at a time, the lowest first,
 * since it decides most. */
#define BANDFIND_SOFT 24
#define BANDFIND_HARD 40
/* The most sizes of one round. */
#define BANDFIND_ROUND BANDFIND_SOFT

struct bandfind_config {
	int min;         /* the smallest outer size that can be sent exactly */
	int max;         /* the largest; a little above sender_mtu */
	int sender_mtu;  /* path MTU that the sender's kernel knows; 0: unknown */
	bool one_by_one; /* one size a round: the receiver cannot distinguish several */
};

/* Private to bandfind.c. */
struct bandfind_size {
	int size;
	enum fate fate; /* FATE_UNKNOWN: not sent, or its fate was not seen */
	int sent;       /* times sent since its fate was last forgotten */
	int losses;
};

struct bandfind {
	struct bandfind_config config;
	int sent; /* sizes sent in all rounds */
	int count;
	struct bandfind_size sizes[2 * BANDFIND_HARD]; /* ascending */
};

/* 1 <= min < max <= OUTER_SIZE_MAX. */
void bandfind_init(struct bandfind *find, const struct bandfind_config *config);

/* Return the number of sizes for the next round, ascending in ret; 0 when the search is
 * finished or its limit reached. The same until a result is learned. */
int bandfind_next(const struct bandfind *find, int ret[BANDFIND_ROUND]);

/* Learn the fate of a size that was sent. FATE_UNKNOWN: the fate could not be seen. */
void bandfind_learn(struct bandfind *find, int size, enum fate fate);

/* The sender's path MTU turned out to be smaller (an ICMP answer came): forget the
 * results above `mtu`. A larger `mtu` than the known one has no effect. */
void bandfind_lower_sender_mtu(struct bandfind *find, int mtu);

/* Return the bands. An edge that stayed open is a band of FATE_UNKNOWN, and so are the
 * sizes below a lowest size that did not arrive whole. count 0: no results. */
void bandfind_result(const struct bandfind *find, struct path_bands *ret);

#endif
