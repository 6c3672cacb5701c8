/*
 * Full-size packets that arrive and that are lost: two namespaces joined by a veth pair
 * of MTU 1500, and nftables that drops at the receiver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"
#include "runner_lab.h"

#define PEER_MTU   1400
#define SERVER_MTU 1500

static int setup_kind(void **state, enum lab_kind kind)
{
	static struct lab lab;

	lab_setup(&lab, kind, 100);
	lab.arm.kind = lab.call.kind = TEST_FULL_SIZE;
	lab.arm.packet_size = SERVER_MTU;
	lab.call.packet_size = PEER_MTU;
	*state = &lab;
	return 0;
}

static int setup(void **state)
{
	return setup_kind(state, LAB_VETH);
}

static int setup_loopback(void **state)
{
	return setup_kind(state, LAB_LOOPBACK);
}

static int teardown(void **state)
{
	lab_teardown(*state);
	return 0;
}

static void arm(struct lab *lab)
{
	struct err err = ERR_INIT;

	lab->call.id = ++lab->arm.id;
	if (runner_arm(lab->server.runner, &lab->arm, &err) < 0)
		fail_msg("arming failed: %s", err.text);
}

static int64_t measure(struct lab *lab, enum direction dir, enum test_status status)
{
	int64_t before_ms = clock_boot_ms();
	struct dir_result result;
	struct err err = ERR_INIT;

	lab->call.dir = dir;
	if (runner_measure(lab->peer.runner, &lab->call, -1, &result, &err) < 0)
		fail_msg("no result: %s", err.text);
	if (result.status != status)
		fail_msg("status '%s' (%s) instead of '%s'",
			 test_status_name(result.status), result.text,
			 test_status_name(status));
	return clock_boot_ms() - before_ms;
}

static void arrives_both_ways(void **state)
{
	struct lab *lab = *state;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		arm(lab);
		assert_in_range(measure(lab, (enum direction)dir, TEST_OK), 0, 1000);
		/* The port serves its first caller only: a second one finds no
		 * listener. */
		measure(lab, (enum direction)dir, TEST_REFUSED);
	}
}

/* Return the server's own result. */
static enum test_status seen_by_server(struct lab *lab)
{
	struct dir_result seen;
	struct err err = ERR_INIT;
	int r = runner_result(lab->server.runner, lab->arm.id, &seen, &err);

	if (r == -ETIMEDOUT)
		return TEST_TIMEOUT;
	if (r < 0)
		fail_msg("no result of the server: %s", err.text);
	return seen.status;
}

static void the_server_sees_its_own_proof(void **state)
{
	struct lab *lab = *state;

	arm(lab);
	measure(lab, DIR_DOWNLOAD, TEST_OK);
	assert_int_equal(seen_by_server(lab), TEST_OK);
	/* The other direction proves nothing about the server's packets. */
	arm(lab);
	measure(lab, DIR_UPLOAD, TEST_OK);
	assert_int_equal(seen_by_server(lab), TEST_TIMEOUT);
	lab_drop(&lab->peer, "meta length 1500");
	arm(lab);
	measure(lab, DIR_DOWNLOAD, TEST_BLACKHOLE);
	assert_int_equal(seen_by_server(lab), TEST_TIMEOUT);
}

