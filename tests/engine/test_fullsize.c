/* SPDX-License-Identifier: MIT */
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
#include <signal.h>
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
	lab.call.their_size = SERVER_MTU;
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

/* As engine/fullsize.c has them. */
enum kind { HELLO = 1, HERE, FULL, ARRIVED, CONFIRM };

struct head {
	uint32_t magic, test, kind, size;
	uint64_t nonce;
} __attribute__((packed));

/* A datagram of `length` bytes. */
static int say(int fd, const struct lab *lab, enum kind kind, uint32_t size,
	       uint64_t nonce, size_t length)
{
	struct head head = {htonl(0x4d545546), htonl(lab->arm.id), htonl(kind),
			    htonl(size), nonce};
	char bytes[SERVER_MTU] = {0};

	memcpy(bytes, &head, sizeof(head));
	return send(fd, bytes, length, 0) == (ssize_t)length ? 0 : -1;
}

static enum kind hear(int fd, uint64_t *ret_nonce)
{
	struct head head = {0};

	recv(fd, &head, sizeof(head), 0);
	*ret_nonce = head.nonce;
	return (enum kind)ntohl(head.kind);
}

/* In the peer's namespace, from that address of it to the server. */
static int call_from(const char *address)
{
	struct sockaddr_storage server, local;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || address_parse(LAB_SERVER, LAB_PORT, &server) < 0 ||
	    address_parse(address, 0, &local) < 0 ||
	    bind(fd, (struct sockaddr *)&local, address_size(&local)) < 0 ||
	    connect(fd, (struct sockaddr *)&server, address_size(&server)) < 0)
		return -1;
	return fd;
}

/* Say hello, then confirm with a nonce of 0 and one more. */
static int confirm_blindly(const struct lab *lab)
{
	int fd = call_from(LAB_PEER);
	uint64_t nonce;

	for (int i = 0; i < 3; i++) {
		if (say(fd, lab, i ? CONFIRM : HELLO, 0, (uint64_t)i / 2,
			sizeof(struct head)) < 0)
			return __LINE__;
	}
	/* It is heard: hello is answered. */
	return hear(fd, &nonce) == HERE ? 0 : __LINE__;
}

#define OTHER "10.77.0.3"

static void add_other(const struct lab *lab)
{
	static const char *const add[] = {"ip",  "address", "add", OTHER "/24",
					  "dev", "v1",      NULL};

	lab_run(&lab->peer, "ip", add);
}

#define PEER_BYTES (PEER_MTU - 28)

/* Nothing but a full-size datagram of the caller, with the server's nonce, is told to have
 * arrived: each answer to a hello has none of the others' before it. The server answers
 * none of its own size. */
static int upload_falsely(const struct lab *lab)
{
	pid_t server = lab_await_child(&lab->server);
	int peer = call_from(LAB_PEER);
	int near = call_from(LAB_PEER);
	int other = call_from(OTHER);
	uint64_t nonce, same;
	bool bad;

	/* Behind the hello, and before the server takes its sender for the caller. */
	kill(server, SIGSTOP);
	bad = say(peer, lab, HELLO, PEER_MTU, 0, sizeof(struct head)) < 0 ||
	      say(other, lab, FULL, 0, 0, PEER_BYTES) < 0 ||
	      say(near, lab, FULL, 0, 0, PEER_BYTES) < 0;
	kill(server, SIGCONT);
	if (bad)
		return __LINE__;
	if (hear(peer, &nonce) != HERE)
		return __LINE__;
	if (say(peer, lab, FULL, 0, nonce, PEER_BYTES - 1) < 0 ||
	    say(peer, lab, FULL, 0, nonce + 1, PEER_BYTES) < 0 ||
	    say(peer, lab, CONFIRM, 0, nonce, sizeof(struct head)) < 0 ||
	    say(peer, lab, HELLO, PEER_MTU, 0, sizeof(struct head)) < 0)
		return __LINE__;
	if (hear(peer, &same) != HERE || same != nonce)
		return __LINE__;
	return say(peer, lab, FULL, 0, nonce, PEER_BYTES) == 0 &&
			       hear(peer, &same) == ARRIVED
		       ? 0
		       : __LINE__;
}

/* Run it in the peer's namespace, in a process of its own; it ends by itself. */
static void in_peers_namespace(const struct lab *lab, int (*run)(const struct lab *lab))
{
	pid_t child = fork();
	int result;

	if (child == 0) {
		alarm(10);
		_exit(setns(lab->peer.netns, CLONE_NEWNET) < 0 ? __LINE__ : run(lab));
	}
	assert_int_equal(waitpid(child, &result, 0), child);
	if (result)
		fail_msg("line %d of this file, signal %d", WEXITSTATUS(result),
			 WTERMSIG(result));
}

static void an_upload_is_proved_by_the_caller_alone(void **state)
{
	struct lab *lab = *state;

	add_other(lab);
	arm(lab);
	in_peers_namespace(lab, upload_falsely);
	assert_int_equal(seen_by_server(lab), TEST_TIMEOUT);
}

/* A confirmation of what did not arrive is a guess at 64 random bits. */
static void nothing_is_confirmed_by_a_guess(void **state)
{
	struct lab *lab = *state;

	lab_drop(&lab->peer, "meta length 1500");
	arm(lab);
	in_peers_namespace(lab, confirm_blindly);
	assert_int_equal(seen_by_server(lab), TEST_TIMEOUT);
}

static void another_size_is_no_proof(void **state)
{
	struct lab *lab = *state;

	lab->call.their_size = SERVER_MTU - 1;
	arm(lab);
	measure(lab, DIR_DOWNLOAD, TEST_BLACKHOLE);
}

/* Exactly these sizes: one byte less does not do. */
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
	lab->arm.packet_size = lab->call.their_size = 1501;
	arm(lab);
	measure(lab, DIR_DOWNLOAD, TEST_REFUSED);
}

static void only_the_sessions_address_is_answered(void **state)
{
	struct lab *lab = *state;

	add_other(lab);
	arm(lab);
	text_copy(lab->call.local, sizeof(lab->call.local), OTHER);
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
		ON_LAB(an_upload_is_proved_by_the_caller_alone),
		ON_LAB(another_size_is_no_proof),
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
