/* SPDX-License-Identifier: MIT */
#include "base/tunnel.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define KEY_CHARS (KEY_SIZE - 1)
#define ID_CHARS  8

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648: 6 bits a character. The last of a key has 4 bits, and one "=" follows. */
void key_text(const unsigned char key[KEY_BYTES], char ret[KEY_SIZE])
{
	for (int i = 0; i < KEY_CHARS - 1; i++) {
		int bit = 6 * i;
		unsigned pair = (unsigned)key[bit / 8] << 8;

		if (bit / 8 + 1 < KEY_BYTES)
			pair |= key[bit / 8 + 1];
		ret[i] = digits[pair >> (10 - bit % 8) & 63];
	}
	ret[KEY_CHARS - 1] = '=';
	ret[KEY_CHARS] = '\0';
}

bool key_valid(const char *text)
{
	const char *last;

	if (strspn(text, digits) != KEY_CHARS - 1 ||
	    strcmp(text + KEY_CHARS - 1, "=") != 0)
		return false;
	last = strchr(digits, text[KEY_CHARS - 2]);
	return ((last - digits) & 3) == 0;
}

bool tunnel_of(const char *server_key, const char *peer_key, struct tunnel *ret)
{
	bool swap = strcmp(server_key, peer_key) > 0;

	if (!key_valid(server_key) || !key_valid(peer_key))
		return false;
	memcpy(ret->key[swap], server_key, KEY_SIZE);
	memcpy(ret->key[!swap], peer_key, KEY_SIZE);
	return true;
}

bool tunnel_of_run(const struct run_info *info, struct tunnel *ret)
{
	return tunnel_of(info->server.key, info->peer.key, ret);
}

bool tunnel_same(const struct tunnel *a, const struct tunnel *b)
{
	return strcmp(a->key[0], b->key[0]) == 0 && strcmp(a->key[1], b->key[1]) == 0;
}

const char *tunnel_id(const struct tunnel *tunnel, char ret[TUNNEL_ID_SIZE])
{
	snprintf(ret, TUNNEL_ID_SIZE, "%.*s-%.*s", ID_CHARS, tunnel->key[0], ID_CHARS,
		 tunnel->key[1]);
	return ret;
}

const char *tunnel_id_of_run(const struct run_info *info, char ret[TUNNEL_ID_SIZE])
{
	struct tunnel tunnel;

	ret[0] = '\0';
	return tunnel_of_run(info, &tunnel) ? tunnel_id(&tunnel, ret) : ret;
}

static bool begins(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

bool tunnel_has_name(const struct tunnel *tunnel, const char *name)
{
	char id[TUNNEL_ID_SIZE];

	return strlen(name) >= TUNNEL_NAME_MIN &&
	       (begins(tunnel_id(tunnel, id), name) || begins(tunnel->key[0], name) ||
		begins(tunnel->key[1], name));
}
