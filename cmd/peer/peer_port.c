/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_port.h"

#include <stdio.h>

const char *peer_port_advice(const struct peer_session *session, const char *protocol,
			     int port, char ret[PEER_PORT_ADVICE_SIZE])
{
	snprintf(ret, PEER_PORT_ADVICE_SIZE,
		 "let it in on the server's tunnel interface, as with 'nft insert rule "
		 "inet filter input iifname %.15s %s dport %d accept'",
		 session->hello.server.interface, protocol, port);
	return ret;
}
