/* SPDX-License-Identifier: MIT */
/* A datagram of any bytes to an end during probing. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/probemsg.h"

#define HEAD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const struct probemsg_list *list)
{
	if (list->count < 0 || list->count > BANDFIND_ROUND ||
	    (list->count && list->copies < 1))
		abort();
}

/* A datagram that was accepted has only one encoding. */
static void check_again(const struct probemsg *m)
{
	unsigned char bytes[PROBEMSG_MAX];
	struct probemsg again;
	size_t size = probemsg_encode(m, bytes);

	if (size > sizeof(bytes) ||
	    probemsg_decode(bytes, size, m->token, &again) < 0 ||
	    memcmp(m, &again, sizeof(again)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char token[PROBEMSG_TOKEN] = {0};
	struct probemsg m;
	int r;

	/* Set the right token, so that the fuzzer reaches the fields behind it. */
	if (size >= HEAD + PROBEMSG_TOKEN)
		memcpy(token, data + HEAD, PROBEMSG_TOKEN);
	r = probemsg_decode(data, size, token, &m);
	if (r != 0 && r != -EBADMSG)
		abort();
	if (r < 0)
		return 0;
	check_list(&m.list[DIR_UPLOAD]);
	check_list(&m.list[DIR_DOWNLOAD]);
	check_again(&m);
	token[0] ^= 1;
	if (probemsg_decode(data, size, token, &m) != -EBADMSG)
		abort();
	return 0;
}
