/* SPDX-License-Identifier: MIT */
/* The check whether the process of an identity still lives. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/process.h"

static void test_itself(void **state)
{
	char id[PROCESS_ID_SIZE];

	(void)state;
	process_identify(id);
	assert_true(id[0] != '\0');
	assert_int_equal(process_life(id), PROCESS_LIVES);
}

/* Start a child that writes its identity and waits for the end of its input. */
static pid_t start_child(char id[PROCESS_ID_SIZE], int *ret_hold)
{
	int hold[2];
	int told[2];
	pid_t pid;
	char end;

	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(hold[1]);
		process_identify(id);
		if (write(told[1], id, PROCESS_ID_SIZE) != PROCESS_ID_SIZE)
			_exit(1);
		_exit(read(hold[0], &end, 1) == 0 ? 0 : 1);
	}
	close(hold[0]);
	close(told[1]);
	assert_int_equal(read(told[0], id, PROCESS_ID_SIZE), PROCESS_ID_SIZE);
	close(told[0]);
	*ret_hold = hold[1];
	return pid;
}

static void test_another(void **state)
{
	char id[PROCESS_ID_SIZE];
	siginfo_t info;
	int status;
	int hold;
	pid_t pid = start_child(id, &hold);

	(void)state;
	assert_int_equal(process_life(id), PROCESS_LIVES);
	close(hold);
	/* A dead process is dead before its parent has waited for it. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_life(id), PROCESS_GONE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(process_life(id), PROCESS_GONE);
}

/* Replace one field of this process's identity. */
static void replace(char id[PROCESS_ID_SIZE], int field, const char *with)
{
	char copy[PROCESS_ID_SIZE];
	char *rest = copy;
	char *word;

	process_identify(copy);
	id[0] = '\0';
	for (int i = 0; (word = strsep(&rest, " ")); i++) {
		strcat(id, i == field ? with : word);
		if (rest)
			strcat(id, " ");
	}
}

static void test_fields(void **state)
{
	static const struct {
		int field;
		const char *with;
		enum process_life life;
	} rows[] = {
		{0, "another-host", PROCESS_UNKNOWN},
		{1, "00000000-0000-4000-8000-000000000000", PROCESS_GONE},
		{2, "1", PROCESS_UNKNOWN},
		/* No process has this pid (pid_max is 2^22 at most). */
		{3, "8388608", PROCESS_GONE},
		/* Another process with the same number. */
		{4, "1", PROCESS_GONE},
		{4, "x", PROCESS_UNKNOWN},
	};
	char id[PROCESS_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		replace(id, rows[i].field, rows[i].with);
		assert_int_equal(process_life(id), rows[i].life);
	}
	assert_int_equal(process_life(""), PROCESS_UNKNOWN);
	assert_int_equal(process_life("host boot"), PROCESS_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_itself),
		cmocka_unit_test(test_another),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
