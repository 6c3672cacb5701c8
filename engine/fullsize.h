#ifndef ENGINE_FULLSIZE_H
#define ENGINE_FULLSIZE_H

#include "engine/testspec.h"

/*
 * Whether packets as large as an end's MTU reach the other end at all: UDP datagrams of
 * exactly that size inside the tunnel, one direction a test. TCP does not tell: both of
 * its directions are bound by the smaller of the two MTUs, while UDP and routed traffic
 * fills each end's own. For a process that was forked for it, as iperf_test.h's is.
 *
 *	client                                server (its UDP port is `port`)
 *	  hello, small           ------>      here I am, small
 *	  upload: full size      ------>      it arrived, small
 *	  download:              <------      full size, one for each hello
 *
 * The client asks again every FULLSIZE_AGAIN_MS, so that ordinary loss does not matter,
 * and judges:
 *
 *	ok           a full-size datagram arrived
 *	blackhole    small ones did, full-size ones did not, within
 *	             testspec_blackhole_ms(): a result
 *	refused      nobody has the port
 *	unreachable  nothing arrived at all: the port is not let in
 *
 * The server answers the address of the spec alone, and the first port it comes from, until
 * the client's deadline is over.
 */

#define FULLSIZE_AGAIN_MS 50

/* Run it to its end, write what struct test_report says into `report_fd`, end the process.
 */
void fullsize_run(const struct test_spec *spec, int report_fd)
	__attribute__((noreturn));

#endif
