/* SPDX-License-Identifier: MIT */
#ifndef CMD_WATCH_WATCH_SIGNS_H
#define CMD_WATCH_WATCH_SIGNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/path_probe.h"
#include "netctl/guard.h"

/*
 * Signs between two probes that the path may have changed, seen at no cost on the packets
 * that leave anyway: fragments that this host makes, routers' ICMP messages that a packet
 * to the WireGuard endpoint was too big, and a smaller path MTU to the endpoint, which the
 * kernel learns from such messages. Each may have another cause.
 */
struct watch_signs {
	struct guard *guard;
	const char *address; /* behind the tunnel, for its endpoint */
	int64_t fragments;   /* the kernel's count; NO_FIGURE: not known */
	int outer_mtu;       /* 0: not known */
};

/* A probe has ended, which made fragments itself: signs count from here. */
void watch_signs_begin(struct watch_signs *signs);
/* Fill in the fragments and the ICMP messages since then. */
void watch_signs_count(const struct watch_signs *signs, struct path_probe *probe);
/* True if there is a sign. */
bool watch_signs_look(const struct watch_signs *signs);

#endif
