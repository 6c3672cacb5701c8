/* SPDX-License-Identifier: MIT */
/* Tests of netctl/hostroute.c: the MTU of routes to one peer, and its way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "guardlab.h"
#include "netctl/hostroute.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"

#define PEER  "10.9.0.2"
#define PEER6 "fd00:9::2"

/* All routes out of LINK, as text. */
static const char *routes(void)
{
	static char text[2048];
	static const char *const commands[] = {"ip -4 route show dev " LINK,
					       "ip -6 route show dev " LINK};
	size_t used = 0;

	for (int i = 0; i < 2; i++) {
		FILE *out = popen(commands[i], "r");

		assert_non_null(out);
		used += fread(text + used, 1, sizeof(text) - 1 - used, out);
		assert_int_equal(pclose(out), 0);
	}
	text[used] = '\0';
	return text;
}

static void assert_route(const char *line)
{
	if (!strstr(routes(), line))
		fail_msg("no '%s' in:\n%s", line, routes());
}

static void assert_no_route(const char *line)
{
	if (strstr(routes(), line))
		fail_msg("'%s' in:\n%s", line, routes());
}

/* Two addresses of the interface, and the first peer of use_wireguard() with both
 * families. */
static void make_hub(void)
{
	use_wireguard();
	netlab_run("wg set " LINK " peer "
		   "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= allowed-ips "
		   "10.9.0.2/32,10.44.0.0/16,fd00:9::2/128");
	netlab_run("ip addr add fd00:9::1/64 dev " LINK " nodad");
}

static int set_route(struct hoststate *state, const char *address, int mtu,
		     struct err *err)
{
	struct hostchange_request want = {.mtu = mtu, .by_route = true};
	int r;

	text_copy(want.address, sizeof(want.address), address);
	r = hoststate_check_request(state, &want, err);
	return r < 0 ? r : hoststate_change(state, &want, err);
}

/* `before`: a route to the address that exists already, or NULL. */
static void check_set_and_restore(const char *address, const char *before,
				  const char *expected)
{
	struct hoststate state;
	struct err err = ERR_INIT;
	char command[160];
	char at_first[2048];

	if (before) {
		snprintf(command, sizeof(command), "ip route add %s dev " LINK " %s",
			 address, before);
		netlab_run(command);
	}
	text_copy(at_first, sizeof(at_first), routes());
	guardlab_init(&state, PERSIST_NONE, "");
	state.bounds.range = (struct mtu_range){1280, 1500, 1};
	for (int mtu = 1280; mtu <= 1344; mtu += 32)
		assert_int_equal(set_route(&state, address, mtu, &err), 0);
	assert_route(expected);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(hoststate_check(&state, &err), 0);
	assert_int_equal(hoststate_restore(&state, &err), 0);
	snprintf(command, sizeof(command), "the route to %s is as before", address);
	assert_string_equal(err.text, command);
	assert_string_equal(routes(), at_first);
	if (before) {
		snprintf(command, sizeof(command), "ip route del %s dev " LINK,
			 address);
		netlab_run(command);
	}
}

static void sets_and_restores_a_route(void **test)
{
	(void)test;
	make_hub();
	check_set_and_restore(PEER, NULL,
			      PEER " proto 77 scope link src 10.9.0.1 mtu 1344");
	check_set_and_restore(PEER, "mtu 1400 initcwnd 20 metric 5",
			      PEER " scope link metric 5 mtu 1344 initcwnd 20");
	check_set_and_restore(PEER, "proto static",
			      PEER " proto static scope link mtu 1344");
	check_set_and_restore(PEER6, NULL,
			      PEER6 " proto 77 src fd00:9::1 metric 1024 mtu 1344");
	check_set_and_restore(PEER6, "mtu 1300 metric 70", PEER6 " metric 70 mtu 1344");
}

static void begin(struct hoststate *state, int mtu)
{
	make_hub();
	guardlab_init(state, PERSIST_NONE, "");
	state->bounds.range = (struct mtu_range){1280, 1500, 1};
	assert_int_equal(set_route(state, PEER, mtu, NULL), 0);
}

