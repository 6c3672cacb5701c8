/* SPDX-License-Identifier: MIT */
/* A conf file of any bytes: it is refused, or edited to the requested MTU. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/conffile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conffile_facts facts;
	char *edited, *again;
	size_t edited_size, again_size;

	conffile_find_hook((const char *)data, size, "wg0");
	if (conffile_edit((const char *)data, size, 1380, &edited, &edited_size, NULL) <
	    0)
		return 0;
	if (conffile_facts(edited, edited_size, &facts, NULL) < 0 || facts.mtu != 1380)
		abort();
	/* A second edit changes nothing. */
	if (conffile_edit(edited, edited_size, 1380, &again, &again_size, NULL) < 0 ||
	    again_size != edited_size || memcmp(again, edited, again_size) != 0)
		abort();
	conffile_wipe(again, again_size);
	conffile_wipe(edited, edited_size);
	return 0;
}
