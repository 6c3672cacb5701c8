#ifndef NETCTL_PROBEHOST_H
#define NETCTL_PROBEHOST_H

#include "netctl/guard.h"
#include "netctl/probemsg.h"
#include "netctl/probetap.h"

/*
 * One end of a tunnel while it is probed, inside netctl only: its socket, what the guard
 * has set up for it, sending probes that leave with exactly the size they shall have, and
 * judging those that come. probehost_open(), probehost_set_up(), then rounds. Nothing is
 * put back by probehost_close(): that is guard_restore()'s.
 */

/* What WireGuard puts around an inner packet, and UDP around that. */
#define PROBEHOST_AROUND 40

struct probehost_config {
	struct guard *guard;      /* borrowed */
	char local[ADDRESS_SIZE]; /* inside the tunnel */
	char remote[ADDRESS_SIZE];
	int port;               /* UDP, of this end; 0: any */
	struct mtu_range range; /* of this end's lattice */
	int reach;              /* inner sizes go up to this and range.max at least */
	int64_t lease_ms;
	unsigned char token[PROBEMSG_TOKEN];
	int stop_fd; /* or -1 */
};

/* What the other end must know of one. Sizes are of inner packets. */
struct probehost_facts {
	int overhead;  /* of WireGuard, to the outer size */
	int outer_mtu; /* what its own way takes whole */
	int size_min;  /* what it can send exactly */
	int size_max;
	bool tap;   /* it looks at outer packets; else one size a round, in copies */
	bool exact; /* a burst leaves at once; else each size takes its time */
};

struct probehost {
	struct probehost_config config;
	struct probehost_facts facts;
	int fd;
	struct probetap *tap; /* NULL where there can be none */
	int family;           /* 4 or 6, of outer packets */
	int headers;          /* inner IP's and UDP's */
	int link_mtu;         /* of this end, as probes have set it */
	/* What came of the round under way. */
	int round;
	int count;
	struct {
		int size;
		int copies;
	} arrived[BANDFIND_ROUND];
	uint64_t reassembled; /* the counter when it began */
};

#define PROBEHOST_INIT ((struct probehost){.fd = -1})

/* -EADDRINUSE, -EADDRNOTAVAIL. */
int probehost_open(const struct probehost_config *config, struct probehost *ret,
		   struct err *err);
void probehost_close(struct probehost *host);
/* The UDP port it has. */
int probehost_port(const struct probehost *host);

/*
 * Have the guard set the host up, and hear the other end's port alone. -ENOTCONN: the
 * WireGuard endpoint is not known; -EOPNOTSUPP: not WireGuard; else as guard_probe(). It
 * may have changed the host then, too.
 */
int probehost_set_up(struct probehost *host, int remote_port, struct err *err);

/* Send them, with room between. 0, -EINTR, -EPIPE the guard is gone, or what the guard
 * says of an MTU that cannot be set. */
int probehost_send_probes(struct probehost *host, const struct probemsg_list *list,
			  int round, struct err *err);
int probehost_send(struct probehost *host, struct probemsg *m);

/* The next datagram of the other end's, until the deadline (clock_boot_us()). 1, 0 deadline,
 * -EINTR. */
int probehost_receive(struct probehost *host, int64_t deadline_us,
		      struct probemsg *ret);

/* A round begins: forget what came in the last. */
void probehost_begin(struct probehost *host, int round);
/* One of its probes came. */
void probehost_note(struct probehost *host, int size);
/* Whether all copies of all have come. */
bool probehost_has_all(const struct probehost *host, const struct probemsg_list *list);
/* What became of each of them; to be asked once a round. */
void probehost_judge(struct probehost *host, const struct probemsg_list *list,
		     enum fate ret[BANDFIND_ROUND]);

/* What the own way takes whole, by now; 0 unknown. */
int probehost_outer_mtu(const struct probehost *host);

#endif