static void somebodys_mtu_is_kept(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;

	(void)test;
	begin(&state, 1344);
	netlab_run("ip route change " PEER " dev " LINK " proto 77 mtu 1399");
	assert_int_equal(set_route(&state, PEER, 1328, &err), -ESTALE);
	assert_string_equal(err.text,
			    "the route to " PEER "/32 was changed by somebody "
			    "else, to MTU 1399; theirs is kept");
	assert_int_equal(hoststate_restore(&state, &err), -ESTALE);
	assert_route("mtu 1399");
}

/* It has our MTU by chance, and is theirs all the same. */
static void somebodys_route_is_kept(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;

	(void)test;
	begin(&state, 1344);
	netlab_run("ip route del " PEER " dev " LINK);
	netlab_run("ip route add " PEER " dev " LINK " proto static mtu 1344");
	assert_int_equal(hoststate_check(&state, &err), -ESTALE);
	assert_int_equal(hoststate_restore(&state, &err), -ESTALE);
	assert_route(PEER " proto static scope link mtu 1344");
}

/* The link is not ours here: who changes it disturbs nothing, and keeps it. */
static void the_link_is_left_alone(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;

	(void)test;
	begin(&state, 1344);
	netlab_run("ip link set " LINK " mtu 1408");
	assert_int_equal(set_route(&state, PEER, 1328, &err), 0);
	assert_int_equal(hoststate_restore(&state, &err), 0);
	assert_int_equal(mtu_now(), 1408);
	assert_no_route(PEER);
}

static void going_down_restores(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;

	(void)test;
	begin(&state, 1344);
	netlab_run("ip link set " LINK " down");
	assert_int_equal(hoststate_check(&state, &err), -ENETDOWN);
	netlab_run("ip link set " LINK " up");
	assert_no_route(PEER);
	/* A measurement in between had another MTU. */
	assert_int_equal(hoststate_check(&state, &err), -ENETDOWN);
	assert_int_equal(set_route(&state, PEER, 1328, &err), 0);
	assert_route(PEER " proto 77 scope link src 10.9.0.1 mtu 1328");
	assert_int_equal(hoststate_check(&state, &err), 0);
	netlab_run("ip link set " LINK " down");
	assert_int_equal(hoststate_restore(&state, &err), 0);
	netlab_run("ip link set " LINK " up");
	assert_no_route(PEER);
}

static void a_deleted_interface_restores(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;

	(void)test;
	begin(&state, 1344);
	netlab_run("ip link del " LINK);
	assert_int_equal(hoststate_check(&state, &err), -ENODEV);
	assert_int_equal(hoststate_restore(&state, &err), 0);
	assert_int_equal(journal_read(LINK, &state.journal, NULL), -ENOENT);
}

/* All processes die at once; `before`: a route to the peer that exists already. */
static void check_killed(const char *before)
{
	struct err err = ERR_INIT;
	char at_first[2048];
	int pid;

	if (before)
		netlab_run(before);
	text_copy(at_first, sizeof(at_first), routes());
	pid = fork();
	if (pid == 0) {
		struct hoststate state;

		guardlab_init(&state, PERSIST_NONE, "");
		state.bounds.range = (struct mtu_range){1280, 1500, 1};
		_exit(set_route(&state, PEER, 1344, NULL) < 0 ||
		      set_route(&state, PEER, 1296, NULL) < 0);
	}
	assert_int_equal(netlab_wait(pid), 0);
	assert_route("mtu 1296");
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "the route to " PEER " is as before");
	assert_string_equal(routes(), at_first);
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_string_equal(err.text, "");
}

static void a_killed_run_is_restored(void **test)
{
	(void)test;
	make_hub();
	check_killed(NULL);
	check_killed("ip route add " PEER " dev " LINK " mtu 1400 metric 3");
}

static void a_journal_of_another_boot_changes_nothing(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;

	(void)test;
	begin(&state, 1344);
	text_copy(state.journal.boot, sizeof(state.journal.boot), "another");
	assert_int_equal(journal_write(&state.journal, NULL), 0);
	assert_int_equal(hoststate_restore_journal(LINK, &err), -ESTALE);
	assert_route("mtu 1344");
}