/* From the peer's namespace, send hello, then confirm with the nonces 0 and 1. */
static int confirm_blindly(const struct lab *lab)
{
	/* The numbers of engine/fullsize: hello is 1, the confirmation 5. */
	struct {
		uint32_t magic, test, kind;
		uint64_t nonce;
	} __attribute__((packed)) head = {htonl(0x4d545546), htonl(lab->arm.id), 0, 0};
	static const uint32_t kinds[] = {1, 5, 5};
	struct sockaddr_storage server;
	int fd;

	if (setns(lab->peer.netns, CLONE_NEWNET) < 0 ||
	    address_parse(LAB_SERVER, LAB_PORT, &server) < 0)
		return __LINE__;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(fd, (struct sockaddr *)&server, address_size(&server)) < 0)
		return __LINE__;
	for (int i = 0; i < 3; i++) {
		head.kind = htonl(kinds[i]);
		head.nonce = (uint64_t)i / 2;
		if (send(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
			return __LINE__;
	}
	/* The server has heard it: hello is answered. */
	return recv(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
			       ntohl(head.kind) == 2
		       ? 0
		       : __LINE__;
}

/* A confirmation of a datagram that did not arrive must guess 64 random bits. */
static void nothing_is_confirmed_by_a_guess(void **state)
{
	struct lab *lab = *state;
	pid_t child;
	int result;

	lab_drop(&lab->peer, "meta length 1500");
	arm(lab);
	child = fork();
	if (child == 0)
		_exit(confirm_blindly(lab));
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_int_equal(result, 0);
	assert_int_equal(seen_by_server(lab), TEST_TIMEOUT);
}

/* The sizes are exact: one byte less does not suffice. */
static void sizes_are_exact(void **state)
{
	struct lab *lab = *state;

	lab_drop(&lab->server, "udp dport 5201 meta length 1400");
	arm(lab);
	assert_in_range(measure(lab, DIR_UPLOAD, TEST_BLACKHOLE), 1450, 2500);
	arm(lab);
	measure(lab, DIR_DOWNLOAD, TEST_OK);
	lab_drop(&lab->server, "udp dport 5201 meta length > 1400");
	arm(lab);
	measure(lab, DIR_UPLOAD, TEST_OK);
	lab_drop(&lab->peer, "meta length 1500");
	arm(lab);
	measure(lab, DIR_DOWNLOAD, TEST_BLACKHOLE);
	arm(lab);
	measure(lab, DIR_UPLOAD, TEST_OK);
}

static void ordinary_loss_does_not_matter(void **state)
{
	struct lab *lab = *state;

	/* Drop two of each three datagrams. */
	lab_drop(&lab->server, "ip protocol udp numgen inc mod 3 < 2");
	lab_drop(&lab->peer, "ip protocol udp numgen inc mod 3 > 0");
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		arm(lab);
		measure(lab, (enum direction)dir, TEST_OK);
	}
}

static void closed_ports_are_told(void **state)
{
	struct lab *lab = *state;

	assert_in_range(measure(lab, DIR_UPLOAD, TEST_REFUSED), 0, 1000);
	measure(lab, DIR_DOWNLOAD, TEST_REFUSED);
	lab_drop(&lab->server, "udp dport 5201");
	arm(lab);
	measure(lab, DIR_UPLOAD, TEST_UNREACHABLE);
}

static void another_tests_datagrams_do_not_count(void **state)
{
	struct lab *lab = *state;

	arm(lab);
	lab->call.id++;
	measure(lab, DIR_UPLOAD, TEST_UNREACHABLE);
}

static void what_does_not_fit_the_link_is_an_error(void **state)
{
	struct lab *lab = *state;

	lab->call.packet_size = 1501;
	arm(lab);
	measure(lab, DIR_UPLOAD, TEST_ERROR);
	/* The server cannot send its own: it ends, and the port is closed. */
	lab->call.packet_size = PEER_MTU;
	lab->arm.packet_size = 1501;
	arm(lab);
	measure(lab, DIR_DOWNLOAD, TEST_REFUSED);
}

static void only_the_sessions_address_is_answered(void **state)
{
	static const char *const add[] = {"ip",  "address", "add", "10.77.0.3/24",
					  "dev", "v1",      NULL};
	struct lab *lab = *state;

	lab_run(&lab->peer, "ip", add);
	arm(lab);
	text_copy(lab->call.local, sizeof(lab->call.local), "10.77.0.3");
	measure(lab, DIR_DOWNLOAD, TEST_UNREACHABLE);
	text_copy(lab->call.local, sizeof(lab->call.local), LAB_PEER);
	measure(lab, DIR_DOWNLOAD, TEST_OK);
}

static void port_that_is_taken_is_told_when_arming(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;

	arm(lab);
	assert_int_equal(runner_arm(lab->peer.runner, &lab->arm, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "UDP port"));
}

#define ON_LAB(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LAB(arrives_both_ways),
		ON_LAB(the_server_sees_its_own_proof),
		ON_LAB(nothing_is_confirmed_by_a_guess),
		ON_LAB(sizes_are_exact),
		ON_LAB(ordinary_loss_does_not_matter),
		ON_LAB(closed_ports_are_told),
		ON_LAB(another_tests_datagrams_do_not_count),
		ON_LAB(what_does_not_fit_the_link_is_an_error),
		ON_LAB(only_the_sessions_address_is_answered),
		cmocka_unit_test_setup_teardown(port_that_is_taken_is_told_when_arming,
						setup_loopback, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
