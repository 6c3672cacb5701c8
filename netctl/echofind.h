/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_ECHOFIND_H
#define NETCTL_ECHOFIND_H

#include "netctl/bandfind.h"
#include "netctl/echo.h"
#include "netctl/guard.h"
#include "netctl/probetap.h"

/*
 * The search for bands with packets that a plain host answers: one end of the tunnel alone.
 * echofind_begin(), then any number of searches, echofind_close(). The guard restores the
 * link at guard_end_probe(), which is the caller's.
 *
 * A packet leaves with its exact outer size, since the link's MTU is set for it. An answer
 * comes with the padding of the far end's WireGuard: its outer size is that of the next
 * multiple of 16, or of the far end's MTU if that is less. So the way back is searched in
 * steps of 16.
 */

/* WireGuard's padding. */
#define ECHOFIND_STEP 16

/* The next multiple of the padding, or the size itself. */
int echofind_round_up(int size);

struct echofind_config {
	struct guard *guard; /* borrowed */
	const char *interface;
	char local[ADDRESS_SIZE]; /* inside the tunnel */
	char remote[ADDRESS_SIZE];
	struct mtu_range range; /* this end's, of MTUs */
	int limit;              /* the largest size to send; 0: none was asked for */
	int64_t lease_ms;
	int route_mtu;  /* of the route there, where the link is left alone; 0: none */
	int64_t rtt_us; /* round trip, about */
	int stop_fd;    /* readable: stop; or -1 */
};

struct echofind {
	struct echofind_config config;
	struct guard_facts facts; /* when it began */
	int overhead;             /* WireGuard's, from inner to outer size */
	int outer_mtu; /* path MTU to the endpoint that the kernel knows; 0: unknown */
	int size_min;  /* the inner packets that leave exactly: least and largest */
	int size_max;
	/* 0, or where the link is left alone: sizes are multiples of it, but `largest` */
	int unit;
	int largest;          /* size_max or, above it, the link's MTU */
	int link_mtu;         /* as it was set last */
	struct probetap *tap; /* NULL: outer packets cannot be seen */
	/* The largest packet inside the tunnel that came back as one outer packet; 0: none
	 * was seen. */
	int largest_back;
	enum fate largest_fate;
	/* An answer came back in several packets, so that each fits the far end's MTU,
	 * which is below this; 0: none did. */
	int split_back;
	int fits;        /* the link keeps this MTU; 0: it gets that of each packet */
	uint16_t number; /* the next packet gets it */
	int64_t grace_us;
	int sizes;  /* sizes sent, repeats counted */
	int rounds; /* all searches together */
};

/* Set the link up, with the guard. Where its MTU belongs to several peers it is left alone,
 * and sizes are multiples of 16. -EOPNOTSUPP: not WireGuard; -ENOTCONN: the endpoint is
 * unknown; -ERANGE: the link's MTU is too small; else as guard_probe(). */
int echofind_begin(struct echofind *ret, const struct echofind_config *config,
		   struct err *err);
void echofind_close(struct echofind *f);

/* Fill `ret` for a search on the way there: sizes are of outer packets. */
void echofind_there(const struct echofind *f, struct bandfind *ret);
/* The same for the largest size alone. False: the search above has it. */
bool echofind_largest(const struct echofind *f, struct bandfind *ret);
/* For a search on the way back, in the steps that are known above. */
void echofind_back(const struct echofind *f, struct bandfind *ret);
/* For ECHO_OUTER: the same sizes as on the way there, as far as this host sends them
 * whole. */
void echofind_outside(const struct echofind *f, struct bandfind *ret);

/*
 * Run the rounds of the way there. With ECHO_PLAIN a size arrives if its answer comes back,
 * and so does ECHO_OUTER. A size that this host fragments is FATE_FRAGMENTED. 0, -EINTR;
 * -EPIPE when the guard is gone, or the guard's error about the link.
 */
int echofind_run(struct echofind *f, struct echo *echo, struct bandfind *find,
		 struct err *err);

/* Run those of the way back: `echo` is ECHO_PLAIN. Larger packets than `fits`, which
 * arrives, go there in pieces, fragmented inside the tunnel, so that the loss of an answer
 * is the loss of the way back. */
int echofind_run_back(struct echofind *f, struct echo *echo, int fits,
		      struct bandfind *find, struct err *err);

/*
 * Learn, with answers of a limited rate, the fate of the sizes that `find` asks for, one
 * after the other: a size counts as lost only if a small packet sent behind it is answered.
 * Errors as echofind_run().
 */
int echofind_run_slowly(struct echofind *f, struct echo *echo, struct bandfind *find,
			struct err *err);

/* Send one small packet and wait. 1 answered, with the round trip in *ret_us; 0 not;
 * -EINTR. */
int echofind_touch(struct echo *echo, uint16_t number, int64_t wait_us, int stop_fd,
		   int64_t *ret_us);

#endif
