/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_PORT_H
#define CMD_PEER_PEER_PORT_H

#include "cmd/peer/peer_session.h"

/* The advice about a port of the server that nothing reaches, for the end of a sentence. */

#define PEER_PORT_ADVICE_SIZE 160

/* Write where and how to let in the port, with a firewall rule that names the server's
 * interface; a session was open. `protocol`: "tcp" or "udp". Returns `ret`. */
const char *peer_port_advice(const struct peer_session *session, const char *protocol,
			     int port, char ret[PEER_PORT_ADVICE_SIZE]);

#endif
