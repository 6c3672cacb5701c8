/* SPDX-License-Identifier: MIT */
/* A report of any bytes from libiperf, which talked to the other host. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dir_result result;
	char *json = malloc(size + 1);

	if (!json)
		return 0;
	memcpy(json, data, size);
	json[size] = '\0';
	dir_result_init(&result, TEST_OK, "%s", "");
	report_parse(json, DIR_DOWNLOAD, 0, &result);
	if (result.status == TEST_OK && result.received_bps < 0)
		abort();
	free(json);
	return 0;
}
