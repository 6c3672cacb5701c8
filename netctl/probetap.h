#ifndef NETCTL_PROBETAP_H
#define NETCTL_PROBETAP_H

#include <stdbool.h>

#include "base/err.h"

/*
 * A look at the outer packets of one WireGuard peer, in both directions: an AF_PACKET
 * socket with a filter that is locked, so that whoever has it sees the headers of the
 * endpoint's UDP packets and nothing else. Opened by the guard (CAP_NET_RAW), read by
 * main.
 */

/* The guard's: a descriptor in *ret, close-on-exec. -EINVAL not an address; -EPERM,
 * -EACCES without CAP_NET_RAW; -EAFNOSUPPORT a kernel without packet sockets. */
int probetap_open(const char *endpoint, int *ret, struct err *err);

enum probetap_way {
	PROBETAP_IN,
	PROBETAP_OUT,
};

struct probetap_seen {
	bool whole;
	bool fragmented;
};

/* Main's: what was seen since the last probetap_forget(). One thread at a time. */
struct probetap;

/* Takes `fd` over. `port`: the endpoint's; packets of other ports are not ours. */
int probetap_new(int fd, int port, struct probetap **ret, struct err *err);
void probetap_free(struct probetap *tap);
/* For poll(). */
int probetap_fd(const struct probetap *tap);

/* Read what there is, without waiting. */
void probetap_read(struct probetap *tap);
void probetap_forget(struct probetap *tap, enum probetap_way way);
/* `udp_size`: of the outer UDP datagram, header included, as it was sent. */
struct probetap_seen probetap_look(const struct probetap *tap, enum probetap_way way,
				   int udp_size);

#endif
