#ifndef NETCTL_BANDFIND_H
#define NETCTL_BANDFIND_H

#include <stdbool.h>

#include "base/path.h"

/*
 * The search for the bands of one direction, pure: bandfind_init(), then rounds of
 * bandfind_next() (which sizes to send), sending, and bandfind_learn() for each of them,
 * until there is no next round; bandfind_result() at any time.
 *
 * It begins with the sizes at which paths usually change and with what the sender's own
 * way takes whole, then halves the gap between neighbours that differ. What lies between
 * two neighbours of one fate is taken to share it. One packet may get lost by chance, so
 * a loss is sent again, but only where it decides something: at a closed edge, alone
 * among others, or at the lowest size.
 */

/* Sizes sent, repeats counted. Up to the first all open edges are narrowed at once; from
 * there to the second one after the other, the lowest first, since it decides most. */
#define BANDFIND_SOFT 24
#define BANDFIND_HARD 40
/* Of one round. */
#define BANDFIND_ROUND BANDFIND_SOFT

struct bandfind_config {
	int min;         /* the smallest outer size that can be sent exactly */
	int max;         /* the largest; a little above sender_mtu */
	int sender_mtu;  /* what the sender's own way takes whole; 0: unknown */
	bool one_by_one; /* rounds of one size: the receiver can tell no more apart */
};

/* Private to bandfind.c. */
struct bandfind_size {
	int size;
	enum fate fate; /* FATE_UNKNOWN: not sent, or sent in vain */
	int sent;       /* since it was last forgotten */
	int losses;
};

struct bandfind {
	struct bandfind_config config;
	int sent; /* in all */
	int count;
	struct bandfind_size sizes[2 * BANDFIND_HARD]; /* ascending */
};

/* 1 <= min < max <= OUTER_SIZE_MAX. */
void bandfind_init(struct bandfind *find, const struct bandfind_config *config);

/* The next round's sizes, ascending; their number, 0 when nothing is left to be found
 * out, or no size to spend. The same until something is learned. */
int bandfind_next(const struct bandfind *find, int ret[BANDFIND_ROUND]);

/* What became of a size that was sent. FATE_UNKNOWN: that could not be seen. */
void bandfind_learn(struct bandfind *find, int size, enum fate fate);

/* The sender's own way takes less than was known (an ICMP answer came): what was learned
 * above `mtu` is forgotten. More than was known changes nothing. */
void bandfind_lower_sender_mtu(struct bandfind *find, int mtu);

/* An edge that stayed open is a band of FATE_UNKNOWN, and so is what lies below a lowest
 * size that did not arrive whole. count 0: nothing was learned. */
void bandfind_result(const struct bandfind *find, struct path_bands *ret);

#endif
