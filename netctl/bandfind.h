/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_BANDFIND_H
#define NETCTL_BANDFIND_H

#include <stdbool.h>

#include "base/path.h"

/*
 * The search for the bands of one direction, pure: bandfind_init(), then rounds of
 * bandfind_next() (which returns the sizes to send), sending, and bandfind_learn() for each
 * size, until there is no next round; bandfind_result() at any time. bandfind_learn_late()
 * corrects an earlier round: others had overtaken some of its packets.
 *
 * The search begins with the sizes at which paths usually change and with the path MTU
 * that the sender's kernel knows; then it cuts the gap between neighbours that differ,
 * into two parts, or into more where a round takes longer than a few packets. Sizes
 * between two neighbours of one fate are assumed to share it.
 *
 * Packets get lost by chance. The smallest size that arrives shows how often. A size is
 * lost if no copy arrives, and chance explains that in less than 1 of 1000 cases. The
 * largest size that arrives whole is sent until it is 1000 times likelier that it is lost
 * as rarely as the smallest size than that every other copy of it is lost, or the reverse:
 * then it passes only sometimes, as over two lines of which one takes less, and counts as
 * lost. Other sizes are sent again only if they decide something.
 */

/* Limits on the sizes sent, repeats counted. Up to the first limit all open edges are
 * narrowed at once; from there to the second one edge at a time, the lowest first,
 * since it decides most. */
#define BANDFIND_SOFT 32
#define BANDFIND_HARD 48
/* The limit on packets, copies counted. */
#define BANDFIND_PACKETS 240
/* The most sizes of one round, and copies of each. */
#define BANDFIND_ROUND  24
#define BANDFIND_COPIES 10
/* The most packets of one round of several copies, and their bytes: they must fit into a
 * line's queue. Only jumbo packets meet the second. */
#define BANDFIND_BURST       40
#define BANDFIND_BURST_BYTES (BANDFIND_BURST * 1600)

struct bandfind_config {
	int min;         /* the smallest outer size that can be sent exactly */
	int max;         /* the largest; a little above sender_mtu */
	int sender_mtu;  /* path MTU that the sender's kernel knows; 0: unknown */
	int unit;        /* sizes differ from `min` by multiples of it; 0: 1 */
	bool one_by_one; /* one size a round: the receiver cannot distinguish several */
	int parts;       /* a round cuts a gap into so many; 0: 2 */
};

/* Private to bandfind.c. */
struct bandfind_size {
	int size;
	bool listed;    /* one of the first sizes, not the middle of a gap */
	enum fate seen; /* how copies arrived; FATE_UNKNOWN: none did */
	int sent;       /* copies that arrived or were lost */
	int arrived;
	int unseen; /* times that its fate could not be seen */
};

struct bandfind {
	struct bandfind_config config;
	int sent;    /* sizes sent in all rounds, without those to compare with */
	int packets; /* copies of all sizes */
	int count;
	struct bandfind_size sizes[2 * BANDFIND_HARD]; /* ascending */
};

/* Sizes that pass only sometimes. */
struct bandfind_sometimes {
	int low; /* the smallest and the largest; 0: none */
	int high;
	int sent; /* copies of all of them */
	int arrived;
};

/* 1 <= min <= max <= OUTER_SIZE_MAX. With min == max that size alone is sent. */
void bandfind_init(struct bandfind *find, const struct bandfind_config *config);

/* Return the number of sizes for the next round, ascending in ret, and the copies of
 * each; 0 when the search is finished or its limit reached. The same until a result is
 * learned. */
int bandfind_next(const struct bandfind *find, int ret[BANDFIND_ROUND],
		  int *ret_copies);

/* Learn the fate of a size of which `copies` were sent and `arrived` arrived.
 * FATE_UNKNOWN: the fate could not be seen. A size above the sender's path MTU is
 * never whole, whatever the receiver saw. */
void bandfind_learn(struct bandfind *find, int size, enum fate fate, int copies,
		    int arrived);

/* Copies that had counted as lost arrived after their round was judged. FATE_UNKNOWN: they
 * arrived somehow, so nothing is known of them. */
void bandfind_learn_late(struct bandfind *find, int size, enum fate fate, int arrived);

/* The sender's path MTU turned out to be smaller (an ICMP answer came): forget the
 * results above `mtu`. A larger `mtu` than the known one has no effect. */
void bandfind_lower_sender_mtu(struct bandfind *find, int mtu);

/* Return the bands. An edge that stayed open is a band of FATE_UNKNOWN, and so are sizes
 * whose losses may be chance, and those below a lowest size that did not arrive whole.
 * count 0: no results. */
void bandfind_result(const struct bandfind *find, struct path_bands *ret);

/* Return the sizes that pass only sometimes; they are lost in the result. */
struct bandfind_sometimes bandfind_sometimes(const struct bandfind *find);

#endif
