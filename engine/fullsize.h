/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_FULLSIZE_H
#define ENGINE_FULLSIZE_H

#include "engine/testspec.h"

/*
 * A test whether packets as large as an end's MTU reach the other end: UDP datagrams of
 * exactly that size inside the tunnel, one direction a test. TCP cannot show this: the
 * smaller of the two MTUs bounds both of its directions, while UDP and routed traffic
 * fills each end's own. Run it in a forked process, as iperf_test.h's tests.
 *
 *	client                                server (its UDP port is `port`)
 *	  hello, small           ------>      here I am, small
 *	  upload: full size      ------>      it arrived, small
 *	  download:              <------      full size, one for each hello
 *	            confirmation ------>      noted, small
 *
 * The hello says the direction: that of an upload, how large the client's datagrams will
 * be. The server's full-size datagrams carry 64 random bits, and the confirmation repeats
 * them: nobody can confirm a datagram that did not arrive. In an upload the small answer
 * carries them, and the full-size datagrams repeat them: only the caller can send one that
 * counts. Each end looks at the sender of each datagram, and at the length of each
 * full-size one. The client repeats its messages every
 * FULLSIZE_AGAIN_MS, so that ordinary loss does not matter, and judges:
 *
 *	ok           a full-size datagram arrived
 *	blackhole    small datagrams arrived, full-size ones did not, within
 *	             testspec_blackhole_ms(): a result, not an error
 *	refused      no process has the port
 *	unreachable  nothing arrived: a firewall blocks the port
 *
 * The server answers only the first port that sends from the address of the spec. It ends
 * when a full-size datagram is confirmed (ok), else at the client's deadline (blackhole).
 * The confirmation is the server's own proof that packets of its MTU arrive.
 */

#define FULLSIZE_AGAIN_MS 50

/* Run the test to its end, write a struct test_report into `report_fd`, end the
 * process. */
void fullsize_run(const struct test_spec *spec, int report_fd)
	__attribute__((noreturn));

#endif
