/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PUBKEY_H
#define NETCTL_PUBKEY_H

#include "base/tunnel.h"

/*
 * The public key of a private one: X25519 of the base point (RFC 7748, section 5), as
 * `wg pubkey` computes it. A userspace WireGuard tells the interface's private key alone.
 * Neither branches nor addresses depend on the private key.
 */
void pubkey_derive(const unsigned char private_key[KEY_BYTES],
		   unsigned char ret[KEY_BYTES]);

#endif
