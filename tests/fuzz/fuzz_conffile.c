/* SPDX-License-Identifier: MIT */
/* A conf file of any bytes, in each form: it is refused, or edited to the requested MTU. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/conffile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(enum conffile_form form, const char *data, size_t size)
{
	struct conffile_facts facts;
	char *edited, *again;
	size_t edited_size, again_size;

	if (conffile_edit(form, data, size, 1380, &edited, &edited_size, NULL) < 0)
		return;
	if (conffile_facts(form, edited, edited_size, &facts, NULL) < 0 ||
	    facts.mtu != 1380)
		abort();
	/* A second edit changes nothing. */
	if (conffile_edit(form, edited, edited_size, 1380, &again, &again_size, NULL) <
		    0 ||
	    again_size != edited_size || memcmp(again, edited, again_size) != 0)
		abort();
	conffile_wipe(again, again_size);
	conffile_wipe(edited, edited_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	conffile_find_hook((const char *)data, size, "wg0");
	check_form(CONFFILE_WG_QUICK, (const char *)data, size);
	check_form(CONFFILE_KEYFILE, (const char *)data, size);
	check_form(CONFFILE_DROPIN, (const char *)data, size);
	return 0;
}
