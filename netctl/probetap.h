/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBETAP_H
#define NETCTL_PROBETAP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

/*
 * The tap: a view of the outer packets of one WireGuard peer, in both directions. A
 * packet socket can also send, join other groups and bind elsewhere, and lives as long
 * as any process has it; so main never gets one. The guard (CAP_NET_RAW) opens it, with
 * a locked filter, for a separate process without privileges. That process reads the
 * headers and, when asked, tells main the sizes it has seen. The guard ends it with the
 * probe.
 */

/* The other end of the outer packets. */
struct probetap_target {
	char address[ADDRESS_SIZE];
	int port;
};

/* --- for the guard --- */

/*
 * Fork that process: its pid in *ret_pid, a descriptor for main's probetap_new() in
 * ret_fd. `there`: a packet socket in another network namespace to use, whose filter is
 * replaced; -1: none. It dies with the guard. -EINVAL: not an address; -EPERM, -EACCES: no
 * CAP_NET_RAW; -EAFNOSUPPORT: a kernel without packet sockets.
 */
int probetap_start(const struct probetap_target *target, int there, pid_t *ret_pid,
		   int *ret_fd, struct err *err);
/* End the process; 0: there is none. */
void probetap_stop(pid_t *pid);

/* Make a socket that probetap_start() used as `there` accept no packets until the next
 * time. */
void probetap_silence(int there);

/* Open the packet socket alone, close-on-exec. It receives packets to and from the
 * target's address and UDP port, whole ones and first fragments, and only their first
 * bytes. */
int probetap_open(const struct probetap_target *target, int *ret, struct err *err);

/* --- for main --- */

enum probetap_way {
	PROBETAP_IN,
	PROBETAP_OUT,
};

struct probetap_seen {
	bool whole;
	bool fragmented;
};

/* The sizes seen since the last probetap_forget(). One thread at a time. */
struct probetap;

/* Take ownership of `fd`. */
int probetap_new(int fd, struct probetap **ret, struct err *err);
void probetap_free(struct probetap *tap);

/* True if any outer packet of this way was ever seen. */
bool probetap_saw(const struct probetap *tap, enum probetap_way way);
/* Ask for all sizes seen up to now. False once the tap's process is gone: no size is seen
 * any more. */
bool probetap_read(struct probetap *tap);
void probetap_forget(struct probetap *tap, enum probetap_way way);
/* `udp_size`: size of the outer UDP datagram before any fragmentation, header
 * included. */
struct probetap_seen probetap_look(const struct probetap *tap, enum probetap_way way,
				   int udp_size);

#endif
