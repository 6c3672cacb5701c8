/* SPDX-License-Identifier: MIT */
/* A pair as text. */
#include "base/pair.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

int pair_parse(const char *text, struct mtu_pair *ret, struct err *err)
{
	const char *comma = strchr(text, ',');
	char server[8];
	int64_t s = 0;
	int64_t p = 0;

	if (comma && (size_t)(comma - text) < sizeof(server)) {
		text_copy(server, (size_t)(comma - text) + 1, text);
		if (text_to_int(server, MTU_MIN, MTU_MAX, &s) == 0 &&
		    text_to_int(comma + 1, MTU_MIN, MTU_MAX, &p) == 0) {
			*ret = (struct mtu_pair){(int)s, (int)p};
			return 0;
		}
	}
	return err_set(err, -EINVAL,
		       "'%s' is no value for --pair: it takes two MTUs from %d to %d, "
		       "the server's and the peer's, as in 1420,1400",
		       text, MTU_MIN, MTU_MAX);
}