static void a_commit_sets_the_routes_of_all_allowed_ips(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;

	(void)test;
	begin(&state, 1344);
	netlab_run("ip route add 10.44.0.0/16 dev " LINK " proto static");
	state.bounds.persist = PERSIST_BEST;
	text_copy(state.bounds.conf_file, sizeof(state.bounds.conf_file), t.conf);
	assert_int_equal(hoststate_commit(&state, &err), 0);
	assert_route(PEER " proto 77 scope link src 10.9.0.1 mtu 1344");
	assert_route("10.44.0.0/16 proto static scope link mtu 1344");
	assert_route(PEER6 " proto 77 metric 1024 mtu 1344");
	assert_no_route("10.9.0.3");
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf,
		    "[Interface]\r\nPrivateKey = abc=\r\n# MTU = 1\r\nMTU = 1420\r\n"
		    "PostUp = ip -4 route replace 10.9.0.2/32 dev %i proto 77 "
		    "src 10.9.0.1 mtu 1344 # mtusweep 10.9.0.2\r\n"
		    "PostUp = ip -4 route replace 10.44.0.0/16 dev %i proto 77 "
		    "mtu 1344 # mtusweep 10.9.0.2\r\n"
		    "PostUp = ip -6 route replace fd00:9::2/128 dev %i proto 77 "
		    "mtu 1344 # mtusweep 10.9.0.2\r\n[Peer]\r\n");
	/* It is committed: nothing is restored. */
	assert_int_equal(hoststate_restore(&state, &err), 0);
	assert_route("10.44.0.0/16 proto static scope link mtu 1344");
}

/* With --persist each the lines follow, and go. */
static void each_step_writes_lines(void **test)
{
	struct hoststate state;
	struct err err = ERR_INIT;
	char folder[sizeof(t.conf) + 32];

	(void)test;
	make_hub();
	guardlab_init(&state, PERSIST_EACH, t.conf);
	state.bounds.range = (struct mtu_range){1280, 1500, 1};
	assert_int_equal(set_route(&state, PEER, 1344, NULL), 0);
	assert_int_equal(set_route(&state, PEER, 1328, NULL), 0);
	assert_file(t.conf,
		    "[Interface]\r\nPrivateKey = abc=\r\n# MTU = 1\r\nMTU = 1420\r\n"
		    "PostUp = ip -4 route replace 10.9.0.2/32 dev %i proto 77 "
		    "src 10.9.0.1 mtu 1328 # mtusweep 10.9.0.2\r\n[Peer]\r\n");
	/* As after a crash. */
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	snprintf(folder, sizeof(folder), "conf file '%s' is restored", t.conf);
	assert_non_null(strstr(err.text, folder));
	assert_file(t.conf, CONF);
	assert_no_route(PEER);
}

/* --- the guard --- */

static void start_hub_guard(enum scope scope)
{
	make_hub();
	t.scope = scope;
	start_guard(PERSIST_NONE);
}

static void the_guard_leaves_a_hubs_link_alone(void **test)
{
	struct guard_facts facts;

	(void)test;
	start_hub_guard(SCOPE_AUTO);
	assert_int_equal(guard_get_facts(t.guard, PEER, &facts, NULL), 0);
	assert_int_equal(facts.peers, 2);
	assert_true(facts.by_route);
	assert_int_equal(guard_set(t.guard, 1344, 5000, NULL), -EDESTADDRREQ);
	assert_int_equal(guard_set_for(t.guard, "10.9.0.9", 1344, 5000, NULL), -EACCES);
	assert_int_equal(guard_set_for(t.guard, PEER, 1600, 5000, NULL), -ERANGE);
	assert_int_equal(guard_set_for(t.guard, PEER, 1344, 5000, NULL), 0);
	assert_route(PEER " proto 77 scope link src 10.9.0.1 mtu 1344");
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(guard_renew(t.guard, 5000, NULL), 0);
	assert_int_equal(guard_restore(t.guard, NULL), 0);
	assert_no_route(PEER);
}

