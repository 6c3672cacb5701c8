/* SPDX-License-Identifier: MIT */
/* The sentence about sizes that pass only sometimes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/peer/peer_probe.h"

static void sometimes_is_said(void **state)
{
	const struct bandfind_sometimes found = {
		.low = 1461, .high = 1500, .sent = 50, .arrived = 23};
	struct warning w;
	char *text;

	(void)state;
	assert_true(peer_probe_sometimes(&found, DIR_UPLOAD, &w));
	text = warning_sentence(&w);
	assert_string_equal(
		text, "upload: outer packets of 1461 to 1500 bytes pass only "
		      "sometimes (46 % of their probes arrived), as over two lines of "
		      "which one takes less: they count as lost");
	free(text);
	assert_false(
		peer_probe_sometimes(&(struct bandfind_sometimes){0}, DIR_UPLOAD, &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sometimes_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
