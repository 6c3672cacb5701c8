#ifndef NETCTL_PROBETAP_H
#define NETCTL_PROBETAP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

/*
 * A look at the outer packets of one WireGuard peer, in both directions. A packet socket
 * can also send, join other groups and bind elsewhere, and lives as long as anybody has
 * it; so main never gets one. The guard (CAP_NET_RAW) opens it, with a filter that is
 * locked, for a process of its own, without privileges, which reads the headers and
 * tells main, when asked, which sizes it has seen. The guard ends that process with the
 * probe.
 */

/* Where the outer packets go. */
struct probetap_target {
	char address[ADDRESS_SIZE];
	int port;
};

/* --- the guard's --- */

/*
 * Fork that process: its pid in *ret_pid, a descriptor for main's probetap_new() in
 * *ret_fd. It dies with the guard. -EINVAL not an address; -EPERM, -EACCES without
 * CAP_NET_RAW; -EAFNOSUPPORT a kernel without packet sockets.
 */
int probetap_start(const struct probetap_target *target, pid_t *ret_pid, int *ret_fd,
		   struct err *err);
/* End it; 0 is none. */
void probetap_stop(pid_t *pid);

/* The packet socket alone, close-on-exec: what leads to or comes from the target's
 * address and UDP port, whole or a first fragment, and only its beginning. */
int probetap_open(const struct probetap_target *target, int *ret, struct err *err);

/* --- main's --- */

enum probetap_way {
	PROBETAP_IN,
	PROBETAP_OUT,
};

struct probetap_seen {
	bool whole;
	bool fragmented;
};

/* What was seen since the last probetap_forget(). One thread at a time. */
struct probetap;

/* Takes `fd` over. */
int probetap_new(int fd, struct probetap **ret, struct err *err);
void probetap_free(struct probetap *tap);

/* Take in all that has come until now. Once its process is gone nothing is seen. */
void probetap_read(struct probetap *tap);
void probetap_forget(struct probetap *tap, enum probetap_way way);
/* `udp_size`: of the outer UDP datagram, header included, as it was sent. */
struct probetap_seen probetap_look(const struct probetap *tap, enum probetap_way way,
				   int udp_size);

#endif
