/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <sqlite3.h>

#include "base/types.h"
#include "store/query.h"
#include "store/store.h"

/*
 * The parts that the tests of store/ share: a folder of their own with a database's
 * name in it. setup makes it, teardown removes it with all its content, whatever the
 * test did.
 */

struct fixture {
	char folder[64];
	char db[96]; /* <folder>/test.db, which does not exist yet */
};

/* For cmocka_unit_test_setup_teardown(). */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Make a run with every field set; `number` makes its UUID and start unique. */
struct run_info fixture_run(int number);

/* Make a measurement. Rates are in Mbit/s, or negative for a status:
 * -TEST_BLACKHOLE. */
struct measurement fixture_visit(uint32_t seq, struct mtu_pair mtu, double up,
				 double down);

/* Make a probe of a watch with every field set. */
struct path_probe fixture_probe(uint32_t seq);

/* Open fixture->db and begin fixture_run(number). */
struct store *fixture_open(struct fixture *fixture, int number, int64_t *ret_run);
void fixture_record(struct store *store, int64_t run, const struct measurement *m);
void fixture_close(struct store *store);
struct query *fixture_query(const struct fixture *fixture);
/* The sentences of the newest run's recommendation; freed by the caller. */
char *fixture_recommendation(const struct fixture *fixture);

/* The same run with one end alone, whose server MTU is MTU_UNKNOWN. */
struct run_info fixture_one_end_run(int number);
/* The findings of such a run: the peer MTU 1380, or where it `fits` not none. */
struct evidence fixture_one_end(bool fits);
/* Store fixture_one_end_run() with that, and close. Returns the run's id. */
int64_t fixture_store_one_end(struct fixture *fixture, int number, bool fits);

/* Return the first column of the only row, through a separate connection. */
int64_t fixture_read_int(const struct fixture *fixture, const char *sql);
/* The caller frees the text. */
char *fixture_read_text(const struct fixture *fixture, const char *sql);
/* Run SQL on a file, with SQLite alone. */
void fixture_exec(const char *path, const char *sql);

/*
 * Run it in a child, in which asserts would not be noticed: it returns 0, or the number
 * of the failed line (see CHECK). The test fails unless it is 0.
 */
void fixture_in_child(int (*run)(struct fixture *fixture), struct fixture *fixture);
#define CHECK(condition)                 \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

/* Become a user who owns no files. 0 or -1. */
int fixture_become_nobody(void);

#endif