static void the_guard_probes_a_hub_without_its_link(void **test)
{
	(void)test;
	start_hub_guard(SCOPE_AUTO);
	assert_int_equal(guard_probe(t.guard, 1408, PEER, 0, 5000, NULL), 0);
	assert_int_equal(guard_probe(t.guard, 1296, "", 0, 5000, NULL), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_no_route(PEER);
	assert_int_equal(guard_restore(t.guard, NULL), 0);
}

static void the_lease_restores_a_route(void **test)
{
	(void)test;
	start_hub_guard(SCOPE_AUTO);
	assert_int_equal(guard_set_for(t.guard, PEER, 1344, LEASE_MIN_MS, NULL), 0);
	assert_said_within(1, LEASE_MIN_MS + 2000);
	assert_string_equal(t.said->last,
			    "the lease expired: the route to " PEER " is as before");
	assert_no_route(PEER);
	/* The session goes on, with the same scope. */
	assert_int_equal(guard_set_for(t.guard, PEER, 1328, 5000, NULL), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

static void a_killed_guard_leaves_a_journal(void **test)
{
	struct err err = ERR_INIT;

	(void)test;
	start_hub_guard(SCOPE_AUTO);
	assert_int_equal(guard_set_for(t.guard, PEER, 1344, 5000, NULL), 0);
	kill_guard();
	assert_route(PEER " proto 77");
	assert_int_equal(hoststate_restore_journal(LINK, &err), 0);
	assert_no_route(PEER);
}

static void the_guard_obeys_the_scope(void **test)
{
	(void)test;
	start_hub_guard(SCOPE_LINK);
	assert_int_equal(guard_set_for(t.guard, PEER, 1344, 5000, NULL), 0);
	assert_int_equal(mtu_now(), 1344);
	assert_no_route(PEER);
	end_guard();
	assert_int_equal(mtu_now(), ORIGINAL);
	netlab_run("wg set " LINK " peer "
		   "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= remove");
	t.scope = SCOPE_AUTO;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set_for(t.guard, PEER, 1344, 5000, NULL), 0);
	assert_int_equal(mtu_now(), 1344);
	end_guard();
	t.scope = SCOPE_ROUTE;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set_for(t.guard, PEER, 1344, 5000, NULL), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_route(PEER " proto 77");
}

/* wireguard-go pads to 16, up to the link's MTU; the kernel obeys the route. */
static void a_userspace_wireguard_has_multiples_of_16(void **test)
{
	struct err err = ERR_INIT;
	int expected;

	(void)test;
	start_hub_guard(SCOPE_AUTO);
	expected = t.daemon ? -ERANGE : 0;
	assert_int_equal(guard_set_for(t.guard, PEER, 1340, 5000, &err), expected);
	if (t.daemon)
		assert_string_equal(
			err.text,
			"a route's MTU of 1340 cannot be had with a userspace "
			"WireGuard: it has to be a multiple of 16, and not "
			"above the MTU of '" LINK "', which is 1420");
	assert_int_equal(guard_set_for(t.guard, PEER, 1440, 5000, NULL), expected);
	assert_int_equal(guard_set_for(t.guard, PEER, 1408, 5000, NULL), 0);
	assert_int_equal(hostroute_mtu_max(BACKEND_USERSPACE, 1420), 1408);
	assert_int_equal(hostroute_unit(BACKEND_KERNEL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(sets_and_restores_a_route),
		GUARD_TEST(somebodys_mtu_is_kept),
		GUARD_TEST(somebodys_route_is_kept),
		GUARD_TEST(the_link_is_left_alone),
		GUARD_TEST(going_down_restores),
		GUARD_TEST(a_deleted_interface_restores),
		GUARD_TEST(a_killed_run_is_restored),
		GUARD_TEST(a_journal_of_another_boot_changes_nothing),
		GUARD_TEST(a_commit_sets_the_routes_of_all_allowed_ips),
		GUARD_TEST(each_step_writes_lines),
		GUARD_TEST(the_guard_leaves_a_hubs_link_alone),
		GUARD_TEST(the_guard_probes_a_hub_without_its_link),
		GUARD_TEST(the_lease_restores_a_route),
		GUARD_TEST(a_killed_guard_leaves_a_journal),
		GUARD_TEST(the_guard_obeys_the_scope),
		GUARD_TEST(a_userspace_wireguard_has_multiples_of_16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
