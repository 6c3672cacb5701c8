#ifndef ENGINE_VERDICT_H
#define ENGINE_VERDICT_H

#include <stddef.h>

#include "base/path.h"
#include "base/reason.h"
#include "base/types.h"
#include "engine/drift.h"
#include "engine/pathmodel.h"

/*
 * What measurements and probes come to: which pair is recommended, and what that rests on.
 * Pure: a plan asks it whether it is done, a reader of the database gets the same answer.
 *
 * Recommended is the largest pair at which TCP, UDP and routed packets fit whole both ways,
 * unless another pair that fits is shown to be faster. Where the probes of a direction were
 * filtered (its bands are empty), or a measurement contradicts them, throughput takes their
 * place.
 */

struct verdict_input {
	struct path path; /* bands of count 0: not probed */
	struct mtu_range server;
	struct mtu_range peer;
	struct mtu_pair current;     /* before the run; 0, 0: unknown */
	const struct measurement *m; /* in the order of time */
	size_t count;
	double margin; /* 0.05 */
};

enum verdict_warning {
	VERDICT_WARN_MSS = 1 << 0,       /* routed TCP should have its MSS clamped */
	VERDICT_WARN_DEAD_ZONE = 1 << 1, /* the current pair loses full-size TCP */
	VERDICT_WARN_DRIFT = 1 << 2,     /* capacity changed meanwhile */
	VERDICT_WARN_ROAM = 1 << 3, /* over IPv6 the recommended pair would not fit */
	VERDICT_WARN_FILTERED = 1 << 4,     /* probes filtered: UDP is not proved */
	VERDICT_WARN_PROBES = 1 << 5,       /* too noisy: rests on the probes */
	VERDICT_WARN_CONTRADICTED = 1 << 6, /* a measurement contradicts the probes */
	VERDICT_WARN_ROUTED =
		1 << 7, /* the current pair loses other packets than those */
};
#define VERDICT_WARNINGS 8

/* What one rival needs at most, or where no number of visits is known to settle it. */
#define VERDICT_NEEDED_MAX 100

/* A rate, or a ratio, with its 95 % interval. `count` tests; 0: nothing is known. */
struct estimate {
	int count;
	double value;
	double low;
	double high;
};

/* One pair. */
struct verdict_cell {
	struct mtu_pair mtu; /* 0, 0: there is none */
	struct prediction predicted[DIR_COUNT];
	struct estimate bps[DIR_COUNT];
	struct estimate relative[DIR_COUNT]; /* to the recommended pair */
};

struct verdict {
	enum reason_kind why;
	double margin;
	bool settled; /* no pair tested may be faster by more than the margin */
	struct verdict_cell recommended;
	struct verdict_cell current;
	struct verdict_cell fastest; /* of those measured, both directions added */
	struct mtu_pair
		roam; /* fits over IPv4 and IPv6, where recommended does not; or 0, 0 */
	struct mtu_pair rival; /* the one that may be most of all; 0, 0: none */
	int needed;       /* visits that would settle it, were no rival any faster */
	struct path path; /* with the bands that were told from throughput */
	bool guessed[DIR_COUNT];
	struct mtu_pair contradicted; /* where; 0, 0: nowhere */
	bool contradiction_confirmed; /* by a second visit */
	double noise[DIR_COUNT];      /* standard deviation of a rate's logarithm */
	struct drift drift[DIR_COUNT];
	int visits;
	unsigned warnings; /* enum verdict_warning */
};

/* How capacity drifts by the reference series among these, if there is one. -ENOMEM. */
int verdict_drift(const struct measurement *m, size_t count,
		  struct drift ret[DIR_COUNT]);

/* -ENOMEM. */
int verdict_find(const struct verdict_input *input, struct verdict *ret);

#endif
