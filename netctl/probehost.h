/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBEHOST_H
#define NETCTL_PROBEHOST_H

#include "netctl/guard.h"
#include "netctl/probemsg.h"
#include "netctl/probeorder.h"
#include "netctl/probetap.h"

/*
 * One end of a tunnel during probing, inside netctl only: its socket, the guard's setup
 * for it, sending probes that leave with an exact outer size, and judging those that
 * arrive. Call probehost_open(), probehost_set_up(), then rounds. probehost_close()
 * restores nothing: call guard_restore().
 */

/* WireGuard's header and tag around an inner packet, and the UDP header around them. */
#define PROBEHOST_AROUND 40

struct probehost_config {
	struct guard *guard;          /* borrowed */
	char interface[IF_NAME_SIZE]; /* the tunnel's */
	char local[ADDRESS_SIZE];     /* inside the tunnel */
	char remote[ADDRESS_SIZE];
	int port;               /* UDP port of this end; 0: any */
	struct mtu_range range; /* this end's range of MTUs */
	/* inner sizes go at least up to this and up to range.max */
	int reach;
	bool relayed; /* the other end's endpoint is on its own host */
	int64_t lease_ms;
	unsigned char token[PROBEMSG_TOKEN];
	int stop_fd; /* readable: stop; or -1 */
};

/* The facts about one end that the other must know. Sizes are of inner packets. */
struct probehost_facts {
	int overhead;  /* WireGuard's overhead, from inner to outer size */
	int outer_mtu; /* path MTU that its kernel knows; 0: unknown */
	/* Its WireGuard endpoint is an address of its own host: a relay there sends what
	 * goes on the line. */
	bool relayed;
	char endpoint[ADDRESS_SIZE]; /* where its outer packets go */
	int size_min;                /* smallest size that it can send exactly */
	int size_max;
	bool tap; /* it sees outer packets; else one size a round, in copies */
	/* Its outer packets are in another network namespace, so what arrives inside the
	 * tunnel decides: fragments cannot be told from whole packets. */
	bool unseen;
	/* a burst leaves at once; else each size waits for the link's MTU */
	bool exact;
	int unit; /* sizes are multiples of it; 0: 1 */
};

/* The copies of each size that arrived. */
struct probehost_count {
	int count;
	int sizes[BANDFIND_ROUND];
	int copies[BANDFIND_ROUND];
};

struct probehost {
	struct probehost_config config;
	struct probehost_facts facts;
	int fd;
	struct probetap *tap; /* NULL if the guard cannot open one */
	int family;           /* 4 or 6: family of the outer packets */
	int headers;          /* inner headers, IP and UDP */
	/* An end's endpoint is on its own host: taps see only what relays are given, so
	 * the counters judge. */
	bool relayed;
	int link_mtu; /* this end's MTU, as the probes set it */
	/* The link is left alone, and larger sizes than its MTU need the probe way's; 0:
	 * it is not, or none are larger. */
	int way_above;
	int way_mtu; /* as the probes set it; 0: the way takes any size up to the link's */
	/* State of the current round. */
	int round;
	bool judged;
	struct probehost_count arrived;
	struct probehost_count late; /* of earlier rounds, or of this one once judged */
	struct probeorder order;
	uint64_t reassembled; /* the counter at the round's beginning */
};

#define PROBEHOST_INIT ((struct probehost){.fd = -1})

/* -EADDRINUSE, -EADDRNOTAVAIL. */
int probehost_open(const struct probehost_config *config, struct probehost *ret,
		   struct err *err);
void probehost_close(struct probehost *host);
/* The UDP port of this end. */
int probehost_port(const struct probehost *host);

/*
 * Make the guard set the host up, and connect to the other end's port. -ENOTCONN: the
 * WireGuard endpoint is not known; -EOPNOTSUPP: not WireGuard; else as guard_probe().
 * On errors too the host may have changed.
 */
int probehost_set_up(struct probehost *host, int remote_port, struct err *err);

/* Send the probes with pauses. 0, -EINTR, -EPIPE when the guard is gone, or the guard's
 * error about an MTU that cannot be set. */
int probehost_send_probes(struct probehost *host, const struct probemsg_list *list,
			  int round, struct err *err);
int probehost_send(struct probehost *host, struct probemsg *m);

/* Receive the other end's next datagram, until the deadline (clock_boot_us()). 1, 0
 * deadline, -EINTR. */
int probehost_receive(struct probehost *host, int64_t deadline_us,
		      struct probemsg *ret);

/* Begin a round: forget the last one's results. */
void probehost_begin(struct probehost *host, int round);
/* Note the arrival of a probe, of this round or an earlier one. */
void probehost_note(struct probehost *host, const struct probemsg *probe);
/* True when all copies of all sizes have arrived. */
bool probehost_has_all(const struct probehost *host, const struct probemsg_list *list);
/* Judge the fate of each size, and count its copies that arrived; call it once a
 * round. ret_late: probes of earlier rounds that have arrived since the last call. If
 * probes arrive and the tap has never seen an outer packet, this end turns out to be one
 * with facts.unseen. */
void probehost_judge(struct probehost *host, const struct probemsg_list *list,
		     enum fate ret[BANDFIND_ROUND], int ret_arrived[BANDFIND_ROUND],
		     struct probemsg_late *ret_late);

/* The path MTU that this end's kernel knows now; 0 unknown. */
int probehost_outer_mtu(const struct probehost *host);

#endif
