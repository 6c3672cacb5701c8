/* SPDX-License-Identifier: MIT */
/* The start of the server and the peer, as far as it needs neither root nor an interface:
 * help, version and usage errors. */

#include "cmd/host/host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/leave.h"

static bool fancy;

static const struct option_spec rows[] = {
	{.name = "fancy", .kind = OPTION_FLAG, .into = &fancy, .help = "be fancy"},
	{.more = host_option_rows},
};

static int check(struct err *err)
{
	return fancy ? err_set(err, -EINVAL, "--fancy is not for today") : 0;
}

static const char *libraries(void)
{
	return "libtest 1.2, libother 3";
}

static const struct host_program program = {
	.name = "mtusweep-test",
	.synopsis = "mtusweep-test [OPTION]...",
	.summary = "Tests.",
	.rows = rows,
	.libraries = libraries,
	.check = check,
};

static char printed[16384];
static char said[4096];

static void read_back(FILE *file, char *ret, size_t size)
{
	size_t n;

	rewind(file);
	n = fread(ret, 1, size - 1, file);
	ret[n] = '\0';
}

/* host_main() closes what it inherits, so it has a process of its own. */
static int call(char **argv)
{
	cleanup_file FILE *out = tmpfile();
	cleanup_file FILE *err = tmpfile();
	int argc = 0;
	int status = -1;
	pid_t pid;

	assert_non_null(out);
	assert_non_null(err);
	while (argv[argc])
		argc++;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		leave_process(host_main(&program, argc, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	read_back(out, printed, sizeof(printed));
	read_back(err, said, sizeof(said));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define CALL(...) call((char *[]){"mtusweep-test", __VA_ARGS__, NULL})

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void test_help_and_version(void **state)
{
	(void)state;
	assert_int_equal(CALL("--help"), 0);
	assert_has(printed, "usage: mtusweep-test [OPTION]...\n");
	/* Its own options, then those of both programs. */
	assert_has(printed, "--fancy");
	assert_has(printed, "--interface");
	assert_int_equal(CALL("--version"), 0);
	assert_string_equal(printed, "mtusweep-test " MTUSWEEP_VERSION
				     " (libtest 1.2, libother 3)\n");
}

static void test_usage_errors(void **state)
{
	static const struct {
		char *argument[2];
		const char *text;
	} cases[] = {
		{{"--no-such"}, "--no-such"},
		{{"wg0"}, "unexpected argument 'wg0'"},
		{{"--fancy"}, "--fancy is not for today"},
		{{"--mtu-min", "1600"}, "--mtu-min 1600 is above --mtu-max 1500"},
		{{"--interface", "a/b"}, "invalid interface name 'a/b'"},
		{{"--interface", "sixteen-letters-"}, "invalid interface name"},
		{{"--lease", "0"}, "--lease"},
		{{"--persist", "always"}, "--persist"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(CALL(cases[i].argument[0], cases[i].argument[1]), 2);
		assert_has(said, "mtusweep-test: ");
		assert_has(said, cases[i].text);
		assert_string_equal(printed, "");
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const char *given;
		const char *taken; /* NULL: refused, with `text` */
		const char *text;
	} cases[] = {
		{"10.0.0.1", "10.0.0.1", ""},
		{"FD00:0:0::1", "fd00::1", ""},
		{"fe80::1", "fe80::1", ""},
		{"fe80::1%wg7", "fe80::1", ""},
		{"fe80::1%eth0", NULL, "behind '%' is another interface"},
		{"10.0.0.1%wg7", NULL, "expected an IPv4 or IPv6 address"},
		{"hub", NULL, "'hub' for --server-ip"},
		{"", NULL, "expected an IPv4 or IPv6 address"},
	};

	(void)state;
	host_options.interface = "wg7";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char taken[ADDRESS_SIZE] = "";
		struct err err = ERR_INIT;
		int r = host_options_take_address("server-ip", cases[i].given, taken,
						  &err);

		assert_int_equal(r, cases[i].taken ? 0 : -EINVAL);
		if (cases[i].taken)
			assert_string_equal(taken, cases[i].taken);
		else
			assert_has(err.text, cases[i].text);
	}
}

static void test_facts(void **state)
{
	struct host host = {
		.guard.bounds.interface = "wg7",
		.link.mtu = 1412,
		.backend = BACKEND_USERSPACE,
	};
	char name[HOST_NAME_SIZE] = "";
	struct end_facts facts;

	(void)state;
	gethostname(name, sizeof(name) - 1);
	host_facts(&host, "mtusweep 1, curl 2", &facts);
	assert_string_equal(facts.host, name);
	assert_string_equal(facts.interface, "wg7");
	assert_string_equal(facts.versions, "mtusweep 1, curl 2");
	assert_string_equal(facts.address, "");
	assert_int_equal(facts.link_mtu, 1412);
	assert_int_equal(facts.backend, BACKEND_USERSPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
