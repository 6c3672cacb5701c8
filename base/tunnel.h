/* SPDX-License-Identifier: MIT */
#ifndef BASE_TUNNEL_H
#define BASE_TUNNEL_H

#include <stdbool.h>

#include "base/types.h"

/*
 * The identity of a tunnel: the WireGuard public keys of its two ends. Addresses and names
 * change, and may be the same in two tunnels. The keys have no order, so that a run with
 * exchanged roles belongs to the same tunnel. A key is text here, as `wg` prints it:
 * base64 of 32 bytes, 44 characters.
 */

#define KEY_BYTES 32

struct tunnel {
	char key[2][KEY_SIZE]; /* in ascending order of their bytes as text */
};

/* 8 characters of each key and "-", which base64 does not have. */
#define TUNNEL_ID_SIZE 18
/* A shorter beginning of a name is rather a typing mistake. */
#define TUNNEL_NAME_MIN 4

void key_text(const unsigned char key[KEY_BYTES], char ret[KEY_SIZE]);
/* Check that the text is a key as key_text() makes it. */
bool key_valid(const char *text);

/* False, with *ret untouched: the key of an end is not known. */
bool tunnel_of(const char *server_key, const char *peer_key, struct tunnel *ret);
bool tunnel_of_run(const struct run_info *info, struct tunnel *ret);
bool tunnel_same(const struct tunnel *a, const struct tunnel *b);

/* A short name for people: the first 8 characters of each key, "2zSPjOEc-hXwGvGr4".
 * Returns `ret`. */
const char *tunnel_id(const struct tunnel *tunnel, char ret[TUNNEL_ID_SIZE]);
/* The same of a run; "" if it is not known. Returns `ret`. */
const char *tunnel_id_of_run(const struct run_info *info, char ret[TUNNEL_ID_SIZE]);

/* True if `name`, of TUNNEL_NAME_MIN characters or more, is the beginning of the id or of
 * one of the keys. */
bool tunnel_has_name(const struct tunnel *tunnel, const char *name);

#endif
