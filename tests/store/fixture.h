#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <sqlite3.h>

#include "base/types.h"
#include "store/query.h"
#include "store/store.h"

/*
 * What the tests of store/ share: a folder of their own with a database's name in it,
 * made by setup and removed with all its content by teardown, whatever the test did.
 */

struct fixture {
	char folder[64];
	char db[96]; /* <folder>/test.db, which does not exist yet */
};

/* For cmocka_unit_test_setup_teardown(). */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A run with every field set; `number` makes its UUID and start differ from others'. */
struct run_info fixture_run(int number);

/* A visit whose rates are in Mbit/s, or a status' word below 0: -TEST_BLACKHOLE. */
struct measurement fixture_visit(uint32_t seq, struct mtu_pair mtu, double up,
				 double down);

/* Open fixture->db and begin fixture_run(number). */
struct store *fixture_open(struct fixture *fixture, int number, int64_t *ret_run);
void fixture_record(struct store *store, int64_t run, const struct measurement *m);
void fixture_close(struct store *store);
struct query *fixture_query(const struct fixture *fixture);

/* The first column of the only row, through a connection of its own. */
int64_t fixture_read_int(const struct fixture *fixture, const char *sql);
/* Freed by the caller. */
char *fixture_read_text(const struct fixture *fixture, const char *sql);
/* Run SQL on a file, with SQLite alone. */
void fixture_exec(const char *path, const char *sql);

/*
 * Run it in a process of its own, where asserts would not be seen: it returns 0, or the
 * line that went wrong (see CHECK). The test fails unless it is 0.
 */
void fixture_in_child(int (*run)(struct fixture *fixture), struct fixture *fixture);
#define CHECK(condition)                 \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

/* Become a user who owns nothing. 0 or -1. */
int fixture_become_nobody(void);

#endif
