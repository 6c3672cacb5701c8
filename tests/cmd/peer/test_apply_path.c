/* SPDX-License-Identifier: MIT */
/* A pair that the path fragments is named, with the largest that fits. */

#include "cmd/peer/apply_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../store/fixture.h"

static void probes_of_these_ends_count(void **state)
{
	static const struct {
		struct mtu_pair mtu;
		const char *sentence; /* or NULL */
	} cases[] = {
		{{1440, 1440}, NULL},
		{{1460, 1420},
		 "the path fragments full-size packets of server MTU 1460, peer MTU "
		 "1420; "
		 "the largest pair that fits is server MTU 1440, peer MTU 1440"},
		{{1420, 1460},
		 "the path fragments full-size packets of server MTU 1420, peer MTU "
		 "1460; "
		 "the largest pair that fits is server MTU 1440, peer MTU 1440"},
	};
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct path_survey survey = {.path = {.overhead = {60, 60}}};
	struct end_facts other;
	struct store *store;
	struct apply_path wish = {
		.db = fixture->db, .server = &info.server, .peer = &info.peer};
	struct warning w;
	int64_t run;

	store = fixture_open(fixture, 0, &run);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		assert_int_equal(path_bands_parse("1500:whole,65535:fragmented",
						  &survey.path.dir[dir], NULL),
				 0);
	wish.mtu = cases[1].mtu;
	assert_false(apply_path_warning(&wish, &w));
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *sentence;

		wish.mtu = cases[i].mtu;
		assert_int_equal(apply_path_warning(&wish, &w),
				 cases[i].sentence != NULL);
		if (!cases[i].sentence)
			continue;
		sentence = warning_sentence(&w);
		assert_string_equal(sentence, cases[i].sentence);
		free(sentence);
	}
	other = info.server;
	strcpy(other.host, "another");
	wish.server = &other;
	assert_false(apply_path_warning(&wish, &w));
	fixture_close(store);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(probes_of_these_ends_count,
						fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
